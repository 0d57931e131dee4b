//! Idempotency-Key: one key, one call that lands. Whether a key is free, in use or used up is its call's reservation's
//! state, so nothing has to be repaired after a crash: a hold that expires frees its key.
//!
//! A key belongs to the API key and the route it came with. Another body is refused while the key is in use or used up.

mod answer;
mod record;

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use bytespike_accounts::keys::Caller;
use bytespike_dialects::{ErrorCode, ErrorInfo};
use bytespike_ledger::Standing;
use bytespike_store::idempotent_call::{self as table, ClaimRow};
use http::{HeaderMap, HeaderValue, Response};
use sha2::{Digest, Sha256};

use super::Refused;
use crate::Gateway;
use crate::http::Inbound;
use crate::http::receipts::unavailable;
pub use record::record;

const HEADER: &str = "idempotency-key";
/// `true` keeps a streamed answer too, so that it can be replayed.
const REPLAY_STREAM: &str = "x-bytespike-replay-stream";
/// On a replayed answer.
const REPLAYED: &str = "idempotent-replay";
const LONGEST_KEY_BYTES: usize = 255;
/// A key is remembered this long, and its answer with it.
const REMEMBERED_MS: i64 = 24 * 3_600_000;
/// A hold that takes longer than this is not waited for, so that a claim without one is known to be abandoned later.
const HOLD_WITHIN: Duration = Duration::from_secs(20);
const ABANDONED_AFTER_MS: i64 = 60_000;
/// Between a settlement and its answer being kept there is a moment; after this it is not coming any more.
const KEPT_WITHIN_MS: i64 = 10_000;
/// When to ask again for the answer of a call that runs.
const RETRY_AFTER_MS: i64 = 1_000;
/// Others may claim or let go of the same key between two looks at it.
const LOOKS: usize = 4;
/// Keys forgotten in one statement.
const SWEPT_AT_ONCE: i64 = 500;

/// How a request with or without a key goes on.
pub enum Start {
    /// The call is to be made.
    Call(Option<Claim>),
    /// It was made before; this is its answer.
    Replay(Response<Body>),
}

/// What [`begin`] needs to know about a call.
pub struct Asked<'a> {
    pub caller: &'a Caller,
    pub inbound: &'a Inbound,
    pub streamed: bool,
    /// Of the call that is to be made.
    pub receipt_id: &'a str,
}

/// A key that this call has. Until the call holds credit, dropping it lets go of the key.
pub struct Claim {
    gateway: Gateway,
    row: table::Claim,
    /// As the client wrote it.
    key: String,
    holds: bool,
}

/// Claims the key that the request carries, or finds out what became of the call that has it.
///
/// # Errors
/// A malformed key; a key of another body; a call that runs; an answer that was not kept; no database.
pub async fn begin(gateway: &Gateway, asked: Asked<'_>) -> Result<Start, Refused> {
    let Some(key) = key_of(asked.inbound)? else { return Ok(Start::Call(None)) };
    let wanted = wanted(gateway, &asked, key)?;
    let failed = |error| Refused::from(unavailable(&error));
    for _ in 0..LOOKS {
        if table::claim(&gateway.store, &wanted).await.map_err(failed)? {
            return Ok(claimed(gateway, (key, wanted)));
        }
        let found = table::find(&gateway.store, &wanted.id).await.map_err(failed)?;
        let Some(row) = found else { continue };
        match standing(gateway, &row, wanted.now_ms).await.map_err(failed)? {
            CallState::Over
                if table::take_over(&gateway.store, &wanted, &row.receipt_id).await.map_err(failed)? =>
            {
                return Ok(claimed(gateway, (key, wanted)));
            }
            CallState::Over => {}
            _ if row.body_sha256 != wanted.body_sha256 => {
                return Err(refuse(ErrorCode::IdempotencyMismatch, &row));
            }
            CallState::Running => return Err(refuse(ErrorCode::IdempotencyInProgress, &row)),
            CallState::Landed => return replay(gateway, &wanted.id, &row),
        }
    }
    Err(ErrorInfo::new(ErrorCode::LedgerUnavailable, &[]).with_retry_after_ms(RETRY_AFTER_MS).into())
}

