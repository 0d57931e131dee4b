//! What operators do at their pages: to wallets, to people and to channels, each with its event, and never with a secret.

use bytespike_tests::canary;
use bytespike_tests::database::{BOTH, Kind, rows};
use bytespike_tests::operator::Operator;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{GPT, Product, Setup};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::{Stage, nano};
use bytespike_tests::until;
use bytespike_tests::upstream::{Reply, Upstream, scenes};
use serde_json::json;

/// The first row of what a query answers, as text.
async fn one(product: &Product, sql: &'static str) -> String {
    let store = product.database.connect().await;
    let found = rows(&store, sql).await.first().expect("a row")[0].clone();
    store.close().await;
    found
}

/// Every event of operators, in order, without those of their own way in.
async fn events(product: &Product) -> Vec<String> {
    let store = product.database.connect().await;
    let sql = "select event from audit_event
               where actor like 'operator:%' and event not like 'operator.%' and event not like 'factor.%' order by seq";
    let found = rows(&store, sql).await;
    store.close().await;
    found.into_iter().flatten().collect()
}

#[tokio::test]
async fn s112_a_wallet_is_found_credited_once_frozen_and_opened_again_each_with_a_reason() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let mut operator = Operator::new(&stage.product).await;
        let org = one(&stage.product, "select id from org").await;
        let path = format!("/admin/orgs/{org}");
        for text in ["someone", "SOMEONE%40example.com", &org] {
            let found = operator.page(&format!("/admin/orgs?q={text}")).await;
            assert!(found.contains(&path), "{text}");
        }
        assert!(
            !operator.page("/admin/orgs?q=some%25").await.contains(&path),
            "s76: a wildcard stands for itself"
        );

        let before = nano(&stage.balance().await["available_credits"]);
        let page = operator.page(&path).await;
        assert!(page.contains("someone@example.com"), "who belongs to it");
        let form = Form::posting_at(&page, "/credit").expect("a form").set("amount", "2.50");
        let silent = operator.browser.submit_only(&form).await;
        assert_eq!(silent.status, 422, "s112: credit has a reason");
        let form = form.set("reason", "For the outage of Tuesday");
        let wrong = operator.browser.submit_only(&form.clone().set("amount", "-1")).await;
        assert_eq!(wrong.status, 422);
        let booked = operator.browser.submit(&form).await.expect_status(200).text();
        assert!(booked.contains("The credit was booked"), "{booked}");
        let again = operator.browser.submit(&form).await.expect_status(200).text();
        assert!(again.contains("booked its credit before"), "the same form books once");
        let other = operator.browser.submit_only(&form.set("amount", "3")).await;
        assert_eq!(other.status, 422, "and never another amount");
        assert_eq!(nano(&stage.balance().await["available_credits"]) - before, 2_500_000_000);

        let ask = async || stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false)).await;
        let frozen = operator.send(&path, "/freeze", &[("why", "a chargeback")]).await;
        assert_eq!(frozen.status, 303, "{}", frozen.text());
        assert_eq!(ask().await.expect_status(403).json()["error"]["code"], "org_frozen");
        let opened = operator.send(&path, "/unfreeze", &[("why", "settled")]).await;
        assert_eq!(opened.status, 303);
        let _ = ask().await.expect_status(200);
        assert_eq!(events(&stage.product).await, ["wallet.credited", "wallet.frozen", "wallet.unfrozen"]);
        let log = operator.page(&format!("/admin/audit?org={org}&event=wallet.")).await;
        assert!(log.contains("a chargeback") && log.contains("Credit was added"), "{log}");
        let file = operator.page(&format!("/admin/audit/audit.csv?org={org}&event=wallet.")).await;
        let events: Vec<_> = file.lines().skip(1).filter_map(|line| line.split(',').nth(2)).collect();
        assert_eq!(events, ["wallet.unfrozen", "wallet.frozen", "wallet.credited"], "{file}");
        assert!(operator.page("/admin/audit/audit.csv").await.contains(",operator.signed_in,operator:"));
    }
}

#[tokio::test]
async fn a_wallet_page_shows_an_operators_reason_to_whoever_answers_for_the_wallet() {
    let mut stage = Stage::new().await;
    let mut operator = Operator::new(&stage.product).await;
    let org = one(&stage.product, "select id from org").await;
    let fields = [("amount", "5"), ("reason", "A gift for the launch")];
    let booked = operator.send(&format!("/admin/orgs/{org}"), "/credit", &fields).await;
    assert_eq!(booked.status, 303, "{}", booked.text());
    let wallet = stage.person.open("/console/wallet").await.expect_status(200).text();
    assert!(wallet.contains("A gift for the launch"), "{wallet}");
}

