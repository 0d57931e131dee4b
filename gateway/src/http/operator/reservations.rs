//! `/api/v1/operator/reservations`: what is held now, and the release of one hold that nobody will end.

use bytespike_dialects::{ErrorCode, ErrorInfo};
use bytespike_ledger::{Reason, Release, ResolveError};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::super::{Answer, receipts::unavailable};
use super::shapes::{HeldCall, ReleasedHold};
use super::{Inbound, Operator, input};
use crate::Gateway;

/// Which page.
#[derive(Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// The last id of the page before.
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Open holds, the oldest first.
pub async fn open(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let wanted: Wanted = input::query(inbound)?;
    let limit = input::limit(wanted.limit)?;
    let holds = gateway.ledger.open_holds(wanted.after.as_deref().unwrap_or_default(), limit).await;
    let holds = holds.map_err(|error| unavailable(&error))?;
    input::list(holds.iter().map(|hold| HeldCall::of(hold, inbound.accepted_at_ms)), limit)
}

/// Ends a hold with nothing charged. A call that still runs on it goes on and is free.
pub async fn release(gateway: &Gateway, operator: &Operator, inbound: &Inbound) -> Answer {
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
