//! Compression with an entity tag per coding. Only what a shared cache may keep is compressed: a page that mixes a
//! secret with reflected input must not be. What was compressed once is kept by its tag, which stands for its bytes.

use crate::page::vary_by_encoding;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt as _;
use std::io::{self, Write as _};

/// Higher ones save less than a twentieth and take several times as long; the price list has new bytes every minute.
const BROTLI_QUALITY: i32 = 5;
const SMALLEST_BYTES: usize = 860;
/// Every page of the site and the documentation in both languages and codings takes a tenth of it.
const KEPT_BYTES: u64 = 32 * 1024 * 1024;

/// Compressed bodies by path, entity tag and coding. Clones share them.
#[derive(Clone)]
pub(crate) struct Packed(moka::future::Cache<(String, HeaderValue, Coding), Bytes>);

impl Packed {
    pub(crate) fn new() -> Self {
        let weight = |_: &_, bytes: &Bytes| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Self(moka::future::Cache::builder().max_capacity(KEPT_BYTES).weigher(weight).build())
    }

    /// The body in this coding; `None` if it is too small to gain from it.
    async fn body(&self, key: Option<(String, HeaderValue, Coding)>, coding: Coding, body: Body) -> Packing {
        if let Some(key) = &key
            && let Some(bytes) = self.0.get(key).await
        {
            return Packing::Packed(bytes);
        }
        let Ok(bytes) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
            return Packing::Plain(Bytes::new());
        };
        let packed = if bytes.len() < SMALLEST_BYTES { None } else { pack(coding, &bytes) };
        let Some(packed) = packed else { return Packing::Plain(bytes) };
        if let Some(key) = key {
            self.0.insert(key, packed.clone()).await;
        }
        Packing::Packed(packed)
    }
}

enum Packing {
    Packed(Bytes),
    Plain(Bytes),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    Identity,
    Gzip,
    Brotli,
}

impl Coding {
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }

    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-gz",
            Self::Brotli => "-br",
        }
    }
}

/// The best coding the client takes; one it gave `q=0` is never used.
pub(crate) fn best(request: &HeaderMap) -> Coding {
    let values = request.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    let accepted: Vec<&str> = values.flat_map(|value| value.split(',')).filter_map(accepted_name).collect();
    let takes = |name| accepted.iter().any(|one| one.eq_ignore_ascii_case(name));
    match (takes("br"), takes("gzip")) {
        (true, _) => Coding::Brotli,
        (false, true) => Coding::Gzip,
        (false, false) => Coding::Identity,
    }
}

fn accepted_name(item: &str) -> Option<&str> {
    let (name, parameters) = item.split_once(';').unwrap_or((item, "q=1"));
    let quality = parameters.trim().strip_prefix("q=").and_then(|value| value.trim().parse::<f32>().ok());
    (quality.unwrap_or(1.0) > 0.0).then(|| name.trim())
}

pub(crate) async fn compress(State(packed): State<Packed>, request: Request, next: Next) -> Response {
    let coding = best(request.headers());
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    if !is_shareable_text(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    vary_by_encoding(&mut parts.headers);
    let key = parts.headers.get(ETAG).map(|tag| (path, tag.clone(), coding));
    match packed.body(key, coding, body).await {
        Packing::Plain(bytes) => Response::from_parts(parts, Body::from(bytes)),
        Packing::Packed(bytes) => {
            mark(&mut parts.headers, coding);
            Response::from_parts(parts, Body::from(bytes))
        }
    }
}

fn is_shareable_text(headers: &HeaderMap) -> bool {
    let starts = |name, prefixes: &[&str]| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        prefixes.iter().any(|prefix| value.starts_with(prefix))
    };
    let kinds = ["text/", "application/json", "application/atom+xml", "application/xml"];
    !headers.contains_key(CONTENT_ENCODING)
        && starts(CACHE_CONTROL, &["public"])
        && starts(CONTENT_TYPE, &kinds)
}

fn mark(headers: &mut HeaderMap, coding: Coding) {
    headers.remove(CONTENT_LENGTH);
    if let Some(name) = coding.name() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).and_then(|tag| tag.strip_suffix('"'));
    let tag = tag
        .map(|open| format!("{open}{}\"", coding.suffix()))
        .and_then(|tag| HeaderValue::try_from(tag).ok());
    if let Some(tag) = tag {
        headers.insert(ETAG, tag);
    }
}

fn pack(coding: Coding, bytes: &[u8]) -> Option<Bytes> {
    let packed = match coding {
        Coding::Identity => return None,
        Coding::Gzip => gzip(bytes),
        Coding::Brotli => brotli(bytes),
    };
    packed.ok().map(Bytes::from)
}

fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() / 4);
    let params = brotli::enc::BrotliEncoderParams { quality: BROTLI_QUALITY, ..Default::default() };
    brotli::BrotliCompress(&mut &*bytes, &mut out, &params)?;
    Ok(out)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder =
        flate2::write::GzEncoder::new(Vec::with_capacity(bytes.len() / 3), flate2::Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_refused_with_q0_is_not_used() {
        for (header, coding) in [
            ("gzip, deflate, br, zstd", Coding::Brotli),
            ("gzip;q=1.0, br;q=0", Coding::Gzip),
            ("br;q=0.000, gzip;q=0", Coding::Identity),
            ("identity", Coding::Identity),
            ("GZIP", Coding::Gzip),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(header));
            assert_eq!(best(&headers), coding, "{header}");
        }
    }
}
