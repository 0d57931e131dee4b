//! Who presents an access token, and `GET /v1/me`: whom it acts for.

use axum::body::Body;
use axum::extract::State;
use bytespike_accounts::oauth::{Bearer, GrantScope, resources, scope};
use http::{HeaderMap, Request, StatusCode, header};
use serde_json::json;

use super::Answer;
use super::refusal::{Refusal, no_store};
use crate::Gateway;

/// `GET /v1/me`
pub async fn show(State(gateway): State<Gateway>, request: Request<Body>) -> Answer {
    let bearer = bearer(&gateway, request.headers(), GrantScope::Profile).await?;
    let member = &bearer.member;
    Ok(no_store(
        StatusCode::OK,
        &json!({
            "object": "person",
            "id": member.person_id(),
            "name": member.person_name(),
            "org": { "id": member.org_id(), "name": member.org_name(), "role": member.role().as_str() },
            "client_id": bearer.client_id,
            "scope": scope::write(&bearer.scopes),
        }),
    ))
}

/// Whether the request presents an access token: it starts so, and everything else is taken for a key.
pub fn presents_token(headers: &HeaderMap) -> bool {
    presented(headers).is_some_and(|token| token.starts_with(bytespike_accounts::oauth::ACCESS_PREFIX))
}

fn presented(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (kind, token) = text.split_once(' ')?;
    kind.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Who presents an access token that is meant for this API and has the scope.
///
/// # Errors
/// There is none, or it is not good for this.
pub async fn bearer(gateway: &Gateway, headers: &HeaderMap, scope: GrantScope) -> Result<Bearer, Refusal> {
    let metadata_url = format!("{}/.well-known/oauth-protected-resource/v1", gateway.options.public_base_url);
    let Some(token) = presented(headers) else { return Err(Refusal::bearer(false, &metadata_url, scope)) };
    let found = gateway.accounts.oauth.bearer(token).await;
    let bearer = found.map_err(|problem| Refusal::of_bearer(problem, &metadata_url, scope))?;
    let [api] = resources(&gateway.options.public_base_url);
    if bearer.resource.as_ref().is_some_and(|resource| *resource != api) {
        return Err(Refusal::bearer(true, &metadata_url, scope));
    }
    if bearer.may(scope) { Ok(bearer) } else { Err(Refusal::scope(&metadata_url, scope)) }
}
