//! Paying in, from the form in the wallet to the credit in the ledger, whatever order and however often events come.

use bytespike_tests::canary;
use bytespike_tests::database::{BOTH, Kind, number, rows};
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{Product, Setup};
use bytespike_tests::stripe::{self, Stripe};
use bytespike_tests::upstream::nobody;
use serde_json::{Value, json};

/// A product that takes payments, and someone in it.
pub struct Shop {
    pub stripe: Stripe,
    pub product: Product,
    pub person: Person,
}

impl Shop {
    pub async fn on(database: Kind) -> Self {
        let stripe = Stripe::start().await;
        let setup = stripe.wire(Setup::scripted(&nobody().await).on(database).trial_grant(0));
        Self::open(stripe, &setup).await
    }

    pub async fn open(stripe: Stripe, setup: &Setup) -> Self {
        let product = setup.start().await;
        stripe.serve(&product);
        let mut person = Person::new(&product, "payer@example.com");
        person.sign_up().await;
        Self { stripe, product, person }
    }

    /// Orders in the wallet; answers the session at Stripe and the page where the order stands.
    pub async fn order(&mut self, fields: &[(&str, &str)]) -> (Value, String) {
        let page = self.person.open("/console/wallet").await.expect_status(200);
        let mut form = Form::with(&page.text(), "amount");
        for (name, value) in fields {
            form = form.set(name, value);
        }
        let ordered = self.person.submit_only(&form).await.expect_status(303);
        let place = ordered.header("location").split('?').next().expect("a path").to_owned();
        (self.stripe.newest(), place)
    }

    pub async fn state(&mut self, place: &str) -> String {
        let page = self.person.open(place).await.expect_status(200).text();
        let states = ["Not paid yet", "On its way", "Credited", "Did not go through"];
        let found: Vec<&str> =
            states.into_iter().filter(|state| page.contains(&format!("<span>{state}</span>"))).collect();
        found.join(",")
    }

    pub async fn read(&self, sql: &'static str) -> i64 {
        let store = self.product.database.connect().await;
        let found = number(&store, sql).await;
        store.close().await;
        found
    }

    /// What is in all wallets, in nano-USD.
    pub async fn posted(&self) -> i64 {
        self.read("select cast(coalesce(sum(posted_nano), 0) as bigint) from wallet").await
    }

    async fn outcomes(&self) -> Vec<String> {
        let store = self.product.database.connect().await;
        let found = rows(&store, "select outcome from payment_event order by id").await;
        store.close().await;
        found.into_iter().flatten().collect()
    }

    pub async fn rules_hold(&self) {
        let store = self.product.database.connect().await;
        bytespike_tests::invariants::hold(&store).await;
        store.close().await;
    }
}

pub const USD: i64 = 1_000_000_000;

#[tokio::test]
async fn s111_a_payment_becomes_paid_credit_and_credit_on_top_exactly_once() {
    for database in BOTH {
        let mut shop = Shop::on(database).await;
        let (session, place) = shop.order(&[("amount", "60.50"), ("currency", "usd")]).await;
        assert_eq!((&session["amount_total"], &session["currency"]), (&json!(6_050), &json!("usd")));
        let request = shop.stripe.requests().pop().expect("a request");
        assert_eq!(request.header("idempotency-key"), session["client_reference_id"].as_str());
        assert_eq!(shop.state(&place).await, "Not paid yet");
        // Coming back says nothing: Stripe is asked, and knows of no payment.
        assert_eq!(shop.state(&format!("{place}?returned=1")).await, "Not paid yet");
        assert_eq!(shop.posted().await, 0);

        let session = shop.stripe.pay(session["id"].as_str().expect("an id"));
        let event = shop.stripe.event("checkout.session.completed", &session);
        for _ in 0..3 {
            let _ = shop.stripe.send(&event).await.expect_status(200);
        }
        // Another event about the same payment says nothing new either.
        let again = shop.stripe.event("checkout.session.async_payment_succeeded", &session);
        let _ = shop.stripe.send(&again).await.expect_status(200);
        assert_eq!(shop.posted().await, 60_500_000_000 + 1_815_000_000, "3 % on top of 60.50");
        assert_eq!(
            shop.read("select count(*) from lot where kind = 'principal' and expires_at_ms is null").await,
            1
        );
        assert_eq!(
            shop.read("select count(*) from lot where kind = 'bonus' and expires_at_ms is not null").await,
            1
        );
        assert_eq!(shop.outcomes().await, ["applied", "known"]);
        assert_eq!(shop.state(&place).await, "Credited");
        let wallet = shop.person.open("/console/wallet").await.expect_status(200).text();
        assert!(wallet.contains("$62.315") && wallet.contains("60,500,000.000"));
        shop.rules_hold().await;
    }
}

