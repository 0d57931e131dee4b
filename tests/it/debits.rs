//! Operators take credit: with a reason that the organisation reads, of one kind, all of it or nothing, once for each form or key,
//! and above the threshold only together.

use bytespike_tests::database::{BOTH, number, rows};
use bytespike_tests::operator::Operator as AtPages;
use bytespike_tests::person::Form;
use bytespike_tests::stage::{Stage, nano};
use serde_json::{Value, json};

use crate::operator::Operator;

const ABOVE: &str = "[operators]\nsecond_above_usd = 100";

async fn available(stage: &Stage) -> i64 {
    nano(&stage.balance().await["available_credits"])
}

fn debit(page: &str, amount: &str, kind: &str) -> Form {
    let form = Form::posting_at(page, "/debit").expect("a form");
    form.set("debit_amount", amount).set("debit_kind", kind).set("debit_reason", "Booked twice by mistake")
}

/// Pays credit in, as an operator does it by program.
async fn pay_in(program: &Operator<'_>, org: &str, credits: &str) {
    let body = json!({"amount_credits": credits, "kind": "top_up", "reason": "Invoice 7"}).to_string();
    let call = program.call("POST", &format!("/wallets/{org}/credits")).header("idempotency-key", credits);
    let _ = call.header("content-type", "application/json").body(body).send().await.expect_status(200);
}

