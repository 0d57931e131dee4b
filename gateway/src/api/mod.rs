//! `/api/v1`: an org managed by key. One JSON shape for errors; unknown fields are refused; every change is audited; the
//! description at `/api/v1/openapi.json` is generated from this code.

mod alerts;
mod answer;
mod document;
mod fields;
mod key_body;
mod key_show;
mod keys;
mod leaks;
mod limits;
mod page;
mod rules;
mod show;
mod webhook_body;
mod webhook_show;
mod webhooks;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::{delete, get, post, put};
use bytes::Bytes;
use bytespike_accounts::Origin;
use bytespike_accounts::keys::{Caller, Scope};
use bytespike_dialects::{Dialect, ErrorCode, ErrorInfo};
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use serde::de::DeserializeOwned;

use crate::Gateway;
use crate::http::Inbound;
use crate::serve::caller::identify;
use crate::webhooks::Webhooks;
use answer::{Answer, Fault};
pub use document::document;

/// Every route below `/api/v1`.
pub fn router(gateway: Gateway, webhooks: Webhooks) -> Router {
    let of_webhooks = webhooks::router(webhooks::WebhookApi { gateway: gateway.clone(), webhooks });
    let description = Bytes::from(document().to_json().unwrap_or_default());
    Router::new()
        .route("/api/v1/openapi.json", get(async move || answer::json(description)))
        .route("/api/v1/limits", get(limits::list))
        .route("/api/v1/limits/{node}", get(limits::show))
        .route("/api/v1/limits/{node}/rules", get(rules::show).put(rules::set))
        .route("/api/v1/limits/{node}/{limit}", put(limits::set).delete(limits::remove))
        .route("/api/v1/keys", get(keys::list).post(keys::create))
        .route("/api/v1/keys/{id}", get(keys::show).patch(keys::change).delete(keys::delete))
        .route("/api/v1/keys/{id}/rotate", post(keys::rotate))
        .route("/api/v1/keys/{id}/revoke", post(keys::revoke))
        .route("/api/v1/keys/{id}/credentials/{credential}", delete(keys::end_credential))
        .route("/api/v1/leaks", post(leaks::report))
        .route("/api/v1/alerts", get(alerts::list))
        .route("/api/v1/alerts/{alert}", put(alerts::set).delete(alerts::remove))
        .route("/api/v1", axum::routing::any(not_found))
        .route("/api/v1/{*rest}", axum::routing::any(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(gateway)
        .merge(of_webhooks)
}

/// A request of a valid key.
struct Call {
    caller: Arc<Caller>,
    origin: Origin,
    headers: HeaderMap,
    body: Bytes,
}

/// Finds out who asks, lets the handler answer, and names the answer.
async fn respond(
    gateway: &Gateway,
    request: Request<Body>,
    handler: impl AsyncFnOnce(Call) -> Answer,
) -> Response<Body> {
    let (request_id, outcome) = match Inbound::read(gateway, Dialect::OpenAiChat, request).await {
        Err((request_id, error)) => (request_id, Err(error.into())),
        Ok(inbound) => {
            let request_id = inbound.request_id.clone();
            match call(gateway, inbound).await {
                Ok(call) => (request_id, handler(call).await),
                Err(error) => (request_id, Err(error)),
            }
        }
    };
    answer::named(outcome, &request_id)
}

async fn call(gateway: &Gateway, inbound: Inbound) -> Result<Call, Fault> {
    let presented = identify(gateway, &inbound).await?;
    let origin = origin(&inbound);
    Ok(Call { caller: presented.caller, origin, headers: inbound.headers, body: inbound.body })
}

/// Where the request came from, for the audit log.
fn origin(inbound: &Inbound) -> Origin {
    Origin {
        ip: inbound.ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        user_agent: inbound.header(header::USER_AGENT.as_str()).unwrap_or_default().to_owned(),
        request_id: inbound.request_id.clone(),
    }
}

impl Call {
    /// # Errors
    /// The key has none of the scopes.
    fn require_any(&self, scopes: &[Scope]) -> Result<(), Fault> {
        if scopes.iter().any(|scope| self.caller.scopes.contains(scope)) {
            return Ok(());
        }
        let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let reason =
            format!("The key '{}' needs one of the scopes: {}.", self.caller.key_name, names.join(", "));
        Err(ErrorInfo::new(ErrorCode::PermissionDenied, &[("reason", &reason)]).into())
    }

    /// The body, read strictly.
    ///
    /// # Errors
    /// Not JSON, a field that is unknown, missing or of the wrong type.
    fn read<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        read_json(&self.headers, &self.body)
    }
}

/// A body that says it is JSON and is what is wanted.
fn read_json<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Fault> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_json = |kind: &str| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json");
    if !kind.is_some_and(is_json) {
        return Err(ErrorInfo::new(ErrorCode::UnsupportedMediaType, &[]).into());
    }
    serde_json::from_slice(body).map_err(|error| answer::invalid(&format!("the body: {error}")).into())
}

async fn not_found(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let error = ErrorInfo::new(ErrorCode::NotFound, &[("path", request.uri().path())]);
    answer::named(Err(error.into()), &gateway.world.id("req"))
}

async fn method_not_allowed(
    State(gateway): State<Gateway>,
    method: Method,
    request: Request<Body>,
) -> Response<Body> {
    let path = request.uri().path();
    let allowed = methods_of(path);
    let values = [("path", path), ("method", method.as_str()), ("allowed", allowed)];
    let error = ErrorInfo::new(ErrorCode::MethodNotAllowed, &values);
    let mut response = answer::named(Err(error.into()), &gateway.world.id("req"));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

/// What a path of the routes above takes.
fn methods_of(path: &str) -> &'static str {
    let parts: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
    match parts[..] {
        ["limits", _, "rules"] => "GET, PUT",
        ["limits", _, _] | ["alerts", _] => "PUT, DELETE",
        ["keys"] | ["webhooks"] => "GET, POST",
        ["keys", _] | ["webhooks", _] => "GET, PATCH, DELETE",
        ["keys", _, "rotate" | "revoke"] | ["leaks"] => "POST",
        ["webhooks", _, "rotate" | "test"] | ["webhooks", _, "messages", _, "resend"] => "POST",
        ["keys", _, "credentials", _] => "DELETE",
        _ => "GET",
    }
}
