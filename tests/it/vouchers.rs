//! Vouchers, from the operator who makes one to the credit in the ledger: once for each org, and never more often than said.

use bytespike_tests::database::{BOTH, Kind, number, rows};
use bytespike_tests::person::{Form, Person};
use bytespike_tests::stage::Stage;
use serde_json::{Value, json};

use crate::operator::Operator;

async fn make(operator: &Operator<'_>, changes: &Value) -> Value {
    let mut body = json!({"amount_credits": "2500000.000", "note": "A workshop"});
    for (name, value) in changes.as_object().expect("fields") {
        body[name] = value.clone();
    }
    operator.post("/vouchers", &body).await.expect_status(200).json()
}

/// Redeems in the wallet; the page that comes of it.
async fn redeem(person: &mut Person, code: &str) -> (u16, String) {
    let page = person.open("/console/wallet").await.expect_status(200);
    let answer = person.submit(&Form::with(&page.text(), "voucher").set("voucher", code)).await;
    (answer.status, answer.text())
}

#[tokio::test]
async fn s107_a_voucher_becomes_granted_credit_once_with_its_reason() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database).trial_grant(0)).await;
        let mut other = Person::new(&stage.product, "other@example.com");
        other.sign_up().await;
        let mut person =
            std::mem::replace(&mut stage.person, Person::new(&stage.product, "nobody@example.com"));
        let operator = Operator::of(&stage).await;
        let made = make(&operator, &json!({"credit_days": 30})).await;
        let code = made["code"].as_str().expect("a code").to_owned();
        assert_eq!((&made["uses"], &made["state"], code.len()), (&json!(1), &json!("open"), 24));
        let listed = operator.get("/vouchers").await;
        assert!(!listed.to_string().contains(&code) && listed["data"][0].get("code").is_none(), "{listed}");

        let (status, page) = redeem(&mut person, &code.to_lowercase().replace('-', " ")).await;
        assert!(
            status == 200 && page.contains("The voucher is redeemed. Its credit is in the wallet."),
            "{status}"
        );
        assert!(page.contains("+2,500,000.000") && page.contains("A workshop") && page.contains("Voucher"));
        let (status, page) = redeem(&mut person, &code).await;
        assert!(status == 422 && page.contains("has redeemed this voucher already"), "{status}");
        let (status, page) = redeem(&mut other, &code).await;
        assert!(status == 422 && page.contains("as often as it may be"), "{status}");
        let listed = operator.get("/vouchers").await;
        assert_eq!((&listed["data"][0]["used"], &listed["data"][0]["state"]), (&json!(1), &json!("used_up")));
        assert_eq!(operator.audited().await, ["voucher.created"]);

        let store = stage.product.database.connect().await;
        let lots = "select count(*) from lot where kind = 'bonus' and granted_nano = 2500000000 and expires_at_ms is not null";
        assert_eq!(number(&store, lots).await, 1);
        let audited =
            rows(&store, "select detail_json from audit_event where event = 'voucher.redeemed'").await;
        assert!(audited.len() == 1 && audited[0][0].contains("A workshop"), "{audited:?}");
        assert_eq!(number(&store, "select count(*) from voucher_use where booked_at_ms is null").await, 0);
        bytespike_tests::invariants::hold(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn s107_who_guesses_learns_nothing_and_waits() {
    let mut stage = Stage::with(|setup| setup.on(Kind::Sqlite)).await;
    let mut person = std::mem::replace(&mut stage.person, Person::new(&stage.product, "nobody@example.com"));
    let operator = Operator::of(&stage).await;
    let ended = make(&operator, &json!({"uses": 9})).await;
    let id = ended["id"].as_str().expect("an id");
    let end = format!("/vouchers/{id}/end");
    let _ = operator.post(&end, &json!({})).await.expect_status(400);
    let answer = operator.post(&end, &json!({"reason": "it leaked"})).await.expect_status(200).json();
    assert_eq!(answer["state"], "ended");
    let _ =
        operator.post("/vouchers/vch_nothing/end", &json!({"reason": "it leaked"})).await.expect_status(404);
    let (_, page) = redeem(&mut person, ended["code"].as_str().expect("a code")).await;
    assert!(page.contains("can no longer be redeemed"));

    let zh = person.open("/zh/console/wallet").await.expect_status(200);
    let answer =
        person.submit(&Form::with(&zh.text(), "voucher").set("voucher", "0000-0000-0000-0000-0000")).await;
    assert!(answer.status == 422 && answer.text().contains("没有这个兑换码"));
    let mut heard = Vec::new();
    for typed in ["", "x", "0000-0000-0000-0000-0000", "<b>", "7", "8", "9", "10", "11"] {
        let (status, page) = redeem(&mut person, typed).await;
        assert_eq!(status, 422, "{typed}");
        heard.push((page.contains("There is no such code"), page.contains("Too many codes")));
    }
    assert_eq!(heard[0], (false, false), "nothing was typed, and nothing counts");
    assert!(heard[1..].iter().all(|heard| *heard == (true, false)), "{heard:?}");
    let good = make(&operator, &json!({})).await;
    let (_, page) = redeem(&mut person, good["code"].as_str().expect("a code")).await;
    assert!(page.contains("Too many codes were tried"), "even a right one waits");
}

#[tokio::test]
async fn what_is_wrong_with_a_new_voucher_is_said_at_its_field() {
    let stage = Stage::new().await;
    let operator = Operator::of(&stage).await;
    for (field, value) in [
        ("amount_credits", json!("0")),
        ("amount_credits", json!("-5")),
        ("amount_credits", json!("1.0005")),
        ("uses", json!(0)),
        ("expires_at", json!("2020-01-01")),
        ("expires_at", json!("soon")),
        ("note", json!("  ")),
        ("note", json!("x".repeat(201))),
    ] {
        let mut body = json!({"amount_credits": "1.000", "note": "a note"});
        body[field] = value.clone();
        let answer = operator.post("/vouchers", &body).await.expect_status(400);
        assert_eq!(answer.json()["error"]["param"], field, "{value}");
    }
    let _ = operator
        .post("/vouchers", &json!({"amount_credits": "1", "note": "a", "x": 1}))
        .await
        .expect_status(400);
    assert!(operator.audited().await.is_empty());
}

#[tokio::test]
async fn the_command_makes_lists_and_ends() {
    let mut stage = Stage::with(|setup| setup.on(Kind::Postgres)).await;
    let create = ["voucher", "create", "1000000", "--note", "For testers", "--uses", "2"];
    let (made, said) = stage.product.command(&create, &[]).await;
    let code = said.lines().next().expect("a code").to_owned();
    assert!(made && code.len() == 24, "{said}");
    let (status, _) = redeem(&mut stage.person, &code).await;
    assert_eq!(status, 200);
    let (_, listed) = stage.product.command(&["voucher", "list"], &[]).await;
    assert!(listed.contains("1 of 2 used") && listed.contains("For testers"), "{listed}");
    assert!(!listed.contains(&code), "{listed}");
    let id = listed.split_whitespace().next().expect("an id").to_owned();
    let (ended, said) = stage.product.command(&["voucher", "end", &id, "--reason", "done"], &[]).await;
    assert!(ended, "{said}");
    let (again, said) = stage.product.command(&["voucher", "end", &id], &[]).await;
    assert!(!again && said.contains(&id), "{said}");
}
