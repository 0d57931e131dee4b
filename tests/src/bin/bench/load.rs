//! The load: a bounded number of calls over connections that stay open, each timed to its last byte.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

/// What to send, how often, and over how many connections.
pub struct Load {
    /// `http://host:port/base`
    pub url: String,
    pub key: String,
    pub model: String,
    pub stream: bool,
    pub connections: usize,
    pub calls: usize,
}

/// How long each call took, shortest first, and all of them together.
pub struct Timed {
    each: Vec<Duration>,
    pub took: Duration,
}

impl Timed {
    /// The time within which `percent` of the calls were done.
    pub fn quantile(&self, percent: usize) -> Duration {
        self.each[(self.each.len() * percent / 100).min(self.each.len() - 1)]
    }
}

/// Sends the load and waits for all of it.
pub async fn run(load: Load) -> Timed {
    let uri: http::Uri = format!("{}/chat/completions", load.url).parse().expect("a URL");
    let body = json!({
        "model": load.model, "max_tokens": 64, "stream": load.stream,
        "messages": [{"role": "user", "content": "Say something about the sea in one short paragraph, please."}],
    });
    let body = Bytes::from(body.to_string());
    let started = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..load.connections {
        let (uri, body, key) = (uri.clone(), body.clone(), load.key.clone());
        let calls = load.calls.div_ceil(load.connections);
        workers.spawn(async move { worker(&uri, &body, &key, calls).await });
    }
    let mut each: Vec<Duration> = workers.join_all().await.concat();
    each.sort();
    Timed { each, took: started.elapsed() }
}

async fn worker(uri: &http::Uri, body: &Bytes, key: &str, calls: usize) -> Vec<Duration> {
    let mut connection = connect(uri).await;
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let started = Instant::now();
        call(&mut connection, uri, body, key).await;
        times.push(started.elapsed());
    }
    times
}

async fn connect(uri: &http::Uri) -> SendRequest<Full<Bytes>> {
    let address = uri.authority().expect("a host and port").as_str();
    let socket = TcpStream::connect(address).await.unwrap_or_else(|error| panic!("{address}: {error}"));
    socket.set_nodelay(true).expect("a TCP option");
    let (sender, connection) = handshake(TokioIo::new(socket)).await.expect("an HTTP connection");
    tokio::spawn(connection);
    sender
}

async fn call(connection: &mut SendRequest<Full<Bytes>>, uri: &http::Uri, body: &Bytes, key: &str) {
    let request = http::Request::post(uri.path())
        .header("host", uri.authority().expect("a host and port").as_str())
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Full::new(body.clone()))
        .expect("a request");
    let answer = connection.send_request(request).await.expect("an answer");
    let status = answer.status();
    let body = answer.into_body().collect().await.expect("a whole answer").to_bytes();
    assert!(status.is_success(), "{uri}: {status}: {}", String::from_utf8_lossy(&body));
}
