//! What is not let in: forms from elsewhere, sessions that ended, addresses that lead away.
use crate::support::browser::{Answer, Browser, EMAIL, PASSWORD};
use crate::support::{BASE, Bench};
use axum::body::Body;
use bytespike_accounts::switches::SignUpPolicy;
use bytespike_console::{Delivery, Letter, Mailer};
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{Request, StatusCode};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn s16_a_form_without_its_own_token_changes_nothing() {
    let bench = Bench::new().await;
    let (mut browser, mut other) = (bench.browser(), bench.browser());
    browser.join("", EMAIL).await;
    other.join("", "other@example.com").await;
    let own = browser.get("/console/keys/new").await.hidden("csrf");
    let foreign = other.get("/console/keys/new").await.hidden("csrf");
    let anonymous = bench.browser().get("/console/sign-in").await.hidden("csrf");
    for token in ["", &foreign, &anonymous, &own[..own.len() - 1], &own.to_uppercase()] {
        let fields = [("csrf", token), ("name", "stolen")];
        let refused = browser.post("/console/keys/new", &fields).await.expect(StatusCode::FORBIDDEN);
        assert!(refused.body.contains("<h1>This was not accepted</h1>"), "a page of ours: {}", refused.body);
    }
    browser.post("/console/sign-out", &[]).await.expect(StatusCode::FORBIDDEN);
    assert!(!browser.get("/console/keys").await.expect(StatusCode::OK).body.contains("stolen"));
    browser
        .post("/console/keys/new", &[("csrf", &own), ("name", "wanted"), ("inference", "on")])
        .await
        .expect(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn s11_a_sign_in_form_is_bound_to_its_browser() {
    let bench = Bench::new().await;
    bench.browser().sign_up("", EMAIL).await;
    let token = bench.browser().get("/console/sign-in").await.hidden("csrf");
    let mut victim = bench.browser();
    victim.get("/console/sign-in").await;
    let fields = [("csrf", token.as_str()), ("email", EMAIL), ("password", PASSWORD)];
    victim.post("/console/sign-in", &fields).await.expect(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn s15_a_form_from_another_site_is_refused_with_a_page_in_the_readers_language() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let token = browser.get("/console/keys/new").await.hidden("csrf");
    for origin in [Some("https://evil.example"), Some("null"), None] {
        let mut request =
            Request::post("/zh/console/keys/new").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        let request = request.body(Body::from(format!("csrf={token}&name=stolen"))).expect("a request");
        let refused = browser.send(request).await.expect(StatusCode::FORBIDDEN);
        assert!(refused.body.contains("lang=\"zh-Hans\"") && refused.body.contains("这次操作没有被接受"));
    }
}

#[tokio::test]
async fn s18_only_ordinary_forms_are_read_and_each_refusal_is_a_page() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let send = |kind: &'static str, body: String| {
        Request::post("/console/sign-in")
            .header(ORIGIN, BASE)
            .header(CONTENT_TYPE, kind)
            .body(Body::from(body))
            .expect("a request")
    };
    let form = "application/x-www-form-urlencoded";
    for (request, status) in [
        (send("text/plain", "email=a".to_owned()), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (send("application/json", "{}".to_owned()), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (send(form, "a=b&".repeat(8_000)), StatusCode::PAYLOAD_TOO_LARGE),
        (send(form, "a=b&".repeat(201)), StatusCode::BAD_REQUEST),
    ] {
        let refused = browser.send(request).await.expect(status);
        assert!(refused.header("content-type").starts_with("text/html"), "{status}");
        assert_eq!(refused.header("cache-control"), "private, no-store");
    }
    let wrong_method =
        Request::delete("/console/keys").header(ORIGIN, BASE).body(Body::empty()).expect("a request");
    browser.send(wrong_method).await.expect(StatusCode::METHOD_NOT_ALLOWED);
    browser.get("/console/no/such/page").await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn s06_a_cookie_kept_from_before_signing_out_opens_nothing() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    browser.join("", EMAIL).await;
    let kept = browser.cookies.clone();
    let out = browser.submit("/console", "/console/sign-out", &[]).await.expect(StatusCode::SEE_OTHER);
    assert!(out.header("clear-site-data").contains("cache"));
    browser.cookies = kept;
    for path in ["/console", "/console/keys", "/console/wallet"] {
        let answer = browser.get(path).await.expect(StatusCode::SEE_OTHER);
        assert!(answer.location().starts_with("/console/sign-in"), "{}", answer.location());
    }
}

#[tokio::test]
async fn s01_the_session_of_before_sign_in_is_never_the_one_after() {
    let bench = Bench::new().await;
    bench.browser().sign_up("", EMAIL).await;
    let mut planted = bench.browser();
    planted.cookies.insert("bs_sid".to_owned(), "AAAAAAAAAAAAAAAAAAAAAA".to_owned());
    planted.sign_in("", EMAIL).await.expect(StatusCode::SEE_OTHER);
    let first = planted.cookies["bs_sid"].clone();
    assert_ne!(first, "AAAAAAAAAAAAAAAAAAAAAA");
    planted.submit("/console", "/console/sign-out", &[]).await;
    planted.sign_in("", EMAIL).await.expect(StatusCode::SEE_OTHER);
    assert_ne!(planted.cookies["bs_sid"], first);
}

#[tokio::test]
async fn s13_looking_around_stores_nothing() {
    let bench = Bench::new().await;
    for path in ["sign-in", "sign-up", "forgot", "resend", "check-mail", "verify?token=x", "keys", "nothing"]
    {
        bench.browser().get(&format!("/console/{path}")).await;
    }
    assert_eq!(bench.dump("session").await, "");
}

#[tokio::test]
async fn s29_signing_in_leads_to_our_own_pages_only() {
    let bench = Bench::new().await;
    bench.browser().sign_up("", EMAIL).await;
    let asked = bench.browser().get("/zh/console/calls?outcome=billed").await.expect(StatusCode::SEE_OTHER);
    for (next, lands) in [
        ("/zh/console/calls?outcome=billed", "/zh/console/calls?outcome=billed"),
        ("//evil.example", "/console"),
        ("https://evil.example/console", "/console"),
        ("/console/../admin", "/console"),
    ] {
        let mut browser = bench.browser();
        let fields = [("email", EMAIL), ("password", PASSWORD), ("next", next)];
        let answer = browser.submit("/console/sign-in", "/console/sign-in", &fields).await;
        assert_eq!(answer.expect(StatusCode::SEE_OTHER).location(), lands, "{next}");
    }
    let form = bench.browser().get(asked.location()).await.expect(StatusCode::OK);
    assert_eq!(form.hidden("next"), "/zh/console/calls?outcome=billed");
}

#[derive(Default)]
struct Postbox(Mutex<Vec<Letter>>);

impl Mailer for Postbox {
    fn send(&self, letter: Option<Letter>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.lock().expect("not poisoned").extend(letter);
        Box::pin(std::future::ready(()))
    }
}

/// Status, place and page, with everything that is random or the visitor's own taken out.
fn face(answer: &Answer, email: &str) -> (StatusCode, String, String) {
    let mut body = answer.body.replace(email, "EMAIL");
    for piece in answer.body.split("name=\"csrf\" value=\"").skip(1) {
        body = body.replace(piece.split('"').next().unwrap_or_default(), "TOKEN");
    }
    (answer.status, answer.location().to_owned(), body)
}

#[tokio::test]
async fn s36_known_and_unknown_addresses_get_the_same_answers_and_only_the_mail_differs() {
    let mut bench = Bench::new().await;
    bench.browser().sign_up("", EMAIL).await;
    let postbox = Arc::new(Postbox::default());
    bench.state.mail = Delivery::Send(postbox.clone());
    for (page, fields) in [
        ("/console/sign-up", &[("password", PASSWORD)][..]),
        ("/console/forgot", &[]),
        ("/console/resend", &[]),
        ("/console/sign-in", &[("password", "a wrong one altogether")]),
    ] {
        let answers = async |email: &str| {
            let mut browser: Browser = bench.browser();
            let answer = browser.submit(page, page, &[fields, &[("email", email)]].concat()).await;
            let after = browser.get("/console/check-mail").await;
            (face(&answer, email), face(&after, email))
        };
        assert_eq!(answers(EMAIL).await, answers("nobody@example.com").await, "{page}");
    }
    let letters = postbox.0.lock().expect("not poisoned");
    let to_known: Vec<&str> =
        letters.iter().filter(|one| one.to == EMAIL).map(|one| one.subject.as_str()).collect();
    assert_eq!(to_known, ["You already have a ByteSpike account", "Choose a new ByteSpike password"]);
    assert!(
        letters
            .iter()
            .all(|letter| !letter.text.contains("DEVELOPMENT") && letter.html.contains("<!DOCTYPE html>"))
    );
}

#[tokio::test]
async fn a_closed_server_makes_no_account() {
    let bench = Bench::new().await;
    bench.state.accounts.switches.configure(SignUpPolicy::Closed);
    let mut browser = bench.browser();
    let page = browser.get("/console/sign-up").await.expect(StatusCode::OK);
    assert!(page.body.contains("does not accept new accounts") && !page.body.contains("name=\"password\""));
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    browser.submit("/console/sign-in", "/console/sign-up", &fields).await.expect(StatusCode::FORBIDDEN);
    assert_eq!(bench.dump("person").await, "");
}
