//! Sessions, sign-in and passwords on a real listener, by the numbers of the security requirements.

use bytespike_store::{on_database, sqlx};
use bytespike_tests::canary;
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::person::{Form, Person, link_containing};
use bytespike_tests::product::{Product, Setup};

async fn try_sign_in(person: &mut Person, email: &str, password: &str) -> Answer {
    let page = person.open("/console/sign-in").await.expect_status(200).text();
    let form = Form::with(&page, "password").set("email", email).set("password", password);
    person.submit_only(&form).await
}

fn is_signed_out(answer: &Answer) -> bool {
    answer.text().contains("name=\"password\"")
}

async fn count(product: &Product, sql: &'static str) -> i64 {
    let store = product.database.connect().await;
    let (count,): (i64,) =
        on_database!(&store, db => sqlx::query_as(sql).fetch_one(db).await).expect("counted");
    store.close().await;
    count
}

#[tokio::test]
async fn s01_s02_s03_a_session_gets_a_new_id_at_sign_in_under_a_guarded_cookie() {
    let product = Setup::default().start().await;
    Person::new(&product, "ada@example.com").sign_up().await;
    let mut person = Person::new(&product, "ada@example.com");
    let planted = "AAAAAAAAAAAAAAAAAAAAAA";
    person.cookies.insert("bs_sid".to_owned(), planted.to_owned());
    let landed = try_sign_in(&mut person, "ada@example.com", canary::PASSWORD).await;
    assert_eq!(landed.status, 303);
    let set = landed.headers.get_all("set-cookie").into_iter().filter_map(|cookie| cookie.to_str().ok());
    let session = set.into_iter().find(|cookie| cookie.starts_with("bs_sid=")).expect("a session's cookie");
    for wanted in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(session.contains(wanted), "{session}");
    }
    assert!(!session.contains("Domain"), "{session}");
    assert_ne!(person.cookies["bs_sid"], planted);
    let first = person.cookies["bs_sid"].clone();
    let _ =
        try_sign_in(&mut Person::new(&product, "ada@example.com"), "ada@example.com", canary::PASSWORD).await;
    let form = password_form(&mut person).await;
    let changed = person.submit_only(&form).await;
    assert_eq!(changed.status, 303);
    assert_ne!(person.cookies["bs_sid"], first, "a new id with a new password");
}

async fn password_form(person: &mut Person) -> Form {
    let page = person.open("/console/settings").await.text();
    Form::with(&page, "current_password")
        .set("current_password", canary::PASSWORD)
        .set("new_password", "another engine of brass")
}

#[tokio::test]
async fn s06_a_session_that_signed_out_is_gone_for_good() {
    let product = Setup::default().start().await;
    let mut person = Person::new(&product, "out@example.com");
    person.sign_up().await;
    let kept = person.cookies.clone();
    let page = person.open("/console").await.text();
    let out = person.submit_only(&Form::posting_to(&page, "sign-out").expect("a form")).await;
    assert!(out.status == 303 && out.header("clear-site-data").contains("cache"));
    person.cookies = kept;
    assert!(is_signed_out(&person.open("/console/keys").await));
}

#[tokio::test]
async fn s07_s09_s49_a_new_password_needs_the_old_one_and_ends_the_other_sessions() {
    let product = Setup::default().start().await;
    let mut here = Person::new(&product, "here@example.com");
    here.sign_up().await;
    let mut there = Person::new(&product, "here@example.com");
    there.sign_in().await;
    let listed = here.open("/console/settings").await.text();
    assert!(Form::posting_to(&listed, "settings/sessions/ses_").is_some(), "the other one can be ended");
    let form = password_form(&mut here).await;
    let refused = here.submit_only(&form.clone().set("current_password", "not this one")).await;
    assert_eq!(refused.status, 422);
    let _ = there.open("/console/keys").await.expect_status(200);
    assert_eq!(here.submit_only(&form).await.status, 303);
    assert!(is_signed_out(&there.open("/console/keys").await));
    let _ = here.open("/console/keys").await.expect_status(200);
}

