//! A provider that costs almost nothing: fixed OpenAI-shaped answers, streamed as 32 events when asked.
//! A model name that ends in `-lat50` is answered after 50 ms.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use bytespike_tests::upstream::openai;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

const EVENTS: usize = 32;

/// Starts the provider; it runs as long as the program.
pub async fn start(address: &str) -> SocketAddr {
    let listener = TcpListener::bind(address).await.unwrap_or_else(|error| panic!("{address}: {error}"));
    let address = listener.local_addr().expect("a bound address");
    let whole = Bytes::from(openai::text(&"sea ".repeat(EVENTS)).to_string());
    let stream: Vec<Bytes> = openai::text_stream(&["sea "; EVENTS]).into_iter().map(Bytes::from).collect();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).ok();
            let (whole, stream) = (whole.clone(), stream.clone());
            let service = service_fn(move |request| answer(request, whole.clone(), stream.clone()));
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service),
            );
        }
    });
    address
}

type Answer = Result<http::Response<BoxBody<Bytes, Infallible>>, Infallible>;

async fn answer(request: http::Request<Incoming>, whole: Bytes, stream: Vec<Bytes>) -> Answer {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let says = |text: &str| body.windows(text.len()).any(|window| window == text.as_bytes());
    if says("-lat50\"") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let answer = http::Response::builder();
    Ok(if says("\"stream\":true") {
        let frames = futures_util::stream::iter(stream.into_iter().map(|event| Ok(Frame::data(event))));
        answer.header("content-type", "text/event-stream").body(StreamBody::new(frames).boxed())
    } else {
        answer.header("content-type", "application/json").body(Full::new(whole).boxed())
    }
    .expect("an answer"))
}
