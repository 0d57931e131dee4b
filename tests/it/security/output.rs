//! What people type is shown as they typed it, runs nowhere, and searches for itself.

use std::time::{Duration, Instant};

use bytespike_console::routes::ADDRESSES;
use bytespike_tests::database::{BOTH, Kind};
use bytespike_tests::http::Call;
use bytespike_tests::person::Form;
use bytespike_tests::product::{CLAUDE, GPT};
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Reply, anthropic};
use serde_json::json;

/// What an SQL text made by joining strings would run.
const INJECTIONS: [&str; 5] = [
    "x' OR pg_sleep(8)--",
    "x'; select pg_sleep(8); --",
    "1) OR 1=1 --",
    "x\" OR \"\"=\"",
    "'||(select pg_sleep(8))||'",
];

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Sends it, and fails if it took as long as an injected sleep.
async fn promptly(what: &str, call: Call) -> u16 {
    let started = Instant::now();
    let answer = call.send().await;
    assert!(started.elapsed() < Duration::from_secs(6), "{what} was delayed");
    answer.status
}

async fn inject(stage: &mut Stage, text: &str) {
    let query = encoded(text);
    for name in ["x-api-key", "authorization", "x-goog-api-key"] {
        let value = if name == "authorization" { format!("Bearer {text}") } else { text.to_owned() };
        for path in ["/v1/models", "/v1/me", "/api/v1/keys", "/api/v1/operator/wallets"] {
            let call = Call::get(stage.product.at(path)).header(name, &*value);
            assert_eq!(promptly(path, call).await, 401, "{name}: {value} at {path}");
        }
    }
    for name in [
        "user-agent",
        "idempotency-key",
        "anthropic-version",
        "anthropic-beta",
        "x-forwarded-for",
        "referer",
        "accept-language",
        "x-claude-code-session-id",
        "x-request-id",
    ] {
        let call = stage.call(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).header(name, text);
        // A key of this name has only visible characters.
        let wanted = if name == "idempotency-key" && text.contains(' ') { 400 } else { 200 };
        assert_eq!(promptly(name, call).await, wanted, "{name}: {text}");
    }
    let model = stage.call(Speaker::OpenAi, &Speaker::OpenAi.ask(text, false));
    assert_eq!(promptly("a model's name", model).await, 404, "{text}");
    for (path, wanted) in [
        (format!("/v1/receipts/{query}"), 404),
        (format!("/v1/usage/calls?model={query}"), 200),
        (format!("/v1/usage/calls?cursor={query}"), 400),
        (format!("/v1/usage?group_by={query}"), 400),
        (format!("/v1/usage?time_zone={query}"), 400),
    ] {
        let call = Call::get(stage.product.at(&path)).header("x-api-key", &*stage.key);
        assert_eq!(promptly(&path, call).await, wanted, "{path}");
    }
    for (path, wanted) in [
        (format!("/console/keys/{query}"), 404),
        (format!("/console/members/{query}"), 404),
        (format!("/console/receipts/{query}"), 404),
        (
            format!(
                "/console/calls?model={query}&key={query}&from={query}&to={query}&outcome={query}&after={query}"
            ),
            200,
        ),
        (
            format!("/console/audit?actor={query}&event={query}&target={query}&from={query}&after={query}"),
            200,
        ),
        (format!("/console/statements/{query}"), 404),
        (format!("/console/invitation?token={query}"), 422),
        (format!("/docs/search?q={query}"), 200),
    ] {
        let call = super::as_browser(&stage.person, Call::get(stage.product.at(&path)));
        assert_eq!(promptly(&path, call).await, wanted, "{path}");
    }
    let cookie = Call::get(stage.product.at("/console/keys")).header("cookie", format!("bs_sid={query}"));
    assert_eq!(promptly("a cookie", cookie).await, 303);
    let started = Instant::now();
    let key = stage.person.create_key(text, &[]).await;
    let own = Call::get(stage.product.at("/v1/key"))
        .header("x-api-key", key)
        .send()
        .await
        .expect_status(200)
        .json();
    assert_eq!(own["name"], text);
    assert!(started.elapsed() < Duration::from_secs(7), "a label was delayed");
}

