//! Auto-recharge: a saved card fills the balance up once for each dip, within its month, and stops when it is refused.

use std::time::{Duration, Instant};

use bytespike_store::{on_database, sqlx};
use bytespike_tests::PATIENCE;
use bytespike_tests::database::{BOTH, Kind, rows};
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{CLAUDE, Setup};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stripe::{Charging, Stripe};
use bytespike_tests::upstream::{Upstream, nobody, scenes};
use serde_json::{Value, json};

use crate::payments::Shop;

const PATH: &str = "/console/wallet/recharge";
const USD: i64 = 1_000_000_000;

async fn shop(database: Kind) -> Shop {
    let stripe = Stripe::start().await;
    let setup = stripe.wire(Setup::scripted(&nobody().await).on(database).trial_grant(0));
    Shop::open(stripe, &setup).await
}

/// Saves a card on the provider's page, and comes back before its event does.
pub(crate) async fn save_card(shop: &mut Shop) {
    let page = shop.person.open(PATH).await.expect_status(200).text();
    let form = Form::posting_to(&page, "/recharge/card").expect("a form to save a card");
    let _ = shop.person.submit_only(&form).await.expect_status(303);
    let onward = shop.person.open(&format!("{PATH}?go=1")).await.expect_status(200).text();
    assert!(onward.contains("/pay/cs_test_"), "the page that leads to Stripe");
    let session = shop.stripe.newest();
    assert_eq!(session["mode"], "setup");
    let before = shop.person.open(&format!("{PATH}?returned=1")).await.expect_status(200).text();
    assert!(before.contains("None yet."), "coming back says nothing");
    let _ = shop.stripe.save_card(session["id"].as_str().expect("an id"));
    let page = shop.person.open(&format!("{PATH}?returned=1")).await.expect_status(200).text();
    assert!(page.contains("Visa •••• 4242"), "the card is known by its last digits");
}

pub(crate) async fn turn_on(shop: &mut Shop, fields: &[(&str, &str)]) -> (u16, String) {
    let page = shop.person.open(PATH).await.expect_status(200).text();
    let mut form = Form::with(&page, "threshold");
    let usual =
        [("threshold", "5"), ("amount", "20"), ("most", "60"), ("currency", "usd"), ("consent", "on")];
    for (name, value) in usual.iter().chain(fields) {
        form = form.set(name, value);
    }
    let answer = shop.person.submit_only(&form).await;
    (answer.status, answer.text())
}

