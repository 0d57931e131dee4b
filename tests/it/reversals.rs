//! Payments that are undone: what is left is taken, the rest is owed outside the wallet, and nothing is held until it is paid.

use crate::payments::{Shop, USD, paid_in};
use bytespike_tests::database::{BOTH, Kind};
use bytespike_tests::person::Person;
use bytespike_tests::product::{CLAUDE, Setup};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stripe::{self, Stripe};
use bytespike_tests::upstream::{Upstream, scenes};
use serde_json::json;

#[tokio::test]
async fn i27_a_disputed_payment_is_taken_out_of_what_is_left_and_the_rest_is_owed_until_it_is_paid() {
    for database in BOTH {
        let upstream = Upstream::start(scenes::play).await;
        let stripe = Stripe::start().await;
        let setup = stripe.wire(Setup::scripted(&upstream.url()).on(database).trial_grant(0));
        let product = setup.start().await;
        stripe.serve(&product);
        let mut person = Person::new(&product, "payer@example.com");
        person.sign_up().await;
        let key = person.create_key("spender", &[]).await;
        let mut shop = Shop { stripe, product, person };
        let (session, place) = paid_in(&mut shop, "50").await;
        assert_eq!(shop.posted().await, 51_500_000_000);
        let body = json!({"model": CLAUDE, "max_tokens": 64, "messages": [{"role": "user", "content": "scene:text"}]});
        let url = shop.product.url.clone();
        let call = || Speaker::Anthropic.call(&url, &key, &body);
        let _ = call().send().await.expect_status(200);
        // 17 credits were spent, out of what was given on top.
        let dispute = stripe::dispute("du_1", &session, 5_000);
        shop.tell("charge.dispute.created", &dispute).await;
        assert_eq!(shop.posted().await, 51_500_000_000 - 17_000, "a dispute alone moves no money");
        shop.tell("charge.dispute.funds_withdrawn", &dispute).await;
        assert_eq!(
            (shop.posted().await, shop.owed().await),
            (0, 0),
            "all of it was there, and what was given for it lapses"
        );
        shop.rules_hold().await;

        // Paid again, and another ten disputed twice over: ten are missing.
        shop.tell("charge.dispute.funds_reinstated", &dispute).await;
        assert_eq!((shop.posted().await, shop.owed().await), (50 * USD, 0));
        let (other, _) = paid_in(&mut shop, "10").await;
        shop.tell("refund.created", &stripe::given_back("re_1", &session, (5_000, "pending"))).await;
        shop.tell("charge.dispute.funds_withdrawn", &stripe::dispute("du_2", &other, 1_000)).await;
        shop.tell("refund.created", &stripe::given_back("re_2", &other, (1_000, "succeeded"))).await;
        assert_eq!((shop.posted().await, shop.owed().await), (0, 10 * USD));
        assert!(call().send().await.expect_status(403).text().contains("frozen"));
        let wallet = shop.person.open("/console/wallet").await.expect_status(200).text();
        assert!(wallet.contains("Your organisation owes $10.00"));
        let order = shop.person.open(&place).await.expect_status(200).text();
        assert!(
            order.contains("Disputed at the payer")
                && order.contains("come in again")
                && order.contains("Given back")
        );

        // What is paid in goes to it first; then calls are let in again.
        let _ = paid_in(&mut shop, "12").await;
        assert_eq!((shop.posted().await, shop.owed().await), (2 * USD, 0));
        let _ = call().send().await.expect_status(200);
        shop.rules_hold().await;
        let outbox = shop.read("select count(*) from outbox where kind = 'payment_undone'").await;
        assert_eq!(outbox, 4, "each is told of once");
    }
}

#[tokio::test]
async fn s111_what_is_undone_must_match_its_order_and_may_overtake_the_payment() {
    let mut shop = Shop::on(Kind::Sqlite).await;
    let (session, place) = shop.order(&[("amount", "20"), ("currency", "usd")]).await;
    let session = shop.stripe.pay(session["id"].as_str().expect("an id"));
    // Half of it is given back, and that is told before the payment is.
    shop.tell("refund.created", &stripe::given_back("re_1", &session, (1_000, "succeeded"))).await;
    assert_eq!(shop.state(&place).await, "Credited");
    assert_eq!(shop.posted().await, 10 * USD);
    shop.tell("checkout.session.completed", &session).await;
    assert_eq!(shop.posted().await, 10 * USD);
    // It failed, and the money is here again.
    shop.tell("refund.failed", &stripe::given_back("re_1", &session, (1_000, "failed"))).await;
    shop.tell("refund.updated", &stripe::given_back("re_1", &session, (1_000, "failed"))).await;
    assert_eq!(shop.posted().await, 20 * USD);
    let mut other_currency = session.clone();
    other_currency["currency"] = json!("cny");
    let mut unknown = session.clone();
    unknown["payment_intent"] = json!("pi_unknown");
    shop.tell("refund.created", &stripe::given_back("re_2", &other_currency, (1_000, "succeeded"))).await;
    shop.tell("refund.created", &stripe::given_back("re_3", &session, (2_001, "succeeded"))).await;
    shop.tell("refund.created", &stripe::given_back("re_4", &session, (-1, "succeeded"))).await;
    shop.tell("refund.created", &stripe::given_back("re_5", &unknown, (1_000, "succeeded"))).await;
    assert_eq!(shop.posted().await, 20 * USD);
    assert_eq!(shop.read("select count(*) from payment_event where outcome = 'refused'").await, 3);
    assert_eq!(shop.read("select count(*) from payment_event where outcome = 'unknown'").await, 1);
    shop.rules_hold().await;
}