#[tokio::test]
async fn s12_s13_reading_as_a_stranger_stores_nothing_and_pages_of_members_are_not_kept() {
    let product = Setup::default().start().await;
    let before = count(&product, "select count(*) from session").await;
    for path in
        ["/console/sign-in", "/console/sign-up", "/console/forgot", "/console/keys", "/console/nothing"]
    {
        for _ in 0..20 {
            let _ = Call::get(product.at(path)).send().await;
        }
    }
    assert_eq!(count(&product, "select count(*) from session").await, before);
    let mut person = Person::new(&product, "kept@example.com");
    person.sign_up().await;
    let page = person.open("/console/keys").await;
    assert!(page.header("cache-control").contains("no-store"), "{}", page.header("cache-control"));
}

#[tokio::test]
async fn s15_s16_s18_only_our_own_pages_forms_are_taken() {
    let product = Setup::default().start().await;
    let mut person = Person::new(&product, "forms@example.com");
    person.sign_up().await;
    let mut other = Person::new(&product, "other@example.com");
    other.sign_up().await;
    let page = person.open("/console/settings").await.text();
    let form = Form::with(&page, "language").set("name", "Ada");
    let theirs = Form::with(&other.open("/console/settings").await.text(), "language");
    let token = |form: &Form| {
        form.fields.iter().find(|(name, _)| name == "csrf").map(|(_, value)| value.clone()).expect("a token")
    };
    let own = token(&form);
    for wrong in [token(&theirs), String::new(), own[..own.len() - 1].to_owned(), own.to_uppercase()] {
        assert_eq!(person.submit_only(&form.clone().set("csrf", &wrong)).await.status, 403, "{wrong}");
    }
    let cookie = format!("bs_sid={}", person.cookies["bs_sid"]);
    let body = format!("csrf={own}&name=Eve&language=en&time_zone=UTC");
    let post = |kind: &str| {
        Call::new("POST", product.at("/console/settings/profile"))
            .header("cookie", cookie.clone())
            .header("content-type", kind)
            .body(body.clone())
    };
    let ordinary = "application/x-www-form-urlencoded";
    assert_eq!(post(ordinary).header("sec-fetch-site", "cross-site").send().await.status, 403);
    assert_eq!(post(ordinary).header("origin", "https://evil.example").send().await.status, 403);
    assert_eq!(post(ordinary).send().await.status, 403, "nobody says where it comes from");
    for kind in ["text/plain", "application/json"] {
        let strange = post(kind).header("sec-fetch-site", "same-origin").send().await;
        assert_eq!(strange.status, 415, "{kind}");
    }
    assert_eq!(post(ordinary).header("sec-fetch-site", "same-origin").send().await.status, 303);
}

#[tokio::test]
async fn s19_s21_s22_s24_s29_addresses_and_methods_cannot_be_turned_around() {
    let product = Setup::default().start().await;
    let mut person = Person::new(&product, "turn@example.com");
    person.sign_up().await;
    let said = Call::get(
        product.at("/console/sign-in?__path=/api/login&__err=Y2FsbCA1NTUtMDEwMA&error=call+555-0100"),
    );
    // The address itself stands in links that lead back to it; none of it is said.
    let page = said.send().await.text();
    assert!(!page.split('<').filter_map(|part| part.split('>').nth(1)).any(|text| text.contains("555-0100")));
    assert_eq!(Call::get(product.at("/console/sign-out")).send().await.status, 405);
    for method in ["TRACE", "PUT", "DELETE"] {
        let answer = Call::new(method, product.at("/console/sign-in"))
            .header("origin", product.url.clone())
            .header("x-http-method-override", "POST")
            .send()
            .await;
        assert!(matches!(answer.status, 400 | 403 | 405), "{method} {}", answer.status);
    }
    for next in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/console",
        "javascript:alert(1)",
        "/%0d%0aX:y",
    ] {
        let mut fresh = Person::new(&product, "turn@example.com");
        let page = fresh.open("/console/sign-in").await.text();
        let form = Form::with(&page, "password")
            .set("email", "turn@example.com")
            .set("password", canary::PASSWORD)
            .set("next", next);
        let landed = fresh.submit_only(&form).await;
        assert_eq!((landed.status, landed.header("location")), (303, "/console"), "S-31 and S-29: {next}");
    }
}

/// What somebody sees of a page, without the tokens that differ on every one.
fn face(answer: &Answer) -> (u16, usize, Vec<String>) {
    let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
    (answer.status, answer.text().len(), names)
}

