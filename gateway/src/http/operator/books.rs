//! `GET /api/v1/operator/invariant-runs` and `/reconciliations`: whether the books are in order, in full.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::get;
use bytespike_ledger::ReconciliationFilter;
use http::{Request, Response};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use super::super::{Answer, receipts::unavailable};
use super::shapes::{BrokenRule, CheckedBooks, OperatorError, ReconciledDay, Rows};
use super::{Inbound, as_operator, input, reads};
use crate::Gateway;

/// How many runs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedRuns {
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The part of the description that stands here.
#[derive(OpenApi)]
#[openapi(
    paths(invariant_runs, reconciliations),
    components(schemas(BrokenRule, CheckedBooks, ReconciledDay))
)]
pub struct Document;

pub fn routes() -> Router<Gateway> {
    Router::new()
        .route("/api/v1/operator/invariant-runs", reads(get(invariant_runs)))
        .route("/api/v1/operator/reconciliations", reads(get(reconciliations)))
}

/// Checks of the books
///
/// The newest checks of the rules of the ledger, with everything they found.
#[utoipa::path(
    get, path = "/api/v1/operator/invariant-runs", operation_id = "listInvariantRuns", tag = "operator", security(("operator" = [])),
    params(WantedRuns),
    responses(
        (status = 200, description = "Runs.", body = Rows<CheckedBooks>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn invariant_runs(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| runs(&gateway, &inbound).await).await
}

/// Reconciliations
///
/// Days of providers compared with our attempts, the newest first.
#[utoipa::path(
    get, path = "/api/v1/operator/reconciliations", operation_id = "listReconciliations", tag = "operator", security(("operator" = [])),
    params(WantedDays),
    responses(
        (status = 200, description = "Days.", body = Rows<ReconciledDay>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn reconciliations(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| days(&gateway, &inbound).await).await
}

/// The newest checks of the invariants, with everything they found.
async fn runs(gateway: &Gateway, inbound: &Inbound) -> Answer {
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
async fn days(gateway: &Gateway, inbound: &Inbound) -> Answer {
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