#[tokio::test]
async fn s111_events_sent_at_once_to_two_processes_credit_once() {
    let stripe = Stripe::start().await;
    let setup = stripe.wire(Setup::scripted(&nobody().await).on(Kind::Postgres).trial_grant(0));
    let product = setup.start().await;
    let second = setup.start_beside(&product).await;
    stripe.serve(&product);
    let mut person = Person::new(&product, "payer@example.com");
    person.sign_up().await;
    let mut shop = Shop { stripe, product, person };
    let (session, _) = shop.order(&[("amount", "100"), ("currency", "usd")]).await;
    let session = shop.stripe.pay(session["id"].as_str().expect("an id"));
    let events = ["completed", "async_payment_succeeded"]
        .map(|kind| shop.stripe.event(&format!("checkout.session.{kind}"), &session));
    let mut sent = tokio::task::JoinSet::new();
    for n in 0..24 {
        let url = if n % 2 == 0 { shop.product.url.clone() } else { second.url.clone() };
        let event = events[n / 2 % 2].clone();
        sent.spawn(async move { stripe::send_to(&url, &event).await.status });
    }
    let statuses = sent.join_all().await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(shop.posted().await, 105 * USD);
    assert_eq!(shop.read("select count(*) from payment_event").await, 2);
    shop.rules_hold().await;
}

#[tokio::test]
async fn s111_what_was_not_signed_for_this_endpoint_is_not_believed() {
    let mut shop = Shop::on(Kind::Sqlite).await;
    let (session, _) = shop.order(&[("amount", "20"), ("currency", "usd")]).await;
    let session = shop.stripe.pay(session["id"].as_str().expect("an id"));
    let body = shop.stripe.event("checkout.session.completed", &session).to_string();
    let (url, now) = (shop.product.url.clone(), stripe::now_s());
    let good = stripe::signature(canary::WEBHOOK_SECRET, now, &body);
    for header in [
        String::new(),
        "t=1,v1=00".to_owned(),
        stripe::signature("", now, &body),
        stripe::signature("whsec_somebody_else", now, &body),
        stripe::signature(canary::WEBHOOK_SECRET, now - 301, &body),
        stripe::signature(canary::WEBHOOK_SECRET, now + 301, &body),
        good.replace("v1=", "v0="),
    ] {
        let answer = stripe::post(&url, &header, body.clone()).await.expect_status(400);
        assert!(!answer.text().contains("whsec"));
    }
    let changed = body.replace("\"amount_total\":2000", "\"amount_total\":2001");
    let _ = stripe::post(&url, &good, changed).await.expect_status(400);
    assert_eq!(shop.read("select count(*) from payment_event").await, 0, "nothing unsigned is even kept");
    assert_eq!(shop.posted().await, 0);
    // The next secret is believed as well, so that it can be replaced without a gap.
    let next = stripe::signature(canary::NEXT_WEBHOOK_SECRET, now, &body);
    let _ = stripe::post(&url, &next, body).await.expect_status(200);
    assert_eq!(shop.posted().await, 20 * USD);
    let _ = stripe::post(&url, &stripe::signature(canary::WEBHOOK_SECRET, now, "nonsense"), "nonsense")
        .await
        .expect_status(400);
}

