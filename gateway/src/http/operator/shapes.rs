//! What the operator API answers, as it is written and as its description says.

use bytespike_accounts::waiting_credits::WaitingCreditRow;
use bytespike_catalog::{NanoUsd, decimal};
use bytespike_ledger::{
    AbsorbedSum, CreditKind, InvariantRun, OpenHold, Reconciliation, Resolution, WalletRow,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::time;

/// A page of rows. With as many as asked for there may be more.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rows<T> {
    #[schema(pattern = "^list$")]
    pub object: &'static str,
    pub data: Vec<T>,
    pub has_more: bool,
}

/// Why there is no answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorError {
    /// `code`, `message`, `type`, and `param` where a field is at fault.
    #[schema(value_type = Object)]
    pub error: Value,
}

/// What failures cost us and nobody else, in one group.
#[derive(Debug, Serialize, ToSchema)]
pub struct AbsorbedCost {
    #[schema(pattern = "^absorbed_cost$")]
    object: &'static str,
    cause: Option<String>,
    org_id: Option<String>,
    key_id: Option<String>,
    /// A day in UTC.
    #[schema(format = Date)]
    day: Option<String>,
    calls: i64,
    /// Nine decimals.
    amount_usd: String,
}

/// A check of the ledger's rules.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckedBooks {
    #[schema(pattern = "^invariant_run$")]
    object: &'static str,
    id: String,
    at: String,
    checked: i64,
    /// False when only what was new since the run before was looked at.
    whole_history: bool,
    /// Empty when every rule held.
    violations: Vec<BrokenRule>,
}

/// A rule that did not hold, with a row that broke it.
#[derive(Debug, Serialize, ToSchema)]
pub struct BrokenRule {
    invariant: String,
    example: String,
}

/// A provider's day compared with our attempts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReconciledDay {
    #[schema(pattern = "^reconciliation$")]
    object: &'static str,
    provider: String,
    #[schema(format = Date)]
    day: String,
    at: String,
    attempts: i64,
    unpriced_attempts: i64,
    expected_usd: String,
    /// Null when the provider has not reported the day.
    actual_usd: Option<String>,
    difference_usd: Option<String>,
    tolerance_usd: String,
    /// `matched`, `unmatched` or `missing`
    state: String,
}

/// A hold that is open.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldCall {
    #[schema(pattern = "^reservation$")]
    object: &'static str,
    id: String,
    org_id: String,
    key_id: String,
    model: String,
    protocol: String,
    stream: bool,
    held_credits: String,
    held_at: String,
    age_ms: i64,
    lease_ends_at: String,
    /// The process that works on it.
    process: String,
}

/// A hold that was just ended with nothing charged.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedHold {
    #[schema(pattern = "^reservation$")]
    object: &'static str,
    id: String,
    outcome: &'static str,
    returned_credits: String,
}

/// An organisation's wallet.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrgWallet {
    #[schema(pattern = "^wallet$")]
    object: &'static str,
    org_id: String,
    org_name: String,
    posted_credits: String,
    held_credits: String,
    /// What payments that were undone left owed.
    owed_credits: String,
    frozen: bool,
    created_at: String,
}

/// Whether a wallet is frozen now.
#[derive(Debug, Serialize, ToSchema)]
pub struct FrozenWallet {
    #[schema(pattern = "^wallet$")]
    pub object: &'static str,
    pub org_id: String,
    pub frozen: bool,
}

/// Credit that was put into a wallet or taken out of it, now or by the same request before.
#[derive(Debug, Serialize, ToSchema)]
pub struct BookedCredit {
    #[schema(pattern = "^(credit|debit)$")]
    pub object: &'static str,
    pub org_id: String,
    #[schema(value_type = String)]
    pub kind: CreditKind,
    pub amount_credits: String,
    /// False when the same request booked it before.
    pub booked: bool,
    pub available_credits: String,
}

impl AbsorbedCost {
    pub fn of(sum: &AbsorbedSum) -> Self {
        Self {
            object: "absorbed_cost",
            cause: sum.cause.clone(),
            org_id: sum.org_id.clone(),
            key_id: sum.key_id.clone(),
            day: sum.day_ms.map(time::rfc3339).map(|at| at.chars().take(10).collect()),
            calls: sum.calls,
            amount_usd: decimal::format(sum.amount_pico, 12, 9),
        }
    }
}

