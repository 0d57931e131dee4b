//! What every browser surface wraps its router in: security headers, caching defaults, conditional requests,
//! compression, and the same-origin check.

pub(crate) mod conditional;
pub(crate) mod encoding;
mod origin;
mod security;

pub use origin::{SameOrigin, same_origin};
pub use security::{ReferrerPolicy, SecurityHeaders};

use crate::page::CachePolicy;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use http::header::{CACHE_CONTROL, SET_COOKIE};

/// Wraps a browser surface. Apply it last, so that its headers are on 404, 405, 500, redirects and assets too.
pub fn layers(router: Router, headers: SecurityHeaders) -> Router {
    router
        .layer(middleware::from_fn_with_state(encoding::Packed::new(), encoding::compress))
        .layer(middleware::from_fn(conditional::answer))
        .layer(middleware::from_fn(default_policy))
        .layer(middleware::from_fn_with_state(headers, security::apply))
}

/// No policy means `no-store`, and a cookie makes a response private whatever it said.
async fn default_policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(SET_COOKIE) {
        CachePolicy::Private.apply(headers);
    } else if !headers.contains_key(CACHE_CONTROL) {
        CachePolicy::NoStore.apply(headers);
    }
    response
}
