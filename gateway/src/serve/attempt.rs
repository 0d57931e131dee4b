//! One try at one channel: the request goes out, and either an answer has begun or the try has failed.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use bytespike_dialects::UpstreamFailure;
use bytespike_dialects::upstream_failure::FailureHeaders;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use tokio::time::timeout;

use super::failed::Failed;
use super::plan::Route;
use crate::options::GatewayOptions;
use crate::upstream::{Upstream, UpstreamBody};

/// How much of an error answer is read to say what went wrong.
const MAX_ERROR_BYTES: usize = 64 << 10;
/// What providers call the header in which they name a request.
const REQUEST_ID_HEADERS: [&str; 2] = ["request-id", "x-request-id"];
/// A longer name is none.
const LONGEST_REQUEST_ID_BYTES: usize = 128;

/// A request ready for one channel.
pub struct Outgoing {
    pub route: Route,
    pub path: &'static str,
    pub body: Bytes,
    /// Headers of the client's that its own dialect's provider must see unchanged.
    pub forwarded: HeaderMap,
    pub streamed: bool,
}

/// An answer with a good head.
pub struct Answering {
    pub body: UpstreamBody,
    /// What the provider calls the request, to be asked about there.
    pub request_id: Option<String>,
}

/// Sends the request and waits for a good head.
///
/// # Errors
/// Whatever kept a 2xx head from arriving, in words a client may see.
pub async fn send(
    upstream: &dyn Upstream,
    options: &GatewayOptions,
    outgoing: Outgoing,
) -> Result<Answering, Failed> {
    let head_wait = if outgoing.streamed { options.first_byte_timeout } else { options.whole_answer_timeout };
    let request = build(outgoing)?;
    let response = match timeout(head_wait, upstream.send(request)).await {
        Err(_) => return Err(Failed::no_first_byte()),
        Ok(Err(error)) => return Err(error.into()),
        Ok(Ok(response)) => response,
    };
    let request_id = request_id(response.headers());
    if response.status().is_success() {
        return Ok(Answering { body: response.into_body(), request_id });
    }
    Err(Failed { request_id, ..Failed::status(refused(response, options.idle_timeout).await) })
}

/// A provider's word is kept only if it can stand in a receipt.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = REQUEST_ID_HEADERS.iter().find_map(|name| headers.get(*name))?.to_str().ok()?;
    let is_plain =
        (1..=LONGEST_REQUEST_ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| id.to_owned())
}

/// Reads a whole body with a limit on its size and on every silence.
///
/// # Errors
/// When it breaks off, stalls or is too large.
pub async fn read_whole(mut body: UpstreamBody, max_bytes: usize, idle: Duration) -> Result<Bytes, Failed> {
    let mut whole = BytesMut::new();
    loop {
        match timeout(idle, body.frame()).await {
            Err(_) => return Err(Failed::silent()),
            Ok(None) => return Ok(whole.freeze()),
            Ok(Some(Err(error))) => return Err(error.into()),
            Ok(Some(Ok(frame))) => {
                let Ok(data) = frame.into_data() else { continue };
                if whole.len() + data.len() > max_bytes {
                    return Err(Failed::too_large());
                }
                whole.extend_from_slice(&data);
            }
        }
    }
}

fn build(outgoing: Outgoing) -> Result<Request<Full<Bytes>>, Failed> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(outgoing.route.channel.url(outgoing.path))
        .body(Full::new(outgoing.body))
        .map_err(|_| Failed::unusable())?;
    let headers = request.headers_mut();
    *headers = outgoing.forwarded;
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, accept(outgoing.streamed));
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("ByteSpike/", env!("CARGO_PKG_VERSION"))),
    );
    outgoing.route.credential.apply(headers);
    Ok(request)
}

fn accept(streamed: bool) -> HeaderValue {
    HeaderValue::from_static(if streamed { "text/event-stream" } else { "application/json" })
}

async fn refused(response: Response<UpstreamBody>, idle: Duration) -> UpstreamFailure {
    let (head, body) = response.into_parts();
    let body = read_whole(body, MAX_ERROR_BYTES, idle).await.unwrap_or_default();
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let headers = FailureHeaders { retry_after: text("retry-after"), retry_after_ms: text("retry-after-ms") };
    UpstreamFailure::classify(head.status.as_u16(), headers, &body)
}