#[tokio::test]
async fn s132_sql_in_any_header_label_or_filter_is_text() {
    for kind in BOTH {
        let mut stage = Stage::with(|setup| setup.on(kind)).await;
        for text in INJECTIONS {
            inject(&mut stage, text).await;
        }
    }
}

/// What a page, a chart or a spreadsheet could run.
const HOSTILE: &str = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>{{7*7}}'";

#[tokio::test]
async fn s133_hostile_names_are_shown_as_text_on_every_page() {
    let mut stage = Stage::new().await;
    let ours = crate::idor::ours(&mut stage).await;
    let name = HOSTILE.chars().take(64).collect::<String>();
    let fields = [("org_name", &*name), ("org_time_zone", "UTC")];
    assert_eq!(stage.person.post("/console/settings/organisation", &fields).await.status, 303);
    let profile =
        Form::with(&stage.person.open("/console/settings").await.text(), "language").set("name", &name);
    assert_eq!(stage.person.submit_only(&profile).await.status, 303);
    for path in ["/console/deployments/new", "/console/service-accounts/new"] {
        let form = Form::with(&stage.person.open(path).await.text(), "name").set("name", &name);
        assert_eq!(stage.person.submit_only(&form).await.status, 303, "{path}");
    }
    let key = stage.person.create_key(&name, &[]).await;
    for (model, agent) in [(CLAUDE, HOSTILE), (GPT, "javascript:alert(1)")] {
        let call = Speaker::OpenAi.call(&stage.product.url, &key, &Speaker::OpenAi.ask(model, false));
        let _ = call.header("user-agent", agent).send().await.expect_status(200);
    }
    let hostile_error =
        json!({"type": "error", "error": {"type": "invalid_request_error", "message": HOSTILE}});
    stage.answer(Reply::json(400, &hostile_error));
    let _ = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await;
    let mut shown = 0;
    for address in ADDRESSES {
        for path in [ours.in_path(address), format!("/zh{}", ours.in_path(address))] {
            let page = stage.person.get(&path).await;
            if !page.maybe("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
                continue;
            }
            let html = page.text();
            for raw in ["<script>alert", "<img src=x", "onerror=alert(2)>", "href=\"javascript:", "49'"] {
                assert!(!html.contains(raw), "{path} shows {raw} raw");
            }
            shown += usize::from(html.contains("&lt;script&gt;alert(1)"));
        }
    }
    assert!(shown > 20, "the names stood on only {shown} pages");
}

#[tokio::test]
async fn s134_what_a_model_said_is_on_no_page() {
    let mut stage = Stage::new().await;
    stage.answer(Reply::json(200, &anthropic::text("<b>output-canary</b>")));
    let mut body = Speaker::Anthropic.ask(CLAUDE, false);
    body["messages"][0]["content"] = "prompt-canary".into();
    let answer = stage.ask(Speaker::Anthropic, &body).await.expect_status(200);
    let receipt = answer.header("x-receipt-id").to_owned();
    let models = stage.person.open("/console/models").await.expect_status(200).text();
    let test = Form::posting_to(&models, "models/test").expect("a test button").set("model", CLAUDE);
    let mut pages = vec![stage.person.submit(&test).await.expect_status(200)];
    for path in [
        "/console".to_owned(),
        "/console/calls".to_owned(),
        format!("/console/receipts/{receipt}"),
        format!("/console/receipts/{receipt}/json"),
        "/console/calls/calls.csv".to_owned(),
        "/console/audit".to_owned(),
    ] {
        pages.push(stage.person.open(&path).await.expect_status(200));
    }
    for page in pages {
        assert!(!page.text().contains("output-canary") && !page.text().contains("prompt-canary"));
    }
    stage.product.kill().await;
    for file in super::secrets::files(stage.product.folder()) {
        let text = super::secrets::content(&file);
        assert!(!text.contains("output-canary") && !text.contains("prompt-canary"), "{}", file.display());
    }
}

