//! `/api/v1/operator/wallets`: every wallet, freezing one, and putting credit into one.

use bytespike_catalog::NanoUsd;
use bytespike_dialects::{ErrorCode, ErrorInfo};
use bytespike_ledger::{BookingError, Credit, CreditKind, Credited, WalletRow};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Answer, receipts::unavailable, reply, time};
use super::{Inbound, Operator, input};
use crate::Gateway;
use crate::serve::Refused;

const MOST_KEY_CHARS: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    frozen: Option<bool>,
    /// The last org id of the page before.
    after: Option<String>,
    limit: Option<u32>,
}

/// Wallets by organisation id.
pub async fn list(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let wanted: Wanted = input::query(inbound)?;
    let limit = input::limit(wanted.limit)?;
    let after = wanted.after.as_deref().unwrap_or_default();
    let wallets = gateway.ledger.wallets(wanted.frozen, after, limit).await;
    let wallets = wallets.map_err(|error| unavailable(&error))?;
    Ok(input::list(wallets.iter().map(row), limit))
}

fn row(wallet: &WalletRow) -> Value {
    json!({
        "object": "wallet",
        "org_id": wallet.org_id,
        "org_name": wallet.org_name,
        "posted_credits": NanoUsd(wallet.posted_nano).credits(),
        "held_credits": NanoUsd(wallet.held_nano).credits(),
        "frozen": wallet.frozen,
        "created_at": time::rfc3339(wallet.created_at_ms),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: String,
}

/// A frozen wallet takes no new holds; what is held may still settle.
pub async fn set_frozen(gateway: &Gateway, operator: &Operator, inbound: &Inbound, frozen: bool) -> Answer {
    let why: Why = input::body(inbound)?;
    let why = input::reason(&why.reason)?;
    let org_id = input::path_part(inbound, 1);
    gateway.ledger.set_frozen(org_id, frozen).await.map_err(|error| refused(&error, inbound))?;
    let event = if frozen { "wallet.frozen" } else { "wallet.unfrozen" };
    operator.did(gateway, (event, org_id, org_id), json!({"reason": why})).await;
    Ok(reply::value(&json!({"object": "wallet", "org_id": org_id, "frozen": frozen})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCredit {
    /// Text with at most three decimals.
    amount_credits: String,
    kind: CreditKind,
    reason: String,
    /// Only for what is given.
    expires_at: Option<String>,
}

/// Books credit once per `Idempotency-Key`: `top_up` for what was paid some other way, `grant` for what is given.
/// Mistakes of ours are mended with a grant and its reason, never by changing what was booked.
pub async fn credit(gateway: &Gateway, operator: &Operator, inbound: &Inbound) -> Answer {
    let new: NewCredit = input::body(inbound)?;
    let why = input::reason(&new.reason)?;
    let org_id = input::path_part(inbound, 1);
    let amount = NanoUsd::from_credits(&new.amount_credits).filter(|amount| *amount > NanoUsd::ZERO);
    let amount = amount.ok_or_else(|| {
        input::invalid("amount_credits: a positive decimal with at most three places, as text, is wanted, such as \"1000.000\"")
            .with_param("amount_credits")
    })?;
    let expires_at_ms = match (&new.expires_at, new.kind) {
        (None, _) => None,
        (Some(text), CreditKind::Grant) => Some(input::moment_ms("expires_at", Some(text), 0)?),
        (Some(_), CreditKind::TopUp) => {
            return Err(input::invalid("expires_at: paid credit does not expire")
                .with_param("expires_at")
                .into());
        }
    };
    let booking = Credit {
        org_id: org_id.to_owned(),
        amount,
        kind: new.kind,
        idempotency_key: format!("operator:{}", idempotency_key(inbound)?),
        note: why.to_owned(),
        expires_at_ms,
    };
    let credited = gateway.ledger.credit(booking).await.map_err(|error| refused(&error, inbound))?;
    let (booked, available) = match credited {
        Credited::Booked { available } => (true, available),
        Credited::Already { available } => (false, available),
    };
    if booked {
        let detail = json!({"reason": why, "kind": new.kind, "amount_nano": amount.0});
        operator.did(gateway, ("wallet.credited", org_id, org_id), detail).await;
    }
    Ok(reply::value(&json!({
        "object": "credit",
        "org_id": org_id,
        "kind": new.kind,
        "amount_credits": amount.credits(),
        "booked": booked,
        "available_credits": available.credits(),
    })))
}

/// Money is booked once however often the request is sent, so the request has to say which booking it is.
fn idempotency_key(inbound: &Inbound) -> Result<&str, Refused> {
    let key = inbound.header("idempotency-key").map(str::trim);
    key.filter(|key| (1..=MOST_KEY_CHARS).contains(&key.len())).ok_or_else(|| {
        input::invalid("the header Idempotency-Key is missing or longer than 200 characters; it keeps a repeated request from booking twice")
            .into()
    })
}

fn refused(error: &BookingError, inbound: &Inbound) -> ErrorInfo {
    match error {
        BookingError::NoWallet => input::missing(inbound),
        BookingError::IdempotencyMismatch => input::invalid(
            "this Idempotency-Key was used for another amount; the first booking stands, use a new key for a new one",
        ),
        BookingError::Unavailable(error) => {
            tracing::error!(%error, "a wallet could not be changed");
            ErrorInfo::new(ErrorCode::LedgerUnavailable, &[]).with_retry_after_ms(1_000)
        }
        other => input::invalid(&other.to_string()),
    }
}
