//! Refusals of the ledger and the price book in the caller's terms.

use bytespike_accounts::call_limits::CallLimitKind;
use bytespike_catalog::{NanoUsd, PriceError};
use bytespike_dialects::{ErrorCode, ErrorInfo};
use bytespike_ledger::{HoldError, LimitState, NodeId, Refusal, Window};

use crate::admission::Busy;

/// Why no hold was taken.
#[must_use]
pub fn hold(error: HoldError, required: NanoUsd, now_ms: i64) -> ErrorInfo {
    match error {
        HoldError::Refused(Refusal::InsufficientCredits { required, available }) => {
            insufficient(required, available)
        }
        HoldError::Refused(Refusal::LimitExceeded { limit, required }) => limited(&limit, required, now_ms),
        HoldError::Refused(Refusal::Frozen) => ErrorInfo::new(ErrorCode::OrgFrozen, &[]),
        HoldError::Refused(Refusal::NoWallet) => insufficient(required, NanoUsd::ZERO),
        HoldError::Refused(Refusal::IdReused) => impossible(),
        HoldError::Unavailable(error) => {
            tracing::error!(%error, "no hold could be taken");
            ErrorInfo::new(ErrorCode::LedgerUnavailable, &[]).with_retry_after_ms(1_000)
        }
    }
}

/// The page on which a member asks for more of the limit that was in the way. Without a language: a refusal is read by a
/// program, whose key may be anybody's, and the page offers the other language.
#[must_use]
pub fn ask_url(console: &str, error: &HoldError) -> Option<String> {
    let HoldError::Refused(Refusal::LimitExceeded { limit, .. }) = error else { return None };
    let (node, window) = (limit.node.as_str(), limit.window.name());
    Some(format!("{console}/console/limits/ask?node={node}&limit={window}"))
}

/// Why a request has no price.
#[must_use]
pub fn price(model: &str, error: &PriceError) -> ErrorInfo {
    match error {
        PriceError::TooLarge => {
            let reason =
                "this call could cost more than a single call may; lower the output limit or send less";
            ErrorInfo::new(ErrorCode::InvalidRequest, &[("reason", reason)])
        }
        other => {
            let reason = format!("{other}.");
            ErrorInfo::new(ErrorCode::PriceUnavailable, &[("model", model), ("reason", &reason)])
        }
    }
}

/// Why a request was not let in.
#[must_use]
pub fn busy(busy: &Busy) -> ErrorInfo {
    let (node, limit) = (node_named(&busy.limit.node), busy.limit.value.to_string());
    let retry_after_s = (busy.retry_after_ms.saturating_add(999) / 1_000).to_string();
    let code = match busy.limit.kind {
        CallLimitKind::ConcurrentCalls => ErrorCode::ConcurrencyLimited,
        CallLimitKind::RequestsPerMinute | CallLimitKind::CreditsPerCall => ErrorCode::RateLimited,
    };
    let values = [("node", node.as_str()), ("limit", &limit), ("retry_after_s", &retry_after_s)];
    ErrorInfo::new(code, &values)
        .with_detail("node", &*busy.limit.node)
        .with_detail("limit_name", busy.limit.kind.name())
        .with_detail("limit", busy.limit.value)
        .with_retry_after_ms(busy.retry_after_ms)
}

/// Something that the types of the ledger allow and its rules do not.
#[must_use]
pub fn impossible() -> ErrorInfo {
    ErrorInfo::new(ErrorCode::Internal, &[("request_id", "in the request-id header")])
}

fn insufficient(required: NanoUsd, available: NanoUsd) -> ErrorInfo {
    let (required, available) = (required.credits(), available.credits());
    ErrorInfo::new(
        ErrorCode::InsufficientCredits,
        &[("needed_credits", &required), ("available_credits", &available)],
    )
    .with_detail("required_credits", required)
    .with_detail("available_credits", available)
}

fn limited(limit: &LimitState, required: NanoUsd, now_ms: i64) -> ErrorInfo {
    let node = node_name(&limit.node);
    let (needed, remaining) = (required.credits(), limit.remaining().credits());
    let resets_at = limit.resets_at_ms.map(crate::http::time::rfc3339).unwrap_or_default();
    let values = [
        ("node", node.as_str()),
        ("window", limit.window.name()),
        ("needed_credits", &needed),
        ("remaining_credits", &remaining),
        ("resets_at", &resets_at),
    ];
    let code = match limit.window {
        Window::Lifetime => ErrorCode::QuotaExceeded,
        _ => ErrorCode::SpendWindowExceeded,
    };
    let error = ErrorInfo::new(code, &values)
        .with_detail("node", limit.node.as_str())
        .with_detail("window", limit.window.name())
        .with_detail("limit_credits", limit.limit.credits())
        .with_detail("remaining_credits", remaining)
        .with_detail("required_credits", needed)
        .with_detail("resets_at_ms", limit.resets_at_ms);
    match limit.resets_at_ms {
        Some(resets_at_ms) => error.with_retry_after_ms((resets_at_ms - now_ms).max(0)),
        None => error,
    }
}

/// A node for a sentence, from its id.
#[must_use]
pub fn node_named(id: &str) -> String {
    NodeId::parse(id).map_or_else(|| id.to_owned(), |node| node_name(&node))
}

fn node_name(node: &NodeId) -> String {
    let kind = match node.kind() {
        "org" => "organisation",
        "dep" => "deployment",
        "mem" => "member",
        other => other,
    };
    format!("the {kind} {}", node.id())
}
