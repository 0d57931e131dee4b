//! Usage: whatever way it is asked for, it is the same calls and the same money, and nobody reads another's.

use bytespike_tests::database::BOTH;
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::{Stage, nano};
use serde_json::Value;

/// A stage on which two keys have called: some calls landed, some did not.
struct Lived {
    stage: Stage,
    /// Reads the whole org's usage.
    org_key: String,
    receipts: Vec<Value>,
}

async fn lived(kind: bytespike_tests::database::Kind) -> Lived {
    let mut stage = Stage::with(|setup| setup.on(kind)).await;
    let org_key = stage.person.create_key("=all", &[("org_usage", "on")]).await;
    let mut receipts = Vec::new();
    for (speaker, model, scene) in [
        (Speaker::OpenAi, GPT, "scene:text"),
        (Speaker::Anthropic, CLAUDE, "scene:text"),
        (Speaker::OpenAi, GPT, "scene:status-500"),
        (Speaker::Anthropic, CLAUDE, "scene:break"),
        (Speaker::OpenAi, GPT, "scene:text"),
    ] {
        let mut body = speaker.ask(model, scene == "scene:break");
        body["messages"][0]["content"] = scene.into();
        let answer = stage.ask(speaker, &body).await;
        receipts.push(stage.receipt_of(&answer).await);
    }
    let speaker = Speaker::OpenAi;
    let answer = speaker.call(&stage.product.url, &org_key, &speaker.ask(GPT, false)).send().await;
    let id = answer.header("x-receipt-id").to_owned();
    receipts.push(read(&stage, &org_key, &format!("/v1/receipts/{id}")).await.expect_status(200).json());
    Lived { stage, org_key, receipts }
}

async fn read(stage: &Stage, key: &str, path: &str) -> Answer {
    Call::get(stage.product.at(path)).header("x-api-key", key).send().await
}

fn charged(receipts: &[Value]) -> i64 {
    receipts.iter().map(|receipt| nano(&receipt["charged"]["credits"])).sum()
}

fn column(csv: &str, name: &str) -> Vec<String> {
    let mut lines = csv.lines();
    let at = lines.next().unwrap().split(',').position(|column| column == name).unwrap();
    lines.map(|line| line.split(',').nth(at).unwrap().to_owned()).collect()
}

fn sum(credits: &[String]) -> i64 {
    credits.iter().map(|credits| nano(&Value::from(credits.as_str()))).sum()
}