impl CheckedBooks {
    pub fn of(run: &InvariantRun) -> Self {
        let violations = run.violations().into_iter();
        Self {
            object: "invariant_run",
            id: run.id.clone(),
            at: time::rfc3339(run.at_ms),
            checked: run.checked,
            whole_history: run.whole_history,
            violations: violations
                .map(|broken| BrokenRule { invariant: broken.invariant, example: broken.example })
                .collect(),
        }
    }
}

impl ReconciledDay {
    pub fn of(row: &Reconciliation) -> Self {
        let usd = |nano| NanoUsd(nano).usd();
        Self {
            object: "reconciliation",
            provider: row.provider.clone(),
            day: row.day.clone(),
            at: time::rfc3339(row.at_ms),
            attempts: row.attempts,
            unpriced_attempts: row.unpriced_attempts,
            expected_usd: usd(row.expected_nano),
            actual_usd: row.actual_nano.map(usd),
            difference_usd: row.actual_nano.map(|actual| usd(actual.saturating_sub(row.expected_nano))),
            tolerance_usd: usd(row.tolerance_nano),
            state: row.state.clone(),
        }
    }
}

impl HeldCall {
    pub fn of(hold: &OpenHold, now_ms: i64) -> Self {
        Self {
            object: "reservation",
            id: hold.id.clone(),
            org_id: hold.org_id.clone(),
            key_id: hold.key_id.clone(),
            model: hold.model_requested.clone(),
            protocol: hold.protocol.clone(),
            stream: hold.stream,
            held_credits: NanoUsd(hold.held_nano).credits(),
            held_at: time::rfc3339(hold.held_at_ms),
            age_ms: (now_ms - hold.held_at_ms).max(0),
            lease_ends_at: time::rfc3339(hold.expires_at_ms),
            process: hold.owner.clone(),
        }
    }
}

impl ReleasedHold {
    pub fn of(resolution: &Resolution) -> Self {
        Self {
            object: "reservation",
            id: resolution.reservation_id.clone(),
            outcome: resolution.outcome.name(),
            returned_credits: resolution.returned().credits(),
        }
    }
}

impl OrgWallet {
    pub fn of(wallet: &WalletRow) -> Self {
        Self {
            object: "wallet",
            org_id: wallet.org_id.clone(),
            org_name: wallet.org_name.clone(),
            posted_credits: NanoUsd(wallet.posted_nano).credits(),
            owed_credits: NanoUsd(wallet.owed_nano).credits(),
            held_credits: NanoUsd(wallet.held_nano).credits(),
            frozen: wallet.frozen,
            created_at: time::rfc3339(wallet.created_at_ms),
        }
    }
}

/// Credit, a debit or vouchers above what one operator may decide alone.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingCredit {
    #[schema(pattern = "^waiting_credit$")]
    pub object: &'static str,
    pub id: String,
    /// Null of vouchers.
    pub org_id: Option<String>,
    /// What is to be done; a debit is named after the credit that it is taken from.
    #[schema(pattern = "^(top_up|grant|debit_top_up|debit_grant|vouchers)$")]
    pub kind: String,
    /// Of vouchers, what all of them are worth together.
    pub amount_credits: String,
    pub reason: String,
    /// `failed`: it was confirmed when there was not enough left to be taken, and nothing was.
    #[schema(pattern = "^(waiting|confirmed|refused|expired|failed)$")]
    pub state: &'static str,
    /// Who asked for it, as the audit log names them.
    pub asked_by: String,
    pub asked_at: String,
    /// From then on nobody confirms it any more.
    pub waits_until: String,
}

impl WaitingCredit {
    pub fn of(row: &WaitingCreditRow, now_ms: i64) -> Self {
        Self {
            object: "waiting_credit",
            id: row.id.clone(),
            org_id: row.org_id.clone(),
            kind: row.kind.clone(),
            amount_credits: NanoUsd(row.amount_nano).credits(),
            reason: row.reason.clone(),
            state: match row.state.as_str() {
                "confirmed" => "confirmed",
                "refused" => "refused",
                "failed" => "failed",
                _ if row.waits_until_ms <= now_ms => "expired",
                _ => "waiting",
            },
            asked_by: row.asked_by.clone(),
            asked_at: time::rfc3339(row.asked_at_ms),
            waits_until: time::rfc3339(row.waits_until_ms),
        }
    }
}