/// Waits until a query answers so.
pub(crate) async fn until(shop: &Shop, sql: &'static str, wanted: i64) {
    let started = Instant::now();
    loop {
        let found = shop.read(sql).await;
        if found == wanted {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{sql}: {found}, not {wanted}\n{}", shop.product.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) async fn change(shop: &Shop, sql: &'static str) {
    let store = shop.product.database.connect().await;
    on_database!(&store, db => sqlx::query(sql).execute(db).await.map(drop)).expect("changed");
    store.close().await;
}

const CREDITED: &str =
    "select count(*) from payment_order where state = 'credited' and form_key like 'recharge:%'";
const FAILED: &str =
    "select count(*) from payment_order where state = 'failed' and form_key like 'recharge:%'";

#[tokio::test]
async fn a_low_balance_is_filled_once_by_the_saved_card_and_the_credit_is_like_any_other() {
    for database in BOTH {
        let mut shop = shop(database).await;
        let page = shop.person.open(PATH).await.expect_status(200).text();
        assert!(
            page.contains("Auto-recharge is off") && !page.contains("name=\"threshold\""),
            "off, and no card"
        );
        save_card(&mut shop).await;
        assert_eq!(shop.stripe.intents().len(), 0, "a saved card alone is not charged");
        assert_eq!(turn_on(&mut shop, &[]).await.0, 303);
        until(&shop, CREDITED, 1).await;
        until(&shop, "select count(*) from recharge where order_id is null and is_on", 1).await;
        assert_eq!(shop.posted().await, 20 * USD);
        let intents = shop.stripe.intents();
        assert_eq!((intents.len(), &intents[0]["amount"]), (1, &json!(2_000)));
        let charge = shop.stripe.requests().into_iter().find(|request| request.path == "/v1/payment_intents");
        let charge = charge.expect("a charge");
        assert_eq!(charge.header("idempotency-key"), intents[0]["metadata"]["order_id"].as_str());
        // Its event, sent thrice, says nothing new.
        let event = shop.stripe.event("payment_intent.succeeded", &intents[0]);
        for _ in 0..3 {
            let _ = shop.stripe.send(&event).await.expect_status(200);
        }
        assert_eq!(shop.posted().await, 20 * USD);
        let wallet = shop.person.open("/console/wallet").await.expect_status(200).text();
        assert!(wallet.contains("On: when the balance falls below $5.00, $20.00 is paid in with Visa"));
        assert!(wallet.contains("/wallet/invoices/inv_"), "it has an invoice like any payment");
        assert_eq!(
            shop.read("select count(*) from lot where kind = 'principal' and granted_nano = 20000000000")
                .await,
            1
        );
        let audit = shop.person.open("/console/audit").await.expect_status(200).text();
        for said in ["Card saved", "Auto-recharge turned on", "Saved card charged"] {
            assert!(audit.contains(said), "{said}");
        }
        shop.rules_hold().await;
    }
}

#[tokio::test]
async fn two_processes_on_one_database_never_charge_twice_for_one_dip() {
    let upstream = Upstream::start(scenes::play).await;
    let stripe = Stripe::start().await;
    let setup = stripe.wire(Setup::scripted(&upstream.url()).on(Kind::Postgres).trial_grant(0));
    let mut shop = Shop::open(stripe, &setup).await;
    let _second = setup.start_beside(&shop.product).await;
    let _third = setup.start_beside(&shop.product).await;
    let key = shop.person.create_key("spender", &[]).await;
    save_card(&mut shop).await;
    assert_eq!(turn_on(&mut shop, &[("threshold", "20"), ("most", "5000")]).await.0, 303);
    until(&shop, CREDITED, 1).await;
    // Each call brings the balance below the threshold again: a dip of its own.
    let body =
        json!({"model": CLAUDE, "max_tokens": 64, "messages": [{"role": "user", "content": "scene:text"}]});
    let call = Speaker::Anthropic.call(&shop.product.url, &key, &body);
    let _ = call.send().await.expect_status(200);
    until(&shop, CREDITED, 2).await;
    until(&shop, "select count(*) from recharge where order_id is null", 1).await;
    assert_eq!(shop.stripe.intents().len(), 2, "one payment for each dip");
    let charges = shop.stripe.requests().into_iter().filter(|request| request.path == "/v1/payment_intents");
    assert_eq!(charges.count(), 2, "and Stripe was asked for no other");
    shop.rules_hold().await;
}

#[tokio::test]
async fn a_refused_card_is_tried_again_later_and_then_left_alone_with_a_letter() {
    for (database, charging, reason) in [
        (Kind::Sqlite, Charging::Refused("card_declined"), "card_declined"),
        (Kind::Postgres, Charging::Refused("authentication_required"), "authentication_required"),
        (Kind::Sqlite, Charging::WantsHolder, "authentication_required"),
    ] {
        let mut shop = shop(database).await;
        shop.stripe.charge_with(charging);
        save_card(&mut shop).await;
        assert_eq!(turn_on(&mut shop, &[]).await.0, 303);
        until(&shop, FAILED, 1).await;
        until(&shop, "select count(*) from recharge where is_on and failures = 1 and order_id is null", 1)
            .await;
        assert_eq!(shop.read("select count(*) from outbox where kind = 'recharge_off'").await, 0, "not yet");
        // The time until the next try is over.
        change(&shop, "update recharge set next_try_at_ms = 0").await;
        until(&shop, FAILED, 2).await;
        until(&shop, "select count(*) from recharge where not is_on and failures = 2", 1).await;
        let store = shop.product.database.connect().await;
        let told = rows(&store, "select payload_json from outbox where kind = 'recharge_off'").await;
        store.close().await;
        assert!(told.len() == 1 && told[0][0].contains(reason), "{told:?}");
        assert_eq!((shop.posted().await, shop.stripe.intents().len()), (0, 2));
        let page = shop.person.open(PATH).await.expect_status(200).text();
        assert!(page.contains("It turned itself off"), "the page says so");
        assert_eq!(page.contains("the bank asks"), reason == "authentication_required");
        let zh = shop.person.open(&format!("/zh{PATH}")).await.expect_status(200).text();
        assert!(zh.contains("自动充值已自行关闭"));
        shop.rules_hold().await;
    }
}

#[tokio::test]
async fn the_monthly_maximum_holds_and_what_waits_is_decided_by_its_event() {
    let mut shop = shop(Kind::Sqlite).await;
    shop.stripe.charge_with(Charging::Waits);
    save_card(&mut shop).await;
    assert_eq!(turn_on(&mut shop, &[("threshold", "20"), ("most", "39.99")]).await.0, 303);
    until(&shop, "select count(*) from payment_order where state = 'processing'", 1).await;
    let page = shop.person.open(PATH).await.expect_status(200).text();
    assert!(page.contains("A payment is running"));
    let intent = shop.stripe.intents().remove(0);
    let id = intent["id"].as_str().expect("an id").to_owned();
    // What does not agree with the order is refused.
    for (field, value) in
        [("amount", json!(1)), ("currency", json!("cny")), ("livemode", json!(true)), ("id", json!("pi_x"))]
    {
        let mut wrong = intent.clone();
        wrong["status"] = json!("succeeded");
        wrong[field] = value;
        let event = shop.stripe.event("payment_intent.succeeded", &wrong);
        let _ = shop.stripe.send(&event).await.expect_status(200);
    }
    assert_eq!(shop.posted().await, 0);
    let paid = shop.stripe.change_intent(&id, &json!({"status": "succeeded"}));
    let event = shop.stripe.event("payment_intent.succeeded", &paid);
    let _ = shop.stripe.send(&event).await.expect_status(200);
    assert_eq!(shop.posted().await, 20 * USD);
    // The balance is low again, and the month has no room for another.
    change(&shop, "update recharge set threshold_nano = 20000000001").await;
    let waits = "select count(*) from recharge where order_id is null and month_most_minor = 3999";
    until(&shop, waits, 1).await;
    // Another org has room for two. Once its second begins, the round of its first has looked at everybody.
    let mut other = Person::new(&shop.product, "other@example.com");
    other.sign_up().await;
    std::mem::swap(&mut shop.person, &mut other);
    shop.stripe.charge_with(Charging::Succeeds);
    save_card(&mut shop).await;
    assert_eq!(turn_on(&mut shop, &[("threshold", "20"), ("most", "40")]).await.0, 303);
    until(&shop, CREDITED, 2).await;
    change(&shop, "update recharge set threshold_nano = 20000000001 where month_most_minor = 4000").await;
    until(&shop, CREDITED, 3).await;
    assert_eq!((shop.stripe.intents().len(), shop.read(waits).await), (3, 1), "the first org was left alone");
    // With room it goes on.
    change(&shop, "update recharge set month_most_minor = 4000").await;
    until(&shop, "select count(*) from payment_order where form_key like 'recharge:%'", 4).await;
}

#[tokio::test]
async fn what_a_crash_left_is_charged_once_when_it_is_taken_up_again() {
    let mut shop = shop(Kind::Postgres).await;
    save_card(&mut shop).await;
    shop.stripe.fail_with(Some(503));
    assert_eq!(turn_on(&mut shop, &[]).await.0, 303);
    until(&shop, "select count(*) from recharge where order_id is not null", 1).await;
    shop.stripe.fail_with(None);
    assert_eq!(shop.stripe.intents().len(), 0);
    // The process that was at it has died long ago.
    change(&shop, "update recharge set taken_until_ms = 0").await;
    until(&shop, CREDITED, 1).await;
    assert_eq!((shop.stripe.intents().len(), shop.posted().await), (1, 20 * USD));
}

#[tokio::test]
async fn nothing_is_charged_without_consent_and_a_card_can_be_removed() {
    let mut shop = shop(Kind::Sqlite).await;
    save_card(&mut shop).await;
    for (fields, words) in [
        ([("consent", "")], "Without your consent"),
        ([("threshold", "20.01")], "no more than the top-up"),
        ([("threshold", "0")], "no more than the top-up"),
        ([("threshold", "much")], "Enter an amount"),
        ([("amount", "4")], "Enter an amount from $5.00 to $5,000.00"),
        ([("most", "19.99")], "at least one payment"),
    ] {
        let (status, page) = turn_on(&mut shop, &fields).await;
        assert!(status == 422 && page.contains(words), "{fields:?} {status}");
    }
    assert_eq!(shop.read("select count(*) from recharge where is_on").await, 0);
    assert_eq!(turn_on(&mut shop, &[]).await.0, 303);
    until(&shop, CREDITED, 1).await;
    let page = shop.person.open(PATH).await.expect_status(200).text();
    let form = Form::posting_to(&page, "/recharge/off").expect("a form to turn it off").set("forget", "on");
    let _ = shop.person.submit_only(&form).await.expect_status(303);
    assert_eq!(
        shop.read("select count(*) from recharge where is_on or payment_method_id is not null").await,
        0
    );
    let requests = shop.stripe.requests();
    assert!(requests.iter().any(|request| request.path.ends_with("/detach")), "Stripe forgets it as well");
    let event: Value = json!({"id": "evt_setup", "type": "checkout.session.completed", "livemode": false,
        "data": {"object": {"id": "cs_other", "mode": "setup", "status": "complete", "payment_status": "no_payment_required",
                            "livemode": false, "expires_at": 0, "client_reference_id": "org_1", "setup_intent": "seti_1"}}});
    let _ = shop.stripe.send(&event).await.expect_status(200);
    assert_eq!(shop.read("select count(*) from recharge where payment_method_id is not null").await, 0);
}
