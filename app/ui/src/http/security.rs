//! The headers that keep a page from being framed, sniffed, scripted or traced.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, SERVER, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; \
    base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'";
const NO_PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), \
    fullscreen=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), magnetometer=(), microphone=(), midi=(), \
    payment=(), picture-in-picture=(), publickey-credentials-get=(self), screen-wake-lock=(), serial=(), usb=(), \
    xr-spatial-tracking=()";
const ONE_YEAR: &str = "max-age=31536000; includeSubDomains";

/// How much of an address a click carries away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferrerPolicy {
    /// The console and the public pages.
    SameOrigin,
    /// Reset, invitation and consent pages, whose address is a secret.
    NoReferrer,
}

/// How a surface is reached, as far as its headers depend on it.
#[derive(Clone, Copy, Debug)]
pub struct SecurityHeaders {
    /// The public address is https: browsers are told never to try http again.
    pub https: bool,
    pub referrer: ReferrerPolicy,
}

pub(super) async fn apply(State(options): State<SecurityHeaders>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.remove(SERVER);
    headers.remove("x-powered-by");
    for (name, value) in fixed() {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A page that must do less than its surface says so itself.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    if options.https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONE_YEAR));
    }
    let referrer = match options.referrer {
        ReferrerPolicy::SameOrigin => "same-origin",
        ReferrerPolicy::NoReferrer => "no-referrer",
    };
    // A page with a secret in its address says so itself, and stays stricter than its surface.
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static(referrer));
    complete_media_type(headers);
    response
}

fn fixed() -> [(HeaderName, &'static str); 5] {
    [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), NO_PERMISSIONS),
    ]
}

/// Framework fallbacks send text without saying its character set.
fn complete_media_type(headers: &mut HeaderMap) {
    let bare = headers.get(CONTENT_TYPE).is_some_and(|value| value == "text/plain" || value == "text/html");
    if bare {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
}
