//! `GET /v1/balance`: what the org can spend, and every limit on the way from it to the key that asks.

use bytespike_accounts::keys::Scope;
use bytespike_ledger::{LimitState, Payer};
use serde_json::{Value, json};

use super::receipts::unavailable;
use super::{Answer, Inbound, reply, time};
use crate::Gateway;
use crate::serve::caller::identify_for;

/// Credits as decimal strings; limits with what is used, held and left of them.
pub async fn show(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let presented = identify_for(gateway, inbound, Scope::UsageRead).await?;
    let caller = &presented.caller;
    let wallet = gateway.ledger.wallet(&caller.org_id).await.map_err(|error| unavailable(&error))?;
    let Some(wallet) = wallet else { return Err(unavailable(&"the org has no wallet").into()) };
    let limits = gateway.ledger.limits(&caller.org_id).await.map_err(|error| unavailable(&error))?;
    let nodes = Payer {
        org_id: caller.org_id.clone(),
        deployment_id: caller.deployment_id.clone(),
        member_id: caller.member_id.clone(),
        key_path: caller.key_path.clone(),
    }
    .nodes();
    let limits: Vec<Value> =
        limits.iter().filter(|limit| nodes.contains(&limit.node)).map(limit_json).collect();
    Ok(reply::value(&json!({
        "object": "balance",
        "org": caller.org_id,
        "available_credits": wallet.available().credits(),
        "posted_credits": wallet.posted.credits(),
        "held_credits": wallet.held.credits(),
        "bonus_credits": wallet.bonus.credits(),
        "frozen": wallet.frozen,
        "limits": limits,
    })))
}

/// A spend limit with what is used, held and left of it.
pub fn limit_json(limit: &LimitState) -> Value {
    json!({
        "node": limit.node.as_str(),
        "window": limit.window.name(),
        "limit_credits": limit.limit.credits(),
        "used_credits": limit.used.credits(),
        "held_credits": limit.held.credits(),
        "remaining_credits": limit.remaining().credits(),
        "resets_at": limit.resets_at_ms.map(time::rfc3339),
    })
}