#[tokio::test]
async fn i20_s114_every_way_of_asking_adds_up_to_the_receipts() {
    for kind in BOTH {
        let Lived { stage, org_key, receipts } = lived(kind).await;
        let landed = receipts.iter().filter(|receipt| receipt["outcome"] == "settled").count();
        assert!((3..6).contains(&landed), "some landed, some did not");
        let settled = i64::try_from(landed).unwrap();
        for by in ["", "day", "hour", "model", "key", "member", "deployment", "outcome", "day,model,key"] {
            let usage =
                read(&stage, &org_key, &format!("/v1/usage?group_by={by}")).await.expect_status(200).json();
            assert_eq!(nano(&usage["total"]["charged_credits"]), charged(&receipts), "{usage}");
            let rows = usage["data"].as_array().unwrap();
            let of = |name: &str| rows.iter().map(|row| row[name].as_i64().unwrap()).sum::<i64>();
            assert_eq!((of("calls"), of("billed_calls")), (6, settled), "by {by}: {usage}");
            let credits: i64 = rows.iter().map(|row| nano(&row["charged_credits"])).sum();
            assert_eq!(credits, charged(&receipts), "by {by}");
            assert_eq!(usage["total"]["not_billed"]["charged_credits"], "0.000");
        }
        let calls = read(&stage, &org_key, "/v1/usage/calls").await.expect_status(200).json();
        for (name, _) in bytespike_ledger::Quantities::default().named() {
            let sum: i64 =
                calls["data"].as_array().unwrap().iter().map(|call| call[name].as_i64().unwrap()).sum();
            let usage = read(&stage, &org_key, "/v1/usage").await.json();
            assert_eq!(usage["total"][name], sum, "{name}");
        }
        let csv = read(&stage, &org_key, "/v1/usage/calls.csv").await.expect_status(200);
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        let csv = csv.text();
        assert!(csv.starts_with("receipt_id,settled_at_utc,org,"), "{csv}");
        assert_eq!(sum(&column(&csv, "charged_credits")), charged(&receipts));
        assert!(column(&csv, "outcome").iter().all(|outcome| outcome == "settled"));
        assert!(column(&csv, "key").contains(&"'=all".to_owned()), "no cell is a formula: {csv}");
        let all = read(&stage, &org_key, "/v1/usage/calls.csv?include=unbilled").await.text();
        assert_eq!(
            (column(&all, "receipt_id").len(), sum(&column(&all, "charged_credits"))),
            (6, charged(&receipts))
        );
        let focus = read(&stage, &org_key, "/v1/usage/focus.csv").await.expect_status(200).text();
        let nano_of = |usd: &String| usd.replace('.', "").parse::<i64>().unwrap();
        let billed: i64 = column(&focus, "BilledCost").iter().map(nano_of).sum();
        assert_eq!(billed, charged(&receipts), "{focus}");
        assert_eq!(column(&focus, "x_ReceiptId").len(), landed);
        let month = statement(&stage, &org_key).await;
        assert_eq!(nano(&month["usage"]["charged_credits"]), charged(&receipts), "{month}");
        assert_eq!(month["not_billed"]["calls"], 6 - settled);
        let balance = stage.balance().await;
        assert_eq!(month["closing"]["total_credits"], balance["posted_credits"], "the wallet agrees");
        let table =
            read(&stage, &org_key, &format!("/v1/statements/{}.csv", month["month"].as_str().unwrap())).await;
        let table = table.expect_status(200).text();
        let usage = table.lines().find(|line| line.contains(",usage,")).unwrap();
        assert!(usage.contains(month["usage"]["charged_credits"].as_str().unwrap()), "{table}");
    }
}

async fn statement(stage: &Stage, key: &str) -> Value {
    let list = read(stage, key, "/v1/statements").await.expect_status(200).json();
    assert_eq!(list["data"].as_array().map(Vec::len), Some(0), "no month has ended");
    let month = list["running_month"].as_str().unwrap();
    let statement = read(stage, key, &format!("/v1/statements/{month}")).await.expect_status(200).json();
    assert_eq!((&statement["status"], &statement["month"]), (&"preview".into(), &month.into()));
    statement
}

#[tokio::test]
async fn s77_calls_are_paged_newest_first_without_gaps_and_filtered() {
    let Lived { stage, org_key, receipts } = lived(bytespike_tests::database::Kind::Sqlite).await;
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = read(&stage, &org_key, &format!("/v1/usage/calls?limit=2{cursor}"))
            .await
            .expect_status(200)
            .json();
        ids.extend(page["data"].as_array().unwrap().iter().map(|call| call["receipt_id"].clone()));
        assert!(ids.len() <= receipts.len(), "paging ends");
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let mut made: Vec<Value> = receipts.iter().map(|receipt| receipt["id"].clone()).collect();
    made.reverse();
    assert_eq!(ids, made);
    let free =
        read(&stage, &org_key, "/v1/usage/calls?outcome=released,expired").await.expect_status(200).json();
    for call in free["data"].as_array().unwrap() {
        assert_eq!(
            (&call["charged_credits"], &call["held_credits"]),
            (&"0.000".into(), &call["returned_credits"])
        );
    }
    let claude = read(&stage, &org_key, &format!("/v1/usage/calls?model={CLAUDE}")).await.json();
    assert!(claude["data"].as_array().unwrap().iter().all(|call| call["model"] == CLAUDE));
    let paged =
        read(&stage, &org_key, "/v1/usage?group_by=model,outcome&limit=1").await.expect_status(200).json();
    assert_eq!((paged["data"].as_array().unwrap().len(), &paged["has_more"]), (1, &true.into()));
    let next =
        format!("/v1/usage?group_by=model,outcome&limit=9&cursor={}", paged["next_cursor"].as_str().unwrap());
    let rest = read(&stage, &org_key, &next).await.expect_status(200).json();
    assert_eq!(rest["data"].as_array().unwrap().len(), 3, "{rest}");
    for (wrong, named) in [
        ("/v1/usage?modle=x", "modle"),
        ("/v1/usage?group_by=colour", "group_by"),
        ("/v1/usage?from=yesterday", "from"),
        ("/v1/usage?from=2026-11-02&to=2026-11-01", "from"),
        ("/v1/usage?group_by=hour&from=2026-01-01&to=2026-06-01", "group_by"),
        ("/v1/usage?time_zone=Mars", "time_zone"),
        ("/v1/usage/calls?cursor=%25", "cursor"),
        ("/v1/usage/calls?limit=0", "limit"),
        ("/v1/usage/calls?outcome=refunded", "outcome"),
        ("/v1/reservations?state=settled", "state"),
    ] {
        let refused = read(&stage, &org_key, wrong).await.expect_status(400).text();
        assert!(refused.contains(named), "{wrong}: {refused}");
    }
}

