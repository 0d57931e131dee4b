//! The listener's bounds, over real sockets.

use axum::routing::get;
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::*;

/// Nothing here takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<Remaining>,
}

fn limits() -> Limits {
    Limits {
        header_read_timeout: Duration::from_millis(300),
        keep_alive: Duration::from_millis(600),
        max_connections: 100,
        max_connections_per_ip: 100,
    }
}

async fn start(router: Router, limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let server = tokio::spawn(serve(listener, router, limits, stop.clone()));
    Running { address, stop, server }
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// Everything the server sends until it closes.
async fn rest_of(stream: &mut TcpStream) -> String {
    let mut received = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut received)).await;
    // A reset is a close too.
    drop(read.expect("the server never closed the connection"));
    String::from_utf8_lossy(&received).into_owned()
}

async fn sends(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    rest_of(&mut stream).await
}

#[tokio::test]
async fn s64_a_client_that_says_nothing_or_too_little_is_cut_while_others_are_served() {
    let running = start(hello(), limits()).await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let mut half_a_preface = TcpStream::connect(running.address).await.unwrap();
    half_a_preface.write_all(b"PRI * HT").await.unwrap();
    let (mut reader, mut writer) = TcpStream::connect(running.address).await.unwrap().into_split();
    let dripping = tokio::spawn(async move {
        for byte in b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ".iter().chain([b'a'; 10_000].iter()) {
            if writer.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server took ten thousand bytes, one at a time");
    });
    let served = sends(running.address, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(served.ends_with("hello"), "{served}");
    assert_eq!(rest_of(&mut silent).await, "");
    assert_eq!(rest_of(&mut half_a_preface).await, "");
    let mut answer = Vec::new();
    drop(tokio::time::timeout(PATIENCE, reader.read_to_end(&mut answer)).await.expect("never cut"));
    dripping.await.unwrap();
}

#[tokio::test]
async fn s65_an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let running = start(streaming(receiver), limits()).await;
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    idle.write_all(b"GET /plain HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut busy = TcpStream::connect(running.address).await.unwrap();
    busy.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    sender.send("first").unwrap();
    assert!(rest_of(&mut idle).await.ends_with("plain"));
    sender.send("second").unwrap();
    drop(sender);
    let received = rest_of(&mut busy).await;
    assert!(received.contains("first") && received.contains("second"), "{received}");
}

#[tokio::test]
async fn a_running_stream_finishes_after_a_stop_and_nothing_new_begins() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let running = start(streaming(receiver), limits()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    sender.send("first").unwrap();
    let mut first = [0; 1024];
    while !String::from_utf8_lossy(&first).contains("first") {
        assert!(stream.read(&mut first).await.unwrap() > 0);
    }
    running.stop.cancel();
    let refused = async {
        while TcpStream::connect(running.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("it still accepts connections");
    sender.send("second").unwrap();
    drop(sender);
    assert!(rest_of(&mut stream).await.contains("second"));
    let remaining = tokio::time::timeout(PATIENCE, running.server).await.expect("it did not end").unwrap();
    assert!(remaining.finish_within(PATIENCE).await, "the stream ended and its connection did not");
}

#[tokio::test]
async fn a_stream_that_does_not_finish_is_not_waited_for_longer_than_the_grace() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let running = start(streaming(receiver), limits()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    sender.send("first").unwrap();
    assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
    running.stop.cancel();
    let remaining = tokio::time::timeout(PATIENCE, running.server).await.expect("it waited on").unwrap();
    assert!(
        !remaining.finish_within(Duration::from_millis(100)).await,
        "a running stream counted as finished"
    );
    drop(sender);
    assert!(remaining.finish_within(PATIENCE).await);
}

#[tokio::test]
async fn http_2_is_spoken_to_whoever_opens_with_it() {
    let running = start(hello(), limits()).await;
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = client.get(format!("http://{}/", running.address)).send().await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    assert_eq!(answer.text().await.unwrap(), "hello");
}

#[tokio::test]
async fn s66_one_client_cannot_take_every_connection() {
    let running = start(hello(), Limits { max_connections_per_ip: 2, ..limits() }).await;
    let held = [
        TcpStream::connect(running.address).await.unwrap(),
        TcpStream::connect(running.address).await.unwrap(),
    ];
    let refused = sends(running.address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after"), "{refused}");
    drop(held);
    let request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let admitted = async { while !sends(running.address, request).await.ends_with("hello") {} };
    tokio::time::timeout(PATIENCE, admitted).await.expect("the places were never given back");
}

#[tokio::test]
async fn s70_s71_a_request_that_two_servers_could_read_differently_is_refused_and_the_connection_closed() {
    let running = start(hello(), limits()).await;
    let ambiguous = [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: +5",
        "transfer-encoding: chunked, identity",
        "transfer-encoding : chunked",
        "x: a\r\n folded",
    ];
    for headers in ambiguous {
        let request =
            format!("POST / HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n");
        let answer = sends(running.address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{headers}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{headers}: a second request was read: {answer}");
    }
    let both = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let answer = sends(running.address, both).await;
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "a second request was read: {answer}");
    let long = format!("GET /{} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "a".repeat(20_000));
    assert!(sends(running.address, &long).await.starts_with("HTTP/1.1 414"));
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let answer = sends(running.address, &format!("GET / HTTP/1.1\r\nhost: a\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

/// `/stream` answers with what the channel brings, until it closes.
fn streaming(receiver: mpsc::UnboundedReceiver<&'static str>) -> Router {
    let receiver = Arc::new(tokio::sync::Mutex::new(Some(receiver)));
    let stream = move || async move {
        let receiver = receiver.lock().await.take().unwrap();
        let pieces = futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|piece| (piece, receiver))
        });
        axum::body::Body::from_stream(pieces.map(Ok::<_, std::convert::Infallible>))
    };
    Router::new().route("/stream", get(stream)).route("/plain", get(|| async { "plain" }))
}
