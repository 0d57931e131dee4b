//! `GET /v1/key`: a key reads itself: what it may do, every limit on its way with what is left, and what it used.

use bytespike_accounts::keys::{KeyKind, Scope};
use bytespike_ledger::{Payer, UsageFilter, UsageSums, time_zone};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::receipts::unavailable;
use super::{Answer, Inbound, balance, reply, time};
use crate::Gateway;
use crate::serve::caller::identify_for;

/// The key of the request. Never its secret.
pub async fn show(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let presented = identify_for(gateway, inbound, Scope::UsageRead).await?;
    let caller = &presented.caller;
    let nodes = Payer {
        org_id: caller.org_id.clone(),
        deployment_id: caller.deployment_id.clone(),
        member_id: caller.member_id.clone(),
        key_path: caller.key_path.clone(),
    }
    .nodes();
    let spend = gateway.ledger.limits(&caller.org_id).await.map_err(|error| unavailable(&error))?;
    let on_the_way = || spend.iter().filter(|limit| nodes.contains(&limit.node));
    let binding = on_the_way().min_by_key(|limit| limit.remaining());
    let calls: Vec<Value> = caller
        .call_limits
        .iter()
        .map(|limit| limit.at(inbound.accepted_at_ms))
        .map(|limit| json!({ "node": &*limit.node, "limit": limit.kind.name(), "value": limit.value }))
        .collect();
    let kind = match caller.kind {
        KeyKind::Live => "live",
        KeyKind::Test => "test",
    };
    Ok(reply::value(&json!({
        "object": "key",
        "id": caller.key_id,
        "name": caller.key_name,
        "kind": kind,
        "masked": caller.key_hint,
        "credential": caller.credential_id,
        "path": caller.key_path,
        "org": caller.org_id,
        "deployment": caller.deployment_id,
        "holder": caller.member_id,
        "scopes": caller.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
        "models": caller.models.names(),
        "providers": caller.providers.names(),
        "regions": caller.regions.names(),
        "ips": caller.ips.iter().map(|rule| rule.texts()).collect::<Vec<_>>(),
        "strict": caller.strict,
        "expires_at": caller.expires_at_ms.map(time::rfc3339),
        "limits": on_the_way().map(balance::limit_json).collect::<Vec<_>>(),
        "call_limits": calls,
        "binding": binding.map(balance::limit_json),
        "usage": usage(gateway, (&caller.org_id, &caller.key_path), inbound.accepted_at_ms).await?,
    })))
}

/// This calendar month in the org's time zone and since ever, of the key and those derived from it.
async fn usage(
    gateway: &Gateway,
    (org_id, path): (&str, &[String]),
    now_ms: i64,
) -> Result<Value, crate::serve::Refused> {
    let wallet = gateway.ledger.wallet(org_id).await.map_err(|error| unavailable(&error))?;
    let zone = wallet.and_then(|wallet| time_zone(&wallet.time_zone)).unwrap_or(TimeZone::UTC);
    let of = async |from_ms: i64| {
        let below_path = Some(bytespike_ledger::joined_key_path(path));
        let filter = UsageFilter { from_ms, to_ms: now_ms + 1, below_path, ..UsageFilter::default() };
        let sums = gateway.ledger.usage(org_id, &filter, (&[], &zone)).await;
        let sums = sums.map_err(|error| unavailable(&error))?;
        Ok::<Value, crate::serve::Refused>(said(&sums.into_values().next().unwrap_or_default()))
    };
    Ok(json!({ "month": of(month_start_ms(now_ms, &zone)).await?, "total": of(0).await? }))
}

fn said(sums: &UsageSums) -> Value {
    json!({
        "charged_credits": bytespike_catalog::NanoUsd(sums.charged_nano).credits(),
        "calls": sums.calls(),
        "not_billed_calls": sums.not_billed_calls(),
    })
}

fn month_start_ms(now_ms: i64, zone: &TimeZone) -> i64 {
    let start = Timestamp::from_millisecond(now_ms)
        .ok()
        .and_then(|now| now.to_zoned(zone.clone()).first_of_month().ok()?.start_of_day().ok());
    start.map_or(0, |start| start.timestamp().as_millisecond())
}
