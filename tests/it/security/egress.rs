//! What leaves for a provider, and what comes back from one.

use bytespike_tests::canary;
use bytespike_tests::http::Call;
use bytespike_tests::product::{CLAUDE, GPT, Setup};
use bytespike_tests::raw::{exchange, status};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Reply, Upstream, anthropic, nobody, scenes};
use serde_json::json;

/// Headers with which a client could try to speak to whoever stands behind the gateway.
const MEDDLING: [&str; 18] = [
    "te",
    "upgrade",
    "proxy-authorization",
    "proxy-connection",
    "cookie",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "metadata",
    "x-aws-ec2-metadata-token",
    "metadata-flavor",
    "api-key",
    "x-goog-api-key",
    "openai-organization",
    "openai-project",
    "x-listed",
];

#[tokio::test]
async fn s72_a_clients_headers_stay_with_us() {
    let stage = Stage::new().await;
    for (speaker, model) in [(Speaker::Anthropic, CLAUDE), (Speaker::OpenAi, CLAUDE), (Speaker::OpenAi, GPT)]
    {
        let mut call = stage.call(speaker, &speaker.ask(model, false)).header("connection", "x-listed");
        for name in MEDDLING {
            call = call.header(name, "meddling-canary");
        }
        let _ = call.send().await.expect_status(200);
        let seen = stage.upstream.last();
        assert_eq!(
            seen.header("host"),
            stage.upstream.url().strip_prefix("http://"),
            "the provider's own name"
        );
        for (name, value) in &seen.headers {
            assert!(!value.contains("meddling-canary") && !value.contains(&stage.key), "{name}: {value}");
        }
        let given: Vec<&String> = seen
            .headers
            .iter()
            .filter(|(_, value)| value.contains(canary::UPSTREAM_KEY))
            .map(|(name, _)| name)
            .collect();
        assert!(
            !given.is_empty()
                && given.iter().all(|name| matches!(name.as_str(), "x-api-key" | "authorization")),
            "{given:?}"
        );
    }
}