/// What became of the call that has a key.
enum CallState {
    /// It failed, or its time is over: the key is free.
    Over,
    Running,
    Landed,
}

async fn standing(
    gateway: &Gateway,
    row: &ClaimRow,
    now_ms: i64,
) -> Result<CallState, bytespike_store::sqlx::Error> {
    if row.expires_at_ms <= now_ms {
        return Ok(CallState::Over);
    }
    Ok(match gateway.ledger.standing(&row.receipt_id).await? {
        Some(Standing::Free) => CallState::Over,
        Some(Standing::Held) => CallState::Running,
        Some(Standing::Settled { at_ms }) => {
            let is_coming =
                row.keeps_answer && row.answer_sealed.is_none() && now_ms - at_ms < KEPT_WITHIN_MS;
            if is_coming { CallState::Running } else { CallState::Landed }
        }
        None if now_ms - row.claimed_at_ms < ABANDONED_AFTER_MS => CallState::Running,
        None => CallState::Over,
    })
}

fn replay(gateway: &Gateway, id: &str, row: &ClaimRow) -> Result<Start, Refused> {
    let Some(sealed) = &row.answer_sealed else {
        return Err(refuse(ErrorCode::IdempotencyNotReplayable, row));
    };
    match answer::open(&gateway.answer_key, id, sealed) {
        Some((mut headers, body)) => {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(Start::Replay(crate::http::reply::again(headers, body)))
        }
        None => {
            tracing::error!(receipt_id = %row.receipt_id, "an answer that was kept does not open: another master key, or damaged");
            Err(refuse(ErrorCode::IdempotencyNotReplayable, row))
        }
    }
}

fn refuse(code: ErrorCode, row: &ClaimRow) -> Refused {
    let path = format!("/v1/receipts/{}", row.receipt_id);
    let mut error = ErrorInfo::new(code, &[("receipt_path", path.as_str())]).with_param(HEADER);
    let mut headers = HeaderMap::new();
    if code == ErrorCode::IdempotencyMismatch {
        return Refused { error: Box::new(error), headers };
    }
    error =
        error.with_detail("receipt_id", row.receipt_id.as_str()).with_detail("receipt_path", path.as_str());
    if let Ok(value) = HeaderValue::from_str(&row.receipt_id) {
        headers.insert("x-receipt-id", value);
    }
    if code == ErrorCode::IdempotencyInProgress {
        error = error.with_retry_after_ms(RETRY_AFTER_MS);
    }
    Refused { error: Box::new(error), headers }
}

fn claimed(gateway: &Gateway, (key, row): (&str, table::Claim)) -> Start {
    Start::Call(Some(Claim { gateway: gateway.clone(), row, key: key.to_owned(), holds: false }))
}

fn wanted(gateway: &Gateway, asked: &Asked<'_>, key: &str) -> Result<table::Claim, Box<ErrorInfo>> {
    let now_ms = gateway.world.now_ms();
    let Asked { caller, inbound, streamed, receipt_id } = *asked;
    Ok(table::Claim {
        id: id_of(caller, inbound.uri.path(), key),
        org_id: caller.org_id.clone(),
        key_id: caller.key_id.clone(),
        body_sha256: hex::encode(Sha256::digest(&inbound.body)),
        receipt_id: receipt_id.to_owned(),
        keeps_answer: !streamed || wants_stream_kept(inbound)?,
        now_ms,
        expires_at_ms: now_ms.saturating_add(REMEMBERED_MS),
    })
}

