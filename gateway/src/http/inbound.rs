//! A request as it came in: named, timed, and with its body read under a limit.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use bytespike_dialects::{Dialect, ErrorCode, ErrorInfo};
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::Instant;

use crate::Gateway;

/// Largest body of a request that manages something, which is a small JSON document.
const MOST_MANAGEMENT_BYTES: usize = 1 << 20;

/// One request, before anything was decided about it.
pub struct Inbound {
    /// Whose errors and wire format the route speaks.
    pub dialect: Dialect,
    /// Ours, on every answer as `request-id`.
    pub request_id: String,
    pub accepted: Instant,
    pub accepted_at_ms: i64,
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    /// The client's address as the server settled it; unknown where no connection was made, as in tests.
    pub ip: Option<IpAddr>,
    pub body: Bytes,
}

impl Inbound {
    /// A header as text; absent if it is not plain ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Names the request and reads its body.
    ///
    /// # Errors
    /// A NUL in its address, or in a body that manages; too large, compressed, or broken off; with the id it was given.
    pub async fn read(
        gateway: &Gateway,
        dialect: Dialect,
        request: Request<Body>,
    ) -> Result<Self, (String, ErrorInfo)> {
        let request_id = gateway.world.id("req");
        let (accepted, accepted_at_ms) = (Instant::now(), gateway.world.now_ms());
        let (head, body) = request.into_parts();
        let invalid = |reason| ErrorInfo::new(ErrorCode::InvalidRequest, &[("reason", reason)]);
        if has_nul(&head.uri) {
            return Err((
                request_id,
                invalid("the address holds a NUL (%00), which stands in no name and no id"),
            ));
        }
        let ip = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let manages = head.uri.path().starts_with("/api/");
        let max_bytes = gateway.options.max_body_bytes;
        let max_bytes = if manages { max_bytes.min(MOST_MANAGEMENT_BYTES) } else { max_bytes };
        match read_body(&head.headers, body, max_bytes).await {
            Err(error) => Err((request_id, error)),
            // What a model is asked goes to the provider as it is, and is not kept.
            Ok(body) if manages && writes_nul(&body) => Err((request_id, invalid(NUL_IN_BODY))),
            Ok(body) => Ok(Self {
                dialect,
                request_id,
                accepted,
                accepted_at_ms,
                method: head.method,
                uri: head.uri,
                headers: head.headers,
                ip,
                body,
            }),
        }
    }
}

/// Whether an address holds a NUL: it names nothing then, and PostgreSQL keeps no such text.
#[must_use]
pub fn has_nul(uri: &Uri) -> bool {
    uri.path_and_query().is_some_and(|place| place.as_str().contains("%00"))
}

/// Why a body with a NUL is refused.
pub const NUL_IN_BODY: &str = "the body holds a NUL (\\u0000), which stands in no name and no text";

/// Whether a JSON text has a NUL (`\u0000`) in a string: PostgreSQL keeps no such text. One that is written as itself is
/// no JSON.
#[must_use]
pub fn writes_nul(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let escape = &rest[at..];
        if escape.starts_with(br"\u0000") {
            return true;
        }
        rest = escape.get(2..).unwrap_or_default();
    }
    false
}

async fn read_body(headers: &HeaderMap, body: Body, max_bytes: usize) -> Result<Bytes, ErrorInfo> {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        let reason = "send the body without content-encoding; compressed requests are not read";
        return Err(ErrorInfo::new(ErrorCode::UnsupportedMediaType, &[("reason", reason)]));
    }
    let too_large = || {
        let limit = format!("{} MiB", max_bytes >> 20);
        ErrorInfo::new(ErrorCode::RequestTooLarge, &[("limit", &limit)])
    };
    let declared =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > max_bytes) {
        return Err(too_large());
    }
    match Limited::new(body, max_bytes).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => {
            let reason = "the request body broke off before its end";
            Err(ErrorInfo::new(ErrorCode::InvalidRequest, &[("reason", reason)]))
        }
    }
}