#[tokio::test]
async fn s52_a_person_is_stopped_let_in_and_helped_and_an_operator_never_sees_a_link() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let mut operator = Operator::new(&stage.product).await;
        let person = one(&stage.product, "select id from person").await;
        let path = format!("/admin/users/{person}");
        assert!(operator.page("/admin/users?q=someone").await.contains(&path));
        let page = operator.page(&path).await;
        assert!(page.contains("someone@example.com") && page.contains("sessions/end"));

        let ended = operator.send(&path, "sessions/end", &[]).await;
        assert_eq!(ended.status, 303);
        assert!(signed_out(&mut stage.person).await, "s09: signed out everywhere");
        let ask = async |key: &str| {
            let call = Speaker::OpenAi.call(&stage.product.url, key, &Speaker::OpenAi.ask(GPT, false));
            call.send().await.status
        };
        assert_eq!(ask(&stage.key).await, 200, "keys go on");

        let sent = operator.send(&path, "/reset", &[]).await;
        assert!(sent.status == 303 && sent.header("location").contains("reset-sent"));
        assert!(!operator.page(&path).await.contains("token="), "s52: the link is the person's alone");
        assert_eq!(
            one(&stage.product, "select count(*) from one_time_token where kind = 'reset_password'").await,
            "1"
        );

        stage.person.sign_in().await;
        let suspended = operator.send(&path, "/suspend", &[]).await;
        assert_eq!(suspended.status, 303);
        assert!(signed_out(&mut stage.person).await);
        until("the key is refused", async || ask(&stage.key).await == 401).await;
        let page = stage.person.open("/console/sign-in").await.text();
        let form = Form::with(&page, "password").set("email", "someone@example.com");
        let refused = stage.person.submit(&form.set("password", canary::PASSWORD)).await;
        assert_eq!(refused.status, 422, "nobody signs in");
        let unsent = operator.page(&path).await;
        assert!(!unsent.contains("/reset\""), "a suspended person gets no letter");

        let let_in = operator.send(&path, "/let-in", &[]).await;
        assert_eq!(let_in.status, 303);
        until("the key is good again", async || ask(&stage.key).await == 200).await;
        stage.person.sign_in().await;
        assert!(!signed_out(&mut stage.person).await);
        let wanted = ["person.sessions_ended", "person.reset_sent", "person.disabled", "person.let_in"];
        assert_eq!(events(&stage.product).await, wanted);
    }
}

async fn signed_out(person: &mut Person) -> bool {
    person.get("/console").await.maybe("location").is_some_and(|to| to.contains("/console/sign-in"))
}

#[tokio::test]
async fn a_channel_is_added_tested_used_moved_and_removed_and_its_key_never_comes_back() {
    for database in BOTH {
        let upstream = Upstream::start(scenes::play).await;
        let stage = with_late_model(upstream, database).await;
        let mut operator = Operator::new(&stage.product).await;
        let url = format!("{}/v1", stage.upstream.url());
        let fields = |base_url: &'static str| {
            [
                ("id", "late"),
                ("provider", "scripted"),
                ("dialect", "openai-chat"),
                ("base_url", base_url),
                ("models", "scripted-late = scripted-gpt"),
                ("keys", canary::UPSTREAM_KEY),
            ]
        };
        for wrong in [
            "http://127.0.0.1:9/v1",
            "https://127.0.0.1/v1",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/",
            "https://user@api.example.com/",
            "https://api.example.com:22/",
            "nonsense",
        ] {
            let refused = operator.send("/admin/channels/new", "channels/new", &fields(wrong)).await;
            assert_eq!(refused.status, 422, "s78 {wrong}");
            assert!(
                !refused.text().contains(canary::UPSTREAM_KEY),
                "what was typed as a key is not shown again"
            );
        }
        let mut good = fields("").to_vec();
        good[3].1 = &url;
        let taken: Vec<(&str, &str)> = good
            .iter()
            .map(|(name, value)| (*name, if *name == "id" { "anthropic-1" } else { value }))
            .collect();
        let refused = operator.send("/admin/channels/new", "channels/new", &taken).await;
        assert_eq!(refused.status, 422, "a channel of the configuration has that id");
        let added = operator.send("/admin/channels/new", "channels/new", &good).await;
        assert_eq!(added.status, 303, "{}", added.text());

        let tested = operator.send("/admin/channels/late", "late/test", &[("model", "scripted-late")]).await;
        assert_eq!(tested.status, 303);
        let shown = operator.page("/admin/channels/late").await;
        assert!(shown.contains("It answers") && shown.contains("status 200"), "{shown}");
        assert!(!shown.contains(canary::UPSTREAM_KEY), "s119: write-only");
        assert!(!operator.page("/admin/channels/late").await.contains("It answers"), "shown once");
        let ask = async || stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask("scripted-late", false)).await;
        until("the channel answers", async || ask().await.status == 200).await;
        assert!(operator.page("/admin/channels").await.contains("In use"));

        let off = operator.send("/admin/channels/late", "late/off", &[]).await;
        assert_eq!(off.status, 303);
        until("the channel is gone", async || ask().await.status == 503).await;
        let renamed = operator.send("/admin/channels/late", "channels/late", &[("provider", "other")]).await;
        assert_eq!(renamed.status, 303);
        assert!(
            operator.page("/admin/channels").await.contains("Switched off"),
            "a change does not switch it on"
        );
        let moved = [("base_url", "https://elsewhere.example.com/v1")];
        assert_eq!(operator.send("/admin/channels/late", "channels/late", &moved).await.status, 303);
        let page = operator.page("/admin/channels/late").await;
        assert!(
            page.contains("No credentials") && !page.contains("late/test"),
            "s84: another address loses the key"
        );
        let removed = operator.send("/admin/channels/late", "late/remove", &[]).await;
        assert_eq!(removed.status, 303);
        assert!(!operator.page("/admin/channels").await.contains("/admin/channels/late"));
        let log = operator.page("/admin/audit?event=channel.").await;
        assert!(
            log.contains("A channel was saved") && log.contains("elsewhere.example.com"),
            "before and after"
        );
        let wanted = [
            "channel.put",
            "channel.tested",
            "channel.disabled",
            "channel.put",
            "channel.put",
            "channel.removed",
        ];
        assert_eq!(events(&stage.product).await, wanted);
    }
}

