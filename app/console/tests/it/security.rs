//! Second factor and "confirm it is you", as a browser without scripts meets them.
use crate::support::Bench;
use crate::support::browser::{Answer, Browser, EMAIL, PASSWORD};
use http::StatusCode;
use totp_rs::{Algorithm, Secret, TOTP};

const SETTINGS: &str = "/console/settings/security";
const STEP_MS: i64 = 30_000;
const TEN_MINUTES_MS: i64 = 10 * 60_000;

/// An authenticator app.
struct App(TOTP);

impl App {
    /// Types the secret of the set-up page into it.
    fn typed(page: &Answer) -> Self {
        let (_, rest) = page.body.split_once("id=\"secret\"").expect("the secret's field");
        let value = rest.split('>').nth(1).and_then(|rest| rest.split('<').next()).expect("a value");
        let secret = Secret::Encoded(value.replace(' ', "")).to_bytes().expect("base32");
        Self(TOTP::new(Algorithm::SHA1, 6, 1, 30, secret, None, String::new()).expect("a secret"))
    }

    fn code(&self, bench: &Bench) -> String {
        self.0.generate(u64::try_from(bench.state.world.now_ms() / 1_000).expect("after 1970"))
    }
}

/// Turns the second factor on; answers the app and the recovery codes.
async fn turn_on(bench: &Bench, browser: &mut Browser) -> (App, Vec<String>) {
    let begun = browser.submit(SETTINGS, &format!("{SETTINGS}/app/begin"), &[]).await;
    let page = browser.get(begun.location()).await.expect(StatusCode::OK);
    let app = App::typed(&page);
    let code = app.code(bench);
    let place = format!("{SETTINGS}/app");
    let on = browser.submit(&place, &place, &[("code", &code)]).await.expect(StatusCode::SEE_OTHER);
    let shown = browser.get(on.location()).await.expect(StatusCode::OK);
    let codes: Vec<String> = shown
        .body
        .split("<code translate=\"no\">")
        .skip(1)
        .filter_map(|rest| rest.split('<').next().map(str::to_owned))
        .collect();
    assert_eq!(codes.len(), 10, "{}", shown.body);
    let again = browser.get(on.location()).await.expect(StatusCode::OK);
    assert!(!again.body.contains(&codes[0]), "recovery codes are shown once");
    // The code that turned it on is spent.
    bench.clock.advance(STEP_MS);
    (app, codes)
}

