//! `GET /v1/prices` and `/v1/prices/{version}`: signed price exports, public; the one in force is answered from memory.

use axum::body::Body;
use bytespike_dialects::{ErrorCode, ErrorInfo};
use http::{HeaderValue, Response, StatusCode, header};

use super::receipts::unavailable;
use super::{Answer, Inbound};
use crate::Gateway;
use crate::prices::Signed;

/// The export in force, or the one of the version asked for, or 304 when the caller has it.
pub async fn show(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let current = gateway.prices.current();
    let Some(text) = version_asked(inbound) else { return Ok(answer(inbound, &current.signed)) };
    let version = text.parse().ok().filter(|version: &i64| *version > 0).ok_or_else(|| unknown(inbound))?;
    if version == current.book.version {
        return Ok(answer(inbound, &current.signed));
    }
    let now_ms = gateway.world.now_ms();
    if let Some(signed) = gateway.prices.kept(version, now_ms) {
        return Ok(answer(inbound, &signed));
    }
    let book = gateway.ledger.price_book(version).await.map_err(|error| unavailable(&error))?;
    let signed = gateway.prices.earlier(&book.ok_or_else(|| unknown(inbound))?, now_ms);
    Ok(answer(inbound, &*signed.map_err(|error| unavailable(&error))?))
}

/// From `/v1/prices/{version}` or `?version=`.
fn version_asked(inbound: &Inbound) -> Option<&str> {
    let last = inbound.uri.path().rsplit('/').next().filter(|last| *last != "prices" && !last.is_empty());
    last.or_else(|| inbound.uri.query()?.split('&').find_map(|pair| pair.strip_prefix("version=")))
}

fn unknown(inbound: &Inbound) -> ErrorInfo {
    let path = inbound.uri.path_and_query().map_or_else(|| inbound.uri.path(), |whole| whole.as_str());
    ErrorInfo::new(ErrorCode::NotFound, &[("path", path)])
}

fn answer(inbound: &Inbound, signed: &Signed) -> Response<Body> {
    let known = inbound
        .header("if-none-match")
        .is_some_and(|tags| tags == "*" || tags.contains(signed.etag.as_str()));
    let mut response = Response::new(if known { Body::empty() } else { Body::from(signed.json.clone()) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=0, s-maxage=10"));
    if let Ok(etag) = HeaderValue::from_str(&signed.etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}
