//! `GET /api/v1/operator/absorbed-costs`: what failures cost us and nobody else, the price of the promise.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::get;
use bytespike_ledger::AbsorbedBy;
use http::{Request, Response};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use super::super::{Answer, receipts::unavailable};
use super::shapes::{AbsorbedCost, OperatorError, Rows};
use super::{Inbound, as_operator, input, reads};
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

/// The part of the description that stands here.
#[derive(OpenApi)]
#[openapi(paths(absorbed_costs), components(schemas(AbsorbedCost)))]
pub struct Document;

pub fn routes() -> Router<Gateway> {
    Router::new().route("/api/v1/operator/absorbed-costs", reads(get(absorbed_costs)))
}

/// Absorbed costs
///
/// What failures cost us and nobody else, summed by group, the largest first.
#[utoipa::path(
    get, path = "/api/v1/operator/absorbed-costs", operation_id = "listAbsorbedCosts", tag = "operator", security(("operator" = [])),
    params(Wanted),
    responses(
        (status = 200, description = "Sums.", body = Rows<AbsorbedCost>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn absorbed_costs(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| list(&gateway, &inbound).await).await
}

/// Sums, the largest first.
async fn list(gateway: &Gateway, inbound: &Inbound) -> Answer {
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
