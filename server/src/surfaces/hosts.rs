//! Which host names are answered. Anything else is 421 before routing: a forged or rebound name must reach neither a
//! cache nor a page nor a key.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytespike_gateway::http::has_nul;
use http::{StatusCode, header};

use crate::config::Server;

/// The allowed names, lower case, without ports.
#[derive(Clone, Debug)]
pub struct AllowedHosts(Arc<BTreeSet<String>>);

impl AllowedHosts {
    /// The hosts of the public addresses and the extra ones; on a loopback address also this machine's own names.
    pub fn new<'a>(server: &Server, public_urls: impl IntoIterator<Item = &'a str>) -> Self {
        let of_urls =
            public_urls.into_iter().filter_map(|url| url.split_once("://").map(|(_, host)| host.to_owned()));
        let own = ["localhost", "127.0.0.1", "[::1]"]
            .into_iter()
            .filter(|_| server.is_loopback())
            .map(str::to_owned);
        let names = of_urls.chain(own).chain(server.extra_hosts.iter().cloned());
        Self(Arc::new(names.map(|name| without_port(&name).to_lowercase()).collect()))
    }

    /// Every name the request gives must be allowed: the target's, when it is absolute or HTTP/2, and the header's.
    fn allows(&self, request: &Request) -> bool {
        let target = request.uri().authority().map(|authority| authority.as_str());
        let headers =
            request.headers().get_all(header::HOST).iter().map(|value| value.to_str().unwrap_or_default());
        let given: Vec<&str> = headers.chain(target).collect();
        let one_header = request.headers().get_all(header::HOST).iter().count() <= 1;
        one_header
            && !given.is_empty()
            && given.iter().all(|name| self.0.contains(&without_port(name).to_lowercase()))
    }
}

/// Refuses requests for other hosts, and addresses with a NUL in them; the API refuses the latter in its own words.
pub async fn check_host(State(allowed): State<AllowedHosts>, request: Request, next: Next) -> Response {
    if allowed.allows(&request) {
        let is_api = ["/v1/", "/api/"].iter().any(|start| request.uri().path().starts_with(start));
        return match has_nul(request.uri()) && !is_api {
            true => (StatusCode::BAD_REQUEST, "An address cannot hold a NUL (%00).\n").into_response(),
            false => next.run(request).await,
        };
    }
    let text = "This server does not answer for that host name. Its operator can allow it with server.extra_hosts.\n";
    (StatusCode::MISDIRECTED_REQUEST, text).into_response()
}

fn without_port(authority: &str) -> &str {
    let after_brackets = authority.rfind(']').unwrap_or(0);
    match authority[after_brackets..].rfind(':') {
        Some(colon) => &authority[..after_brackets + colon],
        None => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn s25_only_names_that_are_ours_pass() {
        let names = ["a.example", "[::1]", "127.0.0.1"];
        let allowed = AllowedHosts(Arc::new(names.into_iter().map(str::to_owned).collect()));
        let request = |uri: &str, hosts: &[&str]| {
            let mut request = Request::builder().uri(uri);
            for host in hosts {
                request = request.header(header::HOST, *host);
            }
            request.body(Body::empty()).unwrap()
        };
        for good in ["a.example", "A.Example:8080", "[::1]:9", "127.0.0.1:1"] {
            assert!(allowed.allows(&request("/", &[good])), "{good}");
        }
        for bad in ["b.example", "a.example.evil", "a.example@evil", "", "[::2]", "evil:a.example"] {
            assert!(!allowed.allows(&request("/", &[bad])), "{bad}");
        }
        assert!(!allowed.allows(&request("/", &[])));
        assert!(!allowed.allows(&request("/", &["a.example", "a.example"])));
        assert!(!allowed.allows(&request("http://evil.example/", &["a.example"])));
        assert!(!allowed.allows(&request("http://a.example/", &["evil.example"])));
        assert!(allowed.allows(&request("http://a.example/", &["a.example"])));
    }
}
