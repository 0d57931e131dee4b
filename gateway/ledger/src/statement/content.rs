//! What a statement says. Its JSON is kept as it was written, so members are only ever added.
use crate::usage::Quantities;
use bytespike_catalog::NanoUsd;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount, in JSON as credits with three decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Credits(pub NanoUsd);

impl Credits {
    pub(crate) fn of(nano: i64) -> Self {
        Self(NanoUsd(nano))
    }

    pub fn nano(self) -> i64 {
        self.0.0
    }
}

impl Serialize for Credits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.credits())
    }
}

impl<'de> Deserialize<'de> for Credits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let amount = NanoUsd::from_credits(&text);
        amount
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("credits are text with at most three decimals"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Final.
    Closed,
    /// The month still runs; the figures grow.
    Preview,
}

/// One org's month. `opening + top_ups + grants − usage − expired − withdrawals − debits = closing`, also for paid and
/// given credit each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// `statement`
    pub object: String,
    pub version: u32,
    pub status: Status,
    pub org_id: String,
    pub org: String,
    /// `2026-11`
    pub month: String,
    /// Whose calendar the month is of, an IANA name.
    pub time_zone: String,
    /// RFC 3339, inclusive.
    pub from: String,
    /// RFC 3339, exclusive.
    pub to: String,
    /// RFC 3339.
    pub written_at: String,
    pub opening: Pockets,
    pub top_ups: Movements,
    pub grants: Movements,
    pub usage: StatementUsage,
    /// What lapsed of given credit.
    pub expired: Pockets,
    pub withdrawals: Movements,
    /// What was taken by decision. Statements of before there were any do not have it.
    #[serde(default)]
    pub debits: Debits,
    pub closing: Pockets,
    /// What calls still held when the month ended, or hold now.
    pub open_holds: Holds,
    pub not_billed: NotBilled,
    /// The hash of the statement before this one.
    pub previous_hash: Option<String>,
}

/// Paid and given credit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pockets {
    pub paid_credits: Credits,
    pub bonus_credits: Credits,
    pub total_credits: Credits,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movements {
    pub credits: Credits,
    pub lines: Vec<MovementLine>,
}

/// Credit that was taken, of both kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debits {
    #[serde(flatten)]
    pub taken: Pockets,
    pub lines: Vec<MovementLine>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovementLine {
    /// RFC 3339.
    pub at: String,
    pub transaction_id: String,
    pub note: Option<String>,
    pub credits: Credits,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementUsage {
    /// Calls that landed.
    pub calls: i64,
    pub charged_credits: Credits,
    pub charged_usd: String,
    pub from_paid_credits: Credits,
    pub from_bonus_credits: Credits,
    pub quantities: Quantities,
    pub by_model: Vec<UsagePart>,
    pub by_member: Vec<UsagePart>,
    pub by_key: Vec<UsagePart>,
    pub by_deployment: Vec<UsagePart>,
}

/// The usage of one model, member, key or deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsagePart {
    pub id: String,
    /// Its name when the statement was written.
    pub name: String,
    pub calls: i64,
    pub charged_credits: Credits,
    pub not_billed_calls: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holds {
    pub calls: i64,
    pub held_credits: Credits,
}

/// Calls of which nothing landed. They are in no line above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotBilled {
    pub calls: i64,
    pub released_calls: i64,
    pub expired_calls: i64,
    /// What they held and got back in full: at most this would they have cost.
    pub held_credits: Credits,
    /// Always zero.
    pub charged_credits: Credits,
}

impl Pockets {
    pub(crate) fn of(paid_nano: i64, bonus_nano: i64) -> Self {
        Self {
            paid_credits: Credits::of(paid_nano),
            bonus_credits: Credits::of(bonus_nano),
            total_credits: Credits::of(paid_nano.saturating_add(bonus_nano)),
        }
    }
}
