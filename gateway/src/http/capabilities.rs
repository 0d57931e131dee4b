//! `GET /v1/account/capabilities`: what a client needs to wire itself up, for whoever asks: addresses, callable models,
//! limits with what is left of them. Never a secret.

use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse as _;
use bytespike_accounts::keys::Scope;
use bytespike_accounts::oauth::GrantScope;
use bytespike_catalog::export::Badge;
use bytespike_catalog::model::Model;
use bytespike_dialects::Dialect;
use bytespike_ledger::{LimitState, NodeId};
use http::{HeaderMap, Request, Response};
use serde_json::{Value, json};

use super::oauth::me;
use super::receipts::unavailable;
use super::{Answer, Inbound, reply, time};
use crate::Gateway;
use crate::serve::allowed;
use crate::serve::caller::identify_for;

/// `GET /v1/account/capabilities`, with a key or an access token.
pub async fn show(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    if !me::presents_token(request.headers()) {
        return super::answer(&gateway, Dialect::OpenAiChat, request, async |inbound| {
            of_key(&gateway, &inbound).await
        })
        .await;
    }
    match of_token(&gateway, request.headers()).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn of_key(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let presented = identify_for(gateway, inbound, Scope::Inference).await?;
    let caller = &presented.caller;
    let own = [
        NodeId::org(&caller.org_id),
        NodeId::deployment(&caller.deployment_id),
        NodeId::member(&caller.member_id),
    ];
    let nodes: Vec<NodeId> =
        own.into_iter().chain(caller.key_path.iter().map(|key| NodeId::key(key))).collect();
    let limits = gateway.ledger.limits(&caller.org_id).await.map_err(|error| unavailable(&error))?;
    let channels = gateway.channels.current();
    let may_call = |model: &Model| allowed::check(caller, model, &channels).is_ok();
    Ok(reply::value(&body(gateway, may_call, (&limits, &nodes))))
}

async fn of_token(
    gateway: &Gateway,
    headers: &HeaderMap,
) -> Result<Response<Body>, impl axum::response::IntoResponse> {
    let bearer = me::bearer(gateway, headers, GrantScope::ModelsRead).await?;
    let member = &bearer.member;
    let nodes = [
        NodeId::org(member.org_id()),
        NodeId::deployment(member.deployment_id()),
        NodeId::member(member.member_id()),
    ];
    let limits = gateway.ledger.limits(member.org_id()).await.map_err(super::oauth::Refusal::from)?;
    // What the key may call that this permission makes: the models the person named, else those of the org's preset.
    let named = bearer.bounds.as_ref().and_then(|bounds| bounds.models.as_ref());
    let may_call = |model: &Model| match named {
        Some(named) => named.contains(&model.id),
        None => model.presets.contains(&allowed::in_catalogue(member.preset())),
    };
    Ok::<_, super::oauth::Refusal>(reply::value(&body(gateway, may_call, (&limits, &nodes))))
}

fn body(
    gateway: &Gateway,
    may_call: impl Fn(&Model) -> bool,
    (limits, nodes): (&[LimitState], &[NodeId]),
) -> Value {
    let published = gateway.prices.current();
    let live = published.export.models.iter().filter(|listed| listed.badge == Badge::Live);
    let models: Vec<Value> = live
        .map(|listed| &listed.priced.model)
        .filter(|model| may_call(model))
        .map(|model| {
            json!({
                "id": model.id,
                "kind": model.modality,
                "protocols": model.protocols,
                "capabilities": model.capabilities,
                "context_window_tokens": model.context_window_tokens,
                "max_output_tokens": model.max_output_tokens,
            })
        })
        .collect();
    let limits: Vec<Value> =
        limits.iter().filter(|limit| nodes.contains(&limit.node)).map(limit_json).collect();
    json!({
        "object": "account.capabilities",
        "base_urls": base_urls(gateway),
        "models": models,
        "limits": limits,
        "price_version": published.book.version,
    })
}

/// How a program configures itself as this provider.
pub fn provider(gateway: &Gateway, models: Option<&[String]>) -> Value {
    let published = gateway.prices.current();
    let callable = |id: &str| models.is_none_or(|models| models.iter().any(|model| model == id));
    let mut live = published.export.models.iter().filter(|listed| listed.badge == Badge::Live);
    let default =
        live.find(|listed| callable(&listed.priced.model.id)).map(|listed| listed.priced.model.id.clone());
    let base = &gateway.options.public_base_url;
    json!({
        "name": "ByteSpike",
        "endpoints": base_urls(gateway),
        "models_url": format!("{base}/v1/models"),
        "capabilities_url": format!("{base}/v1/account/capabilities"),
        "default_model": default,
        "key_header": "authorization",
    })
}

/// As each dialect's SDK wants its base URL.
fn base_urls(gateway: &Gateway) -> Value {
    let base = &gateway.options.public_base_url;
    json!({ "anthropic": base, "openai": format!("{base}/v1") })
}

/// A limit and what is left of it.
pub fn limit_json(limit: &LimitState) -> Value {
    json!({
        "node": limit.node.as_str(),
        "window": limit.window.name(),
        "limit_credits": limit.limit.credits(),
        "remaining_credits": limit.remaining().credits(),
        "resets_at": limit.resets_at_ms.map(time::rfc3339),
    })
}
