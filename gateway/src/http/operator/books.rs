//! `GET /api/v1/operator/invariant-runs` and `/reconciliations`: whether the books are in order, in full.

use bytespike_catalog::NanoUsd;
use bytespike_ledger::{InvariantRun, Reconciliation, ReconciliationFilter};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Answer, receipts::unavailable, time};
use super::{Inbound, input};
use crate::Gateway;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedRuns {
    limit: Option<u32>,
}

/// The newest checks of the invariants, with everything they found.
pub async fn invariant_runs(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let wanted: WantedRuns = input::query(inbound)?;
    let limit = input::limit(wanted.limit)?;
    let runs = gateway.ledger.invariant_runs(limit).await.map_err(|error| unavailable(&error))?;
    Ok(input::list(runs.iter().map(run), limit))
}

fn run(run: &InvariantRun) -> Value {
    json!({
        "object": "invariant_run",
        "id": run.id,
        "at": time::rfc3339(run.at_ms),
        "checked": run.checked,
        "whole_history": run.whole_history,
        "violations": run.violations(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedDays {
    provider: Option<String>,
    state: Option<String>,
    from: Option<String>,
    to: Option<String>,
    limit: Option<u32>,
}

/// Providers' days compared with our attempts, the newest first. `from` and `to` are days, inclusive.
pub async fn reconciliations(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let wanted: WantedDays = input::query(inbound)?;
    for (name, day) in [("from", &wanted.from), ("to", &wanted.to)] {
        if day.as_ref().is_some_and(|day| day.parse::<jiff::civil::Date>().is_err()) {
            return Err(input::invalid(&format!("{name}: a day such as 2026-11-24 is wanted"))
                .with_param(name)
                .into());
        }
    }
    if wanted.state.as_deref().is_some_and(|state| !["matched", "unmatched", "missing"].contains(&state)) {
        return Err(input::invalid("state: matched, unmatched or missing").with_param("state").into());
    }
    let limit = input::limit(wanted.limit)?;
    let filter = ReconciliationFilter {
        provider: wanted.provider,
        state: wanted.state,
        from: wanted.from,
        to: wanted.to,
    };
    let days = gateway.ledger.reconciliations(&filter, limit).await.map_err(|error| unavailable(&error))?;
    Ok(input::list(days.iter().map(day), limit))
}

fn day(row: &Reconciliation) -> Value {
    let usd = |nano| NanoUsd(nano).usd();
    json!({
        "object": "reconciliation",
        "provider": row.provider,
        "day": row.day,
        "at": time::rfc3339(row.at_ms),
        "attempts": row.attempts,
        "unpriced_attempts": row.unpriced_attempts,
        "expected_usd": usd(row.expected_nano),
        "actual_usd": row.actual_nano.map(usd),
        "difference_usd": row.actual_nano.map(|actual| usd(actual.saturating_sub(row.expected_nano))),
        "tolerance_usd": usd(row.tolerance_nano),
        "state": row.state,
    })
}
