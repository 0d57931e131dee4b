//! Browser sessions: the cookie, and when it stops to count.

use bytespike_store::{on_database, sqlx};
use bytespike_tests::canary;
use bytespike_tests::database::number;
use bytespike_tests::http::{Answer, Call};
use bytespike_tests::person::{Form, Person, link_containing};
use bytespike_tests::product::{Product, Setup};

use super::token_in;

/// Signs up at a product whose public address is https, which this browser reaches behind its proxy.
async fn signed_in_over_https(product: &Product) -> Answer {
    let mut person = Person::new(product, "ada@example.com");
    let sign_up = Form::with(&person.open("/console/sign-up").await.text(), "password")
        .set("email", "ada@example.com")
        .set("password", canary::PASSWORD);
    let sent = person.submit(&sign_up).await.expect_status(200).text();
    let link = link_containing(&sent, "verify").expect("the development link");
    assert!(link.starts_with("https://spike.example/console/verify?token="), "S-26: {link}");
    let page = person.open(&format!("/console/verify?token={}", token_in(&link))).await.expect_status(200);
    let confirm = Form::posting_to(&page.text(), "verify").expect("a form");
    assert_eq!(person.submit_only(&confirm).await.status, 303);
    let form = Form::with(&person.open("/console/sign-in").await.text(), "password")
        .set("email", "ada@example.com")
        .set("password", canary::PASSWORD);
    let landed = person.submit_only(&form).await;
    assert_eq!(landed.status, 303, "{}", landed.text());
    landed
}

#[tokio::test]
async fn s02_over_https_the_cookies_belong_to_one_host_and_to_tls() {
    let product = Setup::default().settings("[urls]\npublic = \"https://spike.example\"").start().await;
    let landed = signed_in_over_https(&product).await;
    let cookies: Vec<&str> =
        landed.headers.get_all("set-cookie").into_iter().filter_map(|cookie| cookie.to_str().ok()).collect();
    let session = cookies.iter().find(|cookie| cookie.starts_with("__Host-bs_sid=")).expect("a session");
    assert!(session.contains("SameSite=Lax"), "{session}");
    for cookie in &cookies {
        for wanted in ["__Host-", "; Secure", "; HttpOnly", "; Path=/"] {
            assert!(cookie.contains(wanted), "{wanted}: {cookie}");
        }
        assert!(!cookie.to_ascii_lowercase().contains("domain"), "{cookie}");
        assert!(cookie.len() < 4096);
    }
}

#[tokio::test]
async fn s03_a_well_formed_session_that_nobody_made_is_neither_adopted_nor_stored() {
    let product = Setup::default().start().await;
    let mut person = Person::new(&product, "ada@example.com");
    person.sign_up().await;
    let store = product.database.connect().await;
    let before = number(&store, "select count(*) from session").await;
    // A real one with its letters turned around: of the right form, and nobody's.
    let planted: String = person.cookies["bs_sid"].chars().rev().collect();
    for path in ["/console/keys", "/console/sign-in", "/"] {
        let answer = Call::get(product.at(path)).header("cookie", format!("bs_sid={planted}")).send().await;
        assert!(!answer.text().contains("sign-out"), "{path}");
        let adopted = answer
            .headers
            .get_all("set-cookie")
            .iter()
            .any(|cookie| cookie.to_str().is_ok_and(|cookie| cookie.contains(&planted)));
        assert!(!adopted, "{path}");
    }
    assert_eq!(number(&store, "select count(*) from session").await, before);
    store.close().await;
}

