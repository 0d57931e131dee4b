//! What the gateway tells the ledger about a call, and what it hears back.
use crate::node::{NodeId, Payer};
use crate::window::Window;
use bytespike_catalog::{Charge, NanoUsd, Usage};
use serde::{Deserialize, Serialize};

/// Take credit aside for a call. Sending the same request again is answered like the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRequest {
    /// Made before anything else happens (`world.id("rcp")`); also the receipt's id.
    pub reservation_id: String,
    pub payer: Payer,
    pub amount: NanoUsd,
    pub price_version: i64,
    /// The slug.
    pub model_requested: String,
    pub facts: RequestFacts,
}

/// What a receipt says about the request. No prompt, no output, no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFacts {
    pub request_id: String,
    /// The caller's dialect: `anthropic`, `openai-chat`, …
    pub protocol: String,
    pub stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    pub price_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Names as they were at the time of the call.
    pub org_name: String,
    pub deployment_name: String,
    pub member_name: String,
    pub key_name: String,
    /// The public part of the key, such as `sk-byts-…9f2a`.
    pub key_hint: String,
    /// The dated rate that CNY figures are shown at.
    pub fx_id: String,
    pub usd_cny: String,
    /// CNY per USD in millionths.
    pub usd_cny_micro: i64,
}

/// Credit was set aside. While this value lives the ledger keeps renewing the hold's lease;
/// when it is dropped without settling, the hold lapses by itself.
#[derive(Clone, Debug)]
pub struct Held {
    pub reservation_id: String,
    pub held: NanoUsd,
    /// When it was held, by the ledger's clock: dated prices are those of this moment.
    pub held_at_ms: i64,
    /// What the wallet can still hold.
    pub wallet_available: NanoUsd,
    /// Every limit on the call's way.
    pub limits: Vec<LimitState>,
    pub(crate) _live: crate::live::LiveHold,
}

impl Held {
    /// The least remaining below the org; `None` when nothing there is limited.
    pub fn quota_remaining(&self) -> Option<NanoUsd> {
        self.limits.iter().filter(|limit| limit.node.kind() != "org").map(LimitState::remaining).min()
    }

    /// The limit with the least remaining, org included; `None` when nothing is limited.
    pub fn tightest(&self) -> Option<&LimitState> {
        self.limits.iter().min_by_key(|limit| limit.remaining())
    }
}

/// A spend limit and how much of it is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitState {
    pub node: NodeId,
    pub window: Window,
    pub limit: NanoUsd,
    pub used: NanoUsd,
    pub held: NanoUsd,
    /// When the window ends; `None` for a lifetime limit.
    pub resets_at_ms: Option<i64>,
    /// Where it is raised for a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_end: Option<GrantEnd>,
}

impl LimitState {
    /// Never negative: a limit may have been lowered below what is used.
    pub fn remaining(&self) -> NanoUsd {
        NanoUsd(self.limit.0.saturating_sub(self.used.0).saturating_sub(self.held.0).max(0))
    }
}

/// Why a hold was not taken. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the wallet has {available} left and the call may cost {required}")]
    InsufficientCredits { required: NanoUsd, available: NanoUsd },
    #[error("the {} limit of {} has {} left and the call may cost {required}", limit.window.name(), limit.node, limit.remaining())]
    LimitExceeded { limit: LimitState, required: NanoUsd },
    #[error("the wallet is frozen")]
    Frozen,
    #[error("there is no wallet for this org")]
    NoWallet,
    #[error("this reservation id was used for another call")]
    IdReused,
}

#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The ledger could not do it now; nothing was charged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ledger is unavailable: {0}")]
pub struct Unavailable(pub String);

/// Turn a hold into a charge, because the answer landed.
#[derive(Clone, Debug)]
pub struct Settlement {
    pub reservation_id: String,
    pub org_id: String,
    /// From the price book, before the cap by the hold.
    pub charge: Charge,
    pub usage: Usage,
    pub usage_source: UsageSource,
    /// How it ended, as receipts say it: `stop`, `length`, `tool_use`, `cancelled_after_content` …
    pub reason: String,
    pub attempts: Vec<Attempt>,
}

/// Give a hold's room back, because nothing landed.
#[derive(Clone, Debug)]
pub struct Release {
    pub reservation_id: String,
    pub org_id: String,
    pub reason: crate::landed::Reason,
    pub attempts: Vec<Attempt>,
}

/// Who counted the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    Provider,
    /// The gateway counted what it delivered, because the provider did not say or the call was cut.
    DeliveredCount,
}

impl UsageSource {
    pub fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::DeliveredCount => "delivered_count",
        }
    }
}

