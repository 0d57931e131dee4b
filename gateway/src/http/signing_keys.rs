//! `GET /v1/signing-keys`: the public keys of receipts and price exports, public, answered from memory.

use axum::body::Body;
use http::{HeaderValue, Response, header};

use crate::Gateway;

/// A JSON Web Key Set. Keys change only when a process starts.
pub fn show(gateway: &Gateway) -> Response<Body> {
    // Texts only: this always serialises.
    let json = serde_json::to_vec(&gateway.signing_keys).unwrap_or_default();
    let mut response = Response::new(Body::from(json));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