#[tokio::test]
async fn s111_amount_currency_order_session_mode_and_account_all_have_to_match() {
    let mut shop = Shop::on(Kind::Postgres).await;
    let (session, place) = shop.order(&[("amount", "20"), ("currency", "usd")]).await;
    let honest = shop.stripe.pay(session["id"].as_str().expect("an id"));
    let with = |name: &str, value: Value| {
        let mut session = honest.clone();
        session[name] = value;
        session
    };
    for wrong in [
        with("amount_total", json!(1)),
        with("amount_total", json!(null)),
        with("currency", json!("cny")),
        with("id", json!("cs_test_other")),
        with("livemode", json!(true)),
        with("payment_status", json!("no_payment_required")),
        with("status", json!("open")),
        with("payment_status", json!(7)),
    ] {
        let event = shop.stripe.event("checkout.session.completed", &wrong);
        let _ = shop.stripe.send(&event).await.expect_status(200);
    }
    for (name, value) in [("livemode", json!(true)), ("account", json!("acct_other"))] {
        let mut event = shop.stripe.event("checkout.session.completed", &honest);
        event[name] = value;
        let _ = shop.stripe.send(&event).await.expect_status(200);
    }
    assert!(shop.outcomes().await.iter().all(|outcome| outcome == "refused"), "{:?}", shop.outcomes().await);
    // Somebody else's sessions on the same account, and events of no interest, are kept and answered.
    for (kind, object) in [
        ("checkout.session.completed", with("client_reference_id", json!("ord_unknown"))),
        ("checkout.session.completed", with("client_reference_id", json!(null))),
        ("invoice.finalized", json!({"id": "in_1"})),
    ] {
        let event = shop.stripe.event(kind, &object);
        let _ = shop.stripe.send(&event).await.expect_status(200);
    }
    assert_eq!(shop.read("select count(*) from payment_event where outcome = 'unknown'").await, 3);
    assert_eq!(shop.posted().await, 0);
    assert_eq!(shop.state(&place).await, "Not paid yet");
    let event = shop.stripe.event("checkout.session.completed", &honest);
    let _ = shop.stripe.send(&event).await.expect_status(200);
    assert_eq!(shop.posted().await, 20 * USD);
}

#[tokio::test]
async fn s111_complete_is_not_paid_and_events_out_of_order_end_with_the_money() {
    for database in BOTH {
        let mut shop = Shop::on(database).await;
        // A bank transfer: complete first, and the money days later.
        let (session, place) = shop.order(&[("amount", "20"), ("currency", "usd")]).await;
        let id = session["id"].as_str().expect("an id").to_owned();
        let waiting = shop.stripe.change(
            &id,
            &json!({"status": "complete", "payment_status": "unpaid", "payment_intent": "pi_1"}),
        );
        let completed = shop.stripe.event("checkout.session.completed", &waiting);
        let _ = shop.stripe.send(&completed).await.expect_status(200);
        assert_eq!(shop.state(&place).await, "On its way");
        assert_eq!(shop.posted().await, 0);
        let failed = shop.stripe.event("checkout.session.async_payment_failed", &waiting);
        let _ = shop.stripe.send(&failed).await.expect_status(200);
        assert_eq!(shop.state(&place).await, "Did not go through");

        // The money overtakes what was sent before it.
        let (session, place) = shop.order(&[("amount", "30"), ("currency", "usd")]).await;
        let id = session["id"].as_str().expect("an id").to_owned();
        let waiting = shop.stripe.change(
            &id,
            &json!({"status": "complete", "payment_status": "unpaid", "payment_intent": "pi_2"}),
        );
        let late = [
            shop.stripe.event("checkout.session.completed", &waiting),
            shop.stripe.event("checkout.session.async_payment_failed", &waiting),
        ];
        let paid = shop.stripe.pay(&id);
        let arrived = shop.stripe.event("checkout.session.async_payment_succeeded", &paid);
        let _ = shop.stripe.send(&arrived).await.expect_status(200);
        for event in &late {
            let _ = shop.stripe.send(event).await.expect_status(200);
        }
        assert_eq!(shop.state(&place).await, "Credited");
        assert_eq!(shop.posted().await, 30 * USD);
        shop.rules_hold().await;
    }
}

