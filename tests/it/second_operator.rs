//! Credit and vouchers above the threshold wait for another operator, whoever gives them (S-112).

use bytespike_tests::database::{BOTH, number, rows};
use bytespike_tests::operator::Operator as AtPages;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::stage::{Stage, nano};
use serde_json::json;

use crate::operator::Operator;

const ABOVE: &str = "[operators]\nsecond_above_usd = 100";

#[tokio::test]
async fn s112_credit_above_the_threshold_is_booked_once_another_operator_confirms_it() {
    for database in BOTH {
        let stage = Stage::with(|setup| setup.on(database).settings(ABOVE)).await;
        let mut first = AtPages::new(&stage.product).await;
        let mut second = AtPages::named(&stage.product, "second@example.com").await;
        let program = Operator::of(&stage).await;
        let org = program.org_id().await;
        let path = format!("/admin/orgs/{org}");
        let balance = async || nano(&stage.balance().await["available_credits"]);
        let before = balance().await;

        let small = first.send(&path, "/credit", &[("amount", "100"), ("reason", "up to it")]).await;
        assert_eq!(small.status, 303);
        assert_eq!(balance().await - before, 100_000_000_000, "up to the threshold one is enough");
        let page = first.page(&path).await;
        assert!(page.contains("vouchers above $100"), "{page}");
        let form = Form::posting_at(&page, "/credit")
            .expect("a form")
            .set("amount", "100.01")
            .set("reason", "a big one");
        let waits = first.browser.submit(&form).await.expect_status(200).text();
        assert!(waits.contains("another operator has to confirm it"), "{waits}");
        let again = first.browser.submit(&form).await.expect_status(200).text();
        assert_eq!(
            again.matches("/confirm\"").count(),
            0,
            "who asked has nothing to press but to take it back"
        );
        assert_eq!(first.browser.submit_only(&form.clone().set("amount", "500")).await.status, 422);
        assert_eq!(balance().await - before, 100_000_000_000, "nothing more is booked");

        let page = second.page("/admin/credits").await;
        let confirm = Form::posting_at(&page, "/confirm").expect("a form to confirm it");
        // What the first one sends by hand, with a token of their own.
        let own = Form::posting_at(&first.page("/admin/credits").await, "/refuse").expect("a form");
        let forged = Form { action: confirm.action.clone(), ..own };
        let refused = first.browser.submit_only(&forged).await;
        assert!(refused.status == 422 && refused.text().contains("you asked for it"), "{}", refused.status);
        let mut beside = Person::new(&stage.product, "second@example.com");
        beside.cookies = second.browser.cookies.clone();
        let (one, other) = tokio::join!(second.browser.submit_only(&confirm), beside.submit_only(&confirm));
        let mut both = [one.status, other.status];
        both.sort_unstable();
        assert_eq!(both, [303, 422], "of two confirmations at once one counts");
        assert_eq!(balance().await - before, 200_010_000_000);

        let call = |key: &str, credits: &str| {
            let body =
                json!({"amount_credits": credits, "kind": "top_up", "reason": "Invoice 7"}).to_string();
            let call = program.call("POST", &format!("/wallets/{org}/credits"));
            call.header("content-type", "application/json").header("idempotency-key", key).body(body)
        };
        let asked = call("p", "100000000.001").send().await.expect_status(202).json();
        assert_eq!((&asked["object"], &asked["state"]), (&json!("waiting_credit"), &json!("waiting")));
        let _ = call("p", "200000000").send().await.expect_status(400);
        let listed = program.get("/waiting-credits").await;
        assert_eq!(
            (&listed["data"][0]["id"], listed["data"].as_array().map(Vec::len)),
            (&asked["id"], Some(1))
        );
        let refused = first.send("/admin/credits", "/refuse", &[]).await;
        assert_eq!(refused.status, 303);
        let after = call("p", "100000000.001").send().await.expect_status(202).json();
        assert_eq!(after["state"], "refused", "the same request does not begin again");
        assert_eq!(balance().await - before, 200_010_000_000);

        let store = stage.product.database.connect().await;
        let events = "select event from audit_event where event like 'credit.%' or event = 'wallet.credited' order by seq";
        let events: Vec<String> = rows(&store, events).await.into_iter().flatten().collect();
        let wanted = [
            "wallet.credited",
            "credit.asked",
            "credit.confirmed",
            "wallet.credited",
            "credit.asked",
            "credit.refused",
        ];
        assert_eq!(events, wanted);
        assert_eq!(
            number(&store, "select count(*) from journal_tx where idem_key like 'operator:wcr_%'").await,
            1
        );
        bytespike_tests::invariants::hold(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn s112_confirmed_credit_that_a_crash_left_unbooked_is_booked_once() {
    let mut stage = Stage::with(|setup| setup.settings(ABOVE)).await;
    let mut first = AtPages::new(&stage.product).await;
    let org = Operator::of(&stage).await.org_id().await;
    let sent =
        first.send(&format!("/admin/orgs/{org}"), "/credit", &[("amount", "250"), ("reason", "x")]).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let before = nano(&stage.balance().await["available_credits"]);
    stage.product.kill().await;
    let store = stage.product.database.connect().await;
    let confirmed =
        "update waiting_credit set state = 'confirmed', decided_by = 'opr_2', decided_at_ms = asked_at_ms";
    bytespike_store::on_database!(&store, db => bytespike_store::sqlx::query(confirmed).execute(db).await.map(drop))
        .expect("as if the process had ended there");
    store.close().await;
    stage.product.start_again().await;
    let is_booked = async || nano(&stage.balance().await["available_credits"]) != before;
    bytespike_tests::until("the credit is booked", is_booked).await;
    assert_eq!(nano(&stage.balance().await["available_credits"]) - before, 250_000_000_000);
}

#[tokio::test]
async fn a_batch_is_made_downloaded_once_redeemed_within_its_limit_and_ended() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database).settings(ABOVE)).await;
        let mut operator = AtPages::new(&stage.product).await;
        let fields = [("note", "A fair"), ("amount", "2.50"), ("codes", "4"), ("credit_days", "90")];
        let made = operator.send("/admin/vouchers", "/vouchers/new", &fields).await;
        assert_eq!(made.status, 303, "{}", made.text());
        let batch = made.header("location").split('?').next().expect("a path").to_owned();
        let page = operator.page(&batch).await;
        let form = Form::posting_at(&page, "/codes").expect("a form");
        let file = operator.browser.submit_only(&form).await.expect_status(200);
        assert!(
            file.header("content-disposition").starts_with("attachment")
                && file.header("cache-control").contains("no-store")
        );
        let text = file.text();
        let codes: Vec<&str> =
            text.lines().skip(1).map(|line| line.split(',').next().expect("a cell")).collect();
        assert_eq!(
            (codes.len(), codes[0].len(), text.lines().next()),
            (4, 24, Some("code,usd,uses,expires_at"))
        );
        assert_eq!(
            operator.browser.submit_only(&form).await.status,
            303,
            "there is nothing more to download"
        );
        assert!(operator.page(&batch).await.contains("Nobody can see them again"));

        let redeem = async |person: &mut Person, code: &str| {
            let page = person.open("/console/wallet").await.expect_status(200);
            person.submit(&Form::with(&page.text(), "voucher").set("voucher", code)).await
        };
        assert_eq!(redeem(&mut stage.person, codes[0]).await.status, 200);
        let second = redeem(&mut stage.person, codes[1]).await;
        assert!(
            second.status == 422 && second.text().contains("as many codes of this kind"),
            "{}",
            second.status
        );
        assert!(operator.page("/admin/vouchers").await.contains("1 of 4"));
        let ended = operator.send(&batch, "/end", &[]).await;
        assert_eq!(ended.status, 303);
        let mut other = Person::new(&stage.product, "other@example.com");
        other.sign_up().await;
        assert_eq!(redeem(&mut other, codes[2]).await.status, 422, "it has ended");

        let program = Operator::of(&stage).await;
        let body = json!({"amount_credits": "1000.000", "codes": 3, "per_org": 2, "note": "By a program"});
        let made = program.post("/voucher-batches", &body).await.expect_status(200).json();
        assert_eq!(made["voucher_codes"].as_array().map(Vec::len), Some(3));
        let listed = program.get("/voucher-batches").await;
        assert!(
            listed["data"][0]["id"] == made["id"] && !listed.to_string().contains("voucher_codes"),
            "{listed}"
        );
        let (done, said) = stage
            .product
            .command(&["voucher", "batch", "1000", "--codes", "2", "--note", "By command"], &[])
            .await;
        assert!(done && said.contains("shown this once"), "{said}");
    }
}

