//! What the gateway counts about itself. Labels are few and bounded: never a key, an org or a model.

use bytespike_catalog::NanoUsd;
use bytespike_dialects::ErrorCode;
use bytespike_ledger::Resolution;

/// A hold ended.
pub fn resolved(resolution: &Resolution) {
    let outcome = resolution.outcome.name();
    metrics::counter!("bytespike_calls_total", "outcome" => outcome).increment(1);
    let charged = u64::try_from(resolution.charged.0).unwrap_or(0);
    metrics::counter!("bytespike_charged_nano_usd_total").increment(charged);
}

/// A call cost more than was held for it, and the rest is ours. More than one call in a thousand, or half a
/// percent of the value, means that estimates are wrong.
pub fn over_hold((receipt_id, model): (&str, &str), excess: NanoUsd) {
    metrics::counter!("bytespike_over_hold_total").increment(1);
    let nano = u64::try_from(excess.0).unwrap_or(0);
    metrics::counter!("bytespike_over_hold_nano_usd_total").increment(nano);
    tracing::warn!(
        receipt_id,
        model,
        credits = excess.credits(),
        "a call cost more than was held; the rest is ours"
    );
}

/// A request was answered with an error.
pub fn refused(code: ErrorCode) {
    metrics::counter!("bytespike_errors_total", "code" => code.name()).increment(1);
}
