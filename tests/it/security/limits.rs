//! What one client can make the listener do: by being slow, by coming often, by sending much, and by being ambiguous.

use std::time::{Duration, Instant};

use bytespike_tests::http::Call;
use bytespike_tests::product::{CLAUDE, Product, Setup};
use bytespike_tests::raw::{Raw, exchange, status};
use bytespike_tests::stage::Stage;
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";

async fn quick(settings: &str) -> Product {
    Setup::default().settings(settings).start().await
}

fn get(product: &Product, path: &str) -> String {
    let host = product.url.trim_start_matches("http://");
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")
}

/// Two thousand, or as many as a process here may have files.
fn silent_clients() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok());
    files.map_or(400, |files: usize| 2_000.min(files.saturating_sub(200)))
}

#[tokio::test]
async fn s64_who_says_nothing_or_one_byte_at_a_time_is_cut_and_delays_nobody() {
    let product = quick("header_read_timeout_ms = 700\nmax_connections_per_ip = 2500").await;
    let mut silent = Vec::new();
    for _ in 0..silent_clients() {
        silent.push(Raw::to(&product).await);
    }
    let mut slow = Raw::to(&product).await;
    let started = Instant::now();
    let _ = Call::get(product.at("/healthz")).send().await.expect_status(200);
    assert!(started.elapsed() < Duration::from_secs(5), "a normal request waits for nobody");
    let dripping = tokio::spawn(async move {
        for byte in b"GET /healthz HTTP/1.1\r\nx-slow: ".iter().chain([b'a'; 2_000].iter()) {
            if !slow.write(&[*byte]).await {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    });
    for mut connection in silent {
        assert_eq!(connection.until_closed().await, "", "cut without a word");
    }
    assert!(dripping.await.unwrap(), "two thousand bytes were taken one at a time");
}

#[tokio::test]
async fn s65_a_connection_on_which_nothing_happens_is_closed() {
    let product = quick("keep_alive_ms = 400").await;
    let mut idle = Raw::to(&product).await;
    let host = product.url.trim_start_matches("http://").to_owned();
    assert!(idle.write(format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes()).await);
    let answer = idle.until_closed().await;
    assert!(status(&answer) == 200 && answer.ends_with("ok"), "{answer}");
}

/// A frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a small frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The code of the frame that ends a connection (GOAWAY), if one came.
fn farewell(mut frames: &[u8]) -> Option<u32> {
    while let [a, b, c, kind, _, rest @ ..] = frames {
        let length = usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).ok()?;
        let payload = rest.get(4..4 + length)?;
        if let (7, [_, _, _, _, code @ ..]) = (*kind, payload) {
            return Some(u32::from_be_bytes(code.get(..4)?.try_into().ok()?));
        }
        frames = &rest[4 + length..];
    }
    None
}

#[tokio::test]
async fn s65_who_opens_streams_only_to_reset_them_loses_the_connection_and_delays_nobody() {
    const ENHANCE_YOUR_CALM: u32 = 11;
    let product = quick("").await;
    let host = product.url.trim_start_matches("http://").as_bytes();
    let length = [u8::try_from(host.len()).expect("a short host")];
    // :method GET, :scheme http, :path /, and :authority as a literal (RFC 7541, appendix A).
    let head = [&[0x82, 0x86, 0x84, 0x01][..], &length, host].concat();
    let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    flood.extend(frame(4, 0, 0, &[]));
    for stream in (1..20_000).step_by(2) {
        flood.extend(frame(1, 0x5, stream, &head));
        flood.extend(frame(3, 0, stream, &8_u32.to_be_bytes()));
    }
    let mut raw = Raw::to(&product).await;
    let _ = raw.write(&flood).await;
    let started = Instant::now();
    let _ = Call::get(product.at("/healthz")).send().await.expect_status(200);
    assert!(started.elapsed() < Duration::from_secs(5), "a normal request waits for nobody");
    let said = raw.bytes_until_closed().await;
    assert_eq!(farewell(&said), Some(ENHANCE_YOUR_CALM), "{said:?}");
}

#[tokio::test]
async fn s66_one_client_has_so_many_connections_and_hears_503_above_them() {
    let product = quick("max_connections_per_ip = 4").await;
    let (mut held, started) = (Vec::new(), Instant::now());
    // Each has its place once it was answered; whoever asked whether the product is ready may still have one.
    let host = product.url.trim_start_matches("http://").to_owned();
    while held.len() < 4 {
        let mut one = Raw::to(&product).await;
        assert!(one.write(format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes()).await);
        match status(&one.head().await) {
            200 => held.push(one),
            503 => assert!(started.elapsed() < bytespike_tests::PATIENCE, "four places are not to be had"),
            other => panic!("{other}"),
        }
    }
    let refused = exchange(&product, get(&product, "/healthz")).await;
    assert_eq!(status(&refused), 503, "{refused}");
    assert!(refused.contains("retry-after: 1"), "{refused}");
    drop(held);
    let started = Instant::now();
    let metrics = loop {
        let answer = exchange(&product, get(&product, "/metrics")).await;
        if status(&answer) == 200 {
            break answer;
        }
        assert!(started.elapsed() < bytespike_tests::PATIENCE, "the places were not given back");
    };
    assert!(
        metrics.contains("bytespike_connections_refused_total")
            && metrics.contains("bytespike_connections_open")
    );
}

/// A request that announces a body and sends none of it.
fn announcing(product: &Product, (path, kind, more): (&str, &str, &str), length: usize) -> String {
    let host = product.url.trim_start_matches("http://");
    format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nsec-fetch-site: same-origin\r\ncontent-type: {kind}\r\n{more}\
         content-length: {length}\r\nconnection: close\r\n\r\n"
    )
}

