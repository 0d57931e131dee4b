//! Passkeys on a real listener, with a device of our own that can be told to answer wrongly.

use bytespike_store::{on_database, sqlx};
use bytespike_tests::authenticator::App;
use bytespike_tests::canary;
use bytespike_tests::database::{BOTH, rows};
use bytespike_tests::device::Device;
use bytespike_tests::http::Answer;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::{Product, Setup};
use serde_json::Value;

const SECURITY: &str = "/console/settings/security";

/// The challenge that a form's script asks for, with the token of that form.
async fn challenge(person: &mut Person, form: &Form, address: &str) -> Value {
    let csrf = form.fields.iter().find(|(name, _)| name == "csrf").expect("a token").clone();
    let ask = Form { action: address.to_owned(), fields: vec![csrf], kinds: form.kinds.clone() };
    person.submit_only(&ask).await.expect_status(200).json()
}

/// Someone who signed up and added a passkey.
async fn with_passkey(product: &Product, email: &str, seed: u8) -> (Person, Device) {
    let mut person = Person::new(product, email);
    person.sign_up().await;
    let device = add(&mut person, product, (seed, "work laptop")).await;
    (person, device)
}

async fn add(person: &mut Person, product: &Product, (seed, name): (u8, &str)) -> Device {
    let page = person.open(SECURITY).await.expect_status(200).text();
    let begin = Form::posting_to(&page, "passkeys/begin").expect("a way to add one");
    let new = person.submit(&begin).await.expect_status(200).text();
    let form = Form::with(&new, "passkey");
    let options = challenge(person, &form, &format!("{SECURITY}/passkeys/offer")).await;
    let (device, answer) = Device::create(seed, &options, &product.url);
    let added = person.submit(&form.set("name", name).set("passkey", &answer)).await.expect_status(200);
    assert!(added.text().contains(name), "{}", added.text());
    device
}

/// A browser at the sign-in page, its form for a passkey, and a challenge.
async fn at_sign_in(product: &Product) -> (Person, Form, Value) {
    let mut person = Person::new(product, "nobody@example.com");
    let page = person.open("/console/sign-in").await.expect_status(200).text();
    let form = Form::posting_at(&page, "/sign-in/passkey").expect("a form for a passkey");
    let options = challenge(&mut person, &form, "/console/passkeys/sign-in").await;
    (person, form, options)
}

async fn answered(person: &mut Person, form: &Form, answer: &str) -> Answer {
    person.submit_only(&form.clone().set("passkey", answer)).await
}

#[tokio::test]
async fn a_passkey_signs_in_alone_and_in_place_of_a_code() {
    for database in BOTH {
        let product = Setup::default().by_name().on(database).start().await;
        let (_owner, mut device) = with_passkey(&product, "key@example.com", 7).await;
        let (mut person, form, options) = at_sign_in(&product).await;
        let landed = answered(&mut person, &form, &device.get(&options)).await;
        assert_eq!((landed.status, landed.header("location")), (303, "/console"));
        let page = person.open(SECURITY).await.expect_status(200).text();
        assert!(page.contains("Last used on"), "{page}");

        // With an authenticator app, the password leads to a second step; a passkey skips it, or passes it.
        let begin = Form::posting_to(&page, "app/begin").expect("a way to set one up");
        let begun = person.submit(&begin).await.expect_status(200).text();
        let app = App::typed(&begun);
        let confirm = Form::posting_to(&begun, "security/app").expect("a form").set("code", &app.code(0));
        let _ = person.submit(&confirm).await.expect_status(200);
        let (mut alone, form, options) = at_sign_in(&product).await;
        let landed = answered(&mut alone, &form, &device.get(&options)).await;
        assert_eq!((landed.status, landed.header("location")), (303, "/console"));

        let mut with_password = Person::new(&product, "key@example.com");
        let page = with_password.open("/console/sign-in").await.text();
        let form =
            Form::with(&page, "password").set("email", "key@example.com").set("password", canary::PASSWORD);
        let step = with_password.submit(&form).await.expect_status(200).text();
        let form = Form::posting_at(&step, "/second-step/passkey").expect("a passkey in place of the code");
        let options = challenge(&mut with_password, &form, "/console/passkeys/sign-in").await;
        let landed = answered(&mut with_password, &form, &device.get(&options)).await;
        assert_eq!((landed.status, landed.header("location")), (303, "/console"));
    }
}

