//! Switches that operators turn while the installation runs: each stops what would be new, says so in both languages, and
//! counts on every process; and who may sign up.

use bytespike_tests::canary;
use bytespike_tests::database::{BOTH, Kind, rows};
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::keys::manager;
use bytespike_tests::operator::Operator;
use bytespike_tests::person::{Form, Person, link_containing};
use bytespike_tests::product::GPT;
use bytespike_tests::product::{Product, Setup};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use bytespike_tests::until;
use serde_json::json;

pub async fn switch(operator: &mut Operator, feature: &str, to: &str) {
    let page = operator.page("/admin/switches").await;
    let form =
        Form::posting_at(&page, "/switches/feature").expect("a form").set("feature", feature).set("to", to);
    assert_eq!(operator.browser.submit_only(&form).await.status, 303, "{feature} {to}");
}

async fn policy(operator: &mut Operator, policy: &str, domains: &str) -> Answer {
    operator.send("/admin/switches", "/switches/sign-up", &[("policy", policy), ("domains", domains)]).await
}

/// Fills in the form of sign-up.
async fn try_to_sign_up(product: &Product, email: &str) -> (Person, Answer) {
    let mut person = Person::new(product, email);
    let page = person.open("/console/sign-up").await.expect_status(200).text();
    let form = Form::with(&page, "password").set("email", email).set("password", canary::PASSWORD);
    let answer = person.submit(&form).await;
    (person, answer)
}

#[tokio::test]
async fn what_is_switched_off_says_so_and_what_is_there_goes_on() {
    for database in BOTH {
        let mut stage = Stage::with(|setup| setup.on(database)).await;
        let mut operator = Operator::new(&stage.product).await;
        let manager = manager(&mut stage).await;
        let make = async |key: &str| {
            let call = Call::post(stage.product.at("/api/v1/keys"), &json!({"name": "made"}));
            call.header("x-api-key", key).send().await
        };
        for feature in ["new_keys", "vouchers", "model_tests", "programs", "top_ups"] {
            switch(&mut operator, feature, "off").await;
        }
        let refused = make(&manager).await;
        assert_eq!(
            (refused.status, &refused.json()["error"]["code"]),
            (403, &json!("switched_off")),
            "{}",
            refused.text()
        );
        let page = stage.person.open("/console/keys/new").await;
        assert!(page.status == 403 && page.text().contains("Making keys is switched off"), "{}", page.status);
        assert!(stage.person.open("/zh/console/keys/new").await.text().contains("新建密钥已暂停"));
        let ask = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(GPT, false)).await;
        assert_eq!(ask.status, 200, "a key that is there works on");

        let wallet = stage.person.open("/console/wallet").await.expect_status(200).text();
        assert!(wallet.contains("Vouchers are switched off") && !wallet.contains("name=\"voucher\""));
        let posted = stage.person.post("/console/wallet/voucher", &[("voucher", "AAAA")]).await;
        assert!(posted.status == 403 && posted.text().contains("Vouchers are switched off"));
        let models = stage.person.open("/console/models").await.expect_status(200).text();
        assert!(models.contains("Testing models is switched off") && !models.contains("models/test"));
        let device = Call::new("POST", stage.product.at("/oauth/device_authorization"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("client_id=dosia-desktop".to_owned());
        let device = device.send().await.expect_status(403).json();
        assert_eq!(device["error"], "temporarily_unavailable");
        let authorize = stage.person.open("/oauth/authorize?client_id=dosia-desktop").await;
        assert!(authorize.status == 403 && authorize.text().contains("Connecting programs is switched off"));

        switch(&mut operator, "new_keys", "on").await;
        assert_eq!(make(&manager).await.status, 201);
        let log = operator.page("/admin/audit?event=switch.").await;
        assert!(log.contains("A switch was changed") && log.contains("new_keys"), "{log}");
    }
}

#[tokio::test]
async fn a_switch_counts_in_the_other_process_within_seconds() {
    let setup = Setup::default().on(Kind::Postgres);
    let first = setup.start().await;
    let second = setup.start_beside(&first).await;
    let mut operator = Operator::new(&first).await;
    assert_eq!(policy(&mut operator, "closed", "").await.status, 303);
    until("the other process lets nobody sign up", async || {
        let page = Call::get(second.at("/console/sign-up")).send().await.expect_status(200).text();
        !page.contains("name=\"password\"")
    })
    .await;
}

#[tokio::test]
async fn who_may_sign_up_follows_the_switch_and_the_page_says_which_it_is() {
    let product = Setup::default().start().await;
    let mut operator = Operator::new(&product).await;
    assert!(operator.page("/admin/switches").await.contains("This comes from the configuration."));
    let mut owner = Person::new(&product, "owner@example.com");
    owner.sign_up().await;
    let _ = owner.invite("guest@example.org", "viewer").await;

    assert_eq!(policy(&mut operator, "domains", "not a domain").await.status, 422);
    assert_eq!(policy(&mut operator, "domains", "example.net\nteam.example").await.status, 303);
    let page = operator.page("/admin/switches").await;
    assert!(
        page.contains("only addresses of listed domains") && page.contains("Set by operator@example.com"),
        "{page}"
    );
    let shown = Call::get(product.at("/console/sign-up")).send().await.expect_status(200).text();
    assert!(shown.contains("example.net, team.example"), "{shown}");
    let (_, refused) = try_to_sign_up(&product, "a@example.com").await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("Use an address of one of these domains"));
    assert_eq!(try_to_sign_up(&product, "a@example.net").await.1.status, 200);

    assert_eq!(policy(&mut operator, "invited", "").await.status, 303);
    for email in ["owner@example.com", "stranger@example.com"] {
        let (_, refused) = try_to_sign_up(&product, email).await;
        assert_eq!(refused.status, 422, "{email}: the same for an address with an account");
        assert!(refused.text().contains("no open invitation"));
    }
    assert_eq!(try_to_sign_up(&product, "guest@example.org").await.1.status, 200);

    assert_eq!(policy(&mut operator, "closed", "").await.status, 303);
    let closed = Call::get(product.at("/console/sign-up")).send().await.expect_status(200).text();
    assert!(!closed.contains("name=\"password\""));
    assert_eq!(policy(&mut operator, "configured", "").await.status, 303);
    assert_eq!(try_to_sign_up(&product, "b@example.com").await.1.status, 200);
}

