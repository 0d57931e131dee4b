//! The headers of every answer, whatever its status and whoever made it.

use bytespike_tests::http::{Answer, Call};
use bytespike_tests::product::Setup;
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;

/// One answer of each status and maker, with what it is called.
async fn answers(stage: &Stage) -> Vec<(&'static str, u16, Answer)> {
    let form = "application/x-www-form-urlencoded";
    let get = |path: &str| Call::get(stage.product.at(path));
    let signed = |call: Call| super::as_browser(&stage.person, call);
    let page = get("/").send().await.text();
    let asset = page
        .split('"')
        .find(|part| part.starts_with("/_a/") && !part.contains('#'))
        .expect("an asset")
        .to_owned();
    let long = "x=".to_owned() + &"a".repeat(20 << 10);
    let sign_in =
        || Call::new("POST", stage.product.at("/console/sign-in")).header("sec-fetch-site", "same-origin");
    let asked = |name, status, call: Call| (name, status, call);
    let calls = vec![
        asked("a page", 200, get("/")),
        asked("a page of the docs", 200, get("/docs")),
        asked("a page before sign-in", 200, get("/console/sign-in")),
        asked("a page of a member", 200, signed(get("/console/keys"))),
        asked("a redirect", 303, get("/console/keys")),
        asked("a missing page", 404, get("/nowhere")),
        asked("a missing page of the console", 404, get("/console/nowhere")),
        asked("a wrong method", 405, signed(get("/console/sign-out"))),
        asked(
            "another site's form",
            403,
            Call::new("POST", stage.product.at("/console/sign-in")).header("content-type", form),
        ),
        asked("a form of another type", 415, sign_in().header("content-type", "text/plain").body("x")),
        asked("a form too large", 413, sign_in().header("content-type", form).body(long)),
        asked("a file", 200, get(&asset)),
        asked("no such file", 404, get("/_a/nothing.js")),
        asked("a table", 200, signed(get("/console/calls/calls.csv"))),
        asked("health", 200, get("/healthz")),
        asked("metrics", 200, get("/metrics")),
        asked("another host", 421, get("/").header("host", "evil.example")),
        asked("the API", 200, get("/v1/key").header("x-api-key", &*stage.key)),
        asked("the API to nobody", 401, get("/v1/models")),
        asked("no path of the API", 404, get("/v1/nothing")),
        asked("a wrong method of the API", 405, get("/v1/messages")),
        asked("the management API", 401, get("/api/v1/keys")),
        asked("its description", 200, get("/api/v1/openapi.json")),
        asked("the operators' API", 401, get("/api/v1/operator/wallets")),
        asked("the issuer", 200, get("/.well-known/oauth-authorization-server")),
        asked(
            "a token refused",
            400,
            Call::new("POST", stage.product.at("/oauth/token"))
                .header("content-type", form)
                .body("grant_type=x&client_id=dosia-desktop"),
        ),
        asked(
            "a model nobody knows",
            404,
            Speaker::OpenAi.call(&stage.product.url, &stage.key, &Speaker::OpenAi.ask("nothing", false)),
        ),
    ];
    let mut answers = Vec::new();
    for (name, status, call) in calls {
        let answer = call.send().await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text().chars().take(300).collect::<String>());
        answers.push((name, status, answer));
    }
    answers
}

#[tokio::test]
async fn s53_s55_s57_s58_s59_s61_every_answer_is_typed_unframed_unsniffed_and_anonymous() {
    let stage = Stage::new().await;
    for (name, _, answer) in answers(&stage).await {
        for (header, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(header), value, "{name}: {header}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{name}");
        assert!(
            !policy.contains("unsafe") && !policy.contains("nonce") && !policy.contains('*'),
            "{name}: {policy}"
        );
        assert!(matches!(answer.header("referrer-policy"), "same-origin" | "no-referrer"), "{name}");
        for telling in ["server", "x-powered-by", "via", "x-aspnet-version", "x-runtime"] {
            assert!(answer.maybe(telling).is_none(), "{name}: {telling}");
        }
        if !answer.body.is_empty() {
            let kind = answer.header("content-type");
            // JSON is UTF-8 by its own definition, and its type has no parameter to say so.
            let typed = kind.contains("charset=utf-8")
                || kind == "application/json"
                || kind.starts_with("image/")
                || kind.starts_with("font/");
            assert!(typed, "{name}: {kind}");
        }
        assert_eq!(answer.maybe("strict-transport-security"), None, "{name}: this one is http");
        let is_page = answer.maybe("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        if is_page {
            assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{name}");
            assert!(answer.header("permissions-policy").contains("camera=()"), "{name}");
        }
    }
    assert_eq!(Call::get(stage.product.at("/healthz")).send().await.text(), "ok", "S-59");
}