#[tokio::test]
async fn s67_a_body_over_its_limit_is_refused_without_its_rest() {
    let stage = Stage::new().await;
    let key = format!("x-api-key: {}\r\n", stage.key);
    let cookie = format!("cookie: bs_sid={}\r\n", stage.person.cookies["bs_sid"]);
    for (path, kind, more, limit) in [
        ("/console/sign-in", FORM, "", 16 << 10),
        ("/console/sign-up", FORM, "", 16 << 10),
        ("/console/settings/profile", FORM, &*cookie, 256 << 10),
        ("/oauth/token", FORM, "", 16 << 10),
        ("/oauth/revoke", FORM, "", 16 << 10),
        ("/api/v1/keys", "application/json", &*key, 1 << 20),
        ("/api/v1/operator/wallets/org_1/credits", "application/json", "", 1 << 20),
        ("/v1/messages", "application/json", &*key, 32 << 20),
        ("/v1/chat/completions", "application/json", &*key, 32 << 20),
    ] {
        // What says it is too large is refused at once, or as soon as it is; the rest is not waited for.
        let mut request = announcing(&stage.product, (path, kind, more), 64 << 20).into_bytes();
        let sent = if limit > 1 << 20 { 0 } else { limit + 1 };
        request.extend(std::iter::repeat_n(b'a', sent));
        let answer = exchange(&stage.product, request).await;
        assert_eq!(status(&answer), 413, "{path}: {}", answer.chars().take(300).collect::<String>());
    }
}

#[tokio::test]
async fn s68_a_body_that_drips_is_cut() {
    let stage = Stage::with(|setup| setup.settings("slow_body_timeout_ms = 1000")).await;
    let key = format!("x-api-key: {}\r\n", stage.key);
    let head = announcing(&stage.product, ("/v1/messages", "application/json", &key), 5_000);
    let mut slow = Raw::to(&stage.product).await;
    assert!(slow.write(head.as_bytes()).await && slow.write(b"{\"model\":").await);
    let started = Instant::now();
    let answer = slow.until_closed().await;
    assert!(started.elapsed() < Duration::from_secs(20), "{answer}");
    assert!(matches!(status(&answer), 0 | 400), "{answer}");
}

#[tokio::test]
async fn s69_a_compressed_request_is_refused_unread() {
    let stage = Stage::new().await;
    let calls = stage.upstream.requests().len();
    for coding in ["gzip", "br", "zstd", "deflate", "gzip, gzip"] {
        for speaker in bytespike_tests::speaker::SPEAKERS {
            let call = stage.call(speaker, &speaker.ask(CLAUDE, false)).header("content-encoding", coding);
            assert_eq!(call.send().await.status, 415, "{coding}");
        }
        let managed = Call::post(stage.product.at("/api/v1/keys"), &json!({"name": "x"}));
        let managed = managed.header("x-api-key", &*stage.key).header("content-encoding", coding);
        assert_eq!(managed.send().await.status, 415, "{coding}");
    }
    assert_eq!(stage.upstream.requests().len(), calls);
}