#[tokio::test]
async fn s73_what_we_put_into_a_providers_headers_is_plain_text() {
    let stage = Stage::new().await;
    let host = stage.product.url.trim_start_matches("http://");
    let body = Speaker::Anthropic.ask(CLAUDE, false).to_string();
    for name in
        ["anthropic-beta", "anthropic-version", "user-agent", "idempotency-key", "x-claude-code-session-id"]
    {
        let mut request = format!(
            "POST /v1/messages HTTP/1.1\r\nhost: {host}\r\nx-api-key: {}\r\ncontent-type: application/json\r\nconnection: close\r\n{name}: a",
            stage.key
        )
        .into_bytes();
        request.extend_from_slice(b"\xe9\xff\xe4b");
        request.extend_from_slice(format!("\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes());
        let answer = exchange(&stage.product, request).await;
        assert!(matches!(status(&answer), 200 | 400), "{name}: {answer}");
    }
    assert!(!stage.upstream.requests().is_empty(), "a strange name is no reason to refuse a call");
    for request in stage.upstream.requests() {
        for (name, value) in request.headers {
            assert!(value.bytes().all(|byte| matches!(byte, 0x20..=0x7e)), "{name}: {value:?}");
        }
    }
}

#[tokio::test]
async fn s74_a_providers_headers_stay_with_us_too() {
    let stage = Stage::new().await;
    let telling = [
        ("set-cookie", "bs_sid=planted; Path=/"),
        ("server", "provider/9"),
        ("alt-svc", "h3=\":443\""),
        ("strict-transport-security", "max-age=1"),
        ("openai-organization", "org-of-ours"),
        ("keep-alive", "timeout=5"),
        ("access-control-allow-origin", "https://evil.example"),
        ("access-control-allow-credentials", "true"),
        ("content-security-policy", "default-src *"),
        ("location", "https://evil.example/"),
        ("x-provider-internal", "rack 9"),
    ];
    for speaker in SPEAKERS {
        for stream in [false, true] {
            stage.answer_with(move |request| {
                telling.iter().fold(scenes::play(request), |reply, (name, value)| reply.header(name, value))
            });
            let answer = stage.ask(speaker, &speaker.ask(CLAUDE, stream)).await.expect_status(200);
            for (name, value) in telling {
                let ours =
                    answer.headers.get_all(name).iter().any(|given| given.as_bytes() == value.as_bytes());
                assert!(!ours, "{speaker:?} {stream} passes {name} on");
            }
        }
    }
    let wide = "a".repeat(200 << 10);
    stage.answer_with(move |request| scenes::play(request).header("x-wide", &wide));
    let answer = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await;
    assert_eq!(answer.status, 502, "headers without end: {}", answer.text());
}

#[tokio::test]
async fn s74_an_answer_without_end_is_not_kept() {
    let stage = Stage::with(|setup| setup.settings("[gateway]\nmax_answer_bytes = 4096")).await;
    stage.answer(Reply::json(200, &anthropic::text(&"long ".repeat(4_000))));
    let answer = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(stage.receipt_of(&answer).await["charged"]["credits"], "0.000");
}

#[tokio::test]
async fn s79_nobody_leads_us_elsewhere() {
    let stage = Stage::new().await;
    let elsewhere = Upstream::start(scenes::play).await;
    for code in [301, 302, 303, 307, 308] {
        for target in [
            format!("{}/v1/messages", elsewhere.url()),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
        ] {
            stage.answer(Reply::whole(code, "text/plain", Vec::new()).header("location", &target));
            let before = stage.upstream.requests().len();
            let answer = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await;
            assert_eq!(answer.status, 502, "{code}: {}", answer.text());
            assert!(answer.maybe("location").is_none() && !answer.text().contains("169.254"), "{code}");
            assert!(stage.upstream.requests().len() > before, "it was asked");
        }
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn s81_nothing_in_a_body_decides_where_a_call_goes() {
    let stage = Stage::new().await;
    let elsewhere = Upstream::start(scenes::play).await;
    let url = elsewhere.url();
    for (speaker, model) in [
        (Speaker::Anthropic, CLAUDE),
        (Speaker::Anthropic, GPT),
        (Speaker::OpenAi, CLAUDE),
        (Speaker::OpenAi, GPT),
    ] {
        for (name, value) in [
            ("api_base", json!(url)),
            ("base_url", json!(url)),
            ("api_key", json!("sk-other")),
            ("model_list", json!([{"model_name": model, "litellm_params": {"api_base": url}}])),
            ("fallbacks", json!([{ model: [{"api_base": url}] }])),
            ("user_config", json!({"model_list": [], "api_base": url})),
            ("extra_headers", json!({"x-extra": "meddling-canary", "authorization": "Bearer sk-other"})),
            ("organization", json!("org-other")),
            ("extra_body", json!({"api_base": url, "metadata": {"base_url": url}})),
            ("litellm_params", json!({"api_base": url})),
        ] {
            let mut body = speaker.ask(model, false);
            body[name] = value;
            let before = stage.upstream.requests().len();
            let answer = stage.ask(speaker, &body).await;
            assert!(matches!(answer.status, 200 | 400), "{speaker:?} {model} {name}: {}", answer.text());
            if answer.status == 400 {
                continue;
            }
            assert_eq!(stage.upstream.requests().len(), before + 1, "{speaker:?} {model} {name}");
            let seen = stage.upstream.last();
            assert!(
                !seen
                    .headers
                    .iter()
                    .any(|(_, value)| value.contains("meddling-canary") || value.contains("sk-other"))
            );
            let translated = (speaker == Speaker::Anthropic) != (model == CLAUDE);
            assert!(
                !translated || seen.json().get(name).is_none(),
                "{speaker:?} {model} {name} was passed on"
            );
        }
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn s82_a_picture_by_its_address_is_left_to_the_provider() {
    let stage = Stage::new().await;
    let elsewhere = Upstream::start(scenes::play).await;
    let url = format!("{}/picture.png", elsewhere.url());
    let mut body = Speaker::OpenAi.ask(GPT, false);
    body["messages"][0]["content"] =
        json!([{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]);
    let answer = stage.ask(Speaker::OpenAi, &body).await;
    let mut of_claude = Speaker::Anthropic.ask(CLAUDE, false);
    of_claude["messages"][0]["content"] = json!([{"type": "image", "source": {"type": "url", "url": url}}]);
    let second = stage.ask(Speaker::Anthropic, &of_claude).await;
    for answer in [answer, second] {
        assert!(matches!(answer.status, 200 | 400), "{}", answer.text());
        if answer.status == 200 {
            assert!(String::from_utf8_lossy(&stage.upstream.last().body).contains("picture.png"));
        }
    }
    assert_eq!(elsewhere.requests().len(), 0, "the gateway fetched it");
}

/// An https address whose owner hangs up on whoever speaks TLS.
async fn no_tls() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    format!("https://{address}")
}

#[tokio::test]
async fn s83_why_a_provider_was_not_reached_is_nobodys_business() {
    let (dead, of_plain) = (nobody().await, no_tls().await);
    let upstream = Upstream::start(scenes::play).await;
    let setup = Setup::scripted(&upstream.url())
        .model("refused-model", "1.00")
        .model("tls-fails-model", "1.00")
        .model("no-name-model", "1.00")
        .channel("anthropic", &dead, &["refused-model"])
        .channel("anthropic", &of_plain, &["tls-fails-model"])
        .channel("anthropic", "http://name.invalid", &["no-name-model"]);
    let stage = Stage::on(setup, upstream).await;
    let mut seen = Vec::new();
    for model in ["refused-model", "tls-fails-model", "no-name-model"] {
        let answer = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(model, false)).await;
        let error = Speaker::Anthropic.error(&answer);
        assert!(!error.message.contains("127.0.0.1") && !error.message.contains("name.invalid"), "{error:?}");
        seen.push((answer.status, error.kind, error.message.replace(model, "MODEL")));
    }
    assert!(seen[0].0 >= 500, "{seen:?}");
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

#[tokio::test]
async fn s85_references_in_what_people_type_are_text() {
    let mut stage = Stage::new().await;
    for text in [
        "os.environ/BYTESPIKE_SECRETS__MASTER_KEY",
        "file:///etc/passwd",
        "oidc/file/etc/passwd",
        "${HOME}",
        "$(id)",
        "{{7*7}}",
        "%(HOME)s",
    ] {
        let key = stage.person.create_key(text, &[]).await;
        let own = Call::get(stage.product.at("/v1/key"))
            .header("x-api-key", key)
            .send()
            .await
            .expect_status(200)
            .json();
        assert_eq!(own["name"], text);
        let mut body = Speaker::OpenAi.ask(GPT, false);
        body["user"] = json!(text);
        body["messages"][0]["content"] = json!(text);
        let _ = stage.ask(Speaker::OpenAi, &body).await.expect_status(200);
        assert!(stage.upstream.last().json()["messages"].to_string().contains(text), "{text}");
        let unknown = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(text, false)).await.expect_status(404);
        assert!(!unknown.text().contains("root:") && !unknown.text().contains("49"), "{}", unknown.text());
    }
}

#[tokio::test]
async fn s86_a_proxy_in_the_environment_is_not_used() {
    let mut stage = Stage::new().await;
    let proxy = Upstream::start(scenes::play).await;
    let url = proxy.url();
    stage.product.kill().await;
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let mut environment = vec![("BYTESPIKE_SECRETS__MASTER_KEY", canary::MASTER_KEY)];
    environment.extend(names.map(|name| (name, url.as_str())));
    stage.product.start_again_with(&environment).await;
    let before = stage.upstream.requests().len();
    let _ = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
    assert_eq!((stage.upstream.requests().len(), proxy.requests().len()), (before + 1, 0));
}