#[tokio::test]
async fn s112_a_debit_has_a_reason_takes_what_is_free_of_one_kind_and_stands_on_the_wallet_page() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database).settings(ABOVE)).await;
        let mut operator = AtPages::new(&stage.product).await;
        let program = Operator::of(&stage).await;
        let org = program.org_id().await;
        let path = format!("/admin/orgs/{org}");
        pay_in(&program, &org, "30000000").await;
        let before = available(&stage).await;

        let page = operator.page(&path).await;
        assert!(page.contains("$30.00 of paid credit"), "{page}");
        let silent = debit(&page, "5", "top_up").set("debit_reason", " ");
        assert_eq!(operator.browser.submit_only(&silent).await.status, 422, "a debit has a reason");
        let much = operator.browser.submit_only(&debit(&page, "30.01", "top_up")).await;
        assert!(much.status == 422 && much.text().contains("Only $30.00 of this credit can be taken"));
        assert_eq!(available(&stage).await, before, "all of it or nothing");
        let form = debit(&page, "5.50", "top_up");
        let taken = operator.browser.submit(&form).await.expect_status(200).text();
        assert!(taken.contains("The credit was taken."), "{taken}");
        let again = operator.browser.submit(&form).await.expect_status(200).text();
        assert!(again.contains("nothing was taken again"), "{again}");
        assert_eq!(operator.browser.submit_only(&form.clone().set("debit_amount", "6")).await.status, 422);
        assert_eq!(before - available(&stage).await, 5_500_000_000);
        assert!(operator.page(&path).await.contains("$24.50 of paid credit"));
        let zh = operator.page(&format!("/zh{path}")).await;
        assert!(zh.contains("付费额度 $24.50") && zh.contains("扣回额度"), "{zh}");

        for (path, words) in
            [("/console/wallet", "Credit taken by the operator"), ("/zh/console/wallet", "运营者扣回的额度")]
        {
            let wallet = stage.person.open(path).await.expect_status(200).text();
            assert!(wallet.contains(words) && wallet.contains("Booked twice by mistake"), "{path}");
        }
        let store = stage.product.database.connect().await;
        let events =
            rows(&store, "select actor, detail_json from audit_event where event = 'wallet.debited'").await;
        assert_eq!(events.len(), 1);
        assert!(events[0][0].starts_with("operator:") && events[0][1].contains("Booked twice by mistake"));
        bytespike_tests::invariants::hold(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn a_program_debits_once_for_each_key_and_is_told_what_is_free() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database).settings(ABOVE)).await;
        let program = Operator::of(&stage).await;
        let org = program.org_id().await;
        pay_in(&program, &org, "2000000").await;
        let before = available(&stage).await;
        let call = |key: &str, body: Value| {
            let call = program.call("POST", &format!("/wallets/{org}/debits"));
            call.header("content-type", "application/json")
                .header("idempotency-key", key)
                .body(body.to_string())
        };
        let body = |credits: &str| json!({"amount_credits": credits, "kind": "top_up", "reason": "Abuse"});
        let taken = call("a", body("500000.000")).send().await.expect_status(200).json();
        assert_eq!(
            (&taken["object"], &taken["kind"], &taken["booked"]),
            (&json!("debit"), &json!("top_up"), &json!(true))
        );
        assert_eq!(taken["amount_credits"], "500000.000");
        let again = call("a", body("500000")).send().await.expect_status(200).json();
        assert_eq!(
            (&again["booked"], &again["available_credits"]),
            (&json!(false), &taken["available_credits"])
        );
        let _ = call("a", body("500001")).send().await.expect_status(400);
        let _ = call("2000000", body("2000000")).send().await.expect_status(400);
        let much = call("b", body("1500000.001")).send().await.expect_status(400).json();
        let said = much["error"]["message"].as_str().expect("a message");
        assert!(said.contains("1500000.000 of this credit are free"), "{said}");
        let _ = call("c", json!({"amount_credits": "1", "kind": "grant"})).send().await.expect_status(400);
        let _ = call("d", json!({"amount_credits": "-1", "kind": "grant", "reason": "x"}))
            .send()
            .await
            .expect_status(400);
        let nobodys = program.call("POST", "/wallets/org_none/debits").header("idempotency-key", "e");
        let nobodys = nobodys.header("content-type", "application/json").body(body("1").to_string());
        let _ = nobodys.send().await.expect_status(404);
        assert_eq!(before - available(&stage).await, 500_000_000);
        let store = stage.product.database.connect().await;
        bytespike_tests::invariants::hold(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn s112_a_debit_above_the_threshold_waits_and_takes_nothing_where_too_little_is_left() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database).settings(ABOVE)).await;
        let mut first = AtPages::new(&stage.product).await;
        let mut second = AtPages::named(&stage.product, "second@example.com").await;
        let program = Operator::of(&stage).await;
        let org = program.org_id().await;
        let path = format!("/admin/orgs/{org}");
        for credits in ["100000000", "99999999", "99999998"] {
            pay_in(&program, &org, credits).await;
        }
        let before = available(&stage).await;

        let page = first.page(&path).await;
        assert!(page.contains("Above $100.00 it waits"), "{page}");
        for _ in 0..2 {
            let form = debit(&first.page(&path).await, "150", "top_up");
            let waits = first.browser.submit(&form).await.expect_status(200).text();
            assert!(waits.contains("The debit waits") && waits.contains("−$150.00"), "{waits}");
            assert!(!waits.contains("/confirm\""), "who asked cannot confirm");
        }
        assert_eq!(available(&stage).await, before, "nothing is taken yet");
        let done = second.send("/admin/credits", "/confirm", &[]).await;
        assert!(done.status == 303 && done.header("location").contains("credit-confirmed"));
        assert_eq!(before - available(&stage).await, 150_000_000_000);
        let small = debit(&first.page(&path).await, "100", "top_up");
        assert_eq!(first.browser.submit_only(&small).await.status, 303);
        let failed = second.send("/admin/credits", "/confirm", &[]).await;
        assert!(failed.header("location").contains("debit-failed"), "{}", failed.header("location"));
        assert_eq!(
            before - available(&stage).await,
            250_000_000_000,
            "too little is left, so nothing more goes"
        );
        assert!(second.page("/admin/credits").await.contains("Too little left"));
        let over = program.get("/waiting-credits?over=true").await;
        let states: Vec<&str> =
            over["data"].as_array().expect("a list").iter().filter_map(|row| row["state"].as_str()).collect();
        assert_eq!(states, ["failed", "confirmed"]);

        let store = stage.product.database.connect().await;
        let events = "select event from audit_event where event like 'credit.%' or event = 'wallet.debited' order by seq";
        let events: Vec<String> = rows(&store, events).await.into_iter().flatten().collect();
        assert_eq!(
            events,
            [
                "credit.asked",
                "credit.asked",
                "credit.confirmed",
                "wallet.debited",
                "wallet.debited",
                "credit.confirmed",
                "credit.failed"
            ]
        );
        assert_eq!(number(&store, "select count(*) from journal_tx where kind = 'debit'").await, 2);
        bytespike_tests::invariants::hold(&store).await;
        store.close().await;
    }
}
