//! `GET /api/v1/operator/invariant-runs` and `/reconciliations`: whether the books are in order, in full.

use bytespike_ledger::ReconciliationFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::{Answer, receipts::unavailable};
use super::shapes::{CheckedBooks, ReconciledDay};
use super::{Inbound, input};
use crate::Gateway;

/// How many runs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedRuns {
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The newest checks of the invariants, with everything they found.
pub async fn invariant_runs(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let wanted: WantedRuns = input::query(inbound)?;
    let limit = input::limit(wanted.limit)?;
    let runs = gateway.ledger.invariant_runs(limit).await.map_err(|error| unavailable(&error))?;
    input::list(runs.iter().map(CheckedBooks::of), limit)
}

/// Which days.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedDays {
    provider: Option<String>,
    /// `matched`, `unmatched` or `missing`
    #[param(pattern = "^(matched|unmatched|missing)$")]
    state: Option<String>,
    #[param(format = Date)]
    from: Option<String>,
    #[param(format = Date)]
    to: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
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
    input::list(days.iter().map(ReconciledDay::of), limit)
}
