//! What an org is told of money, until it has left the house: the letter with a mail server, the message with a receiver.

use bytespike_tests::database::Kind;
use bytespike_tests::letters::Letters;
use bytespike_tests::person::Form;
use bytespike_tests::product::Setup;
use bytespike_tests::stripe::{Charging, Stripe};
use bytespike_tests::upstream::{Upstream, nobody};
use bytespike_tests::webhooks::{reaching, receiver};
use serde_json::{Value, json};

use crate::invoices::say;
use crate::payments::{Shop, paid_in};
use crate::recharge::{save_card, turn_on, until};

/// The message of this type, once it has come.
async fn told(receiver: &Upstream, kind: &str) -> Value {
    loop {
        let seen = receiver.arrived().now();
        let found =
            receiver.requests().iter().map(|request| request.json()).find(|body| body["type"] == kind);
        if let Some(body) = found {
            return body["data"].clone();
        }
        receiver.arrived().at_least(seen + 1).await;
    }
}

/// A shop whose letters another process on its database carries.
async fn shop(letters: &Letters, receiver: &Upstream) -> (Shop, bytespike_tests::product::Product) {
    let stripe = Stripe::start().await;
    let setup = stripe.wire(Setup::scripted(&nobody().await).on(Kind::Postgres).trial_grant(0));
    let setup = reaching(setup, receiver, "");
    let mut shop = Shop::open(stripe, &setup).await;
    let postman = letters.wire(setup).start_beside(&shop.product).await;
    let page = shop.person.open("/console/webhooks/new").await.expect_status(200);
    let form = Form::with(&page.text(), "url").set("url", &format!("{}/hook", receiver.url()));
    let _ = shop.person.submit(&form).await.expect_status(200);
    (shop, postman)
}

#[tokio::test]
async fn an_invoice_reaches_the_address_of_the_billing_details_and_every_receiver() {
    let (letters, receiver) = (Letters::start().await, receiver().await);
    let (mut shop, _postman) = shop(&letters, &receiver).await;
    // Nobody asked for letters yet: receivers are told all the same.
    let _ = paid_in(&mut shop, "20").await;
    let first = told(&receiver, "invoice.issued").await;
    let details = [
        ("legal_name", "Acme GmbH"),
        ("address", "Straße 5\r\nBerlin"),
        ("country", "de"),
        ("email", "accounts@example.com"),
    ];
    assert_eq!(say(&mut shop.person, &details).await.0, 303);
    let _ = paid_in(&mut shop, "60.50").await;
    let letter = letters.to("accounts@example.com", "INV-000002").await;
    assert!(letter.contains("Subject:") && letter.contains("$60.50"), "{letter}");
    assert!(!letters.all().iter().any(|letter| letter.contains("INV-000001")), "nobody wanted that one");
    assert_eq!((&first["kind"], &first["number"]), (&json!("invoice"), &json!("INV-000001")));
    assert_eq!((&first["currency"], &first["amount_minor"]), (&json!("usd"), &json!(2_000)));
    shop.rules_hold().await;
}

#[tokio::test]
async fn that_auto_recharge_switched_itself_off_reaches_whoever_answers_for_the_org_and_every_receiver() {
    let (letters, receiver) = (Letters::start().await, receiver().await);
    let (mut shop, _postman) = shop(&letters, &receiver).await;
    shop.stripe.charge_with(Charging::Refused("card_declined"));
    save_card(&mut shop).await;
    assert_eq!(turn_on(&mut shop, &[]).await.0, 303);
    until(&shop, "select count(*) from recharge where is_on and failures = 1 and order_id is null", 1).await;
    crate::recharge::change(&shop, "update recharge set next_try_at_ms = 0").await;
    let off = told(&receiver, "recharge.switched_off").await;
    assert_eq!((&off["reason"], &off["amount_minor"]), (&json!("card_declined"), &json!(2_000)));
    let letter = letters.to("payer@example.com", "/console/wallet/recharge").await;
    assert!(letter.contains("$20.00"), "{letter}");
}
