//! `/api/v1/operator/reservations`: what is held now, and the release of one hold that nobody will end.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::{get, post};
use bytespike_dialects::{ErrorCode, ErrorInfo};
use bytespike_ledger::{Reason, Release, ResolveError};
use http::{Request, Response};
use serde_json::json;
use utoipa::OpenApi;

use super::super::{Answer, receipts::unavailable};
use super::shapes::{HeldCall, OperatorError, ReleasedHold, Rows};
use super::{Inbound, Operator, acts, as_operator, input, reads};
use crate::Gateway;

/// The part of the description that stands here.
#[derive(OpenApi)]
#[openapi(
    paths(open_reservations, release_reservation),
    components(schemas(HeldCall, ReleasedHold, input::Why))
)]
pub struct Document;

pub fn routes() -> Router<Gateway> {
    Router::new()
        .route("/api/v1/operator/reservations", reads(get(open_reservations)))
        .route("/api/v1/operator/reservations/{id}/release", acts(post(release_reservation)))
}

/// Open holds
///
/// What is held now, the oldest first.
#[utoipa::path(
    get, path = "/api/v1/operator/reservations", operation_id = "listReservations", tag = "operator", security(("operator" = [])),
    params(input::Page),
    responses(
        (status = 200, description = "Holds.", body = Rows<HeldCall>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn open_reservations(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| open(&gateway, &inbound).await).await
}

/// Release a hold
///
/// Ends it with nothing charged. A call that still runs on it goes on and is free.
#[utoipa::path(
    post, path = "/api/v1/operator/reservations/{id}/release", operation_id = "releaseReservation", tag = "operator", security(("operator" = [])),
    params(("id" = String, Path, description = "Its id.")),
    request_body = input::Why,
    responses(
        (status = 200, description = "The hold as it ended.", body = ReleasedHold),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
        (status = 404, description = "Nothing by that id.", body = OperatorError),
    ),
)]
async fn release_reservation(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| release(&gateway, &operator, &inbound).await)
        .await
}

/// Open holds, the oldest first.
async fn open(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let wanted: input::Page = input::query(inbound)?;
    let limit = input::limit(wanted.limit)?;
    let holds = gateway.ledger.open_holds(wanted.after.as_deref().unwrap_or_default(), limit).await;
    let holds = holds.map_err(|error| unavailable(&error))?;
    input::list(holds.iter().map(|hold| HeldCall::of(hold, inbound.accepted_at_ms)), limit)
}

/// Ends a hold with nothing charged. A call that still runs on it goes on and is free.
async fn release(gateway: &Gateway, operator: &Operator, inbound: &Inbound) -> Answer {
    let why: input::Why = input::body(inbound)?;
    let why = input::reason(&why.reason)?;
    let found = gateway.ledger.open_hold(input::path_part(inbound, 1)).await;
    let hold = found.map_err(|error| unavailable(&error))?.ok_or_else(|| input::missing(inbound))?;
    let release = Release {
        reservation_id: hold.id.clone(),
        org_id: hold.org_id.clone(),
        reason: Reason::ReleasedByOperator,
        attempts: Vec::new(),
    };
    let resolution = gateway.ledger.release(release).await.map_err(|error| refused(&error, inbound))?;
    let detail = json!({"reason": why.as_str(), "held_nano": hold.held_nano});
    operator.did(gateway, ("reservation.released", &hold.org_id, &hold.id), detail).await;
    input::value(&ReleasedHold::of(&resolution))
}

/// Somebody else was first, or the ledger does not answer.
fn refused(error: &ResolveError, inbound: &Inbound) -> ErrorInfo {
    match error {
        ResolveError::Unknown(_) | ResolveError::AlreadyResolved(_) => input::missing(inbound),
        ResolveError::Unavailable(error) => {
            tracing::error!(%error, "a hold could not be released");
            ErrorInfo::new(ErrorCode::LedgerUnavailable, &[]).with_retry_after_ms(1_000)
        }
    }
}
