//! Headers of an answer that no browser surface dressed: the API's, and 404, 405, 421, 429 and 500 from around the
//! surfaces. None of them is a page, so none may be framed, guessed to be one, or run anything.

use axum::extract::State;
use axum::response::Response;
use http::HeaderValue;

const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
];

/// Adds what is missing; a surface that said more, or something stricter, stays as it is.
pub async fn dress(State(https): State<bool>, mut response: Response) -> Response {
    let over_tls = https.then_some(("strict-transport-security", "max-age=31536000; includeSubDomains"));
    for (name, value) in ALWAYS.into_iter().chain(over_tls) {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
