//! One span, one log line and one measurement per request, by route template: never the path or the query, which
//! may hold anything.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytespike_store::world::World;
use http::{HeaderName, HeaderValue};
use tracing::Instrument;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// Gives the request an id of ours (replacing any the client sent), answers with it, and tells how it went.
pub async fn log_request(State(world): State<World>, mut request: Request, next: Next) -> Response {
    let id = world.id("req");
    let id_value = HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("req_unknown"));
    request.headers_mut().insert(REQUEST_ID, id_value.clone());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let span = tracing::info_span!("request", id, %method, route);
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    // The gateway names its answers itself; the log line joins its id with this span's.
    let answered_as = response.headers_mut().entry(REQUEST_ID).or_insert(id_value).clone();
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    let labels = [("method", method.to_string()), ("route", route), ("status", status.to_string())];
    metrics::counter!("bytespike_http_requests_total", &labels).increment(1);
    metrics::histogram!("bytespike_http_answer_start_seconds", &labels).record(elapsed.as_secs_f64());
    span.in_scope(|| tracing::debug!(?answered_as, status, elapsed_us = elapsed.as_micros(), "answered"));
    response
}
