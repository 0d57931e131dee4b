//! What providers charge us beside what we reckoned: their reports, their APIs, and what a channel pays.

use crate::operator::Operator;
use bytespike_tests::database::{BOTH, rows};
use bytespike_tests::product::{CLAUDE, GPT, Setup};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::{Stage, nano};
use bytespike_tests::upstream::{Reply, Request, Upstream, scenes};
use serde_json::{Value, json};

/// Of a provider's administration.
const ADMIN_KEY: &str = "sk-ant-admin-CANARY-77e1";

#[tokio::test]
async fn a_provider_s_report_is_compared_with_our_attempts() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let operator = Operator::of(&stage).await;
        let _ = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false)).await.expect_status(200);
        let created_at = operator.get("/wallets").await["data"][0]["created_at"].clone();
        let day = created_at.as_str().unwrap()[..10].to_owned();
        let before = stage.balance().await;
        let import = async |name: &str, text: String| {
            std::fs::write(stage.product.folder().join(name), text).unwrap();
            stage.product.command(&["reconcile", "import", name], &[]).await
        };
        let table = |amount: &str| {
            format!("provider,day,amount_usd,description\nscripted,{day},{amount},all of it\n")
        };
        let (read, said) = import("fits.csv", table("0.99")).await;
        assert!(read && said.contains("matched") && !said.contains("unmatched"), "{said}");
        let (read, said) = import("differs.csv", table("7.25")).await;
        assert!(read && said.contains("unmatched"), "{said}");
        let rows = operator.get("/reconciliations?state=unmatched").await;
        let row = &rows["data"][0];
        assert_eq!(
            (&row["provider"], &row["day"], &row["actual_usd"]),
            (&"scripted".into(), &day.as_str().into(), &"7.250000000".into())
        );
        assert!(row["attempts"].as_i64().unwrap() >= 1 && row["expected_usd"] != "0.000000000", "{row}");
        assert_eq!(stage.balance().await, before, "a difference never moves a wallet");
        let (read, said) = import("broken.csv", "provider,day\nx,y\n".to_owned()).await;
        assert!(!read && said.contains("broken.csv") && said.contains("amount_usd"), "{said}");
    }
}

/// The value of a query's parameter, as it was sent.
fn parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let query = request.path.split_once('?')?.1;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// Answers in the shapes that the providers publish for their cost APIs: the first day that is asked for, in two pages.
fn cost_page(request: &Request) -> Reply {
    let is_first = parameter(request, "page").is_none();
    let bucket = if let Some(from) = parameter(request, "starting_at") {
        let from = from.replace("%3A", ":");
        let line = json!({
            "currency": "USD", "amount": if is_first { "99.5" } else { "0.5" }, "workspace_id": null,
            "description": "Claude Usage - Input Tokens", "cost_type": "tokens", "context_window": "0-200k",
            "model": "claude-sonnet-5", "service_tier": "standard", "token_type": "uncached_input_tokens",
        });
        json!({"starting_at": from, "ending_at": from.replace("00:00:00", "23:59:59"), "results": [line]})
    } else {
        let start_s: i64 = parameter(request, "start_time").unwrap().parse().unwrap();
        let line = json!({
            "object": "organization.costs.result", "line_item": "gpt-5", "project_id": null,
            "amount": {"value": if is_first { 6.5 } else { 0.06 }, "currency": "usd"},
        });
        json!({"object": "bucket", "start_time": start_s, "end_time": start_s + 86_400, "results": [line]})
    };
    let next = if is_first { json!("page_2") } else { Value::Null };
    Reply::json(200, &json!({"object": "page", "data": [bucket], "has_more": is_first, "next_page": next}))
}

