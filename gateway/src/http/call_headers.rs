//! The headers a call carries: what was held, what is left, who served it, what it cost.

use bytespike_catalog::PriceBook;
use bytespike_dialects::{Warning, request};
use bytespike_ledger::{Attempt, LimitState};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Inbound;
use crate::serve::{Settled, Taken};

/// The headers that are known once the hold is taken.
#[must_use]
pub fn of_hold(taken: &Taken, book: &PriceBook) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(24);
    let held = &taken.held;
    put(&mut headers, "x-receipt-id", &held.reservation_id);
    put(&mut headers, "x-estimated-credits", &taken.estimate.amount.credits());
    put(&mut headers, "x-credits-held", &held.held.credits());
    put(&mut headers, "x-price-version", &book.version.to_string());
    put(&mut headers, "x-org-quota-remaining-credits", &held.wallet_available.credits());
    if let Some(remaining) = held.quota_remaining() {
        put(&mut headers, "x-quota-remaining-credits", &remaining.credits());
    }
    let windows = held.limits.iter().filter(|limit| limit.resets_at_ms.is_some());
    if let Some(limit) = windows.min_by_key(|limit| limit.remaining()) {
        add_window(&mut headers, limit);
    }
    if let Some(clamp) = taken.clamped {
        let value = format!("{}; reason={}", taken.max_output_tokens, clamp.reason());
        put(&mut headers, "x-bytespike-max-tokens", &value);
    }
    headers
}

/// Who served the call, after how many tries, and when its answer began.
pub fn add_attempts(headers: &mut HeaderMap, attempts: &[Attempt], inbound: &Inbound) {
    if let Some(attempt) = attempts.last() {
        put(headers, "x-served-by", &attempt.channel_id);
    }
    put(headers, "x-attempts", &attempts.len().to_string());
    let total_ms = inbound.accepted.elapsed().as_secs_f64() * 1_000.0;
    put(headers, "server-timing", &format!("total;dur={total_ms:.1}"));
}

/// What was changed on the way to the provider.
pub fn add_warnings(headers: &mut HeaderMap, warnings: &[Warning]) {
    if let Some(value) = request::warning_header(warnings) {
        put(headers, "x-bytespike-warning", &value);
    }
}

/// What the call cost, and what is left after it.
pub fn add_settled(headers: &mut HeaderMap, settled: &Settled) {
    let Some(resolution) = &settled.resolution else {
        put(headers, "x-credits-charged", "0.000");
        return;
    };
    put(headers, "x-credits-charged", &resolution.charged.credits());
    put(headers, "x-org-quota-remaining-credits", &resolution.wallet_available.credits());
    let below = resolution.limits.iter().filter(|limit| limit.node.kind() != "org");
    if let Some(remaining) = below.map(LimitState::remaining).min() {
        put(headers, "x-quota-remaining-credits", &remaining.credits());
    }
}

/// The tightest spend window: credits, and Unix seconds for its end.
fn add_window(headers: &mut HeaderMap, limit: &LimitState) {
    put(headers, "x-ratelimit-limit", &limit.limit.credits());
    put(headers, "x-ratelimit-remaining", &limit.remaining().credits());
    let reset_s = limit.resets_at_ms.map_or(0, |ms| ms / 1_000);
    put(headers, "x-ratelimit-reset", &reset_s.to_string());
}

/// A value that cannot stand in a header is left out rather than passed on.
fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
