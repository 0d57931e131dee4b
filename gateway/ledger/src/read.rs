//! What the ledger shows: wallets, calls, receipts.
use bytespike_catalog::NanoUsd;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    pub org_id: String,
    /// Money in the wallet, whether set aside or not.
    pub posted: NanoUsd,
    /// Set aside for calls that run.
    pub held: NanoUsd,
    /// The part of `posted` that was given, not paid.
    pub bonus: NanoUsd,
    pub frozen: bool,
    pub time_zone: String,
}

impl Wallet {
    pub fn available(&self) -> NanoUsd {
        NanoUsd(self.posted.0 - self.held.0)
    }
}

/// A receipt as it was written, never changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub id: String,
    pub org_id: String,
    pub key_id: String,
    /// Compact JSON.
    pub body: String,
}

impl Receipt {
    /// The receipt with a `signature` member over exactly the bytes of the rest.
    pub fn signed(&self, _key: &ed25519_dalek::SigningKey) -> String {
        unimplemented!()
    }
}

/// Which calls to list; `None` means any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFilter {
    pub key_id: Option<String>,
    pub member_id: Option<String>,
    pub deployment_id: Option<String>,
    pub model: Option<String>,
    /// `held`, `settled`, `released` or `expired`.
    pub state: Option<String>,
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The last row of the page before: `(held_at_ms, id)`.
    pub after: Option<(i64, String)>,
    pub limit: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CallRow {
    pub id: String,
    pub state: String,
    pub reason: Option<String>,
    pub deployment_id: String,
    pub member_id: String,
    pub key_id: String,
    pub key_name: String,
    pub protocol: String,
    pub stream: bool,
    pub model_requested: String,
    pub model_served: Option<String>,
    pub held_nano: i64,
    pub charged_nano: Option<i64>,
    pub usage_source: Option<String>,
    pub input_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub output_tokens: i64,
    pub reasoning_tokens: i64,
    pub searches: i64,
    pub attempts: i64,
    pub first_content_ms: Option<i64>,
    pub duration_ms: Option<i64>,
    pub price_version: i64,
    pub held_at_ms: i64,
    pub resolved_at_ms: Option<i64>,
    pub expires_at_ms: i64,
}

/// Sums over the calls held in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Summary {
    pub settled_calls: i64,
    pub charged_nano: i64,
    /// Calls that cost nothing because nothing landed.
    pub free_calls: i64,
    /// What those held at most.
    pub free_held_nano: i64,
    pub running_calls: i64,
    pub running_held_nano: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
}

/// Money that moved in a wallet, newest first.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Transaction {
    pub id: String,
    /// `top_up`, `grant`, `settle`, `breakage` or `withdrawal`.
    pub kind: String,
    pub amount_nano: i64,
    pub note: Option<String>,
    pub reservation_id: Option<String>,
    pub at_ms: i64,
}
