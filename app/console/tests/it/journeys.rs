//! Getting in, getting back in, and changing oneself.
use crate::support::Bench;
use crate::support::browser::{EMAIL, PASSWORD};
use http::StatusCode;

const NEW_PASSWORD: &str = "another engine, of copper";

#[tokio::test]
async fn a_stranger_signs_up_confirms_signs_in_and_finds_the_trial_credit_in_both_languages() {
    for (prefix, wallet) in [("", "Trial credit"), ("/zh", "试用额度")] {
        let bench = Bench::new().await;
        let mut browser = bench.browser();
        browser.sign_up(prefix, EMAIL).await;
        let landed = browser.sign_in(prefix, EMAIL).await.expect(StatusCode::SEE_OTHER);
        assert_eq!(landed.location(), format!("{prefix}/console"));
        let page = browser.get(&format!("{prefix}/console/wallet")).await.expect(StatusCode::OK);
        assert!(page.body.contains(wallet) && page.body.contains("1,000,000.000"), "{}", page.body);
    }
}

#[tokio::test]
async fn s45_opening_a_link_changes_nothing_and_using_it_works_once() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    let sent = browser.submit("/console/sign-up", "/console/sign-up", &fields).await;
    let link = browser.get(sent.location()).await.link("verify?token=");
    for _ in 0..3 {
        browser.get(&link).await.expect(StatusCode::OK);
    }
    browser.sign_in("", EMAIL).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    // The right password brought a newer link, so the first one is dead and says so.
    browser.get(&link).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let newer = browser.get("/console/check-mail").await.link("verify?token=");
    let token = newer.split_once("token=").expect("a token").1.to_owned();
    let confirmed =
        browser.submit(&newer, "/console/verify", &[("token", &token)]).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(confirmed.location(), "/console/sign-in?ok=verified");
    assert!(browser.get(confirmed.location()).await.body.contains("Your email is confirmed"));
    browser.get(&newer).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn s45_a_forgotten_password_is_replaced_and_every_session_ends() {
    let bench = Bench::new().await;
    let (mut here, mut elsewhere) = (bench.browser(), bench.browser());
    here.join("", EMAIL).await;
    elsewhere.sign_in("", EMAIL).await;
    let sent = here.submit("/console/forgot", "/console/forgot", &[("email", EMAIL)]).await;
    let link = here.get(sent.location()).await.link("reset?token=");
    let token = link.split_once("token=").expect("a token").1.to_owned();
    let page = here.get(&link).await.expect(StatusCode::OK);
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let short = here.submit(&link, "/console/reset", &[("token", &token), ("password", "short")]).await;
    assert!(short.expect(StatusCode::UNPROCESSABLE_ENTITY).body.contains("at least 15 characters"));
    let saved = here.submit(&link, "/console/reset", &[("token", &token), ("password", NEW_PASSWORD)]).await;
    assert_eq!(saved.expect(StatusCode::SEE_OTHER).location(), "/console/sign-in?ok=password-reset");
    for browser in [&mut here, &mut elsewhere] {
        browser.get("/console").await.expect(StatusCode::SEE_OTHER);
    }
    here.sign_in("", EMAIL).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let fields = [("email", EMAIL), ("password", NEW_PASSWORD)];
    here.submit("/console/sign-in", "/console/sign-in", &fields).await.expect(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn s07_s49_changing_the_password_needs_the_current_one_and_ends_the_other_sessions() {
    let bench = Bench::new().await;
    let (mut here, mut elsewhere) = (bench.browser(), bench.browser());
    here.join("", EMAIL).await;
    elsewhere.sign_in("", EMAIL).await;
    let action = "/console/settings/password";
    let wrong = [("current_password", "not this one at all"), ("new_password", NEW_PASSWORD)];
    let refused =
        here.submit("/console/settings", action, &wrong).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("not your current password") && !refused.body.contains(NEW_PASSWORD));
    let before = here.cookies.clone();
    let right = [("current_password", PASSWORD), ("new_password", NEW_PASSWORD)];
    here.submit("/console/settings", action, &right).await.expect(StatusCode::SEE_OTHER);
    assert_ne!(here.cookies["bs_sid"], before["bs_sid"], "the session has a new id");
    here.get("/console").await.expect(StatusCode::OK);
    elsewhere.get("/console").await.expect(StatusCode::SEE_OTHER);
    let mut old = bench.browser();
    old.cookies = before;
    old.get("/console").await.expect(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn s09_sessions_are_listed_and_ended_one_by_one_or_all_but_this() {
    let bench = Bench::new().await;
    let (mut here, mut second, mut third) = (bench.browser(), bench.browser(), bench.browser());
    here.join("", EMAIL).await;
    second.sign_in("", EMAIL).await;
    let page = here.get("/console/settings").await;
    let (_, rest) =
        page.body.split_once("/console/settings/sessions/ses_").expect("a form that ends a session");
    let action = format!("/console/settings/sessions/ses_{}", rest.split('"').next().expect("an id"));
    here.submit("/console/settings", &action, &[]).await.expect(StatusCode::SEE_OTHER);
    second.get("/console").await.expect(StatusCode::SEE_OTHER);
    third.sign_in("", EMAIL).await;
    here.submit("/console/settings", "/console/settings/sessions/others", &[])
        .await
        .expect(StatusCode::SEE_OTHER);
    third.get("/console").await.expect(StatusCode::SEE_OTHER);
    here.get("/console").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_language_chosen_in_the_settings_is_the_one_signed_in_to() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let action = "/console/settings/profile";
    let fields = [("name", "林爱达"), ("language", "zh"), ("time_zone", "Asia/Shanghai")];
    let saved = browser.submit("/console/settings", action, &fields).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(saved.location(), "/zh/console/settings?ok=profile-saved");
    assert!(browser.get(saved.location()).await.body.contains("设置已保存"));
    let mut again = bench.browser();
    assert_eq!(again.sign_in("", EMAIL).await.location(), "/zh/console");
    let unknown = [("name", "x"), ("language", "zh"), ("time_zone", "Mars/Olympus")];
    browser.submit("/console/settings", action, &unknown).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn the_preset_follows_the_language_of_sign_up_and_can_be_switched() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("/zh", EMAIL).await;
    assert_eq!(bench.member(EMAIL).await.preset().as_str(), "china");
    let action = "/console/settings/preset";
    browser.submit("/console/settings", action, &[("preset", "global")]).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(bench.member(EMAIL).await.preset().as_str(), "global");
    browser.submit("/console/settings", action, &[("preset", "moon")]).await.expect(StatusCode::NOT_FOUND);
}
