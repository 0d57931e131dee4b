//! Pages as a browser and a cache meet them: bytes, tags, policies, headers, escaping.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytespike_ui::components::{ErrorSummary, Field, FieldFault, InputKind, TextArea};
use bytespike_ui::http::{ReferrerPolicy, SecurityHeaders, layers};
use bytespike_ui::{CachePolicy, Head, Locale, Page, Urls, Visit, assets, error_page, layout, theme};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use leptos::prelude::*;
use serde_json::json;
use std::io::Read as _;
use tower::ServiceExt as _;

const HOSTILE: &str = "</title></textarea><script>alert('1')</script>\" onload=\"x";

fn urls() -> Urls {
    Urls::single("https://b.example")
}

/// One page of each policy a surface uses, and answers that forgot theirs.
fn surface() -> Router {
    let pages = Router::<Urls>::new()
        .route("/", get(|visit: Visit| page(visit, CachePolicy::Content)))
        .route("/zh", get(|visit: Visit| page(visit, CachePolicy::Content)))
        .route("/console", get(|visit: Visit| page(visit, CachePolicy::Private)))
        .route("/forgot", get(|| async { "no policy" }))
        .route(
            "/cookie",
            get(|| async { ([(header::SET_COOKIE, "a=b"), (header::CACHE_CONTROL, "public")], "x") }),
        )
        .route("/form", post(|| async { StatusCode::SEE_OTHER }))
        .merge(theme::router())
        .merge(assets::router())
        .fallback(async |visit: Visit| error_page::not_found(&visit).await)
        .with_state(urls());
    layers(pages, SecurityHeaders { https: true, referrer: ReferrerPolicy::SameOrigin })
}

async fn page(visit: Visit, policy: CachePolicy) -> Response {
    let head = Head::new(HOSTILE, HOSTILE).json_ld(json!({ "name": HOSTILE }));
    let inner = visit.clone();
    let body = move || layout::site(&inner, form(inner.locale));
    Page::new(head, policy, body).render(&visit).await
}

fn form(locale: Locale) -> AnyView {
    let faults = vec![FieldFault { field: "name".to_owned(), message: HOSTILE.to_owned() }];
    view! {
        <ErrorSummary locale=locale faults=faults/>
        <Field id="name" label="Name" value=HOSTILE hint="Hint" fault=HOSTILE/>
        <Field id="secret" label="Secret" kind=InputKind::Password value="hunter2"/>
        <TextArea id="text" label="Text" value=HOSTILE/>
    }
    .into_any()
}

async fn ask(path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    surface().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn body(response: Response) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_bytes().to_vec()
}

fn value<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_same_page_has_the_same_bytes_and_tag() {
    let (first, second) = (ask("/", &[]).await, ask("/", &[]).await);
    assert_eq!(value(&first, "etag"), value(&second, "etag"));
    assert!(value(&first, "etag").starts_with('"'), "a strong tag");
    assert_eq!(body(first).await, body(second).await);
}

