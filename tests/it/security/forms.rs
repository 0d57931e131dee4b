//! Forms and methods: only our own pages change anything, and nothing in a request says where an answer leads.

use bytespike_tests::database::BOTH;
use bytespike_tests::http::Call;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::Setup;
use bytespike_tests::raw::{exchange, status};
use bytespike_tests::stage::Stage;

use super::as_browser;

const EVIL: &str = "https://evil.example/x";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn s19_where_a_form_was_sent_from_says_nothing_about_where_it_leads() {
    let stage = Stage::new().await;
    for (path, body) in [
        ("/prefs/theme", "theme=dark"),
        ("/prefs/theme", "theme=dark&next=https%3A%2F%2Fevil.example%2Fx"),
        ("/prefs/theme", "theme=dark&next=%2F%2Fevil.example%2Fx"),
        ("/prefs/theme", "theme=dark&back=https%3A%2F%2Fevil.example%2Fx"),
        ("/console/sign-in", "email=a%40example.com&password=wrong"),
        ("/console/settings/profile", "name=Eve"),
        ("/console/sign-out", ""),
    ] {
        let call =
            Call::new("POST", stage.product.at(path)).header("content-type", FORM).header("referer", EVIL);
        let answer = as_browser(&stage.person, call).body(body).send().await;
        let place = answer.maybe("location").unwrap_or_default();
        assert!(
            !place.contains("evil") && matches!(answer.status, 303 | 403),
            "{path} {body}: {} {place}",
            answer.status
        );
        assert_eq!(answer.status == 303, path == "/prefs/theme", "{path} {body}");
        assert!(!answer.text().contains("evil.example"), "{path} {body}");
    }
}

#[tokio::test]
async fn s20_a_browser_that_sends_no_referer_still_reads_what_is_wrong() {
    let product = Setup::default().start().await;
    let mut person = Person::new(&product, "ada@example.com");
    let form = Form::with(&person.open("/console/sign-up").await.text(), "password")
        .set("email", "no address")
        .set("password", "short");
    let refused = person.submit_only(&form).await.expect_status(422).text();
    assert!(
        refused.contains("aria-describedby") && refused.contains("value=\"no address\""),
        "what was typed stays"
    );
    assert!(refused.contains("href=\"#email\""), "{refused}");
}

#[tokio::test]
async fn s22_nobody_is_signed_out_by_a_link_or_by_another_site() {
    let mut stage = Stage::new().await;
    assert_eq!(stage.person.get("/console/sign-out").await.status, 405);
    let cookie = format!("bs_sid={}", stage.person.cookies["bs_sid"]);
    let post = || {
        Call::new("POST", stage.product.at("/console/sign-out"))
            .header("content-type", FORM)
            .header("cookie", cookie.clone())
    };
    assert_eq!(post().header("sec-fetch-site", "same-origin").send().await.status, 403, "without its token");
    assert_eq!(post().header("sec-fetch-site", "cross-site").send().await.status, 403);
    let _ = stage.person.get("/console/keys").await.expect_status(200);
}

#[tokio::test]
async fn s23_a_key_that_was_deleted_is_deleted_once() {
    let mut stage = Stage::new().await;
    let _ = stage.person.create_key("second", &[]).await;
    let list = stage.person.open("/console/keys").await.text();
    let row = list.split("<tr").find(|row| row.contains(">second<")).expect("its row");
    let link = row
        .split("href=\"")
        .find_map(|rest| rest.split('"').next().filter(|link| link.contains("/console/keys/")));
    let id = link.expect("a link").rsplit('/').next().expect("an id").to_owned();
    let page = stage.person.open(&format!("/console/keys/{id}/revoke")).await.expect_status(200).text();
    let form = Form::posting_to(&page, "/revoke").expect("a form").set("confirm", "second");
    assert_eq!(stage.person.submit_only(&form).await.status, 303);
    let again = stage.person.submit_only(&form).await;
    assert_eq!(again.status, 404);
    let store = stage.product.database.connect().await;
    let events = "select count(*) from audit_event where event = 'key.revoked'";
    assert_eq!(bytespike_tests::database::number(&store, events).await, 1, "the second time did nothing");
    store.close().await;
}