#[tokio::test]
async fn s46_s47_signing_in_asks_for_the_app_or_a_recovery_code_and_each_works_once() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let (app, codes) = turn_on(&bench, &mut browser).await;

    let mut elsewhere = bench.browser();
    let step = elsewhere.sign_in("", EMAIL).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(step.location(), "/console/sign-in/second-step");
    let half = elsewhere.cookies["bs_sid"].clone();
    let shut = elsewhere.get("/console").await.expect(StatusCode::SEE_OTHER);
    assert!(shut.location().contains("sign-in"), "the password alone signs nobody in");
    let place = "/console/sign-in/second-step";
    elsewhere.submit(place, place, &[("code", "000000")]).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let code = app.code(&bench);
    elsewhere.submit(place, place, &[("code", &code)]).await.expect(StatusCode::SEE_OTHER);
    elsewhere.get("/console").await.expect(StatusCode::OK);
    assert_ne!(elsewhere.cookies["bs_sid"], half, "S-01: a new id after the second factor");

    let mut third = bench.browser();
    third.sign_in("", EMAIL).await;
    third.submit(place, place, &[("code", &code)]).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    third.submit(place, place, &[("code", &codes[2])]).await.expect(StatusCode::SEE_OTHER);
    let told = third.get("/console/check-mail").await.expect(StatusCode::OK);
    assert!(told.body.contains("sign-in from a new browser"), "{}", told.body);
    let mut fourth = bench.browser();
    fourth.sign_in("", EMAIL).await;
    fourth.submit(place, place, &[("code", &codes[2])]).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_second_step_belongs_to_the_browser_whose_password_was_right_and_lapses() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let (app, _) = turn_on(&bench, &mut browser).await;
    let place = "/console/sign-in/second-step";
    let stranger = bench.browser().get(place).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(stranger.location(), "/console/sign-in");
    let mut slow = bench.browser();
    slow.sign_in("", EMAIL).await;
    let page = slow.get(place).await.expect(StatusCode::OK);
    bench.clock.advance(TEN_MINUTES_MS);
    let (csrf, code) = (page.hidden("csrf"), app.code(&bench));
    let late = slow.post(place, &[("csrf", &csrf), ("code", &code)]).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(late.location(), "/console/sign-in");
    slow.get("/console").await.expect(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn s48_what_is_guarded_asks_for_a_fresh_proof_and_keeps_what_was_typed() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    bench.clock.advance(TEN_MINUTES_MS);
    let place = "/console/keys/new";
    let fields = [("name", "kept <&> name"), ("strict", "on"), ("inference", "on")];
    let asked = browser.submit(place, place, &fields).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(asked.body.contains("Confirm it is you"), "{}", asked.body);
    assert!(asked.body.contains("value=\"kept &lt;&amp;&gt; name\""), "{}", asked.body);
    let before = browser.cookies["bs_sid"].clone();
    let csrf = asked.hidden("csrf");
    let wrong = [&[("csrf", csrf.as_str()), ("confirm_proof", "not it")], &fields[..]].concat();
    let refused = browser.post(place, &wrong).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!bench.dump("api_key").await.contains("kept"), "nothing happens before the proof");
    let csrf = refused.hidden("csrf");
    let right = [&[("csrf", csrf.as_str()), ("confirm_proof", PASSWORD)], &fields[..]].concat();
    let made = browser.post(place, &right).await.expect(StatusCode::SEE_OTHER);
    assert!(made.location().ends_with("/created"), "{}", made.location());
    assert!(bench.dump("api_key").await.contains("kept <&> name"));
    assert_ne!(browser.cookies["bs_sid"], before, "S-01: a new id at step-up");
    browser.get(made.location()).await.expect(StatusCode::OK);
    browser
        .submit(place, place, &[("name", "second"), ("inference", "on")])
        .await
        .expect(StatusCode::SEE_OTHER);
    bench.clock.advance(TEN_MINUTES_MS);
    browser.submit(place, place, &[("name", "third")]).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let settings = "/console/settings";
    let profile = [("name", "Ada"), ("language", "en"), ("time_zone", "UTC")];
    browser.submit(settings, "/console/settings/profile", &profile).await.expect(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn s48_with_a_second_factor_the_password_is_no_fresh_proof() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let (app, _) = turn_on(&bench, &mut browser).await;
    bench.clock.advance(TEN_MINUTES_MS);
    let off = format!("{SETTINGS}/app/off");
    let asked = browser.submit(SETTINGS, &off, &[]).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let csrf = asked.hidden("csrf");
    let refused = browser.post(&off, &[("csrf", &csrf), ("confirm_proof", PASSWORD)]).await;
    let csrf = refused.expect(StatusCode::UNPROCESSABLE_ENTITY).hidden("csrf");
    let code = app.code(&bench);
    browser.post(&off, &[("csrf", &csrf), ("confirm_proof", &code)]).await.expect(StatusCode::SEE_OTHER);
    bench.browser().sign_in("", EMAIL).await.expect(StatusCode::SEE_OTHER);
    let told = browser.get("/console/check-mail").await.expect(StatusCode::OK);
    assert!(told.body.contains("second factor was turned off"), "{}", told.body);
}

#[tokio::test]
async fn s04_s119_neither_secret_nor_recovery_code_can_be_read_from_the_database() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let begun = browser.submit(SETTINGS, &format!("{SETTINGS}/app/begin"), &[]).await;
    let page = browser.get(begun.location()).await.expect(StatusCode::OK);
    let app = App::typed(&page);
    let secret = app.0.get_secret_base32();
    let (_, codes) = turn_on(&bench, &mut browser).await;
    let tables = ["session", "totp", "recovery_code", "known_browser", "audit_event"];
    for table in tables {
        let rows = bench.dump(table).await;
        assert!(!rows.is_empty(), "{table}");
        for hidden in [&secret, &codes[0], &codes[0].replace('-', ""), &browser.cookies["bs_browser"]] {
            assert!(!rows.contains(hidden.as_str()), "{table}");
        }
    }
}