#[tokio::test]
async fn an_event_that_never_came_is_made_up_for_by_asking() {
    let mut shop = Shop::on(Kind::Sqlite).await;
    let (session, place) = shop.order(&[("amount", "25"), ("currency", "usd")]).await;
    let _ = shop.stripe.pay(session["id"].as_str().expect("an id"));
    assert_eq!(shop.state(&place).await, "Not paid yet", "without an event, and without asking");
    assert_eq!(shop.state(&format!("{place}?returned=1")).await, "Credited");
    assert_eq!(shop.posted().await, 25 * USD);
}

#[tokio::test]
async fn cny_is_worth_what_the_dated_rate_says_when_the_order_is_made() {
    for database in BOTH {
        let mut shop = Shop::on(database).await;
        let (session, place) = shop.order(&[("amount", "￥１００"), ("currency", "cny")]).await;
        assert_eq!((&session["amount_total"], &session["currency"]), (&json!(10_000), &json!("cny")));
        let micro = shop.read("select usd_cny_micro from payment_order").await;
        let session = shop.stripe.pay(session["id"].as_str().expect("an id"));
        let event = shop.stripe.event("checkout.session.completed", &session);
        let _ = shop.stripe.send(&event).await.expect_status(200);
        let worth = i64::try_from(100 * i128::from(USD) * 1_000_000 / i128::from(micro)).expect("small");
        assert_eq!(shop.posted().await, worth);
        let page = shop.person.open(&place).await.expect_status(200).text();
        assert!(page.contains("¥100.00") && page.contains("1 USD = "), "the rate stands on the order");
        let wallet = shop.person.open("/console/wallet").await.expect_status(200).text();
        assert!(wallet.contains("¥100.00, 1 USD = "), "and in the journal");
        shop.rules_hold().await;
    }
}

#[tokio::test]
async fn s106_amounts_nobody_can_pay_are_refused_with_the_form_kept() {
    let mut shop = Shop::on(Kind::Sqlite).await;
    let page = shop.person.open("/console/wallet").await.expect_status(200).text();
    let form = Form::with(&page, "amount").set("currency", "usd");
    for (typed, words) in [
        ("", "Enter an amount."),
        ("-5", "as a number"),
        ("1e309", "as a number"),
        ("NaN", "as a number"),
        ("12.345", "two decimals"),
        ("4.99", "at least $5.00"),
        ("5000.01", "at most $5,000.00"),
        ("99999999999999999999", "as a number"),
    ] {
        let answer =
            shop.person.submit_only(&form.clone().set("amount", typed)).await.expect_status(422).text();
        assert!(answer.contains(words), "{typed}: {words}");
    }
    for preset in ["usd:-1", "usd:1", "eur:1000", "usd:9223372036854775807", "x"] {
        let pressed = form.clone().set("preset", preset);
        assert_eq!(shop.person.submit_only(&pressed).await.status, 422, "{preset}");
    }
    assert!(shop.stripe.requests().is_empty(), "Stripe hears of none of them");
    assert_eq!(shop.read("select count(*) from payment_order").await, 0);
}

#[tokio::test]
async fn s113_a_form_sent_twice_orders_once_also_when_stripe_was_away() {
    let mut shop = Shop::on(Kind::Postgres).await;
    let page = shop.person.open("/console/wallet").await.expect_status(200).text();
    let form = Form::with(&page, "amount").set("currency", "usd").set("amount", "20");
    shop.stripe.fail_with(Some(500));
    let answer = shop.person.submit_only(&form).await.expect_status(422).text();
    assert!(answer.contains("nothing was charged"));
    shop.stripe.fail_with(None);
    let first = shop.person.submit_only(&form).await.expect_status(303).header("location").to_owned();
    let second = shop.person.submit_only(&form).await.expect_status(303).header("location").to_owned();
    assert_eq!(first, second);
    assert_eq!(shop.read("select count(*) from payment_order").await, 1);
    let other = shop
        .person
        .submit_only(&form.set("amount", "21"))
        .await
        .expect_status(303)
        .header("location")
        .to_owned();
    assert_ne!(first, other, "who goes back and changes the amount wants another order");
}

