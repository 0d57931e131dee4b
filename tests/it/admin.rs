//! Operators sign in apart from everybody else, with two steps and no way around the second, on a real listener.

use bytespike_tests::canary;
use bytespike_tests::database::rows;
use bytespike_tests::operator::{Operator, age_every_session, first_step};
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::Setup;

const COOKIE: &str = "bs_operator";

/// Where a page leads that is not shown.
async fn leads_to(browser: &mut Person, path: &str) -> String {
    browser.get(path).await.maybe("location").unwrap_or_default().to_owned()
}

#[tokio::test]
async fn no_page_opens_before_the_second_factor_is_set_up_and_its_codes_are_shown_once() {
    let product = Setup::default().start().await;
    let made = product.run(&["operator", "create", "o@example.com", "--name", "O"], canary::PASSWORD).await;
    assert!(made.success, "{}", made.output);
    let twice = product.run(&["operator", "create", "o@example.com", "--name", "O"], canary::PASSWORD).await;
    assert!(!twice.success && twice.output.contains("operator reset"), "{}", twice.output);

    let mut browser = Person::new(&product, "o@example.com");
    assert_eq!(
        leads_to(&mut browser, "/zh/admin/account").await,
        "/zh/admin/sign-in?next=%2Fzh%2Fadmin%2Faccount"
    );
    let set_up = first_step(&mut browser).await.expect_status(200).text();
    assert!(set_up.contains("id=\"secret\""), "the first sign-in leads to the set-up");
    for path in ["/admin", "/admin/account", "/admin/account/codes"] {
        assert!(
            leads_to(&mut browser, path).await.contains("/admin/sign-in"),
            "{path} opened with half a sign-in"
        );
    }
    let form = Form::posting_to(&set_up, "sign-in/set-up").expect("a form");
    let wrong = browser.submit(&form.clone().set("code", "000000")).await.expect_status(422).text();
    assert!(wrong.contains(&secret(&set_up)), "a wrong code keeps the secret that was scanned");
    let app = bytespike_tests::authenticator::App::typed(&set_up);
    let half = browser.cookies[COOKIE].clone();
    let shown = browser.submit(&form.set("code", &app.code(0))).await.expect_status(200).text();
    assert_eq!(shown.matches("<code translate=\"no\">").count(), 10);
    assert_ne!(browser.cookies[COOKIE], half, "s01: a new id after each step");
    let again = browser.open("/admin/account/codes").await.expect_status(200).text();
    assert!(!again.contains("<code translate"), "shown once");
    let _ = browser.open("/admin").await.expect_status(200);
}

fn secret(page: &str) -> String {
    let (_, rest) = page.split_once("id=\"secret\"").expect("the secret");
    rest.split('>').nth(1).and_then(|rest| rest.split('<').next()).expect("a value").to_owned()
}

#[tokio::test]
async fn the_second_step_takes_a_code_once_and_then_leads_where_the_operator_was_going() {
    let product = Setup::default().start().await;
    let mut operator = Operator::new(&product).await;
    let mut browser = Person::new(&product, "operator@example.com");
    let sign_in = browser.open("/admin/account").await.expect_status(200).text();
    let form =
        Form::posting_to(&sign_in, "/admin/sign-in").expect("a form").set("email", "operator@example.com");
    let refused = browser.submit(&form.clone().set("password", "not the password")).await;
    let unknown = form.clone().set("email", "nobody@example.com").set("password", canary::PASSWORD);
    let unknown = browser.submit(&unknown).await;
    assert_eq!((refused.status, unknown.status), (422, 422));
    let step = browser.submit(&form.set("password", canary::PASSWORD)).await.expect_status(200).text();
    let form = Form::posting_to(&step, "second-step").expect("a form");
    let spent = browser.submit(&form.clone().set("code", &operator.spent_code)).await;
    assert_eq!(spent.status, 422, "the code that turned it on is spent");
    let answer = browser.submit_only(&form.set("code", &operator.recovery_codes[0])).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/admin/account"));
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");

    assert!(operator.page("/admin/account").await.contains("sessions/others"), "both sessions are listed");
    let ended = operator.send("/admin/account", "sessions/others", &[]).await;
    assert_eq!(ended.status, 303);
    assert!(leads_to(&mut browser, "/admin").await.contains("/admin/sign-in"), "the other one is signed out");

    let reset = product.run(&["operator", "reset", "operator@example.com"], canary::PASSWORD).await;
    assert!(reset.success, "{}", reset.output);
    assert!(leads_to(&mut operator.browser, "/admin").await.contains("/admin/sign-in"), "so is everyone");
    let anew = first_step(&mut browser).await.expect_status(200).text();
    assert!(anew.contains("id=\"secret\""), "the second factor is set up anew");
}

