//! `GET /v1/prices`: the signed price export, public, answered from memory.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};

use super::Inbound;
use crate::Gateway;

/// The current export, or 304 when the caller has it.
pub fn show(gateway: &Gateway, inbound: &Inbound) -> Response<Body> {
    let current = gateway.prices.current();
    let known = inbound
        .header("if-none-match")
        .is_some_and(|tags| tags == "*" || tags.contains(current.etag.as_str()));
    let mut response = Response::new(if known { Body::empty() } else { Body::from(current.json.clone()) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=0, s-maxage=10"));
    if let Ok(etag) = HeaderValue::from_str(&current.etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}
