//! The token side of Sign in with ByteSpike: what programs talk to without a browser. Its errors have OAuth's own shape.
//! What a program then does with a token ([`keys`], [`me`]) belongs to the API.

mod client;
mod device;
mod form;
pub mod keys;
pub mod me;
mod metadata;
mod refusal;
mod token;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use bytespike_accounts::{Accounts, Origin};
use http::{HeaderMap, Request, Response, header};

pub use refusal::Refusal;

type Answer = Result<Response<Body>, Refusal>;

/// A token request is small.
const MOST_FORM_BYTES: usize = 16 << 10;

/// What the authorization server is given. Its issuer is the console's public address, the resource the gateway's API.
#[derive(Clone)]
pub struct OauthServer(Arc<OauthParts>);

pub struct OauthParts {
    pub accounts: Accounts,
    /// Without a trailing slash.
    pub issuer: String,
    pub gateway_url: String,
    pub docs_url: String,
    /// Whether a program's id may be the address of its document.
    pub takes_client_documents: bool,
}

impl OauthServer {
    #[must_use]
    pub fn new(parts: OauthParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for OauthServer {
    type Target = OauthParts;

    fn deref(&self) -> &OauthParts {
        &self.0
    }
}

/// The routes of the issuer. Pages may call them from anywhere: none takes a cookie.
pub fn issuer(server: OauthServer) -> Router {
    let open = Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata::server))
        .route("/oauth/token", post(token::exchange).fallback(method_not_allowed))
        .route("/oauth/revoke", post(token::revoke).fallback(method_not_allowed))
        .route("/oauth/device_authorization", post(device::start).fallback(method_not_allowed))
        .layer(axum::middleware::map_response(super::open_to_browsers));
    let closed =
        Router::new().route("/oauth/introspect", post(token::introspect).fallback(method_not_allowed));
    open.merge(closed).layer(DefaultBodyLimit::max(MOST_FORM_BYTES)).with_state(server)
}

/// Where a client learns who grants tokens for the API.
pub fn resource_metadata() -> axum::routing::MethodRouter<crate::Gateway> {
    get(metadata::resource)
}

async fn method_not_allowed(request: Request<Body>) -> Response<Body> {
    if request.method() == http::Method::OPTIONS {
        return super::preflight(&request);
    }
    let mut response = Refusal::new(405, "invalid_request", "send a POST with a form").into_response();
    response.headers_mut().insert(header::ALLOW, http::HeaderValue::from_static("POST"));
    response
}

/// Where a request came from; the server has put a proxied client's own address there.
fn origin(extensions: &http::Extensions, headers: &HeaderMap) -> Origin {
    let text =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    Origin {
        ip: peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip()),
        user_agent: text(header::USER_AGENT.as_str()),
        request_id: text("request-id"),
    }
}