/// One try at an upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    pub channel_id: String,
    pub model_served: String,
    pub upstream_request_id: Option<String>,
    pub http_status: Option<u16>,
    /// `ok`, or what went wrong: `upstream_overloaded`, `timeout_connect` …
    pub outcome: String,
    pub started_at_ms: i64,
    pub duration_ms: i64,
    /// From the attempt's start to the first content byte.
    pub first_content_ms: Option<i64>,
    /// Its answer is the one the client got.
    pub landed: bool,
    /// As the caller's dialect names it, and as the provider does.
    pub finish: Option<String>,
    pub native_finish: Option<String>,
    pub usage: Option<Usage>,
    /// What it costs us, in pico-USD, as far as known.
    pub cost_pico: Option<i64>,
}

/// How a reservation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    pub reservation_id: String,
    pub outcome: Outcome,
    pub reason: String,
    pub held: NanoUsd,
    pub charged: NanoUsd,
    /// What the wallet can hold now.
    pub wallet_available: NanoUsd,
    /// Every limit on the call's way, after it.
    pub limits: Vec<LimitState>,
}

impl Resolution {
    /// What went back to the wallet's room: `held = charged + returned`.
    pub fn returned(&self) -> NanoUsd {
        NanoUsd(self.held.0 - self.charged.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Settled,
    Released,
    Expired,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Settled, Self::Released, Self::Expired].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// Why a reservation was not resolved as asked. In every case the call is free, unless it says it was settled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    #[error("no reservation {0} is known")]
    Unknown(String),
    /// Somebody was first: an expiry, or the opposite of what was asked.
    #[error("the reservation is already {}", _0.name())]
    AlreadyResolved(Outcome),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Put credit into a wallet. The same `idempotency_key` in the same org books once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    pub org_id: String,
    pub amount: NanoUsd,
    pub kind: CreditKind,
    /// The payment's or campaign's own id.
    pub idempotency_key: String,
    /// One sentence for the wallet page.
    pub note: String,
    /// When what is left of it lapses. Paid credit does not.
    pub expires_at_ms: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditKind {
    /// Paid for.
    TopUp,
    /// Given: a trial, a bonus, a correction.
    Grant,
}

/// What booking a credit or a debit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credited {
    Booked {
        available: NanoUsd,
    },
    /// This idempotency key was booked before.
    Already {
        available: NanoUsd,
    },
}

/// Takes credit out of a wallet by decision: it was given by mistake, or got by abuse. The same `idempotency_key` in the same
/// org takes once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debit {
    pub org_id: String,
    pub amount: NanoUsd,
    /// Which credit it is taken from: what was paid for, or what was given.
    pub kind: CreditKind,
    pub idempotency_key: String,
    /// One sentence for the wallet page.
    pub note: String,
}

/// What of a wallet's credit is free: no call holds it, and it has not lapsed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreeCredit {
    pub paid: NanoUsd,
    pub given: NanoUsd,
}

impl FreeCredit {
    /// What a debit of this kind can take at most.
    pub fn of(self, kind: CreditKind) -> NanoUsd {
        match kind {
            CreditKind::TopUp => self.paid,
            CreditKind::Grant => self.given,
        }
    }
}

/// Takes a payment back that was undone outside: by the payer's bank, or at the payment provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub org_id: String,
    /// The part that was paid: what is missing of it is owed.
    pub amount: NanoUsd,
    /// What was given on top: it lapses, as far as it is there.
    pub bonus: NanoUsd,
    /// The same key claims once.
    pub idempotency_key: String,
    pub note: String,
}

/// What a claim did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Nothing when it was claimed before.
    pub taken: NanoUsd,
    /// Everything the org owes now.
    pub owed: NanoUsd,
}

/// Why credit or a limit could not be booked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookingError {
    #[error("the amount must be positive")]
    NotPositive,
    #[error("the wallet would exceed $1,000,000,000")]
    WalletFull,
    #[error("only {free} of this credit is free; what calls hold is not taken")]
    NotEnough { free: NanoUsd },
    #[error("this idempotency key was used for another amount")]
    IdempotencyMismatch,
    #[error("there is no wallet for this org")]
    NoWallet,
    #[error("`{0}` is no time zone; give an IANA name such as Asia/Shanghai")]
    NoTimeZone(String),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Set, change or (with `limit: None`) remove one spend limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetLimit {
    pub org_id: String,
    pub node: NodeId,
    pub window: Window,
    pub limit: Option<NanoUsd>,
}

/// A limit is raised for a time: from when on it is what again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantEnd {
    pub at_ms: i64,
    pub then: NanoUsd,
}
