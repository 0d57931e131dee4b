//! Paying in, auto-recharge and signing in elsewhere, switched off by an operator: refused in words in both languages, with
//! nothing charged and nobody let in, and as before when they are on again.

use bytespike_tests::database::BOTH;
use bytespike_tests::operator::Operator;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{CLAUDE, Product, Setup};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stripe::Stripe;
use bytespike_tests::upstream::{Upstream, nobody, scenes};

use crate::payments::{Shop, USD};
use crate::recharge::{save_card, turn_on, until};
use crate::switches::switch;

/// The same form in the other language.
fn in_chinese(form: &Form) -> Form {
    Form { action: format!("/zh{}", form.action), ..form.clone() }
}

/// A form that is refused, in both languages.
async fn is_refused(person: &mut Person, form: &Form, [en, zh]: [&str; 2]) {
    for (form, words) in [(form.clone(), en), (in_chinese(form), zh)] {
        let refused = person.submit_only(&form).await;
        assert!(refused.status == 403 && refused.text().contains(words), "{}: {words}", refused.status);
    }
}

#[tokio::test]
async fn nobody_pays_in_while_it_is_off_and_what_was_begun_is_finished() {
    for database in BOTH {
        let mut shop = Shop::on(database).await;
        let mut operator = Operator::new(&shop.product).await;
        let (begun, place) = shop.order(&[("amount", "25"), ("currency", "usd")]).await;
        let page = shop.person.open("/console/wallet").await.expect_status(200).text();
        let form = Form::with(&page, "amount").set("amount", "30").set("currency", "usd");
        switch(&mut operator, "top_ups", "off").await;
        let asked = shop.stripe.requests().len();

        for (path, words) in
            [("/console/wallet", "Paying in is switched off"), ("/zh/console/wallet", "充值已暂停")]
        {
            let wallet = shop.person.open(path).await.expect_status(200).text();
            assert!(wallet.contains(words) && !wallet.contains("name=\"amount\""), "{path}");
        }
        is_refused(&mut shop.person, &form, ["Paying in is switched off", "充值已暂停"]).await;
        assert_eq!(shop.stripe.requests().len(), asked, "Stripe hears of nothing");
        assert_eq!(shop.read("select count(*) from payment_order").await, 1, "and nothing is ordered");
        let session = shop.stripe.pay(begun["id"].as_str().expect("an id"));
        let event = shop.stripe.event("checkout.session.completed", &session);
        let _ = shop.stripe.send(&event).await.expect_status(200);
        assert_eq!(shop.state(&place).await, "Credited", "what was begun before is finished");
        assert_eq!(shop.posted().await, 25 * USD);

        switch(&mut operator, "top_ups", "on").await;
        let (_, place) = shop.order(&[("amount", "30"), ("currency", "usd")]).await;
        assert_eq!(shop.state(&place).await, "Not paid yet");
        assert_eq!(shop.read("select count(*) from payment_order").await, 2);
        shop.rules_hold().await;
    }
}

