//! The host, the proxy and the scheme: what a request says about them is believed from nobody but a trusted proxy.

use bytespike_tests::http::Call;
use bytespike_tests::keys::{derive, manager};
use bytespike_tests::person::{Form, Person, link_containing};
use bytespike_tests::product::Setup;
use bytespike_tests::raw::{exchange, status};
use bytespike_tests::stage::Stage;
use serde_json::json;

#[tokio::test]
async fn s25_a_foreign_missing_or_doubled_host_is_not_answered_for() {
    let product = Setup::default().start().await;
    let own = product.url.trim_start_matches("http://").to_owned();
    for path in [
        "/",
        "/console/sign-in",
        "/v1/models",
        "/api/v1/keys",
        "/oauth/token",
        "/healthz",
        "/metrics",
        "/_a/x.css",
        "/nowhere",
    ] {
        for (target, hosts) in [
            (path.to_owned(), vec!["evil.example"]),
            (path.to_owned(), vec!["127.0.0.1.evil.example"]),
            (path.to_owned(), vec![own.as_str(), "evil.example"]),
            (path.to_owned(), vec![own.as_str(), own.as_str()]),
            (format!("http://evil.example{path}"), vec![own.as_str()]),
            (format!("http://{own}{path}"), vec!["evil.example"]),
        ] {
            let hosts: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
            let answer =
                exchange(&product, format!("GET {target} HTTP/1.1\r\n{hosts}connection: close\r\n\r\n"))
                    .await;
            assert!(matches!(status(&answer), 400 | 421), "{target} {hosts}: {answer}");
            assert!(!answer.contains("evil"), "{answer}");
        }
        let none = exchange(&product, format!("GET {path} HTTP/1.0\r\n\r\n")).await;
        assert_eq!(status(&none), 421, "{path} without a host: {none}");
    }
    let own_name = exchange(
        &product,
        format!("GET http://{own}/healthz HTTP/1.1\r\nhost: {own}\r\nconnection: close\r\n\r\n"),
    )
    .await;
    assert_eq!(status(&own_name), 200, "{own_name}");
}

#[tokio::test]
async fn s26_links_name_the_configured_address_whatever_a_request_says() {
    let stage = Stage::new().await;
    let forged = |call: Call| {
        call.header("x-forwarded-host", "evil.example")
            .header("forwarded", "host=evil.example;proto=https")
            .header("x-original-url", "http://evil.example/")
            .header("x-rewrite-url", "/admin/first")
            .header("x-host", "evil.example")
    };
    let mut stranger = Person::new(&stage.product, "new@example.com");
    let page = stranger.open("/console/sign-up").await.text();
    let form = Form::with(&page, "password")
        .set("email", "new@example.com")
        .set("password", bytespike_tests::canary::PASSWORD);
    let pairs = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let post = Call::new("POST", stage.product.at("/console/sign-up"))
        .header("content-type", "application/x-www-form-urlencoded");
    let sent = super::as_browser(&stranger, forged(post)).body(pairs).send().await.expect_status(303);
    assert!(!sent.header("location").contains("evil"), "{}", sent.header("location"));
    let link = link_containing(&stranger.open("/console/check-mail").await.text(), "verify")
        .expect("the link of the letter");
    assert!(link.starts_with(&stage.product.at("/console/verify?token=")), "{link}");
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource",
        "/sitemap.xml",
        "/robots.txt",
        "/blog/feed.xml",
        "/",
        "/docs",
        "/pricing",
        "/console/sign-in",
        "/console/keys",
        "/v1/models",
        "/v1/account/capabilities",
        "/v1/usage/calls?limit=1",
        "/api/v1/openapi.json",
    ] {
        let call = Call::get(stage.product.at(path)).header("x-api-key", &*stage.key);
        let answer = forged(call).send().await;
        assert!(matches!(answer.status, 200 | 303 | 404), "{path}: {}", answer.status);
        assert!(!answer.text().contains("evil.example"), "{path}");
        assert!(!answer.maybe("location").unwrap_or_default().contains("evil"), "{path}");
    }
}

