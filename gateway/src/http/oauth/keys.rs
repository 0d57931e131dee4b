//! `/v1/oauth/keys`: a program makes itself a key within what its person allowed, and is told everything it needs to wire
//! itself up: addresses, models, limits.

use axum::body::Body;
use axum::extract::{Path, State};
use bytespike_accounts::keys::KeyError;
use bytespike_accounts::oauth::key_request::KeyBounds;
use bytespike_accounts::oauth::provision::{Provision, ProvisionError, Provisioned};
use bytespike_accounts::oauth::{Bearer, GrantScope};
use bytespike_accounts::switches::Feature;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{LimitState, NodeId, SetLimit, Window};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::me::bearer;
use super::refusal::{Refusal, no_store};
use super::{Answer, origin};
use crate::Gateway;
use crate::http::capabilities;
use crate::http::time::rfc3339;

const MOST_BODY_BYTES: usize = 16 << 10;
const MOST_REQUEST_KEY_BYTES: usize = 255;
const MOST_INSTANCE_BYTES: usize = 128;

/// What the program sends; everything may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    label: Option<String>,
    client_instance: Option<String>,
    #[serde(default)]
    replace_instance: bool,
    spend_limit: Option<WantedLimit>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedLimit {
    /// Decimal US dollars per calendar month.
    amount: String,
}

/// `POST /v1/oauth/keys`
pub async fn create(State(gateway): State<Gateway>, request: Request<Body>) -> Answer {
    let bearer = bearer(&gateway, request.headers(), GrantScope::KeysProvision).await?;
    if !gateway.accounts.switches.is_on(Feature::NewKeys) {
        return Err(Refusal::switched_off("making new keys"));
    }
    let origin = origin(request.extensions(), request.headers());
    let request_key = request_key(&request)?;
    let body = Limited::new(request.into_body(), MOST_BODY_BYTES).collect().await;
    let body = body
        .map_err(|_| Refusal::invalid_request("the body is larger than 16 KiB, or broke off"))?
        .to_bytes();
    let wanted = read(&body)?;
    let limit_nano = limit(&bearer, &wanted)?;
    let asked = Provision {
        request_key,
        body_hash: hex::encode(Sha256::digest(&body)),
        label: wanted.label,
        client_instance: wanted.client_instance,
        replaces_instance: wanted.replace_instance,
    };
    match gateway.accounts.oauth.provision(&origin, &bearer, &asked).await.map_err(refused)? {
        Provisioned::Again { key_id, answer } => {
            Ok(again(&key_id, answer.as_ref().map(|answer| answer.expose())))
        }
        Provisioned::Made { key, bounds, expires_at_ms } => {
            let bounds = KeyBounds { month_limit_nano: limit_nano, ..bounds };
            if let Err(error) = set_limit((&gateway, &origin), &bearer, &key.id, &bounds).await {
                // Nobody may spend without the limits they were given: the key goes, and it was never shown.
                gateway.accounts.oauth.end_provisioned(&origin, &bearer, &key.id).await?;
                return Err(Refusal::unavailable(&error));
            }
            let body =
                made(&gateway, &bearer, (&key.id, key.secret.expose()), &bounds, expires_at_ms).await?;
            gateway.accounts.oauth.keep_answer(&key.id, &body.to_string()).await?;
            Ok(no_store(StatusCode::CREATED, &body))
        }
    }
}

/// `GET /v1/oauth/keys`: the keys that this permission made.
pub async fn list(State(gateway): State<Gateway>, request: Request<Body>) -> Answer {
    let bearer = bearer(&gateway, request.headers(), GrantScope::KeysProvision).await?;
    let keys = gateway.accounts.oauth.provisioned(&bearer).await?;
    let rows: Vec<Value> = keys
        .iter()
        .map(|made| {
            json!({
                "object": "key",
                "id": made.key_id,
                "state": made.state,
                "client_instance": made.client_instance,
                "created_at": rfc3339(made.created_at_ms),
            })
        })
        .collect();
    Ok(no_store(StatusCode::OK, &json!({ "object": "list", "data": rows })))
}

/// `DELETE /v1/oauth/keys/{id}`
pub async fn end(State(gateway): State<Gateway>, Path(id): Path<String>, request: Request<Body>) -> Answer {
    let bearer = bearer(&gateway, request.headers(), GrantScope::KeysProvision).await?;
    let origin = origin(request.extensions(), request.headers());
    match gateway.accounts.oauth.end_provisioned(&origin, &bearer, &id).await? {
        true => Ok(no_store(StatusCode::OK, &json!({ "object": "key", "id": id, "state": "revoked" }))),
        false => Err(Refusal::new(404, "not_found", "this permission made no such key, or it has ended")),
    }
}

fn request_key(request: &Request<Body>) -> Result<String, Refusal> {
    let key =
        request.headers().get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_good =
        (1..=MOST_REQUEST_KEY_BYTES).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    match is_good {
        true => Ok(key.to_owned()),
        false => Err(Refusal::invalid_request(
            "send an Idempotency-Key of 1 to 255 visible characters, so that a lost answer makes no second key",
        )),
    }
}

