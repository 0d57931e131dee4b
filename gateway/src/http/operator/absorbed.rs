//! `GET /api/v1/operator/absorbed-costs`: what failures cost us and nobody else, the price of the promise.

use bytespike_ledger::{AbsorbedBy, AbsorbedSum};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Answer, receipts::unavailable, time};
use super::{Inbound, input};
use crate::Gateway;
use crate::serve::Refused;
use bytespike_catalog::decimal;

/// Without `from`, the last 30 days.
const USUAL_SPAN_MS: i64 = 30 * 86_400_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    from: Option<String>,
    to: Option<String>,
    /// Any of `cause`, `org`, `key`, `day`, with commas between.
    group_by: Option<String>,
    limit: Option<u32>,
}

/// Sums, the largest first.
pub async fn list(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let wanted: Wanted = input::query(inbound)?;
    let to_ms = input::moment_ms("to", wanted.to.as_deref(), inbound.accepted_at_ms + 1)?;
    let from_ms = input::moment_ms("from", wanted.from.as_deref(), to_ms - USUAL_SPAN_MS)?;
    let by = grouping(wanted.group_by.as_deref().unwrap_or("cause"))?;
    let limit = input::limit(wanted.limit)?;
    let sums = gateway.ledger.absorbed(by, (from_ms, to_ms), limit).await;
    let sums = sums.map_err(|error| unavailable(&error))?;
    Ok(input::list(sums.iter().map(row), limit))
}

fn grouping(names: &str) -> Result<AbsorbedBy, Refused> {
    let mut by = AbsorbedBy::default();
    for name in names.split(',').map(str::trim) {
        match name {
            "cause" => by.cause = true,
            "org" => by.org = true,
            "key" => by.key = true,
            "day" => by.day = true,
            other => {
                let reason = format!("group_by: `{other}` is none of cause, org, key, day");
                return Err(input::invalid(&reason).with_param("group_by").into());
            }
        }
    }
    Ok(by)
}

fn row(sum: &AbsorbedSum) -> Value {
    json!({
        "object": "absorbed_cost",
        "cause": sum.cause,
        "org_id": sum.org_id,
        "key_id": sum.key_id,
        "day": sum.day_ms.map(time::rfc3339).map(|at| at.chars().take(10).collect::<String>()),
        "calls": sum.calls,
        "amount_usd": decimal::format(sum.amount_pico, 12, 9),
    })
}
