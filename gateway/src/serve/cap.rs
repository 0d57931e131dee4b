//! The most one call may hold: what its own header says, or a limit on its way, whichever is less.

use bytespike_accounts::call_limits::CallLimitKind;
use bytespike_accounts::keys::Caller;
use bytespike_catalog::NanoUsd;
use bytespike_dialects::{ErrorCode, ErrorInfo};

use super::refusal;
use crate::http::Inbound;

/// Credits as a decimal, at most three places.
pub const HEADER: &str = "x-bytespike-max-credits";

/// A cap and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    pub amount: NanoUsd,
    source: Source,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Header,
    /// The id of the node that has the limit.
    Node(String),
}

/// Why an output limit is less than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clamp {
    Balance,
    MaxCredits,
}

impl Clamp {
    /// As the header says it.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Balance => "balance",
            Self::MaxCredits => "max-credits",
        }
    }
}

/// The tightest cap on a call; `None` when there is none.
///
/// # Errors
/// A header that is no amount of credits.
pub fn of(caller: &Caller, inbound: &Inbound) -> Result<Option<Cap>, Box<ErrorInfo>> {
    let limits = caller.call_limits.iter().filter(|limit| limit.kind == CallLimitKind::CreditsPerCall);
    let of_nodes = limits
        .map(|limit| limit.at(inbound.accepted_at_ms))
        .map(|limit| Cap { amount: NanoUsd(limit.value), source: Source::Node(limit.node.to_string()) });
    Ok(of_nodes.chain(of_header(inbound)?).min_by_key(|cap| cap.amount))
}

fn of_header(inbound: &Inbound) -> Result<Option<Cap>, Box<ErrorInfo>> {
    let mut values = inbound.headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let amount = value.to_str().ok().and_then(|text| NanoUsd::from_credits(text.trim()));
    match amount.filter(|amount| amount.0 > 0 && values.next().is_none()) {
        Some(amount) => Ok(Some(Cap { amount, source: Source::Header })),
        None => {
            let reason = format!(
                "{HEADER} must be one positive amount of credits with at most three decimals, such as 1500 or 12.5"
            );
            Err(ErrorInfo::new(ErrorCode::InvalidRequest, &[("reason", &reason)]).with_param(HEADER).into())
        }
    }
}

/// The refusal of a call that could cost more than its cap.
#[must_use]
pub fn exceeded(cap: &Cap, needed: NanoUsd) -> ErrorInfo {
    let source = match &cap.source {
        Source::Header => format!("the {HEADER} header"),
        Source::Node(node) => format!("the credits_per_call limit of {}", refusal::node_named(node)),
    };
    let (needed, max) = (needed.credits(), cap.amount.credits());
    let values = [("needed_credits", needed.as_str()), ("cap", &source), ("max_credits", &max)];
    let error = ErrorInfo::new(ErrorCode::MaxCreditsExceeded, &values)
        .with_detail("required_credits", needed.as_str())
        .with_detail("max_credits", max.as_str());
    match &cap.source {
        Source::Header => error,
        Source::Node(node) => error.with_detail("node", node.as_str()),
    }
}
