//! Where a caller's key may stand. Several may be sent at once; the first that is a valid key of ours is the caller.

use http::{HeaderMap, Uri, header};

/// Every credential a request presents, in the order they are tried: `x-api-key`, `Authorization: Bearer`,
/// `x-goog-api-key`, `?key=`. The values are secret: never log them.
#[must_use]
pub fn presented<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Vec<&'a str> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = header(header::AUTHORIZATION.as_str()).and_then(strip_bearer);
    let query = uri.query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("key=")));
    [header("x-api-key"), bearer, header("x-goog-api-key"), query]
        .into_iter()
        .flatten()
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .collect()
}

fn strip_bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_places_are_read_in_order() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "bearer b".parse().unwrap());
        headers.insert("x-goog-api-key", "g".parse().unwrap());
        headers.insert("x-api-key", "a".parse().unwrap());
        let uri = Uri::from_static("/v1beta/models?alt=sse&key=q");
        assert_eq!(presented(&headers, &uri), ["a", "b", "g", "q"]);
    }

    #[test]
    fn empty_and_foreign_schemes_do_not_count() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Basic eDp5".parse().unwrap());
        headers.insert("x-api-key", "".parse().unwrap());
        assert!(presented(&headers, &Uri::from_static("/v1/models?key=")).is_empty());
    }
}