#[tokio::test]
async fn a_persons_session_is_nothing_to_the_operators_pages_and_the_other_way_round() {
    let product = Setup::default().start().await;
    let mut operator = Operator::new(&product).await;
    // The same address may be both, and is two accounts.
    let mut person = Person::new(&product, "operator@example.com");
    person.sign_up().await;
    let (of_person, of_operator) =
        (person.cookies["bs_sid"].clone(), operator.browser.cookies[COOKIE].clone());
    assert!(leads_to(&mut operator.browser, "/console").await.contains("/console/sign-in"));
    assert!(leads_to(&mut person, "/admin").await.contains("/admin/sign-in"));
    person.cookies.insert(COOKIE.to_owned(), of_person);
    assert!(leads_to(&mut person, "/admin").await.contains("/admin/sign-in"));
    let mut swapped = Person::new(&product, "x@example.com");
    swapped.cookies.insert("bs_sid".to_owned(), of_operator);
    assert!(leads_to(&mut swapped, "/console").await.contains("/console/sign-in"));
    // A form's token of one kind of session is none in the other.
    person.cookies.insert(COOKIE.to_owned(), operator.browser.cookies[COOKIE].clone());
    let posted = person.post("/admin/account/sessions/others", &[]).await;
    assert_eq!(posted.status, 403);
}

#[tokio::test]
async fn s48_a_form_waits_for_a_fresh_code_when_the_last_one_is_old() {
    let product = Setup::default().start().await;
    let mut operator = Operator::new(&product).await;
    operator.recovery_codes.truncate(2);
    let page = operator.page("/admin/account").await;
    assert!(!page.contains("sessions/others"), "there is no other session to end");
    let _ = Operator::named(&product, "second@example.com").await;
    let mut other = Person::new(&product, "operator@example.com");
    let step = first_step(&mut other).await.expect_status(200).text();
    let form =
        Form::posting_to(&step, "second-step").expect("a form").set("code", &operator.recovery_codes[0]);
    let _ = other.submit(&form).await.expect_status(200);
    age_every_session(&product).await;
    let asked = operator.send("/admin/account", "sessions/others", &[]).await;
    assert_eq!(asked.status, 422);
    let form = Form::with(&asked.text(), "confirm_proof");
    let wrong = operator.browser.submit_only(&form.clone().set("confirm_proof", "000000")).await;
    assert_eq!(wrong.status, 422);
    assert!(!leads_to(&mut other, "/admin").await.contains("sign-in"), "nothing was done yet");
    let before = operator.browser.cookies[COOKIE].clone();
    let done = operator.browser.submit_only(&form.set("confirm_proof", &operator.recovery_codes[1])).await;
    assert_eq!(done.status, 303);
    assert_ne!(operator.browser.cookies[COOKIE], before, "s01: a new id at step-up");
    assert!(leads_to(&mut other, "/admin").await.contains("sign-in"));

    let store = product.database.connect().await;
    let events =
        rows(&store, "select event from audit_event where event like 'operator.%' order by seq").await;
    let events: Vec<&str> = events.iter().map(|row| row[0].as_str()).collect();
    store.close().await;
    for event in ["operator.created", "operator.signed_in", "operator.confirmed", "operator.sessions_ended"] {
        assert!(events.contains(&event), "{event} is in {events:?}");
    }
}