#[tokio::test]
async fn s05_a_session_ends_after_a_week_unused_and_after_thirty_days_whatever_happens() {
    for aged in [
        "update session set last_seen_at_ms = last_seen_at_ms - 604800001 where person_id is not null",
        "update session set ends_at_ms = created_at_ms where person_id is not null",
    ] {
        let product = Setup::default().start().await;
        let mut person = Person::new(&product, "ada@example.com");
        person.sign_up().await;
        let _ = person.get("/console/keys").await.expect_status(200);
        let store = product.database.connect().await;
        on_database!(&store, db => sqlx::query(aged).execute(db).await.map(drop)).unwrap();
        store.close().await;
        let answer = person.get("/console/keys").await;
        assert_eq!((answer.status, answer.header("location").contains("sign-in")), (303, true), "{aged}");
    }
    let product = Setup::default().start().await;
    let mut person = Person::new(&product, "ada@example.com");
    person.sign_up().await;
    let store = product.database.connect().await;
    let longest =
        number(&store, "select max(ends_at_ms - created_at_ms) from session where person_id is not null")
            .await;
    let idle = number(&store, "select max(idle_ms) from session where person_id is not null").await;
    store.close().await;
    assert_eq!((longest, idle), (30 * 86_400_000, 7 * 86_400_000));
}

#[tokio::test]
async fn s06_signing_out_clears_the_browser_and_the_record() {
    let product = Setup::default().start().await;
    let mut person = Person::new(&product, "ada@example.com");
    person.sign_up().await;
    let page = person.open("/console").await.text();
    let out = person.submit_only(&Form::posting_to(&page, "sign-out").expect("a form")).await;
    assert_eq!(out.status, 303);
    for wanted in ["\"cache\"", "\"storage\""] {
        assert!(out.header("clear-site-data").contains(wanted), "{}", out.header("clear-site-data"));
    }
    let cookies = out.headers.get_all("set-cookie");
    let taken_back = |cookie: &str| cookie.starts_with("bs_sid=") && cookie.contains("Max-Age=0");
    assert!(cookies.iter().any(|cookie| cookie.to_str().is_ok_and(taken_back)), "{:?}", out.headers);
    let store = product.database.connect().await;
    assert_eq!(number(&store, "select count(*) from session where person_id is not null").await, 0);
    store.close().await;
}

#[tokio::test]
async fn s14_the_fifty_first_session_ends_the_one_unused_the_longest() {
    let product = Setup::default().start().await;
    let mut oldest = Person::new(&product, "ada@example.com");
    oldest.sign_up().await;
    let store = product.database.connect().await;
    // Forty-nine more, all used after the first.
    let more = "insert into session (id_hash, public_id, person_id, data_json, user_agent, ip, idle_ms, last_seen_at_ms, ends_at_ms, created_at_ms)
        with recursive n (i) as (select 1 union all select i + 1 from n where i < 49)
        select id_hash || n.i, public_id || n.i, person_id, data_json, user_agent, ip, idle_ms, last_seen_at_ms + 1000, ends_at_ms, created_at_ms
        from session cross join n where person_id is not null";
    on_database!(&store, db => sqlx::query(more).execute(db).await.map(drop)).unwrap();
    let count = "select count(*) from session where person_id is not null";
    assert_eq!(number(&store, count).await, 50);
    let mut newest = Person::new(&product, "ada@example.com");
    newest.sign_in().await;
    assert_eq!(number(&store, count).await, 50);
    store.close().await;
    assert_eq!(oldest.get("/console/keys").await.status, 303, "the oldest is gone");
    let _ = newest.get("/console/keys").await.expect_status(200);
}

#[tokio::test]
async fn s44_a_password_neither_grows_old_nor_has_hints_or_questions() {
    let product = Setup::default().start().await;
    let mut person = Person::new(&product, "ada@example.com");
    person.sign_up().await;
    for path in ["/console/sign-up", "/console/sign-in", "/console/forgot", "/console/reset?token=x"] {
        let page = Call::get(product.at(path)).send().await.text();
        for name in ["hint", "question", "answer", "maiden"] {
            assert!(!page.contains(&format!("name=\"{name}")), "{path} asks for a {name}");
        }
    }
    let store = product.database.connect().await;
    let aged = "update person set created_at_ms = 1";
    on_database!(&store, db => sqlx::query(aged).execute(db).await.map(drop)).unwrap();
    store.close().await;
    let mut later = Person::new(&product, "ada@example.com");
    later.sign_in().await;
    let _ = later.get("/console/keys").await.expect_status(200);
}