/// A base URL may bring its own `/v1`; the route is what comes after.
fn id_of(caller: &Caller, path: &str, key: &str) -> String {
    let route = path.trim_start_matches("/v1");
    let mut hash = Sha256::new();
    for part in [caller.key_id.as_str(), route, key] {
        // With its length before it, no part can be shifted into its neighbour.
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

fn key_of(inbound: &Inbound) -> Result<Option<&str>, Box<ErrorInfo>> {
    let mut values = inbound.headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let is_plain = |text: &&str| {
        (1..=LONGEST_KEY_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match value.to_str().ok().filter(is_plain).filter(|_| values.next().is_none()) {
        Some(key) => Ok(Some(key)),
        None => {
            let reason = format!(
                "{HEADER} must be sent once, with 1 to {LONGEST_KEY_BYTES} visible ASCII characters, such as a UUID"
            );
            Err(ErrorInfo::new(ErrorCode::InvalidRequest, &[("reason", &reason)]).with_param(HEADER).into())
        }
    }
}

fn wants_stream_kept(inbound: &Inbound) -> Result<bool, Box<ErrorInfo>> {
    match inbound.headers.get(REPLAY_STREAM).map(HeaderValue::as_bytes) {
        None | Some(b"false") => Ok(false),
        Some(b"true") => Ok(true),
        Some(_) => {
            let reason = format!("{REPLAY_STREAM} must be true or false");
            Err(ErrorInfo::new(ErrorCode::InvalidRequest, &[("reason", &reason)])
                .with_param(REPLAY_STREAM)
                .into())
        }
    }
}

/// Waits for the hold of a call that may have a key, and lets go of the key if there is none.
///
/// # Errors
/// The hold's own, or that it took too long.
pub async fn hold<T>(
    claim: &mut Option<Claim>,
    hold: impl Future<Output = Result<T, Box<ErrorInfo>>>,
) -> Result<T, Box<ErrorInfo>> {
    let Some(claim) = claim else { return hold.await };
    let late = || Box::new(ErrorInfo::new(ErrorCode::LedgerUnavailable, &[]));
    match tokio::time::timeout(HOLD_WITHIN, hold).await.unwrap_or_else(|_| Err(late())) {
        Ok(taken) => {
            claim.holds = true;
            Ok(taken)
        }
        Err(error) => {
            claim.holds = true;
            forget(&claim.gateway, &claim.row).await;
            Err(error)
        }
    }
}

/// Removes keys whose time is over; how many.
///
/// # Errors
/// The database does not answer.
pub async fn forget_expired(gateway: &Gateway) -> Result<u64, bytespike_store::sqlx::Error> {
    let mut forgotten = 0;
    loop {
        let swept = table::delete_expired(&gateway.store, gateway.world.now_ms(), SWEPT_AT_ONCE).await?;
        forgotten += swept;
        if i64::try_from(swept).unwrap_or(0) < SWEPT_AT_ONCE {
            return Ok(forgotten);
        }
    }
}

impl Claim {
    /// The key as the client wrote it.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether the answer is to be kept: any that is whole, a stream only if it asked for that.
    #[must_use]
    pub fn keeps_answer(&self) -> bool {
        self.row.keeps_answer
    }

    /// Keeps the answer of the call, unless it is too large.
    pub async fn keep(&self, headers: &HeaderMap, body: &Bytes) {
        let Claim { gateway, row, .. } = self;
        let sealed = answer::seal((&gateway.answer_key, &gateway.world), &row.id, headers, body);
        let kept = table::keep(&gateway.store, &row.id, &row.receipt_id, sealed.as_deref()).await;
        if let Err(error) = kept {
            tracing::warn!(%error, receipt_id = %row.receipt_id, "an answer could not be kept for its idempotency key");
        }
    }
}

impl Drop for Claim {
    /// The client went away before anything was held.
    fn drop(&mut self) {
        if self.holds {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (gateway, row) = (self.gateway.clone(), self.row.clone());
        let tasks = gateway.tasks.clone();
        tasks.spawn_on(async move { forget(&gateway, &row).await }, &runtime);
    }
}

async fn forget(gateway: &Gateway, row: &table::Claim) {
    if let Err(error) = table::forget(&gateway.store, &row.id, &row.receipt_id).await {
        tracing::warn!(%error, receipt_id = %row.receipt_id, "an idempotency key could not be let go; it is free in a minute");
    }
}
