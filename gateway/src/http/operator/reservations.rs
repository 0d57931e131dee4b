//! `/api/v1/operator/reservations`: what is held now, and the release of one hold that nobody will end.

use bytespike_catalog::NanoUsd;
use bytespike_dialects::{ErrorCode, ErrorInfo};
use bytespike_ledger::{OpenHold, Reason, Release, ResolveError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Answer, receipts::unavailable, reply, time};
use super::{Inbound, Operator, input};
use crate::Gateway;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The last id of the page before.
    after: Option<String>,
    limit: Option<u32>,
}

/// Open holds, the oldest first.
pub async fn open(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let wanted: Wanted = input::query(inbound)?;
    let limit = input::limit(wanted.limit)?;
    let holds = gateway.ledger.open_holds(wanted.after.as_deref().unwrap_or_default(), limit).await;
    let holds = holds.map_err(|error| unavailable(&error))?;
    Ok(input::list(holds.iter().map(|hold| row(hold, inbound.accepted_at_ms)), limit))
}

fn row(hold: &OpenHold, now_ms: i64) -> Value {
    json!({
        "object": "reservation",
        "id": hold.id,
        "org_id": hold.org_id,
        "key_id": hold.key_id,
        "model": hold.model_requested,
        "protocol": hold.protocol,
        "stream": hold.stream,
        "held_credits": NanoUsd(hold.held_nano).credits(),
        "held_at": time::rfc3339(hold.held_at_ms),
        "age_ms": (now_ms - hold.held_at_ms).max(0),
        "lease_ends_at": time::rfc3339(hold.expires_at_ms),
        "process": hold.owner,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: String,
}

/// Ends a hold with nothing charged. A call that still runs on it goes on and is free.
pub async fn release(gateway: &Gateway, operator: &Operator, inbound: &Inbound) -> Answer {
    let why: Why = input::body(inbound)?;
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
    let detail = json!({"reason": why, "held_nano": hold.held_nano});
    operator.did(gateway, ("reservation.released", &hold.org_id, &hold.id), detail).await;
    Ok(reply::value(&json!({
        "object": "reservation",
        "id": resolution.reservation_id,
        "outcome": resolution.outcome,
        "returned_credits": resolution.returned().credits(),
    })))
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