#[tokio::test]
async fn s56_over_https_every_answer_says_never_to_come_back_over_http() {
    let product = Setup::default().settings("[urls]\npublic = \"https://spike.example\"").start().await;
    for (path, status, host) in [
        ("/", 200, "spike.example"),
        ("/console/keys", 303, "spike.example"),
        ("/nowhere", 404, "spike.example"),
        ("/v1/models", 401, "spike.example"),
        ("/v1/nothing", 404, "spike.example"),
        ("/healthz", 200, "spike.example"),
        ("/", 421, "evil.example"),
    ] {
        let answer = Call::get(product.at(path)).header("host", host).send().await.expect_status(status);
        assert_eq!(
            answer.header("strict-transport-security"),
            "max-age=31536000; includeSubDomains",
            "{path}"
        );
    }
}

#[tokio::test]
async fn s57_a_page_with_a_secret_in_its_address_tells_nobody_where_it_was() {
    let mut stage = Stage::new().await;
    let invitation = super::token_in(&stage.person.invite("later@example.com", "viewer").await);
    let first = super::first_operator_token(&stage.product);
    for (path, status) in [
        (format!("/console/invitation?token={invitation}"), 200),
        (format!("/zh/console/invitation?token={invitation}"), 200),
        (format!("/admin/first?token={first}"), 200),
        ("/console/reset?token=dead".to_owned(), 422),
        ("/console/verify?token=dead".to_owned(), 422),
        ("/console/confirm-email?token=dead".to_owned(), 422),
    ] {
        let page = Call::get(stage.product.at(&path)).send().await;
        assert_eq!((page.status, page.header("referrer-policy")), (status, "no-referrer"), "{path}");
        assert!(page.header("cache-control").contains("no-store"), "{path}");
    }
}

#[tokio::test]
async fn s60_other_origins_read_the_api_without_cookies_and_nothing_else() {
    let stage = Stage::new().await;
    let open = [
        "a redirect",
        "a page",
        "a page of the docs",
        "a page before sign-in",
        "a page of a member",
        "a missing page",
        "a missing page of the console",
        "a wrong method",
        "another site's form",
        "a form of another type",
        "a form too large",
        "a table",
        "health",
        "metrics",
        "another host",
        "the management API",
        "the operators' API",
    ];
    for (name, _, answer) in answers(&stage).await {
        assert!(answer.maybe("access-control-allow-credentials").is_none(), "{name}");
        let allowed = answer.maybe("access-control-allow-origin");
        assert!(allowed.is_none() || allowed == Some("*"), "{name}: {allowed:?}");
        assert!(allowed.is_none() || !open.contains(&name), "{name} is for its own pages");
    }
    let preflight = async |path: &str| {
        let call = Call::new("OPTIONS", stage.product.at(path)).header("origin", "https://evil.example");
        let call = call
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "x-api-key");
        call.send().await
    };
    for path in ["/v1/messages", "/v1/chat/completions", "/oauth/token"] {
        let answer = preflight(path).await.expect_status(204);
        assert_eq!(answer.maybe("access-control-allow-origin"), Some("*"), "{path}");
        assert!(answer.maybe("access-control-allow-credentials").is_none(), "{path}");
    }
    for path in [
        "/console/keys/new",
        "/console/sign-in",
        "/api/v1/keys",
        "/api/v1/operator/wallets",
        "/oauth/introspect",
        "/admin/first",
    ] {
        assert!(preflight(path).await.maybe("access-control-allow-origin").is_none(), "{path}");
    }
}

#[tokio::test]
async fn s129_what_watches_the_program_is_for_this_machine() {
    let stage = Stage::with(|setup| setup.settings("trusted_proxies = [\"127.0.0.0/8\"]")).await;
    let _ = Call::get(stage.product.at("/metrics")).send().await.expect_status(200);
    let outside =
        Call::get(stage.product.at("/metrics")).header("x-forwarded-for", "203.0.113.9").send().await;
    assert_eq!(outside.status, 404);
    for path in [
        "/debug/pprof",
        "/debug/vars",
        "/actuator",
        "/env",
        "/server-status",
        "/v1/debug",
        "/.env",
        "/.git/config",
        "/config",
    ] {
        assert_eq!(Call::get(stage.product.at(path)).send().await.status, 404, "{path}");
    }
}