#[tokio::test]
async fn a_key_reads_its_own_usage_and_only_the_orgs_scope_reads_everyones() {
    let Lived { mut stage, org_key, receipts } = lived(bytespike_tests::database::Kind::Sqlite).await;
    let own = read(&stage, &stage.key, "/v1/usage?group_by=key").await.expect_status(200).json();
    assert_eq!(own["data"].as_array().unwrap().len(), 1, "{own}");
    assert_eq!((&own["data"][0]["key_name"], &own["total"]["calls"]), (&"test".into(), &5.into()));
    let others = receipts[5]["id"].as_str().unwrap();
    assert_eq!(read(&stage, &stage.key, &format!("/v1/receipts/{others}")).await.status, 404);
    let mine = receipts[0]["id"].as_str().unwrap();
    assert_eq!(read(&stage, &org_key, &format!("/v1/receipts/{mine}")).await.status, 200);
    for path in ["/v1/statements", "/v1/statements/2026-11"] {
        let refused = read(&stage, &stage.key, path).await.expect_status(403).text();
        assert!(refused.contains("usage:read:org"), "{refused}");
    }
    let managing = stage.person.create_key("manager", &[("org_admin", "on")]).await;
    let all = read(&stage, &managing, "/v1/usage").await.expect_status(200).json();
    assert_eq!(all["total"]["calls"], 6, "whoever manages the org sees what it uses");
    assert_eq!(read(&stage, &managing, &format!("/v1/receipts/{others}")).await.status, 200);
    assert_eq!(read(&stage, &managing, "/v1/statements").await.status, 200);
    assert_eq!(read(&stage, "sk-byts-nobody", "/v1/usage").await.status, 401);
    assert_eq!(read(&stage, &org_key, "/v1/statements/1999-01").await.status, 404);
}

#[tokio::test]
async fn what_is_held_now_is_listed_with_its_age_until_it_ends() {
    let stage = Stage::new().await;
    let speaker = Speaker::Anthropic;
    let mut body = speaker.ask(CLAUDE, true);
    body["messages"][0]["content"] = "scene:slow".into();
    let mut stream = stage.stream(speaker, &body).await;
    let id = stream.headers["x-receipt-id"].to_str().unwrap().to_owned();
    stream.until(|event| speaker.text_in(event).contains("Hello")).await;
    for path in ["/v1/reservations?state=held", "/v1/reservations", "/v1/usage/calls?state=held"] {
        let held = stage.get(path).await.expect_status(200).json();
        assert_eq!((&held["data"][0]["receipt_id"], &held["has_more"]), (&id.as_str().into(), &false.into()));
        assert!(held["data"][0]["age_ms"].as_i64().unwrap() >= 0);
    }
    drop(stream);
    stage.receipt(&id).await;
    let held = stage.get("/v1/reservations").await.expect_status(200).json();
    assert_eq!(held["data"].as_array().map(Vec::len), Some(0));
}