#[tokio::test]
async fn s07_s49_a_new_address_counts_once_it_is_proven_and_both_are_told() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let place = format!("{SETTINGS}/email");
    for same in [EMAIL, "ADA@example.com", "no address"] {
        browser.submit(SETTINGS, &place, &[("email", same)]).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let asked = browser.submit(SETTINGS, &place, &[("email", "new@example.com")]).await;
    let letter = browser.get(asked.expect(StatusCode::SEE_OTHER).location()).await.expect(StatusCode::OK);
    let link = letter.link("confirm-email?token=");
    bench.browser().sign_in("", EMAIL).await.expect(StatusCode::SEE_OTHER);

    let mut elsewhere = bench.browser();
    for _ in 0..2 {
        let page = elsewhere.get(&link).await.expect(StatusCode::OK);
        assert!(page.body.contains("new@example.com"), "opening it uses nothing up");
    }
    let page = elsewhere.get(&link).await;
    let fields = [("csrf", page.hidden("csrf")), ("token", page.hidden("token"))];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = elsewhere.post("/console/confirm-email", &fields).await.expect(StatusCode::SEE_OTHER);
    assert!(done.location().starts_with("/console/sign-in"), "{}", done.location());
    elsewhere.post("/console/confirm-email", &fields).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    browser.get("/console").await.expect(StatusCode::SEE_OTHER);
    bench.browser().sign_in("", EMAIL).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    bench.browser().sign_in("", "new@example.com").await.expect(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn s37_an_address_that_has_an_account_is_answered_like_any_other() {
    let bench = Bench::new().await;
    bench.browser().join("", "taken@example.com").await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let place = format!("{SETTINGS}/email");
    let asked = browser.submit(SETTINGS, &place, &[("email", "taken@example.com")]).await;
    let letter = browser.get(asked.expect(StatusCode::SEE_OTHER).location()).await.expect(StatusCode::OK);
    assert!(!letter.body.contains("confirm-email"), "its owner gets a notice, not a link");
    assert_eq!(bench.dump("email_change").await, "");
}

#[tokio::test]
async fn an_account_ends_a_week_after_its_person_asked_and_not_if_they_thought_better_of_it() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    browser.create_key("laptop", &[]).await;
    let (page, end, keep) =
        ("/console/settings/data", "/console/settings/data/end", "/console/settings/data/keep");
    let wrong = browser.submit(page, end, &[("confirm", "somebody@example.com")]).await;
    wrong.expect(StatusCode::UNPROCESSABLE_ENTITY);
    browser.submit(page, end, &[("confirm", "Ada@example.com")]).await.expect(StatusCode::SEE_OTHER);
    browser.submit(page, keep, &[]).await.expect(StatusCode::SEE_OTHER);
    bench.clock.advance(8 * 24 * 3_600_000);
    bench.state.accounts.sweep().await.expect("swept");
    let mut browser = bench.browser();
    browser.sign_in("", EMAIL).await.expect(StatusCode::SEE_OTHER);
    browser.submit(page, end, &[("confirm", EMAIL)]).await.expect(StatusCode::SEE_OTHER);
    bench.clock.advance(6 * 24 * 3_600_000);
    bench.state.accounts.sweep().await.expect("swept");
    let asked = browser.get(page).await.expect(StatusCode::OK);
    assert!(asked.body.contains("will be deleted on"), "it works until then");
    bench.clock.advance(2 * 24 * 3_600_000);
    bench.state.accounts.sweep().await.expect("swept");
    browser.get("/console").await.expect(StatusCode::SEE_OTHER);
    bench.browser().sign_in("", EMAIL).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    for table in ["person", "identity", "totp", "session", "known_browser", "account_end"] {
        let rows = bench.dump(table).await;
        assert!(!rows.contains("ada@") && !rows.contains("Ada"), "{table}: {rows}");
    }
    assert!(bench.dump("org").await.contains("closed") && bench.dump("api_key").await.contains("revoked"));
    // The address is free again.
    bench.browser().join("", EMAIL).await;
}