#[tokio::test]
async fn who_asks_to_be_let_in_waits_for_an_operator_and_is_told_by_letter() {
    for database in BOTH {
        let product = Setup::default().on(database).start().await;
        let mut operator = Operator::new(&product).await;
        assert_eq!(policy(&mut operator, "approval", "").await.status, 303);
        let mut waiting = Vec::new();
        for email in ["in@example.com", "out@example.com"] {
            let (mut person, sent) = try_to_sign_up(&product, email).await;
            assert!(!operator.page("/admin/sign-ups").await.contains(email), "the address is not proven yet");
            let link = link_containing(&sent.text(), "verify").expect("the development link");
            let verify = person.open(&link).await.expect_status(200).text();
            let form = Form::posting_to(&verify, "verify").expect("a form");
            let proven = person.submit(&form).await.expect_status(200).text();
            assert!(proven.contains("New accounts are reviewed"), "{proven}");
            let sign_in = person.open("/console/sign-in").await.expect_status(200).text();
            let form = Form::with(&sign_in, "password").set("email", email).set("password", canary::PASSWORD);
            assert_eq!(person.submit(&form).await.status, 422, "the right password opens nothing yet");
            let home = person.get("/console").await;
            assert!(home.maybe("location").is_some_and(|to| to.contains("sign-in")), "nothing is open yet");
            waiting.push(person);
        }
        let page = operator.page("/admin/sign-ups").await;
        assert!(page.contains("in@example.com") && page.contains("out@example.com"), "{page}");
        let action = |verb: &str, email: &str| {
            let (before, _) = page.split_once(&format!("aria-label=\"{verb} {email}\"")).expect("its form");
            let (_, path) = before.rsplit_once("action=\"").expect("an address");
            path.split('"').next().expect("closed").to_owned()
        };
        let approve = Form::posting_at(&page, &action("Approve", "in@example.com")).expect("a form");
        assert_eq!(operator.browser.submit_only(&approve).await.status, 303);
        assert_eq!(operator.browser.submit_only(&approve).await.status, 404, "once");
        waiting[0].sign_in().await;
        assert_eq!(waiting[0].get("/console").await.status, 200);
        let wallet = waiting[0].open("/console/wallet").await.expect_status(200).text();
        assert!(wallet.contains("Trial"), "the trial is theirs now");
        let refuse = Form::posting_at(&page, &action("Refuse", "out@example.com")).expect("a form");
        let refuse = refuse.set("reason", "No room.");
        assert_eq!(operator.browser.submit_only(&refuse).await.status, 303);
        assert!(operator.page("/admin/sign-ups").await.contains("No sign-ups to review"));

        let store = product.database.connect().await;
        let sql = "select event from audit_event where event like 'sign_up.%' order by seq";
        assert_eq!(rows(&store, sql).await, [["sign_up.approved"], ["sign_up.refused"]]);
        store.close().await;
    }
}