#[tokio::test]
async fn a_known_tag_gets_304_without_a_body() {
    let tag = value(&ask("/", &[]).await, "etag").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let response = ask("/", &[("if-none-match", &known)]).await;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(value(&response, "etag"), tag);
        assert_eq!(value(&response, "cache-control"), CachePolicy::Content.header());
        assert_eq!(value(&response, "vary"), "Accept-Encoding");
        assert!(body(response).await.is_empty());
    }
    assert_eq!(ask("/", &[("if-none-match", "\"other\"")]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn each_coding_has_its_own_tag_and_the_same_page() {
    let plain = ask("/", &[]).await;
    let brotli = ask("/", &[("accept-encoding", "gzip, br")]).await;
    let gzip = ask("/", &[("accept-encoding", "gzip, br;q=0")]).await;
    let tags: Vec<&str> = [&plain, &brotli, &gzip].map(|response| value(response, "etag")).to_vec();
    let open = tags[0].strip_suffix('"').unwrap();
    assert_eq!(tags[1], format!("{open}-br\""));
    assert_eq!(tags[2], format!("{open}-gz\""));
    let known = ask("/", &[("accept-encoding", "br"), ("if-none-match", tags[1])]).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    let (plain, brotli, gzip) = (body(plain).await, body(brotli).await, body(gzip).await);
    let mut unpacked = Vec::new();
    brotli_read(&brotli, &mut unpacked);
    assert_eq!(unpacked, plain);
    unpacked.clear();
    flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
}

#[tokio::test]
async fn private_pages_are_neither_stored_nor_compressed() {
    let response = ask("/console", &[("accept-encoding", "br")]).await;
    assert_eq!(value(&response, "cache-control"), "private, no-store");
    assert_eq!(value(&response, "content-encoding"), "");
}

#[tokio::test]
async fn no_policy_means_no_store_and_a_cookie_means_private() {
    assert_eq!(value(&ask("/forgot", &[]).await, "cache-control"), "no-store");
    assert_eq!(value(&ask("/cookie", &[]).await, "cache-control"), "private, no-store");
}

#[tokio::test]
async fn a_chosen_theme_is_printed_and_kept_from_shared_caches() {
    let response = ask("/", &[("cookie", "theme=dark")]).await;
    assert_eq!(value(&response, "cache-control"), "private, max-age=0");
    assert!(
        String::from_utf8(body(response).await).unwrap().contains("<html lang=\"en\" data-theme=\"dark\">")
    );
}

#[tokio::test]
async fn choosing_a_theme_leads_back_with_a_cookie() {
    let request = Request::post("/prefs/theme")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("theme=dark&back=%2Fzh%2Fpricing%3Fcurrency%3Dcny"))
        .unwrap();
    let response = surface().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(value(&response, "location"), "/zh/pricing?currency=cny");
    assert!(value(&response, "set-cookie").starts_with("theme=dark; Path=/; Max-Age=31536000; SameSite=Lax"));
    assert_eq!(value(&response, "cache-control"), "private, no-store");
}

#[tokio::test]
async fn s53_s57_s58_s61_the_headers_are_on_everything() {
    for path in ["/", "/nowhere", "/form", "/_a/unknown.js", "/cookie"] {
        let response = ask(path, &[]).await;
        let policy = value(&response, "content-security-policy");
        assert!(policy.contains("default-src 'none'; script-src 'self'; style-src 'self'"), "{path}");
        assert!(policy.contains("frame-ancestors 'none'; base-uri 'none'; object-src 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        for (name, expected) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("referrer-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ] {
            assert_eq!(value(&response, name), expected, "{path}: {name}");
        }
        let kind = value(&response, "content-type").to_owned();
        assert!(kind.is_empty() || kind.contains("charset="), "{path}: {kind}");
    }
}

#[tokio::test]
async fn s133_hostile_text_stays_text() {
    let html = String::from_utf8(body(ask("/", &[]).await).await).unwrap();
    assert!(!html.contains("<script>alert"), "nothing breaks out of title, attribute, textarea or JSON-LD");
    assert!(html.contains(r#"&lt;/script&gt;&quot; onload=&quot;x""#), "an attribute does not end early");
    assert!(html.contains("<title>&lt;/title&gt;"));
    assert!(html.contains("\\u003c/title\\u003e"), "JSON-LD cannot end its element");
    assert_eq!(html.matches("</textarea>").count(), 1);
    assert!(!html.contains("hunter2"), "a password is never printed");
}

#[tokio::test]
async fn s54_no_inline_script_or_style() {
    for path in ["/", "/zh", "/nowhere"] {
        let html = String::from_utf8(body(ask(path, &[]).await).await).unwrap();
        let tags = html.split('<').filter_map(|part| part.split('>').next());
        for tag in tags {
            let name = tag.split([' ', '/']).next().unwrap_or_default();
            assert_ne!(name, "style", "{path}");
            assert!(
                name != "script" || tag.contains(" src=\"/_a/") || tag.contains("application/ld+json"),
                "{path}: {tag}"
            );
            assert!(!tag.contains(" style="), "{path}: {tag}");
        }
    }
}

#[tokio::test]
async fn every_asset_a_page_names_is_served_and_immutable() {
    let html = String::from_utf8(body(ask("/", &[]).await).await).unwrap();
    let names: Vec<&str> =
        html.split("/_a/").skip(1).filter_map(|rest| rest.split(['"', '#']).next()).collect();
    assert!(names.len() > 6);
    for name in names {
        let response = ask(&format!("/_a/{name}"), &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        assert_eq!(value(&response, "cache-control"), "public, max-age=31536000, immutable");
        let again = ask(&format!("/_a/{name}"), &[("if-none-match", value(&response, "etag"))]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }
    assert_eq!(value(&ask("/_a/core.0000000000000000.css", &[]).await, "cache-control"), "no-store");
}

#[tokio::test]
async fn a_page_names_itself_and_its_sibling() {
    let html = String::from_utf8(body(ask("/zh", &[]).await).await).unwrap();
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"zh-Hans\"><head>"));
    assert!(html.contains("<link rel=\"canonical\" href=\"https://b.example/zh\">"));
    assert!(html.contains("<link rel=\"alternate\" hreflang=\"en\" href=\"https://b.example/\">"));
    assert!(html.contains("<link rel=\"alternate\" hreflang=\"zh-Hans\" href=\"https://b.example/zh\">"));
    assert!(html.contains("<link rel=\"alternate\" hreflang=\"x-default\" href=\"https://b.example/\">"));
}

#[tokio::test]
async fn a_missing_page_is_404_in_its_language() {
    let response = ask("/zh/nowhere", &[]).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(value(&response, "cache-control"), "public, max-age=0, s-maxage=30");
    assert_eq!(value(&response, "x-robots-tag"), "noindex");
    assert!(
        String::from_utf8(body(response).await)
            .unwrap()
            .contains(Locale::Zh.t().common.error.not_found_title)
    );
}

#[tokio::test]
async fn a_failure_quotes_its_request() {
    let visit = Visit::new("/", urls());
    let response = error_page::failed(&visit, Some("req_1<")).await.into_response();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(value(&response, "cache-control"), "no-store");
    assert!(String::from_utf8(body(response).await).unwrap().contains("req_1&lt;"));
}

fn brotli_read(packed: &[u8], out: &mut Vec<u8>) {
    brotli::Decompressor::new(packed, 4096).read_to_end(out).unwrap();
}
