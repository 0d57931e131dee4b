//! Answers on their way out: JSON, streams, and errors in the caller's dialect.

use axum::body::Body;
use bytes::Bytes;
use bytespike_dialects::error::Retry;
use bytespike_dialects::{Dialect, ErrorInfo};
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::serve::Refused;

/// The content type of a stream.
pub const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";
const JSON: &str = "application/json";

/// A 200 with a JSON body.
#[must_use]
pub fn json(headers: HeaderMap, body: Bytes) -> Response<Body> {
    build(StatusCode::OK, headers, JSON, Body::from(body))
}

/// A 200 with a JSON value.
#[must_use]
pub fn value(value: &serde_json::Value) -> Response<Body> {
    json(HeaderMap::new(), Bytes::from(value.to_string()))
}

/// A 200 that was sent before: JSON, unless its headers say that it is an event stream.
#[must_use]
pub fn again(headers: HeaderMap, body: Bytes) -> Response<Body> {
    let is_stream = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == EVENT_STREAM);
    build(StatusCode::OK, headers, if is_stream { EVENT_STREAM } else { JSON }, Body::from(body))
}

/// A 200 with an event stream that no proxy may hold back.
#[must_use]
pub fn stream(
    mut headers: HeaderMap,
    events: impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send + 'static,
) -> Response<Body> {
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    build(StatusCode::OK, headers, EVENT_STREAM, Body::from_stream(events))
}

/// A 200 with a table, whole or in pieces.
#[must_use]
pub fn table(body: Body) -> Response<Body> {
    build(StatusCode::OK, HeaderMap::new(), "text/csv; charset=utf-8", body)
}

/// An error in the caller's dialect, with what it should do next in headers.
#[must_use]
pub fn error(dialect: Dialect, refused: Refused, request_id: &str) -> Response<Body> {
    let Refused { error, mut headers } = refused;
    crate::telemetry::refused(error.code);
    let error = ErrorInfo { request_id: Some(request_id.to_owned()), ..*error };
    add_retry(&mut headers, &error);
    let (status, body) = error.render(dialect);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    build(status, headers, JSON, Body::from(body))
}

fn build(status: StatusCode, headers: HeaderMap, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// SDKs obey `x-should-retry`; a wait longer than a minute is not worth their while.
fn add_retry(headers: &mut HeaderMap, error: &ErrorInfo) {
    let wait_ms = error.retry_after_ms.filter(|wait_ms| *wait_ms > 0);
    let soon = wait_ms.is_none_or(|wait_ms| wait_ms <= 60_000);
    let retry = match error.code.row().retry {
        Retry::Never => false,
        Retry::Later => soon,
        Retry::AfterReset => wait_ms.is_some() && soon,
    };
    headers.insert("x-should-retry", HeaderValue::from_static(if retry { "true" } else { "false" }));
    if let Some(wait_ms) = wait_ms {
        headers.insert("retry-after", HeaderValue::from(wait_ms.saturating_add(999) / 1_000));
        headers.insert("retry-after-ms", HeaderValue::from(wait_ms));
    }
}
