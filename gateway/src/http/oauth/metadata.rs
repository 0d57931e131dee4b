//! What a client reads before anything else (RFC 8414, RFC 9728). Built from the configured addresses, never from `Host`.

use axum::body::Body;
use axum::extract::State;
use bytespike_accounts::oauth::{GrantScope, resources};
use http::{HeaderValue, Response, header};
use serde_json::{Value, json};

use super::OauthServer;
use crate::Gateway;

/// `GET /.well-known/oauth-authorization-server`
pub async fn server(State(server): State<OauthServer>) -> Response<Body> {
    let issuer = &server.issuer;
    let at = |path: &str| format!("{issuer}{path}");
    let both = ["none", "client_secret_basic"];
    public(&json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "revocation_endpoint": at("/oauth/revoke"),
        "introspection_endpoint": at("/oauth/introspect"),
        "device_authorization_endpoint": at("/oauth/device_authorization"),
        "scopes_supported": GrantScope::ALL.map(GrantScope::as_str),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported":
            ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "token_endpoint_auth_methods_supported": both,
        "revocation_endpoint_auth_methods_supported": both,
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": server.takes_client_documents,
        "authorization_details_types_supported": ["bytespike_api_key"],
        "ui_locales_supported": ["en", "zh-Hans"],
        "service_documentation": format!("{}/docs/oauth", server.docs_url),
    }))
}

/// `GET /.well-known/oauth-protected-resource` and its form for the API's path.
pub async fn resource(State(gateway): State<Gateway>) -> Response<Body> {
    let [api] = resources(&gateway.options.public_base_url);
    let scopes = GrantScope::ALL.into_iter().filter(|scope| *scope != GrantScope::OfflineAccess);
    public(&json!({
        "resource": api,
        "authorization_servers": [gateway.options.issuer_url],
        "scopes_supported": scopes.map(GrantScope::as_str).collect::<Vec<_>>(),
        "bearer_methods_supported": ["header"],
        "resource_name": "ByteSpike API",
    }))
}

fn public(body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}
