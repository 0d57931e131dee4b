//! Second factor and fresh proof on a real listener, by the numbers of the security requirements.

use bytespike_tests::authenticator::App;
use bytespike_tests::canary;
use bytespike_tests::http::Answer;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{Product, Setup};

const SECURITY: &str = "/console/settings/security";

/// A person with a second factor, and everything they were shown.
async fn guarded(product: &Product, email: &str) -> (Person, App, Vec<String>) {
    let mut person = Person::new(product, email);
    person.sign_up().await;
    let begin = form_on(&mut person, SECURITY, "app/begin").await;
    let begun = person.submit(&begin).await.expect_status(200);
    let app = App::typed(&begun.text());
    let confirm = Form::posting_to(&begun.text(), "security/app").expect("a form").set("code", &app.code(-1));
    let shown = person.submit(&confirm).await.expect_status(200).text();
    let codes = shown.split("<code translate=\"no\">").skip(1);
    let codes: Vec<String> = codes.filter_map(|rest| rest.split('<').next().map(str::to_owned)).collect();
    assert_eq!(codes.len(), 10, "{shown}");
    (person, app, codes)
}

async fn form_on(person: &mut Person, page: &str, part: &str) -> Form {
    let page = person.open(page).await.expect_status(200).text();
    Form::posting_to(&page, part).unwrap_or_else(|| panic!("no form to {part}"))
}

/// The password, and then the form for the second step.
async fn second_step(product: &Product, email: &str) -> (Person, Form) {
    let mut person = Person::new(product, email);
    let page = person.open("/console/sign-in").await.text();
    let form = Form::with(&page, "password").set("email", email).set("password", canary::PASSWORD);
    let step = person.submit(&form).await.expect_status(200).text();
    let form = Form::with(&step, "code");
    (person, form)
}

fn is_second_step(answer: &Answer) -> bool {
    answer.text().contains("name=\"code\"")
}

#[tokio::test]
async fn s46_a_code_of_the_app_signs_in_once_and_five_wrong_ones_close_the_door() {
    let product = Setup::default().start().await;
    let (_, app, codes) = guarded(&product, "totp@example.com").await;
    let (mut person, form) = second_step(&product, "totp@example.com").await;
    let spent = person.submit(&form.clone().set("code", &app.code(-1))).await;
    assert!(spent.status == 422 && is_second_step(&spent), "the code that turned it on is spent");
    let code = app.code(1);
    let _ = person.submit(&form.set("code", &code)).await.expect_status(200);
    let _ = person.open("/console/keys").await.expect_status(200);
    let (mut again, form) = second_step(&product, "totp@example.com").await;
    assert_eq!(again.submit(&form.clone().set("code", &code)).await.status, 422, "a code works once");
    for _ in 0..4 {
        assert_eq!(again.submit(&form.clone().set("code", "000000")).await.status, 422);
    }
    let closed = again.submit(&form.set("code", &codes[0])).await;
    assert!(closed.status == 422 && is_second_step(&closed), "even a right one waits");
}

#[tokio::test]
async fn s47_ten_recovery_codes_each_once_and_a_new_set_ends_the_old() {
    let product = Setup::default().start().await;
    let (mut owner, _, codes) = guarded(&product, "codes@example.com").await;
    let (mut person, form) = second_step(&product, "codes@example.com").await;
    let typed = codes[4].to_lowercase().replace('-', " ");
    let _ = person.submit(&form.set("code", &typed)).await.expect_status(200);
    let (mut again, form) = second_step(&product, "codes@example.com").await;
    assert_eq!(again.submit(&form.set("code", &codes[4])).await.status, 422);
    let renew = form_on(&mut owner, SECURITY, "security/codes").await;
    let renewed = owner.submit(&renew).await.expect_status(200).text();
    assert!(!renewed.contains(&codes[5]));
    let (mut late, form) = second_step(&product, "codes@example.com").await;
    assert_eq!(late.submit(&form.set("code", &codes[5])).await.status, 422);
}

#[tokio::test]
async fn s07_turning_the_second_factor_on_ends_every_other_session() {
    let product = Setup::default().start().await;
    let mut here = Person::new(&product, "two@example.com");
    here.sign_up().await;
    let mut there = Person::new(&product, "two@example.com");
    there.sign_in().await;
    let begin = form_on(&mut here, SECURITY, "app/begin").await;
    let begun = here.submit(&begin).await;
    let app = App::typed(&begun.text());
    let confirm = Form::posting_to(&begun.text(), "security/app").expect("a form").set("code", &app.code(0));
    let _ = here.submit(&confirm).await.expect_status(200);
    assert!(there.open("/console").await.text().contains("name=\"password\""), "the other one is signed out");
    let _ = here.open("/console/keys").await.expect_status(200);
}

#[tokio::test]
async fn s48_a_proof_of_ten_minutes_ago_is_asked_for_again_and_the_form_waits() {
    let product = Setup::default().start().await;
    let mut person = Person::new(&product, "fresh@example.com");
    person.sign_up().await;
    product.age_every_session().await;
    let page = person.open("/console/keys/new").await.text();
    let create = Form::with(&page, "name").set("name", "waits here");
    let before = person.cookies["bs_sid"].clone();
    let asked = person.submit_only(&create).await;
    assert_eq!(asked.status, 422);
    let proof = Form::with(&asked.text(), "confirm_proof");
    assert!(proof.fields.iter().any(|(name, value)| name == "name" && value == "waits here"));
    let wrong = person.submit_only(&proof.clone().set("confirm_proof", "not my password")).await;
    assert_eq!(wrong.status, 422);
    let made = person.submit_only(&proof.set("confirm_proof", canary::PASSWORD)).await;
    assert!(made.status == 303 && made.header("location").ends_with("/created"));
    assert_ne!(person.cookies["bs_sid"], before, "S-01: a new id at step-up");
    let mut thief = Person::new(&product, "fresh@example.com");
    thief.cookies.insert("bs_sid".to_owned(), before);
    assert!(thief.open("/console").await.text().contains("name=\"password\""), "the old id is dead");
}