#[tokio::test]
async fn s112_vouchers_worth_more_in_all_are_made_once_another_operator_confirms_them() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database).settings(ABOVE)).await;
        let mut first = AtPages::new(&stage.product).await;
        let mut second = AtPages::named(&stage.product, "second@example.com").await;
        let fields = [("note", "A fair"), ("amount", "25.01"), ("codes", "4")];
        let waits = first.send("/admin/vouchers", "/vouchers/new", &fields).await;
        assert!(
            waits.status == 303 && waits.header("location").contains("/admin/credits"),
            "{}",
            waits.status
        );
        let page = first.page("/admin/credits").await;
        assert!(
            page.contains("$100.04") && page.contains("A fair") && !page.contains("/confirm\""),
            "{page}"
        );
        assert!(first.page("/zh/admin/credits").await.contains("兑换码，全部合计"));
        assert!(first.page("/admin/vouchers").await.contains("No batch was made yet"));
        let done = second.send("/admin/credits", "/confirm", &[]).await;
        assert_eq!(done.status, 303, "{}", done.text());
        let batch = done.header("location").split('?').next().expect("a path").to_owned();
        let form = Form::posting_at(&second.page(&batch).await, "/codes").expect("a form");
        let file = second.browser.submit_only(&form).await.expect_status(200).text();
        let code = file.lines().nth(1).and_then(|line| line.split(',').next()).expect("a code").to_owned();
        let page = stage.person.open("/console/wallet").await.expect_status(200);
        let redeemed = stage.person.submit(&Form::with(&page.text(), "voucher").set("voucher", &code)).await;
        assert_eq!(redeemed.status, 200);

        let program = Operator::of(&stage).await;
        let body = json!({"amount_credits": "50000000", "uses": 3, "note": "By a program"});
        let waits = program.post("/vouchers", &body).await.expect_status(202).json();
        assert_eq!(
            (&waits["kind"], &waits["org_id"], &waits["amount_credits"]),
            (&json!("vouchers"), &json!(null), &json!("150000000.000"))
        );
        let (done, said) = stage
            .product
            .command(&["voucher", "batch", "60000000", "--codes", "2", "--note", "By command"], &[])
            .await;
        assert!(done && said.contains("waits for an operator"), "{said}");
        assert_eq!(first.send("/admin/credits", "/refuse", &[]).await.status, 303);
        let made = first.send("/admin/credits", "/confirm", &[]).await;
        assert!(
            made.header("location").contains("/vouchers/batches/"),
            "what the host asked for, an operator confirms"
        );

        let store = stage.product.database.connect().await;
        let events = "select event from audit_event where event like 'credit.%' or event like 'voucher_batch.c%' order by seq";
        let events: Vec<String> = rows(&store, events).await.into_iter().flatten().collect();
        let wanted = [
            "credit.asked",
            "credit.confirmed",
            "voucher_batch.created",
            "credit.asked",
            "credit.asked",
            "credit.refused",
            "credit.confirmed",
            "voucher_batch.created",
        ];
        assert_eq!(events, wanted);
        assert_eq!(number(&store, "select count(*) from voucher").await, 6);
        store.close().await;
    }
}
