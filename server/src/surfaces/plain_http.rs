//! What reached the proxy in front of us in the clear, although the public addresses are https. A page that was only
//! read is opened again over TLS; anything that may have carried a secret is refused, because a redirect would let the
//! client go on sending it in the clear unnoticed.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, header};
use ipnet::IpNet;

use crate::config::Server;

/// Addresses that programs call with credentials.
const PROGRAMS: [&str; 4] = ["/v1", "/api", "/oauth", "/webhooks"];

/// Whom to believe that a request came in the clear.
#[derive(Clone)]
pub struct Plain {
    https: bool,
    trusted: Arc<[IpNet]>,
}

impl Plain {
    pub fn new(https: bool, server: &Server) -> Self {
        Self { https, trusted: server.trusted_proxies.clone().into() }
    }

    fn came_in_the_clear(&self, request: &Request) -> bool {
        let peer =
            request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
        let is_trusted = peer.is_some_and(|peer| self.trusted.iter().any(|network| network.contains(&peer)));
        let scheme = request.headers().get("x-forwarded-proto");
        self.https
            && is_trusted
            && scheme.is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"http"))
    }
}

/// Refuses, or leads to https.
pub async fn refuse(State(plain): State<Plain>, request: Request, next: Next) -> Response {
    if !plain.came_in_the_clear(&request) {
        return next.run(request).await;
    }
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_programs = PROGRAMS.iter().any(|start| request.uri().path().starts_with(start));
    // The host was found to be ours before this.
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    match (host, request.uri().path_and_query()) {
        (Some(host), Some(place)) if is_read && !is_programs => {
            (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, format!("https://{host}{place}"))])
                .into_response()
        }
        _ => {
            let text = "This came over http, where everybody on the way can read it. Send it to the https address, and \
                        replace the key or password it carried.\n";
            (StatusCode::FORBIDDEN, text).into_response()
        }
    }
}