#[tokio::test]
async fn a_test_of_a_channel_says_what_went_wrong() {
    let upstream = Upstream::start(scenes::play).await;
    let stage = with_late_model(upstream, Kind::Sqlite).await;
    let mut operator = Operator::new(&stage.product).await;
    let url = stage.upstream.url();
    let fields = [
        ("id", "late"),
        ("provider", "scripted"),
        ("dialect", "anthropic"),
        ("base_url", url.as_str()),
        ("models", "scripted-late"),
        ("keys", canary::UPSTREAM_KEY),
    ];
    let added = operator.send("/admin/channels/new", "channels/new", &fields).await;
    assert_eq!(added.status, 303, "{}", added.text());
    let message = format!("invalid x-api-key {}", canary::UPSTREAM_KEY);
    stage.answer(Reply::json(401, &json!({"error": {"message": message}})));
    let tested = operator.send("/admin/channels/late", "late/test", &[("model", "scripted-late")]).await;
    assert_eq!(tested.status, 303);
    let shown = operator.page("/zh/admin/channels/late").await;
    assert!(shown.contains("返回状态 401") && shown.contains("invalid x-api-key [redacted]"), "{shown}");
}

/// The usual stage, with a model that no channel carries and a provider that operators may point channels to.
async fn with_late_model(upstream: Upstream, database: Kind) -> Stage {
    let url = upstream.url();
    let place = url.trim_start_matches("http://").to_owned();
    let setup = Setup::scripted(&url)
        .on(database)
        .model("scripted-late", "1.00")
        .settings(&format!("[gateway]\nprivate_upstreams = [\"{place}\"]"));
    Stage::on(setup, upstream).await
}

#[tokio::test]
async fn the_books_page_says_whether_they_are_in_order_in_both_languages() {
    let stage = Stage::new().await;
    let mut operator = Operator::new(&stage.product).await;
    let checked = stage.product.run(&["check-ledger"], "").await;
    assert!(checked.success, "{}", checked.output);
    let page = operator.page("/admin/books").await;
    assert!(page.contains("The whole history") && page.contains("In order"), "{page}");
    assert!(operator.page("/zh/admin/books").await.contains("全部历史"));
    assert!(operator.page("/admin").await.contains("Version 1"));
}

#[tokio::test]
async fn what_is_kept_is_shortened_and_never_lengthened_and_the_page_says_what_went() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database)).await;
        let mut operator = Operator::new(&stage.product).await;
        let shorten = async |operator: &mut Operator, kept: &str, days: &str| {
            let page = operator.page("/admin/retention").await;
            let form = Form::posting_at(&page, "/admin/retention").expect("a form");
            operator.browser.submit_only(&form.set("kept", kept).set("days", days)).await
        };
        for (kept, days) in
            [("free_calls", "31"), ("free_calls", "many"), ("attempts", "7"), ("processes", "3")]
        {
            assert_eq!(shorten(&mut operator, kept, days).await.status, 422, "{kept} {days}");
        }
        assert_eq!(shorten(&mut operator, "free_calls", "5").await.status, 303);
        let page = operator.page("/admin/retention").await;
        assert!(
            page.contains("5 days")
                && page.contains("30 days as configured; shortened by operator@example.com"),
            "{page}"
        );
        // All of them but payments, which are not set up here.
        until("seven kinds were removed", async || {
            one(&stage.product, "select count(*) from retention_run").await == "7"
        })
        .await;
        assert!(operator.page("/zh/admin/retention").await.contains("数据保留"));
        assert_eq!(events(&stage.product).await, ["switch.changed"]);
    }
}