/// Answers of a key that may be used from 203.0.113.0/24 alone, to a client that says where it comes from.
async fn statuses(trusted: &str, claims: &[&str]) -> Vec<u16> {
    let mut stage = Stage::with(|setup| setup.settings(trusted)).await;
    let manager = manager(&mut stage).await;
    let body = json!({"name": "there", "ips": ["203.0.113.0/24"]});
    let (_, key) = derive(&stage, &manager, &body).await;
    let mut statuses = Vec::new();
    for claim in claims {
        let call = Call::get(stage.product.at("/v1/key")).header("x-api-key", &*key);
        let call = call.header("x-forwarded-for", *claim).header("x-real-ip", "203.0.113.9");
        statuses.push(call.header("forwarded", "for=203.0.113.9").send().await.status);
    }
    statuses
}

#[tokio::test]
async fn s27_a_client_is_where_its_socket_or_a_trusted_proxy_says_and_nowhere_else() {
    let claims = ["203.0.113.9", "203.0.113.9, 198.51.100.7", "198.51.100.7, 203.0.113.9", "nonsense"];
    assert_eq!(statuses("", &claims).await, [403, 403, 403, 403], "nobody is trusted");
    let trusted = statuses("trusted_proxies = [\"127.0.0.0/8\"]", &claims).await;
    assert_eq!(trusted, [200, 403, 200, 403], "the last untrusted one counts");
}

#[tokio::test]
async fn s28_no_spelling_of_an_address_leads_past_its_door() {
    let stage = Stage::new().await;
    let token = super::first_operator_token(&stage.product);
    let mut stranger = Person::new(&stage.product, "nobody@example.com");
    for path in [
        "//console/keys",
        "/console//keys",
        "/console/keys/",
        "/CONSOLE/keys",
        "/Console/Keys",
        "/console;x/keys",
        "/console/keys;x",
        "/./console/keys",
        "/x/../console/keys",
        "/%2e%2e/console/keys",
        "/console%2fkeys",
        "/console/%6beys",
        "/zh//console/keys",
        "/console/keys/.",
        "/docs/../console/keys",
    ] {
        let answer = stranger.get(path).await;
        assert_ne!(answer.status, 200, "{path}");
        assert!(!answer.text().contains("sign-out"), "{path}");
    }
    for path in [
        "//admin/first",
        "/ADMIN/first",
        "/admin//first",
        "/admin/first/",
        "/admin;x/first",
        "/%61dmin%2ffirst",
    ] {
        let answer = stranger.get(&format!("{path}?token={token}")).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let _ = stranger.get(&format!("/admin/first?token={token}")).await.expect_status(200);
}

#[tokio::test]
async fn s33_what_came_in_the_clear_is_refused_and_only_a_page_leads_to_https() {
    let setup = Setup::default()
        .settings("trusted_proxies = [\"127.0.0.0/8\"]\n[urls]\npublic = \"https://spike.example\"");
    let product = setup.start().await;
    let ask = |method: &str, path: &str, scheme: &str| {
        Call::new(method, product.at(path))
            .header("host", "spike.example")
            .header("x-forwarded-proto", scheme)
    };
    for (method, path) in [
        ("POST", "/v1/messages"),
        ("GET", "/v1/models"),
        ("GET", "/api/v1/keys"),
        ("POST", "/oauth/token"),
        ("POST", "/console/sign-in"),
    ] {
        let answer = ask(method, path, "http").header("sec-fetch-site", "same-origin").send().await;
        assert_eq!(answer.status, 403, "{method} {path}");
        assert!(answer.maybe("location").is_none() && answer.text().contains("https"), "{method} {path}");
    }
    let page = ask("GET", "/pricing?currency=cny", "http").send().await.expect_status(301);
    assert_eq!(page.header("location"), "https://spike.example/pricing?currency=cny");
    let _ = ask("GET", "/pricing", "https").send().await.expect_status(200);
    assert_eq!(ask("GET", "/v1/models", "https").send().await.status, 401);
}