#[tokio::test]
async fn s70_too_deep_too_many_and_too_long_are_refused_by_their_own_status() {
    let mut stage = Stage::new().await;
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    for speaker in bytespike_tests::speaker::SPEAKERS {
        for depth in [200, 100_000] {
            let text = speaker.ask(CLAUDE, false).to_string();
            let body = text.replacen('{', &format!("{{\"metadata\": {}, ", deep(depth)), 1);
            let call = stage.call(speaker, &Value::Null).body(body);
            assert_eq!(call.send().await.status, 400, "{speaker:?} {depth}");
        }
    }
    let manager = bytespike_tests::keys::manager(&mut stage).await;
    let managed = Call::post(stage.product.at("/api/v1/keys"), &Value::Null).header("x-api-key", &*manager);
    assert_eq!(managed.body(deep(100_000)).send().await.status, 400, "the management API");
    let fields: Vec<(String, String)> = (0..201).map(|n| (format!("f{n}"), String::new())).collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(stage.person.post("/console/settings/profile", &fields).await.status, 400, "fields");
    let product = &stage.product;
    let long = exchange(product, get(product, &format!("/{}", "a".repeat(17 << 10)))).await;
    assert_eq!(status(&long), 414);
    let many: String = (0..150).map(|n| format!("x-{n}: 1\r\n")).collect();
    let many = exchange(product, get(product, "/").replace("connection: close\r\n", &many)).await;
    assert_eq!(status(&many), 431);
    let wide =
        get(product, "/").replace("connection: close\r\n", &format!("x-wide: {}\r\n", "a".repeat(80 << 10)));
    assert_eq!(status(&exchange(product, wide).await), 431);
    let _ = Call::get(stage.product.at("/healthz")).send().await.expect_status(200);
}

#[tokio::test]
async fn s71_a_request_that_two_readers_could_read_differently_never_becomes_two() {
    let stage = Stage::new().await;
    let host = stage.product.url.trim_start_matches("http://");
    let second = format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let post = |headers: &str, body: &str| {
        format!(
            "POST /v1/messages HTTP/1.1\r\nhost: {host}\r\nx-api-key: {}\r\n{headers}\r\n\r\n{body}{second}",
            stage.key
        )
    };
    for (what, request) in [
        ("two lengths", post("content-length: 0\r\ncontent-length: 5", "")),
        ("two lengths in one", post("content-length: 0, 5", "")),
        ("a signed length", post("content-length: +5", "hello")),
        ("a negative length", post("content-length: -1", "")),
        ("a hexadecimal length", post("content-length: 0x5", "hello")),
        ("a coding behind chunked", post("transfer-encoding: chunked, identity", "0\r\n\r\n")),
        ("an unknown coding", post("transfer-encoding: xchunked", "0\r\n\r\n")),
        ("a space before the colon", post("transfer-encoding : chunked", "0\r\n\r\n")),
        ("a folded header", post("x-a: b\r\n transfer-encoding: chunked", "0\r\n\r\n")),
        ("a bare return in a header", post("x-a: b\rtransfer-encoding: chunked", "")),
        ("a nul in a header", post("x-a: b\u{0}c", "")),
    ] {
        let answer = exchange(&stage.product, request).await;
        assert_eq!(status(&answer), 400, "{what}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{what}: a second request was read: {answer}");
        assert!(!answer.ends_with("ok"), "{what}: {answer}");
    }
    for (what, request) in [
        ("both lengths", post("content-length: 5\r\ntransfer-encoding: chunked", "0\r\n\r\n")),
        ("both, the other way around", post("transfer-encoding: chunked\r\ncontent-length: 5", "0\r\n\r\n")),
        (
            "a chunk of overflowing size",
            post("transfer-encoding: chunked", "fffffffffffffffff\r\nx\r\n0\r\n\r\n"),
        ),
        ("a chunk without a size", post("transfer-encoding: chunked", "\r\n\r\n")),
        ("a chunk longer than it says", post("transfer-encoding: chunked", "1\r\nxyz\r\n0\r\n\r\n")),
        (
            "trailers",
            post(
                "transfer-encoding: chunked",
                "2\r\n{}\r\n0\r\nx-api-key: other\r\ncontent-length: 9\r\n\r\n",
            ),
        ),
    ] {
        let answer = exchange(&stage.product, request).await;
        assert!(matches!(status(&answer), 0 | 400), "{what}: {answer}");
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{what}: a second request was read: {answer}");
    }
    // RFC 9112 2.2 lets a bare line feed end a line; it ends one, and one request stays one.
    let bare = format!("GET /healthz HTTP/1.1\nhost: {host}\nconnection: close\n\n{second}");
    let answer = exchange(&stage.product, bare).await;
    assert_eq!((status(&answer), answer.matches("HTTP/1.1 ").count()), (200, 1), "{answer}");
    assert_eq!(stage.upstream.requests().len(), 0, "none of it reached a provider");
}
