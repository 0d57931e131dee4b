//! Unsafe requests from a browser must come from our own pages.

use crate::page::CachePolicy;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::ORIGIN;
use http::{HeaderMap, Method, StatusCode};
use std::sync::Arc;

/// The origins whose forms may reach this surface, as browsers write them: `https://bytespike.example`.
#[derive(Clone, Debug)]
pub struct SameOrigin(Arc<[String]>);

impl SameOrigin {
    /// Takes public base URLs; what follows the authority is dropped.
    #[must_use]
    pub fn new<'u>(base_urls: impl IntoIterator<Item = &'u str>) -> Self {
        Self(base_urls.into_iter().filter_map(origin_of).collect())
    }
}

fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    Some(format!("{scheme}://{authority}").to_ascii_lowercase())
}

/// Refuses an unsafe request unless `Sec-Fetch-Site` says same-origin or, without that header, `Origin` is ours.
/// Both missing is a refusal too. Use with `axum::middleware::from_fn_with_state`.
pub async fn same_origin(State(ours): State<SameOrigin>, request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_safe || is_ours(&ours, request.headers()) {
        return next.run(request).await;
    }
    let text = "This form was sent from another site, or by a browser that hides where it was sent from. \
                Open the page again and send it from there.\n";
    let mut response = (StatusCode::FORBIDDEN, text).into_response();
    CachePolicy::NoStore.apply(response.headers_mut());
    response
}

fn is_ours(ours: &SameOrigin, headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => headers
            .get(ORIGIN)
            .is_some_and(|origin| ours.0.iter().any(|one| one.as_bytes() == origin.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn decided(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        is_ours(&SameOrigin::new(["https://Own.example/", "http://127.0.0.1:8080"]), &headers)
    }

    #[test]
    fn s15_only_our_own_pages_may_post() {
        assert!(decided(&[("sec-fetch-site", "same-origin")]));
        assert!(decided(&[("origin", "https://own.example")]));
        assert!(decided(&[("origin", "http://127.0.0.1:8080")]));
        for refused in [
            &[][..],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "https://own.example")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://own.example.evil")],
            &[("origin", "null")],
        ] {
            assert!(!decided(refused), "{refused:?}");
        }
    }
}