#[tokio::test]
async fn s24_methods_are_what_they_are() {
    let stage = Stage::new().await;
    let ask = async |method: &str, path: &str| {
        let call = Call::new(method, stage.product.at(path)).header("x-api-key", &*stage.key);
        let call = call.header("x-http-method-override", "POST").header("x-method-override", "POST");
        as_browser(&stage.person, call).send().await
    };
    for path in [
        "/",
        "/docs",
        "/console/keys",
        "/console/sign-in",
        "/oauth/token",
        "/v1/messages",
        "/v1/models",
        "/api/v1/keys",
    ] {
        for method in ["TRACE", "BREW", "PROPFIND"] {
            let answer = ask(method, path).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert!(!answer.text().contains(&stage.key), "{method} {path} sends back what it got");
        }
    }
    for (method, path) in [
        ("GET", "/console/sign-out"),
        ("GET", "/console/sign-out?_method=POST"),
        ("GET", "/v1/messages"),
        ("GET", "/v1/chat/completions?_method=POST"),
        ("GET", "/oauth/revoke"),
        ("PUT", "/console/keys"),
        ("DELETE", "/console/settings"),
    ] {
        assert_eq!(ask(method, path).await.status, 405, "{method} {path}");
    }
    let host = stage.product.url.trim_start_matches("http://").to_owned();
    let connect = exchange(
        &stage.product,
        format!("CONNECT {host} HTTP/1.1\r\nhost: {host}\r\nsec-fetch-site: same-origin\r\nconnection: close\r\n\r\n"),
    )
    .await;
    assert!(matches!(status(&connect), 400 | 404 | 405), "{connect}");
}

/// What could end a header, a line or a program that did not look.
const BREAKING: [&str; 6] =
    ["%0d%0aset-cookie:%20a=b", "%00", "%E9%94%AE", "%F0%9F%92%A5", "%0a", "/console%0d%0ax:%20y"];

async fn break_lines(stage: &Stage, text: &str) {
    for (method, path, body, status) in [
        ("GET", format!("/console/sign-in?next={text}"), String::new(), 303),
        ("GET", format!("/console/keys?next={text}"), String::new(), 200),
        ("GET", format!("/console/calls?model={text}&key={text}"), String::new(), 200),
        ("GET", format!("/console/calls/calls.csv?model={text}&key={text}"), String::new(), 200),
        ("GET", format!("/v1/usage/calls?model={text}"), String::new(), 200),
        ("GET", format!("/v1/receipts/{text}"), String::new(), 404),
        ("POST", "/prefs/theme".to_owned(), format!("theme=dark&back={text}"), 303),
    ] {
        let wanted = if path.contains("%00") { 400 } else { status };
        let call = Call::new(method, stage.product.at(&path)).header("content-type", FORM).body(body);
        let answer = as_browser(&stage.person, call.header("x-api-key", &*stage.key)).send().await;
        assert_eq!(answer.status, wanted, "{method} {path}: {}", answer.text());
        assert!(answer.maybe("x").is_none(), "{method} {path}");
        let cookies = answer.headers.get_all("set-cookie");
        assert!(!cookies.iter().any(|cookie| cookie.as_bytes().starts_with(b"a=b")), "{method} {path}");
    }
}

#[tokio::test]
async fn s30_line_breaks_and_other_letters_neither_end_a_header_nor_the_program() {
    for kind in BOTH {
        let mut stage = Stage::with(|setup| setup.on(kind)).await;
        for text in BREAKING {
            break_lines(&stage, text).await;
        }
        let key = stage.person.create_key("line\r\nset-cookie: a=b 键", &[]).await;
        let named = Call::get(stage.product.at("/v1/key")).header("x-api-key", key).send().await;
        assert_eq!(named.expect_status(200).json()["name"], "line set-cookie: a=b 键");
        let page = stage.person.open("/console/keys/new").await.text();
        let nul = Form::with(&page, "name").set("name", "a\u{0}b");
        assert_eq!(stage.person.submit_only(&nul).await.status, 400);
        let metrics = Call::get(stage.product.at("/metrics")).send().await.expect_status(200).text();
        assert!(metrics.contains("bytespike_http_requests_total"));
        assert!(!metrics.contains("bytespike_panics_total"), "something fell over");
    }
}