fn read(body: &[u8]) -> Result<Wanted, Refusal> {
    if body.is_empty() {
        return Ok(Wanted::default());
    }
    if crate::http::writes_nul(body) {
        return Err(Refusal::invalid_request(crate::http::NUL_IN_BODY));
    }
    let wanted: Wanted = serde_json::from_slice(body)
        .map_err(|error| Refusal::new(422, "invalid_request", format!("the body does not fit: {error}")))?;
    let instance = wanted.client_instance.as_deref().unwrap_or("-");
    let is_instance =
        (1..=MOST_INSTANCE_BYTES).contains(&instance.len()) && instance.bytes().all(|b| b.is_ascii_graphic());
    match is_instance {
        true => Ok(wanted),
        false => {
            Err(Refusal::new(422, "invalid_request", "client_instance has 1 to 128 visible ASCII characters"))
        }
    }
}

/// The limit of the key: what the program wants, within what the person allowed.
fn limit(bearer: &Bearer, wanted: &Wanted) -> Result<Option<i64>, Refusal> {
    let allowed = bearer.bounds.as_ref().and_then(|bounds| bounds.month_limit_nano);
    let Some(asked) = &wanted.spend_limit else { return Ok(allowed) };
    let asked_nano = bytespike_accounts::oauth::key_request::parse_usd(&asked.amount);
    let asked_nano = asked_nano.ok_or_else(|| {
        Refusal::new(422, "invalid_request", "spend_limit.amount is a decimal amount of US dollars above 0")
    })?;
    match allowed {
        Some(allowed) if asked_nano > allowed => {
            let most = NanoUsd(allowed).usd();
            Err(Refusal::new(422, "invalid_request", format!("the person allowed at most ${most} a month")))
        }
        _ => Ok(Some(asked_nano)),
    }
}

async fn set_limit(
    (gateway, origin): (&Gateway, &bytespike_accounts::Origin),
    bearer: &Bearer,
    key_id: &str,
    bounds: &KeyBounds,
) -> Result<(), bytespike_ledger::BookingError> {
    let Some(limit_nano) = bounds.month_limit_nano else { return Ok(()) };
    let limit = SetLimit {
        org_id: bearer.member.org_id().to_owned(),
        node: NodeId::key(key_id),
        window: Window::Month,
        limit: Some(NanoUsd(limit_nano)),
    };
    let after = json!({ "month": format!("{} credits", NanoUsd(limit_nano).credits()) });
    let node = limit.node.as_str().to_owned();
    let event = bearer.member.did("limit.set").target(&node).changed(json!({ "month": null }), after);
    gateway.ledger.change_limit(limit, &gateway.accounts.audit.entry(origin, event)).await
}

async fn made(
    gateway: &Gateway,
    bearer: &Bearer,
    (key_id, key): (&str, &str),
    bounds: &KeyBounds,
    expires_at_ms: Option<i64>,
) -> Result<Value, Refusal> {
    let limits = gateway.ledger.limits(bearer.member.org_id()).await?;
    let own: Vec<&LimitState> = limits.iter().filter(|limit| limit.node == NodeId::key(key_id)).collect();
    Ok(json!({
        "object": "key",
        "id": key_id,
        "key": key,
        "last4": key.get(key.len().saturating_sub(4)..),
        "created_at": rfc3339(gateway.world.now_ms()),
        "expires_at": expires_at_ms.map(rfc3339),
        "limits": own.into_iter().map(capabilities::limit_json).collect::<Vec<_>>(),
        "models": bounds.models.clone().map_or_else(|| json!(["*"]), Value::from),
        "provider": capabilities::provider(gateway, bounds.models.as_deref()),
        "manage_url": format!("{}/console/keys/{key_id}", gateway.options.issuer_url),
    }))
}

/// The answer of before, while it may have been lost; later only which key it was.
fn again(key_id: &str, answer: Option<&str>) -> Response<Body> {
    let body = answer.and_then(|answer| serde_json::from_str(answer).ok());
    let body = body.unwrap_or_else(|| json!({ "object": "key", "id": key_id, "secret_available": false }));
    no_store(StatusCode::OK, &body)
}

fn refused(error: ProvisionError) -> Refusal {
    match error {
        ProvisionError::OtherBody => Refusal::new(409, "idempotency_conflict", error.to_string()),
        ProvisionError::TooMany(_) => Refusal::new(403, "access_denied", error.to_string()),
        ProvisionError::Label | ProvisionError::Key(KeyError::Name(_)) => {
            Refusal::new(422, "invalid_request", error.to_string())
        }
        ProvisionError::Key(KeyError::Unavailable(error)) | ProvisionError::Unavailable(error) => {
            error.into()
        }
        ProvisionError::Key(_) => Refusal::new(403, "access_denied", error.to_string()),
    }
}
