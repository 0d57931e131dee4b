//! Puts an answer on the wire, and spoils it there as the directives say; what a dialect's bytes mean is not known here.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderName, StatusCode, header};
use serde_json::Value;

use super::directives::Directives;

/// How a dialect spells an error: as a body, and as an event of a stream.
pub struct ErrorSpelling {
    pub body: fn(StatusCode, &str) -> Value,
    pub event: fn(&Value) -> String,
}

/// Runs `reply` unless the directives want a failure in its place.
pub async fn answer_or_fail(
    directives: &Directives,
    stream: bool,
    spelling: &ErrorSpelling,
    reply: impl FnOnce() -> Response,
) -> Response {
    if directives.hang {
        return std::future::pending().await;
    }
    if let Some(status) = directives.status {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return refusal(status, directives, spelling);
    }
    if directives.error_body {
        let error = (spelling.body)(StatusCode::INTERNAL_SERVER_ERROR, "the demo provider was told to fail");
        let frames = vec![(spelling.event)(&error)];
        return if stream { streamed(frames, directives) } else { whole(&error, directives) };
    }
    reply()
}

/// An error answer with the status it deserves.
pub fn refusal(status: StatusCode, directives: &Directives, spelling: &ErrorSpelling) -> Response {
    let message = format!("the demo provider was told to answer {}", status.as_u16());
    let mut response = json_response(status, (spelling.body)(status, &message).to_string().into());
    if matches!(status.as_u16(), 429 | 503 | 529) {
        let seconds = directives.retry_after_s.unwrap_or(1);
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// A whole JSON answer.
pub fn whole(body: &Value, directives: &Directives) -> Response {
    let mut text = body.to_string().into_bytes();
    if directives.malformed.is_some() {
        text.truncate(text.len() / 2);
    }
    let body = match (directives.cut, directives.hang_after) {
        (Some(_), _) => Body::from_stream(stream::iter([Ok(half(&text))]).chain(cut())),
        (None, Some(0)) => Body::from_stream(stream::pending::<Result<Bytes, Infallible>>()),
        (None, Some(_)) => {
            Body::from_stream(stream::iter([Ok::<_, Infallible>(half(&text))]).chain(stream::pending()))
        }
        (None, None) => delayed(text.into(), directives.slow),
    };
    json_response(StatusCode::OK, body)
}

/// A stream of events, each `frame` with its closing blank line.
pub fn streamed(mut frames: Vec<String>, directives: &Directives) -> Response {
    if let Some(frame) = directives.malformed.and_then(|at| frames.get_mut(at.saturating_sub(1))) {
        let whole = frame.trim_end();
        *frame = format!("{}\n\n", whole.get(..whole.len() - 2).unwrap_or_default());
    }
    let total = frames.len();
    let kept = directives.cut.or(directives.hang_after).unwrap_or(total).min(total);
    let sent = paced(frames.into_iter().take(kept), directives.slow);
    let body = match (directives.cut, directives.hang_after) {
        (Some(_), _) => Body::from_stream(sent.chain(cut())),
        (None, Some(_)) => Body::from_stream(sent.chain(stream::pending())),
        (None, None) => Body::from_stream(sent),
    };
    with_type(StatusCode::OK, "text/event-stream; charset=utf-8", body)
}

/// Replaces everything after `after` events by an error, for a stream that breaks politely.
pub fn end_with_error(
    mut frames: Vec<String>,
    after: Option<usize>,
    error_frame: impl FnOnce() -> String,
) -> Vec<String> {
    if let Some(after) = after {
        frames.truncate(after);
        frames.push(error_frame());
    }
    frames
}

/// A JSON answer with this status.
pub fn json_response(status: StatusCode, body: Body) -> Response {
    with_type(status, "application/json", body)
}

fn with_type(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let served_by = (HeaderName::from_static("x-provider"), "bytespike-demo");
    (status, [(header::CONTENT_TYPE, content_type), served_by], body).into_response()
}

fn paced(
    frames: impl Iterator<Item = String> + Send + 'static,
    pause: Duration,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    stream::iter(frames).then(move |frame| async move {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        Ok(Bytes::from(frame))
    })
}

fn delayed(text: Bytes, pause: Duration) -> Body {
    if pause.is_zero() {
        return Body::from(text);
    }
    Body::from_stream(stream::once(async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(text)
    }))
}

fn half(text: &[u8]) -> Bytes {
    Bytes::copy_from_slice(text.get(..text.len() / 2).unwrap_or_default())
}

/// An error in a body makes the server drop the connection without ending the answer. It is given time to put on the
/// wire what came before.
fn cut() -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    stream::once(async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(std::io::Error::other("the demo provider was told to cut the connection"))
    })
}
