//! Keys: shown once, limited from the first moment, recognised afterwards, refused once revoked.
use crate::support::Bench;
use crate::support::browser::{EMAIL, key_in};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{NodeId, Window};
use http::StatusCode;

#[tokio::test]
async fn s119_s120_a_key_is_shown_once_and_its_text_is_nowhere_in_the_database() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let made = browser
        .submit("/console/keys/new", "/console/keys/new", &[("name", "laptop"), ("inference", "on")])
        .await;
    let waiting = bench.dump("session").await;
    let shown = browser.get(made.location()).await.expect(StatusCode::OK);
    assert_eq!(shown.header("cache-control"), "private, no-store");
    let key = key_in(&shown.body).expect("the key");
    let again = browser.get(made.location()).await.expect(StatusCode::OK);
    assert_eq!(key_in(&again.body), None, "a reload shows it no more");
    let secret = &key[20..52];
    assert!(!waiting.contains(secret), "it waits sealed");
    for table in ["session", "api_key", "api_key_credential", "audit_event"] {
        let dump = bench.dump(table).await;
        assert!(!dump.is_empty() && !dump.contains(secret), "{table}");
    }
    assert_eq!(key_in(&browser.get("/console/keys").await.body), None);
    bench.state.accounts.keys.identify(&key).await.expect("the key works");
}

#[tokio::test]
async fn another_session_of_the_same_person_does_not_see_the_new_key() {
    let bench = Bench::new().await;
    let (mut here, mut elsewhere) = (bench.browser(), bench.browser());
    here.join("", EMAIL).await;
    elsewhere.sign_in("", EMAIL).await;
    let made = here
        .submit("/console/keys/new", "/console/keys/new", &[("name", "laptop"), ("inference", "on")])
        .await;
    assert_eq!(key_in(&elsewhere.get(made.location()).await.expect(StatusCode::OK).body), None);
    assert!(key_in(&here.get(made.location()).await.body).is_some());
}

#[tokio::test]
async fn limits_are_set_with_the_key_and_changed_later() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let (id, _) = browser.create_key("laptop", &[("limit_month", "10"), ("limit_1d", "２．５０")]).await;
    let member = bench.member(EMAIL).await;
    let limits = async || {
        let all = bench.state.ledger.limits(member.org_id()).await.expect("read");
        let own = all.into_iter().filter(|limit| limit.node == NodeId::key(&id));
        let mut own: Vec<_> = own.map(|limit| (limit.window, limit.limit)).collect();
        own.sort();
        own
    };
    let usd = |dollars: i64| NanoUsd(dollars * 1_000_000_000);
    assert_eq!(limits().await, [(Window::Month, usd(10)), (Window::Day, NanoUsd(2_500_000_000))]);
    let page = format!("/console/keys/{id}");
    let action = format!("{page}/limits");
    let wrong = browser
        .submit(&page, &action, &[("limit_month", "-1")])
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("value=\"-1\"") && wrong.body.contains("aria-invalid=\"true\""));
    assert_eq!(limits().await.len(), 2, "a faulty form changes nothing");
    browser
        .submit(&page, &action, &[("limit_month", "20"), ("limit_lifetime", "100")])
        .await
        .expect(StatusCode::SEE_OTHER);
    assert_eq!(limits().await, [(Window::Lifetime, usd(100)), (Window::Month, usd(20))]);
}

#[tokio::test]
async fn a_faulty_form_keeps_what_was_typed_and_makes_no_key() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let fields =
        [("name", ""), ("limit_month", "1e9"), ("models", "ok-model\nno such <model>"), ("expiry", "8")];
    let refused = browser
        .submit("/console/keys/new", "/console/keys/new", &fields)
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    for part in [
        "role=\"alert\"",
        "href=\"#name\"",
        "href=\"#limit_month\"",
        "href=\"#models\"",
        "href=\"#expiry\"",
        "<title>Error:",
    ] {
        assert!(refused.body.contains(part), "{part}");
    }
    assert!(refused.body.contains("no such &lt;model&gt;") && !refused.body.contains("<model>"));
    assert!(browser.get("/console/keys").await.body.contains("No keys yet"));
}

#[tokio::test]
async fn a_key_is_renamed_tested_and_revoked_by_typing_its_name() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let (id, key) = browser.create_key("laptop", &[]).await;
    let page = format!("/console/keys/{id}");
    let edit = format!("{page}/edit");
    let renamed = [("name", "desk"), ("inference", "on")];
    browser.submit(&edit, &edit, &renamed).await.expect(StatusCode::SEE_OTHER);
    let test = async |browser: &mut crate::support::browser::Browser, key: &str| {
        browser
            .submit("/console/keys/check", "/console/keys/check", &[("key", key)])
            .await
            .expect(StatusCode::OK)
            .body
    };
    let works = test(&mut browser, &key).await;
    assert!(
        works.contains("It is “desk” of your organisation") && !works.contains(&key),
        "the key is not sent back"
    );
    assert!(test(&mut browser, &key.replace("sk-byts-", "sk-bytz-")).await.contains("not one of our keys"));
    let revoke = format!("{page}/revoke");
    browser.submit(&revoke, &revoke, &[("confirm", "laptop")]).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    bench.state.accounts.keys.identify(&key).await.expect("still works");
    browser.submit(&revoke, &revoke, &[("confirm", "desk")]).await.expect(StatusCode::SEE_OTHER);
    bench.state.accounts.keys.identify(&key).await.expect_err("revoked");
    assert!(test(&mut browser, &key).await.contains("This key is revoked"));
    browser.get(&revoke).await.expect(StatusCode::NOT_FOUND);
    assert!(
        browser.get("/console/keys?show=ended").await.body.contains("Revoked"),
        "it can still be looked at"
    );
}
