//! `GET /api/v1/operator/absorbed-costs`: what failures cost us and nobody else, the price of the promise.

use bytespike_ledger::AbsorbedBy;
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::{Answer, receipts::unavailable};
use super::shapes::AbsorbedCost;
use super::{Inbound, input};
use crate::Gateway;
use crate::serve::Refused;

/// Without `from`, the last 30 days.
const USUAL_SPAN_MS: i64 = 30 * 86_400_000;

/// Which sums.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// RFC 3339, or a day; 30 days before `to` unless said.
    from: Option<String>,
    /// RFC 3339, or a day; now unless said.
    to: Option<String>,
    /// Any of `cause`, `org`, `key`, `day`, with commas between.
    group_by: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
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
    input::list(sums.iter().map(AbsorbedCost::of), limit)
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