#[tokio::test]
async fn an_answer_counts_once_in_its_browser_at_our_address_and_only_of_a_key_that_is_known() {
    for database in BOTH {
        let product = Setup::default().by_name().on(database).start().await;
        let (_owner, mut device) = with_passkey(&product, "once@example.com", 9).await;
        let refused = |answer: Answer, why: &str| {
            assert_eq!(answer.status, 422, "{why}");
            assert!(answer.text().contains("The passkey was not accepted"), "{why}");
        };
        let (mut person, form, options) = at_sign_in(&product).await;
        let answer = device.get(&options);
        let (mut other, other_form, _) = at_sign_in(&product).await;
        refused(answered(&mut other, &other_form, &answer).await, "another browser's challenge");
        assert_eq!(answered(&mut person, &form, &answer).await.status, 303);
        let (mut twice, form, options) = at_sign_in(&product).await;
        let answer = device.get(&options);
        assert_eq!(answered(&mut twice, &form, &answer).await.status, 303);
        let cookies = twice.cookies.clone();
        let mut replayed = Person::new(&product, "nobody@example.com");
        replayed.cookies = cookies.into_iter().filter(|(name, _)| name == "bs_pre").collect();
        refused(answered(&mut replayed, &form, &answer).await, "a replayed answer");

        let ours = device.origin.clone();
        for origin in ["https://evil.example", "http://localhost:1", "http://localhost.evil.example"] {
            let (mut person, form, options) = at_sign_in(&product).await;
            origin.clone_into(&mut device.origin);
            refused(answered(&mut person, &form, &device.get(&options)).await, origin);
        }
        device.origin = ours;
        let (mut person, form, options) = at_sign_in(&product).await;
        device.is_verified = false;
        refused(answered(&mut person, &form, &device.get(&options)).await, "nobody gave a finger or a PIN");
        device.is_verified = true;

        let (mut person, form, options) = at_sign_in(&product).await;
        device.counter = 2;
        refused(answered(&mut person, &form, &device.get(&options)).await, "a counter that went back");
        device.counter = 100;

        let (mut person, form, options) = at_sign_in(&product).await;
        let store = product.database.connect().await;
        on_database!(&store, db => sqlx::query("update passkey_ceremony set expires_at_ms = 1").execute(db).await.map(drop))
            .expect("changed");
        store.close().await;
        refused(answered(&mut person, &form, &device.get(&options)).await, "too late");

        let (mut person, form, options) = at_sign_in(&product).await;
        let (mut stranger, _) = Device::create(99, &options, &product.url);
        refused(answered(&mut person, &form, &stranger.get(&options)).await, "a key nobody has here");
        refused(answered(&mut person, &form, "{\"not\":\"an answer\"}").await, "no answer at all");

        let (mut person, form, options) = at_sign_in(&product).await;
        assert_eq!(answered(&mut person, &form, &device.get(&options)).await.status, 303, "and a right one");
    }
}

#[tokio::test]
async fn s48_a_passkey_is_a_fresh_proof_and_another_persons_is_none() {
    let product = Setup::default().by_name().start().await;
    let (mut person, mut device) = with_passkey(&product, "proof@example.com", 11).await;
    let (_other, mut others) = with_passkey(&product, "other@example.com", 12).await;
    let page = person.open("/console/keys/new").await.text();
    let create = Form::with(&page, "name").set("name", "waits here");
    product.age_every_session().await;
    let asked = person.submit_only(&create).await.expect_status(422).text();
    let proof = Form::with(&asked, "confirm_passkey");
    assert!(proof.fields.iter().any(|(name, value)| name == "name" && value == "waits here"));
    let options = challenge(&mut person, &proof, "/console/passkeys/confirm").await;
    let wrong = person.submit_only(&proof.clone().set("confirm_passkey", &others.get(&options))).await;
    let again = Form::with(&wrong.expect_status(422).text(), "confirm_passkey");
    let options = challenge(&mut person, &again, "/console/passkeys/confirm").await;
    let made = person.submit_only(&again.set("confirm_passkey", &device.get(&options))).await;
    assert!(made.status == 303 && made.header("location").ends_with("/created"), "{}", made.status);
}

#[tokio::test]
async fn s07_s131_adding_and_removing_end_other_sessions_and_are_in_the_log_and_the_last_way_in_stays() {
    for database in BOTH {
        let product = Setup::default().by_name().on(database).start().await;
        let (mut person, mut device) = with_passkey(&product, "ways@example.com", 21).await;
        let mut elsewhere = Person::new(&product, "ways@example.com");
        elsewhere.sign_in().await;
        let mut second = add(&mut person, &product, (22, "phone")).await;
        assert!(elsewhere.open("/console").await.text().contains("name=\"password\""), "signed out");
        let store = product.database.connect().await;
        on_database!(&store, db => sqlx::query("update person set password_hash = null").execute(db).await.map(drop))
            .expect("changed");
        let page = person.open(SECURITY).await.expect_status(200).text();
        let rename = Form::posting_to(&page, "/name").expect("a form to rename");
        let field = rename.kinds.keys().find(|name| name.starts_with("name-")).expect("a field").clone();
        let page = person.submit(&rename.set(&field, "old laptop")).await.expect_status(200).text();
        assert!(page.contains("old laptop") && !page.contains("work laptop"), "{page}");
        let remove = Form::posting_to(&page, "/remove").expect("one of two may go");
        let page = person.submit(&remove.clone()).await.expect_status(200).text();
        assert!(!page.contains("old laptop") && page.contains("phone"), "{page}");
        assert!(Form::posting_to(&page, "/remove").is_none(), "the last way in has no button");
        let last = rows(&store, "select id from passkey").await[0][0].clone();
        let _ = person.post(&format!("{SECURITY}/passkeys/{last}/remove"), &[]).await.expect_status(303);
        let (mut out, form, options) = at_sign_in(&product).await;
        assert_eq!(answered(&mut out, &form, &device.get(&options)).await.status, 422, "it was removed");
        let (mut here, form, options) = at_sign_in(&product).await;
        assert_eq!(answered(&mut here, &form, &second.get(&options)).await.status, 303, "it stayed");
        let events =
            rows(&store, "select event from audit_event where event like 'factor.%' order by seq").await;
        let events: Vec<String> = events.into_iter().map(|row| row[0].clone()).collect();
        let told = [
            "factor.passkey_added",
            "factor.passkey_added",
            "factor.passkey_renamed",
            "factor.passkey_removed",
        ];
        assert_eq!(events, told);
        store.close().await;
    }
}
