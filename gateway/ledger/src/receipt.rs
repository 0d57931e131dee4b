//! The receipt: everything about one call's money, written once, in the transaction that resolves it.
use crate::call::{Attempt, LimitState, Outcome, RequestFacts, Settlement, UsageSource};
use crate::read::Receipt;
use crate::rows::ReservationRow;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytespike_catalog::fx::FxRate;
use bytespike_catalog::{Line, NanoUsd, Usage, display};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::Serialize;

/// What the receipt is written from.
pub(crate) struct Facts<'a> {
    pub reservation: &'a ReservationRow,
    pub outcome: Outcome,
    pub reason: &'a str,
    pub charged: NanoUsd,
    /// `None` when nothing landed.
    pub settlement: Option<&'a Settlement>,
    pub attempts: &'a [Attempt],
    pub wallet_available: NanoUsd,
    pub limits: &'a [LimitState],
    pub resolved_at_ms: i64,
}

/// Compact JSON; keys in the order people read them.
pub(crate) fn write(facts: &Facts<'_>) -> String {
    let request: RequestFacts = serde_json::from_str(&facts.reservation.request_json).unwrap_or_default();
    let mut body = Vec::with_capacity(USUAL_BYTES);
    // Strings, integers and booleans only: this always serialises, as UTF-8.
    let written = serde_json::to_writer(&mut body, &Body::new(facts, &request));
    debug_assert!(written.is_ok());
    String::from_utf8(body).unwrap_or_default()
}

/// Room for most receipts.
const USUAL_BYTES: usize = 3 * 1_024;

#[derive(Serialize)]
struct Body<'a> {
    object: &'static str,
    version: u32,
    id: &'a str,
    outcome: Outcome,
    reason: &'a str,
    held: Credits,
    charged: Charged<'a>,
    returned: Credits,
    balance_after: BalanceAfter,
    model: ModelNames<'a>,
    price: PriceRef<'a>,
    lines: &'a [Line],
    sum_exact_credits: String,
    /// What rounding down left to the customer: `sum = charged + rounding + over_hold`.
    rounding_credits: String,
    /// What we bear because the call cost more than was held.
    over_hold_credits: String,
    usage: Option<&'a Usage>,
    usage_source: Option<UsageSource>,
    attempts: Vec<AttemptLine<'a>>,
    timing: Timing,
    caller: Caller<'a>,
    request: Request<'a>,
    links: Links,
}

#[derive(Serialize)]
struct Credits {
    credits: String,
}

#[derive(Serialize)]
struct Charged<'a> {
    credits: String,
    usd: String,
    cny: String,
    fx: FxRef<'a>,
}

#[derive(Serialize)]
struct FxRef<'a> {
    id: &'a str,
    usd_cny: &'a str,
}

#[derive(Serialize)]
struct BalanceAfter {
    org_credits: String,
    /// The least remaining below the org; null when nothing is limited.
    quota_remaining_credits: Option<String>,
}

#[derive(Serialize)]
struct ModelNames<'a> {
    requested: &'a str,
    served: Option<&'a str>,
    priced_as: Option<&'a str>,
    preset: Option<&'a str>,
}

#[derive(Serialize)]
struct PriceRef<'a> {
    version: i64,
    hash: &'a str,
}

#[derive(Serialize)]
struct AttemptLine<'a> {
    n: usize,
    channel: &'a str,
    model: &'a str,
    status: Option<u16>,
    outcome: &'a str,
    ms: i64,
    first_content_ms: Option<i64>,
    charged_credits: String,
    finish: Option<&'a str>,
    native_finish: Option<&'a str>,
    upstream_request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Timing {
    held_at: String,
    first_content_at: Option<String>,
    resolved_at: String,
}

#[derive(Serialize)]
struct Caller<'a> {
    org_id: &'a str,
    org: &'a str,
    deployment_id: &'a str,
    deployment: &'a str,
    member_id: &'a str,
    member: &'a str,
    key_id: &'a str,
    key_name: &'a str,
    key: &'a str,
}

#[derive(Serialize)]
struct Request<'a> {
    id: &'a str,
    protocol: &'a str,
    stream: bool,
    idempotency_key: Option<&'a str>,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    this: String,
}

impl<'a> Body<'a> {
    fn new(facts: &'a Facts<'_>, request: &'a RequestFacts) -> Self {
        let (reservation, charged) = (facts.reservation, facts.charged);
        let charge = facts.settlement.map(|settlement| &settlement.charge);
        let landed = facts.attempts.iter().find(|attempt| attempt.landed);
        let over_hold = charge.map_or(NanoUsd::ZERO, |charge| NanoUsd(charge.nano.0 - charged.0));
        Self {
            object: "receipt",
            version: 1,
            id: &reservation.id,
            outcome: facts.outcome,
            reason: facts.reason,
            held: Credits { credits: NanoUsd(reservation.held_nano).credits() },
            charged: Charged::new(charged, request),
            returned: Credits { credits: NanoUsd(reservation.held_nano - charged.0).credits() },
            balance_after: BalanceAfter::new(facts),
            model: ModelNames {
                requested: &reservation.model_requested,
                served: landed.map(|attempt| attempt.model_served.as_str()),
                priced_as: charge.map(|charge| charge.priced_as.as_str()),
                preset: request.preset.as_deref(),
            },
            price: PriceRef { version: reservation.price_version, hash: &request.price_hash },
            lines: charge.map_or(&[], |charge| &charge.lines),
            sum_exact_credits: charge
                .map_or_else(|| NanoUsd::ZERO.credits(), |charge| charge.exact.credits()),
            rounding_credits: charge.map_or_else(
                || NanoUsd::ZERO.credits(),
                |charge| charge.exact.minus_nano_credits(charge.nano),
            ),
            over_hold_credits: over_hold.credits(),
            usage: facts.settlement.map(|settlement| &settlement.usage),
            usage_source: facts.settlement.map(|settlement| settlement.usage_source),
            attempts: attempt_lines(facts),
            timing: Timing {
                held_at: rfc3339(reservation.held_at_ms),
                first_content_at: landed.and_then(first_content_at_ms).map(rfc3339),
                resolved_at: rfc3339(facts.resolved_at_ms),
            },
            caller: Caller::new(reservation, request),
            request: Request {
                id: &request.request_id,
                protocol: &request.protocol,
                stream: request.stream,
                idempotency_key: request.idempotency_key.as_deref(),
            },
            links: Links { this: format!("/v1/receipts/{}", reservation.id) },
        }
    }
}