#[tokio::test]
async fn the_providers_cost_apis_are_asked_and_compared_like_a_file() {
    for database in BOTH {
        let upstream = Upstream::start(scenes::play).await;
        let settings = format!(
            "[reconciliation]\nanthropic_admin_key = \"{ADMIN_KEY}\"\nopenai_admin_key = \"{ADMIN_KEY}\"\n\
             anthropic_url = \"{0}\"\nopenai_url = \"{0}\"\n",
            upstream.url()
        );
        let setup = Setup::scripted(&upstream.url()).on(database).settings(&settings);
        let stage = Stage::on(setup, upstream).await;
        let operator = Operator::of(&stage).await;
        stage.answer_with(cost_page);
        let (read, said) = stage.product.command(&["reconcile", "fetch"], &[]).await;
        assert!(read && !said.contains(ADMIN_KEY), "{said}");

        let sent = stage.upstream.requests();
        let of =
            |path: &str| sent.iter().filter(|request| request.path.starts_with(path)).collect::<Vec<_>>();
        // The daily job may have asked as well, so the last of each are looked at.
        let (anthropic, openai) = (of("/v1/organizations/cost_report?"), of("/v1/organization/costs?"));
        let first = |asked: &[&Request]| {
            let opening = asked.iter().rfind(|request| parameter(request, "page").is_none());
            (*opening.expect("was asked")).clone()
        };
        for asked in [&anthropic, &openai] {
            assert_eq!(
                asked.last().and_then(|later| parameter(later, "page")),
                Some("page_2"),
                "page by page"
            );
        }
        let (anthropic, openai) = (first(&anthropic), first(&openai));
        assert_eq!(anthropic.header("x-api-key"), Some(ADMIN_KEY));
        assert_eq!(anthropic.header("anthropic-version"), Some("2023-06-01"));
        assert_eq!(openai.header("authorization"), Some(&*format!("Bearer {ADMIN_KEY}")));
        let created_at = operator.get("/wallets").await["data"][0]["created_at"].clone();
        let until = parameter(&anthropic, "ending_at").unwrap();
        assert_eq!(
            until.replace("%3A", ":"),
            format!("{}T00:00:00Z", &created_at.as_str().unwrap()[..10]),
            "whole days"
        );
        let second = |name| parameter(&openai, name).unwrap().parse::<i64>().unwrap();
        assert_eq!(second("end_time") - second("start_time"), 35 * 86_400);

        let day = &parameter(&anthropic, "starting_at").unwrap()[..10];
        let rows = operator.get("/reconciliations").await["data"].clone();
        let reported = |provider: &str| {
            let mut of_day = rows.as_array().unwrap().iter().filter(|row| row["day"] == day);
            of_day.find(|row| row["provider"] == provider).map(|row| row["actual_usd"].clone())
        };
        assert_eq!(reported("anthropic"), Some("1.000000000".into()), "{rows}");
        assert_eq!(reported("openai"), Some("6.560000000".into()), "{rows}");

        stage.answer(Reply::json(401, &json!({"error": {"message": "no"}})));
        let (read, said) = stage.product.command(&["reconcile", "fetch"], &[]).await;
        assert!(
            !read && said.contains("401") && said.contains("reconciliation.anthropic_admin_key"),
            "{said}"
        );
        assert!(!said.contains(ADMIN_KEY), "{said}");
        stage.answer(Reply::json(200, &json!({"data": [{"day": "today"}]})));
        let (read, said) = stage.product.command(&["reconcile", "fetch"], &[]).await;
        assert!(!read && said.contains("cost_report"), "{said}");
        assert_eq!(operator.get("/reconciliations").await["data"], rows, "what was known stays");
    }
}

#[tokio::test]
async fn what_a_channel_pays_is_what_its_tries_cost_also_for_channels_of_the_database() {
    for database in BOTH {
        let upstream = Upstream::start(scenes::play).await;
        let host = upstream.url().replace("http://", "");
        let settings = format!("[gateway]\nprivate_upstreams = [\"{host}\"]\n");
        let setup = Setup::default().on(database).model(CLAUDE, "1.00").settings(&settings);
        let stage = Stage::on(setup, upstream).await;
        let operator = Operator::of(&stage).await;
        stage.product.write(
            "channel.toml",
            &format!(
                "id = \"late\"\nprovider = \"scripted\"\ndialect = \"anthropic\"\nbase_url = \"{}\"\nmodels = {{ \"{CLAUDE}\" = \"{CLAUDE}\" }}\n",
                stage.upstream.url()
            ),
        );
        let put = ["channels", "put", "channel.toml", "--keys-from-stdin"];
        assert!(stage.product.run(&put, bytespike_tests::canary::UPSTREAM_KEY).await.success);
        let cost = |component: &str, usd: &str| {
            format!(
                "[[costs]]\nmodel = \"{CLAUDE}\"\ncomponent = \"{component}\"\nusd = \"{usd}\"\nunit = \"1M tokens\"\n"
            )
        };
        stage.product.write("costs.toml", &[cost("input", "0.25"), cost("output", "0.50")].concat());
        let ran = stage.product.run(&["channels", "costs", "late", "costs.toml"], "").await;
        assert!(ran.success, "{}", ran.output);

        // 12 tokens in and 5 out: 12 × 0.25 + 5 × 0.5 millionths of a USD, which the running process knows within a second.
        let paid_pico = 12 * 250_000 + 5 * 500_000;
        let store = stage.product.database.connect().await;
        let last_cost = async || {
            let all =
                rows(&store, "select cost_pico from upstream_attempt order by reservation_id desc limit 1")
                    .await;
            all.first().and_then(|row| row[0].parse::<i64>().ok())
        };
        let started = std::time::Instant::now();
        loop {
            let answer = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await;
            if answer.status == 200 && last_cost().await == Some(paid_pico) {
                assert_eq!(
                    nano(&stage.receipt_of(&answer).await["charged"]["credits"]),
                    17_000,
                    "the price stays"
                );
                break;
            }
            assert!(
                started.elapsed() < bytespike_tests::PATIENCE,
                "{:?} {}",
                last_cost().await,
                answer.text()
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }

        let created_at = operator.get("/wallets").await["data"][0]["created_at"].clone();
        let day = &created_at.as_str().unwrap()[..10];
        stage.product.write("report.csv", &format!("provider,day,amount_usd\nscripted,{day},0.01\n"));
        let (read, said) = stage.product.command(&["reconcile", "import", "report.csv"], &[]).await;
        assert!(read && said.contains("matched"), "{said}");
        let row = operator.get("/reconciliations").await["data"][0].clone();
        assert!(
            row["attempts"].as_i64().unwrap() >= 1,
            "attempts of a channel of the database are its provider's: {row}"
        );
        store.close().await;
    }
}