#[tokio::test]
async fn s135_a_table_runs_nothing_in_a_spreadsheet() {
    let mut stage = Stage::new().await;
    for start in ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "＝1+1", "a\"b,c"] {
        let key = stage.person.create_key(start, &[]).await;
        let call = Speaker::OpenAi.call(&stage.product.url, &key, &Speaker::OpenAi.ask(GPT, false));
        let _ = call.send().await.expect_status(200);
    }
    let file = stage.person.open("/console/calls/calls.csv").await.expect_status(200);
    assert!(file.header("content-disposition").starts_with("attachment"));
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.body.starts_with("\u{feff}".as_bytes()), "spreadsheets read Chinese by this mark");
    let text = file.text();
    for quoted in ["'=cmd|' /C calc'!A0", "'+1+1", "'-1+1", "'@SUM(1)", "'＝1+1", "\"a\"\"b,c\""] {
        assert!(text.contains(quoted), "{quoted} in {text}");
    }
    let money =
        text.lines().nth(1).expect("a call").split(',').filter(|field| field.starts_with("'-")).count();
    assert_eq!(money, 0, "numbers stay numbers");
}

#[tokio::test]
async fn s137_files_are_those_of_the_program_and_no_others() {
    let stage = Stage::new().await;
    for path in [
        "/_a/../Cargo.toml",
        "/_a/..%2f..%2fetc%2fpasswd",
        "/_a/%2e%2e/%2e%2e/bytespike.toml",
        "/_a//etc/passwd",
        "/_a/%2fetc%2fpasswd",
        "/_a/....//bytespike.toml",
        "/_a/..\\bytespike.toml",
        "/_a/",
        "/_a",
        "/bytespike.toml",
        "/data/master.key",
        "/docs/..%2f..%2fetc%2fpasswd",
        "/blog/%2e%2e%2f%2e%2e%2fetc",
    ] {
        let answer = Call::get(stage.product.at(path)).send().await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains("root:") && !answer.text().contains("base_url"), "{path}");
    }
    for path in ["/_a/app.js%00.css", "/docs/billing%00", "/console/keys%00", "/v1/models/a%00b"] {
        assert_eq!(Call::get(stage.product.at(path)).send().await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn s138_a_name_is_what_it_looks_like() {
    let mut stage = Stage::new().await;
    for (typed, kept) in [
        ("Cafe\u{301}", "Café"),
        ("abc\u{202e}fed", "abcfed"),
        ("zero\u{200b}width\u{feff}", "zerowidth"),
        ("esc\u{1b}[31m", "esc[31m"),
        ("two\u{2028}lines", "two lines"),
    ] {
        let key = stage.person.create_key(typed, &[]).await;
        let own = Call::get(stage.product.at("/v1/key"))
            .header("x-api-key", key)
            .send()
            .await
            .expect_status(200)
            .json();
        assert_eq!(own["name"], kept, "{typed:?}");
    }
    let long = "字".repeat(65);
    let form = Form::with(&stage.person.open("/console/keys/new").await.text(), "name").set("name", &long);
    assert_eq!(stage.person.submit_only(&form).await.status, 422, "65 characters");
    let huge = Form::with(&stage.person.open("/console/keys/new").await.text(), "name")
        .set("name", &"x".repeat(10_000));
    assert_eq!(stage.person.submit_only(&huge).await.status, 422, "10,000 characters");
}

#[tokio::test]
async fn s76_s77_a_search_finds_its_own_letters_and_a_page_has_an_end() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let stage = Stage::with(|setup| setup.on(kind)).await;
        let _ =
            stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
        let found = async |query: &str| {
            let answer = stage.get(&format!("/v1/usage/calls?{query}")).await.expect_status(200).json();
            answer["data"].as_array().expect("calls").len()
        };
        assert_eq!(found(&format!("model={CLAUDE}")).await, 1);
        for pattern in ["%25", "_", "scripted%25", "scripted-claud_", "*", "%25claude%25"] {
            assert_eq!(found(&format!("model={pattern}")).await, 0, "{pattern}");
        }
        for limit in ["0", "-1", "1001", "9999999999999999999", "abc", "1e3"] {
            let answer = stage.get(&format!("/v1/usage/calls?limit={limit}")).await;
            assert_eq!(answer.status, 400, "{limit}");
        }
        assert_eq!(stage.get("/v1/usage/calls?cursor=nonsense").await.status, 400);
        assert_eq!(stage.get("/v1/usage/calls?offset=5").await.status, 400, "pages follow keys, not counts");
    }
}