impl<'a> Charged<'a> {
    fn new(charged: NanoUsd, request: &'a RequestFacts) -> Self {
        let fx = FxRate {
            id: request.fx_id.clone(),
            date: String::new(),
            usd_cny_micro: request.usd_cny_micro,
            source: String::new(),
        };
        Self {
            credits: charged.credits(),
            usd: charged.usd(),
            cny: display::amount_cny(charged, &fx),
            fx: FxRef { id: &request.fx_id, usd_cny: &request.usd_cny },
        }
    }
}

impl BalanceAfter {
    fn new(facts: &Facts<'_>) -> Self {
        let below_org = facts.limits.iter().filter(|limit| limit.node.kind() != "org");
        let least = below_org.map(LimitState::remaining).min();
        Self {
            org_credits: facts.wallet_available.credits(),
            quota_remaining_credits: least.map(NanoUsd::credits),
        }
    }
}

impl<'a> Caller<'a> {
    fn new(reservation: &'a ReservationRow, request: &'a RequestFacts) -> Self {
        Self {
            org_id: &reservation.org_id,
            org: &request.org_name,
            deployment_id: &reservation.deployment_id,
            deployment: &request.deployment_name,
            member_id: &reservation.member_id,
            member: &request.member_name,
            key_id: &reservation.key_id,
            key_name: &request.key_name,
            key: &request.key_hint,
        }
    }
}

/// Only the attempt that landed is charged; every other says so with a zero.
fn attempt_lines<'a>(facts: &'a Facts<'_>) -> Vec<AttemptLine<'a>> {
    let landed = facts.attempts.iter().position(|attempt| attempt.landed);
    let line = |(index, attempt): (usize, &'a Attempt)| AttemptLine {
        n: index + 1,
        channel: &attempt.channel_id,
        model: &attempt.model_served,
        status: attempt.http_status,
        outcome: &attempt.outcome,
        ms: attempt.duration_ms,
        first_content_ms: attempt.first_content_ms,
        charged_credits: if landed == Some(index) { facts.charged } else { NanoUsd::ZERO }.credits(),
        finish: attempt.finish.as_deref(),
        native_finish: attempt.native_finish.as_deref(),
        upstream_request_id: attempt.upstream_request_id.as_deref(),
    };
    facts.attempts.iter().enumerate().map(line).collect()
}

pub(crate) fn first_content_at_ms(attempt: &Attempt) -> Option<i64> {
    attempt.first_content_ms.map(|after| attempt.started_at_ms + after)
}

pub(crate) fn rfc3339(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| format!("{at:.3}"))
}

impl Receipt {
    /// The receipt with a `signature` member appended; it signs exactly the bytes of the receipt without that member.
    pub fn signed(&self, key: &SigningKey) -> String {
        let value = BASE64.encode(key.sign(self.body.as_bytes()).to_bytes());
        let key_id = bytespike_catalog::export::key_id(&key.verifying_key());
        let open = self.body.strip_suffix('}').unwrap_or(&self.body);
        format!(r#"{open}{SIGNATURE}{{"algorithm":"ed25519","key_id":"{key_id}","value":"{value}"}}}}"#)
    }
}

const SIGNATURE: &str = r#","signature":"#;

/// Names the key that signed a receipt. `None` when the text has no signature where we write it.
pub fn receipt_key_id(signed: &str) -> Option<String> {
    let (_, signature) = signed.rsplit_once(SIGNATURE)?;
    let signature: serde_json::Value = serde_json::from_str(signature.strip_suffix('}')?).ok()?;
    Some(signature.get("key_id")?.as_str()?.to_owned())
}

/// Whether a signed receipt is what the key signed. `None` when the text has no signature.
pub fn verify_receipt(signed: &str, key: &VerifyingKey) -> Option<bool> {
    let (open, signature) = signed.rsplit_once(SIGNATURE)?;
    let signature: serde_json::Value = serde_json::from_str(signature.strip_suffix('}')?).ok()?;
    let bytes = BASE64.decode(signature.get("value")?.as_str()?).ok()?;
    let signature = Signature::from_slice(&bytes).ok()?;
    Some(key.verify_strict(format!("{open}}}").as_bytes(), &signature).is_ok())
}