#[tokio::test]
async fn no_card_is_charged_while_auto_recharge_is_off_however_low_the_balance_is() {
    for database in BOTH {
        let upstream = Upstream::start(scenes::play).await;
        let stripe = Stripe::start().await;
        let setup = stripe.wire(Setup::scripted(&upstream.url()).on(database).trial_grant(0));
        let mut shop = Shop::open(stripe, &setup).await;
        let mut operator = Operator::new(&shop.product).await;
        save_card(&mut shop).await;
        let page = shop.person.open("/console/wallet/recharge").await.expect_status(200).text();
        let form = Form::with(&page, "threshold").set("threshold", "5").set("amount", "20").set("most", "60");
        let form = form.set("currency", "usd").set("consent", "on");
        let words = ["Auto-recharge is switched off", "自动充值已暂停"];
        switch(&mut operator, "recharge", "off").await;

        is_refused(&mut shop.person, &form, words).await;
        let card = Form::posting_to(&page, "/recharge/card").expect("a form");
        is_refused(&mut shop.person, &card, words).await;
        for (path, words) in [("/console/wallet", words[0]), ("/zh/console/wallet", words[1])] {
            assert!(shop.person.open(path).await.expect_status(200).text().contains(words), "{path}");
        }
        // Turned on before, it stands and charges nothing: an empty balance is below every threshold.
        switch(&mut operator, "recharge", "on").await;
        assert_eq!(turn_on(&mut shop, &[]).await.0, 303);
        until(&shop, "select count(*) from payment_order where state = 'credited'", 1).await;
        until(&shop, "select count(*) from recharge where order_id is null and is_on", 1).await;
        switch(&mut operator, "recharge", "off").await;
        assert_eq!(turn_on(&mut shop, &[("threshold", "25")]).await.0, 403, "nor is it changed");
        crate::recharge::change(&shop, "update recharge set threshold_nano = 25000000000").await;
        let key = shop.person.create_key("spender", &[]).await;
        let speaker = Speaker::Anthropic;
        let asked = speaker.call(&shop.product.url, &key, &speaker.ask(CLAUDE, false)).send().await;
        let _ = asked.expect_status(200);
        // The process says every few seconds that it is alive, and as often it looks for low balances.
        let alive = async |shop: &Shop| shop.read("select max(seen_at_ms) from instance").await;
        let since_ms = alive(&shop).await;
        let looked = async || alive(&shop).await >= since_ms + 10_000;
        bytespike_tests::until("low balances were looked for twice", looked).await;
        assert_eq!(shop.stripe.intents().len(), 1, "no card is charged");
        assert_eq!(shop.read("select count(*) from payment_order").await, 1);

        switch(&mut operator, "recharge", "on").await;
        until(&shop, "select count(*) from payment_order where state = 'credited'", 2).await;
        assert_eq!(shop.stripe.intents().len(), 2, "on again, the low balance is filled");
        shop.rules_hold().await;
    }
}

/// A product that offers signing in with GitHub.
async fn with_github(database: bytespike_tests::database::Kind) -> Product {
    let github = "[sign_in.github]\nclient_id = \"an app\"\nclient_secret = \"a secret\"";
    Setup::scripted(&nobody().await).on(database).settings(github).start().await
}

#[tokio::test]
async fn nobody_signs_in_elsewhere_while_that_is_off() {
    for database in BOTH {
        let product = with_github(database).await;
        let mut operator = Operator::new(&product).await;
        let mut person = Person::new(&product, "someone@example.com");
        let page = person.open("/console/sign-in").await.expect_status(200).text();
        let form = Form::posting_to(&page, "/console/auth/github").expect("a button");
        let onward = person.submit_only(&form).await.expect_status(200).text();
        let address =
            onward.split("href=\"https://github.com").nth(1).and_then(|rest| rest.split('"').next());
        let address = address.expect("the address at GitHub").replace("&amp;", "&");
        let state = address.split("state=").nth(1).and_then(|rest| rest.split('&').next()).expect("a state");
        let back = format!("/console/auth/github/callback?code=a-code&state={state}");
        let words = ["Signing in with another provider is switched off", "第三方登录已暂停"];
        switch(&mut operator, "providers", "off").await;

        for page in ["/console/sign-in", "/console/sign-up", "/zh/console/sign-in"] {
            let shown = person.open(page).await.expect_status(200).text();
            assert!(!shown.contains("/console/auth/github"), "{page}: no button");
        }
        is_refused(&mut person, &form, words).await;
        for (path, words) in [(back.clone(), words[0]), (format!("/zh{back}"), words[1])] {
            let refused = person.get(&path).await;
            assert!(refused.status == 403 && refused.text().contains(words), "{path}: {}", refused.status);
        }
        let home = person.get("/console").await;
        assert!(home.maybe("location").is_some_and(|to| to.contains("sign-in")), "nobody came in");

        switch(&mut operator, "providers", "on").await;
        let page = person.open("/console/sign-in").await.expect_status(200).text();
        let form = Form::posting_to(&page, "/console/auth/github").expect("the button is back");
        let onward = person.submit_only(&form).await.expect_status(200).text();
        assert!(onward.contains("https://github.com/login/oauth/authorize"), "{onward}");
    }
}
