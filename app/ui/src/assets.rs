//! Style sheets, fonts, icons and scripts, embedded at build time and served under names that carry their hash.

use crate::http::encoding::{self, Coding};
use crate::page::{CachePolicy, vary_by_encoding};
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, StatusCode};

pub(crate) struct Asset {
    name: &'static str,
    hashed: &'static str,
    hash: &'static str,
    media_type: &'static str,
    identity: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The address of an asset by its plain name; a name that does not exist is caught by a test over every page.
#[must_use]
pub fn url(name: &str) -> String {
    let hashed = ASSETS.iter().find(|asset| asset.name == name).map_or(name, |asset| asset.hashed);
    format!("/_a/{hashed}")
}

/// `/_a/{file}` and `/favicon.ico`'s redirect, which every browser surface mounts.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/_a/{file}", get(serve)).route("/favicon.ico", get(favicon))
}

async fn serve(Path(file): Path<String>, request: HeaderMap) -> Response {
    match ASSETS.iter().find(|asset| asset.hashed == file) {
        Some(asset) => asset.respond(encoding::best(&request), CachePolicy::HashedAsset),
        None => unknown(),
    }
}

async fn favicon(request: HeaderMap) -> Response {
    match ASSETS.iter().find(|asset| asset.name == "favicon.svg") {
        Some(asset) => asset.respond(encoding::best(&request), CachePolicy::FixedName),
        None => unknown(),
    }
}

/// A shared cache must not keep this: the next release may know the name.
fn unknown() -> Response {
    let mut headers = HeaderMap::new();
    CachePolicy::NoStore.apply(&mut headers);
    (StatusCode::NOT_FOUND, headers, "unknown asset").into_response()
}

impl Asset {
    fn respond(&self, wanted: Coding, policy: CachePolicy) -> Response {
        let (coding, bytes) = match (wanted, self.brotli, self.gzip) {
            (Coding::Brotli, Some(bytes), _) => (Coding::Brotli, bytes),
            (Coding::Brotli | Coding::Gzip, _, Some(bytes)) => (Coding::Gzip, bytes),
            _ => (Coding::Identity, self.identity),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        if let Ok(tag) = HeaderValue::try_from(format!("\"{}{}\"", self.hash, coding.suffix())) {
            headers.insert(ETAG, tag);
        }
        if let Some(name) = coding.name() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        vary_by_encoding(&mut headers);
        policy.apply(&mut headers);
        (headers, bytes).into_response()
    }
}