#[tokio::test]
async fn s34_s36_known_and_unknown_addresses_get_the_same_answers() {
    let product = Setup::default().start().await;
    Person::new(&product, "knowny@example.com").sign_up().await;
    let mut faces = Vec::new();
    for email in ["knowny@example.com", "nobody@example.com"] {
        let mut stranger = Person::new(&product, email);
        faces.push(face(&try_sign_in(&mut stranger, email, "a wrong one altogether").await));
    }
    assert_eq!(faces[0], faces[1]);
    assert_eq!(faces[0].0, 422);
    for (page, email) in
        [("/console/forgot", "nobody@example.com"), ("/console/sign-up", "knowny@example.com")]
    {
        let mut stranger = Person::new(&product, email);
        let form = Form::with(&stranger.open(page).await.text(), "email").set("email", email);
        let form = if page.ends_with("up") { form.set("password", canary::PASSWORD) } else { form };
        let answer = stranger.submit_only(&form).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/console/check-mail"), "{page}");
    }
}

#[tokio::test]
async fn s38_after_five_wrong_tries_a_right_password_waits_too() {
    let product = Setup::default().start().await;
    Person::new(&product, "slow@example.com").sign_up().await;
    let mut person = Person::new(&product, "slow@example.com");
    for _ in 0..5 {
        assert_eq!(try_sign_in(&mut person, "slow@example.com", "a wrong one altogether").await.status, 422);
    }
    // The fifth makes the sixth wait a second; one that is wrong at once counts nothing.
    assert_eq!(try_sign_in(&mut person, "slow@example.com", canary::PASSWORD).await.status, 422);
    let deadline = std::time::Instant::now() + bytespike_tests::PATIENCE;
    while try_sign_in(&mut person, "slow@example.com", canary::PASSWORD).await.status != 303 {
        assert!(std::time::Instant::now() < deadline, "nobody is locked out for good");
    }
}

/// More bytes than some hashes read.
const LONG: &str = "a slow river carries eleven small boats past the mill and the two old bridges at dusk";

#[tokio::test]
async fn s41_s42_s43_passwords_are_long_any_and_not_known() {
    let product = Setup::default().start().await;
    let mut person = Person::new(&product, "rules@example.com");
    let mut choose = async |password: &str| {
        let form = Form::with(&person.open("/console/sign-up").await.text(), "password")
            .set("email", "rules@example.com")
            .set("password", password);
        person.submit_only(&form).await.status
    };
    for weak in ["fourteen chars", "passwordpassword", "rules@example.com", "aaaaaaaaaaaaaaaaaaaa"] {
        assert_eq!(choose(weak).await, 422, "{weak}");
    }
    for strong in ["夜间列车缓缓驶过三座没有名字的桥", LONG] {
        assert_eq!(choose(strong).await, 303, "{strong}");
    }
}

#[tokio::test]
async fn s45_s50_a_reset_link_is_not_used_up_by_looking_and_works_once() {
    let product = Setup::default().start().await;
    Person::new(&product, "reset@example.com").sign_up().await;
    let mut person = Person::new(&product, "reset@example.com");
    let ask =
        Form::with(&person.open("/console/forgot").await.text(), "email").set("email", "reset@example.com");
    let link = link_containing(&person.submit(&ask).await.text(), "reset?token=").expect("the link");
    let looked = person.open(&link).await.expect_status(200);
    assert_eq!(looked.header("referrer-policy"), "no-referrer");
    let choose =
        Form::with(&person.open(&link).await.text(), "password").set("password", "third engine of brass");
    let done = person.submit_only(&choose).await;
    assert!(done.status == 303 && done.header("location").contains("sign-in"), "it does not sign in");
    assert_eq!(person.submit_only(&choose).await.status, 422, "it works once");
    assert_eq!(try_sign_in(&mut person, "reset@example.com", canary::PASSWORD).await.status, 422);
    let hash = stored_hash(&product).await;
    assert!(hash.starts_with("$argon2id$"), "S-40");
    assert_eq!(try_sign_in(&mut person, "reset@example.com", &hash).await.status, 422, "S-50");
    assert_eq!(try_sign_in(&mut person, "reset@example.com", "third engine of brass").await.status, 303);
}

async fn stored_hash(product: &Product) -> String {
    let store = product.database.connect().await;
    let (hash,): (String,) = on_database!(&store, db => sqlx::query_as(
        "select password_hash from person where email = 'reset@example.com'").fetch_one(db).await)
    .expect("read");
    store.close().await;
    hash
}