#[tokio::test]
async fn s89_an_order_is_nobody_elses_and_the_form_is_for_those_who_pay() {
    let mut shop = Shop::on(Kind::Sqlite).await;
    let (_, place) = shop.order(&[("amount", "20"), ("currency", "usd")]).await;
    let mut other = Person::new(&shop.product, "other@example.com");
    other.sign_up().await;
    assert_eq!(other.open(&place).await.status, 404);
    assert_eq!(other.open(&format!("{place}?go=1")).await.status, 404);
    let page = shop.person.open("/console/wallet").await.expect_status(200).text();
    let forged = Form::with(&page, "amount").set("amount", "20").set("csrf", "x");
    assert_eq!(shop.person.submit_only(&forged).await.status, 403);
}

/// Pays in so many dollars and has it credited.
pub async fn paid_in(shop: &mut Shop, amount: &str) -> (Value, String) {
    let (session, place) = shop.order(&[("amount", amount), ("currency", "usd")]).await;
    let session = shop.stripe.pay(session["id"].as_str().expect("an id"));
    let event = shop.stripe.event("checkout.session.completed", &session);
    let _ = shop.stripe.send(&event).await.expect_status(200);
    (session, place)
}

impl Shop {
    pub async fn tell(&self, kind: &str, object: &Value) {
        let event = self.stripe.event(kind, object);
        for _ in 0..2 {
            let _ = self.stripe.send(&event).await.expect_status(200);
        }
    }

    pub async fn owed(&self) -> i64 {
        self.read("select cast(coalesce(sum(owed_nano), 0) as bigint) from wallet").await
    }
}

#[tokio::test]
async fn who_reckons_in_yuan_sees_the_balance_in_yuan_too_with_the_rate_its_day_and_its_source() {
    let stripe = Stripe::start().await;
    let setup = stripe.wire(Setup::scripted(&nobody().await).trial_grant(2_500_000));
    let mut shop = Shop::open(stripe, &setup).await;
    let micro = shop.read("select usd_cny_micro from fx_rate order by day desc limit 1").await;
    let about = format!("≈ ¥{}.{:02}", micro * 25 / 10 / 1_000_000, micro * 25 / 10 / 10_000 % 100);
    for page in ["/console/wallet", "/console"] {
        let text = shop.person.open(page).await.expect_status(200).text();
        assert!(
            text.contains("$2.50") && !text.contains('≈'),
            "{page}: the preset Global reckons in dollars"
        );
    }
    let _ = shop.person.post("/console/settings/preset", &[("preset", "china")]).await.expect_status(303);
    for page in ["/console/wallet", "/console"] {
        let text = shop.person.open(page).await.expect_status(200).text();
        assert!(text.contains("$2.50") && text.contains(&about), "{page}: {about}");
    }
    let text = shop.person.open("/console/wallet").await.expect_status(200).text();
    let store = shop.product.database.connect().await;
    let rate = rows(&store, "select day, source from fx_rate order by day desc limit 1").await;
    store.close().await;
    let prices = rate[0][1].strip_prefix("implied by ").expect("worked out").replace(" vs ", " / ");
    assert!(text.contains("for orientation") && text.contains(&prices), "{rate:?}");
    let zh = shop.person.open("/zh/console/wallet").await.expect_status(200).text();
    assert!(zh.contains(&about) && zh.contains("仅供参考"));
}

#[tokio::test]
async fn s148_without_stripe_there_is_no_form_no_order_and_no_endpoint() {
    let product = Setup::default().start().await;
    let mut person = Person::new(&product, "payer@example.com");
    person.sign_up().await;
    let page = person.open("/console/wallet").await.expect_status(200).text();
    assert!(!page.contains("top-up") && page.contains("operator of this server adds credit"));
    assert_eq!(person.open("/console/wallet/orders/ord_1").await.status, 404);
    let body = json!({"id": "evt_1"}).to_string();
    let header = stripe::signature("", stripe::now_s(), &body);
    let status = stripe::post(&product.url, &header, body).await.status;
    assert!(matches!(status, 403 | 404), "{status}");
}
