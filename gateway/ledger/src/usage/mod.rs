//! What was used: sums of resolved calls by time, model, key, member, deployment and outcome. A job adds calls to rows of
//! a quarter of an hour; what it has not added yet is read beside them, so that an answer is always complete.
mod calls;
mod query;
mod rollup;

pub use calls::{Order, ResolvedCall};
pub(crate) use query::Reach;

use crate::call::Outcome;
use serde::{Deserialize, Serialize};

/// Sums are kept by quarters of an hour: every zone's offset is a whole number of them.
pub const QUARTER_MS: i64 = 15 * 60_000;

/// Which resolved calls are meant; `None` and an empty list mean any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageFilter {
    /// When they ended, from inclusive, to exclusive.
    pub from_ms: i64,
    pub to_ms: i64,
    /// The path of a key, `/root/…/key/`: its calls and those of keys derived from it.
    pub below_path: Option<String>,
    pub key_id: Option<String>,
    pub member_id: Option<String>,
    pub deployment_id: Option<String>,
    /// As the caller asked for it.
    pub model: Option<String>,
    pub outcomes: Vec<Outcome>,
}

/// What usage can be grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// Hours and days of the zone that is asked for.
    Hour,
    Day,
    Model,
    Key,
    Member,
    Deployment,
    Outcome,
}

/// One group and its sums. What was not grouped by is `None`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UsageKey {
    pub start_ms: Option<i64>,
    pub model: Option<String>,
    pub key_id: Option<String>,
    pub member_id: Option<String>,
    pub deployment_id: Option<String>,
    pub outcome: Option<String>,
}

/// Sums over calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageSums {
    /// Calls that were charged.
    pub settled_calls: i64,
    pub charged_nano: i64,
    /// The part of it that was paid with given credit.
    pub bonus_nano: i64,
    /// Calls that cost nothing because nothing landed.
    pub released_calls: i64,
    pub expired_calls: i64,
    /// What those held and got back: at most this would they have cost.
    pub not_billed_held_nano: i64,
    pub quantities: Quantities,
}

impl Dimension {
    pub const ALL: [Self; 7] =
        [Self::Hour, Self::Day, Self::Model, Self::Key, Self::Member, Self::Deployment, Self::Outcome];

    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Model => "model",
            Self::Key => "key",
            Self::Member => "member",
            Self::Deployment => "deployment",
            Self::Outcome => "outcome",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }
}

impl UsageSums {
    /// Calls that ended, charged or not.
    pub fn calls(&self) -> i64 {
        self.settled_calls + self.not_billed_calls()
    }

    pub fn not_billed_calls(&self) -> i64 {
        self.released_calls + self.expired_calls
    }

    /// Sums stay far below the type's end: a wallet holds at most 10¹⁸ nano-USD.
    pub fn add(&mut self, other: &Self) {
        self.settled_calls = self.settled_calls.saturating_add(other.settled_calls);
        self.charged_nano = self.charged_nano.saturating_add(other.charged_nano);
        self.bonus_nano = self.bonus_nano.saturating_add(other.bonus_nano);
        self.released_calls = self.released_calls.saturating_add(other.released_calls);
        self.expired_calls = self.expired_calls.saturating_add(other.expired_calls);
        self.not_billed_held_nano = self.not_billed_held_nano.saturating_add(other.not_billed_held_nano);
        self.quantities.add(&other.quantities);
    }
}

/// Declares what calls consume, once: the columns of every table that keeps it have the names of the fields.
macro_rules! quantities {
    ($($name:ident),+ $(,)?) => {
        /// What calls consumed, each kind in its own unit.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
        #[serde(default)]
        pub struct Quantities {
            $(pub $name: i64),+
        }

        impl Quantities {
            pub(crate) const COLUMNS: [&'static str; [$(stringify!($name)),+].len()] = [$(stringify!($name)),+];

            /// Names and amounts, in the order in which they are shown.
            pub fn named(&self) -> [(&'static str, i64); Self::COLUMNS.len()] {
                [$((stringify!($name), self.$name)),+]
            }

            fn add(&mut self, other: &Self) {
                $(self.$name = self.$name.saturating_add(other.$name);)+
            }
        }
    };
}

quantities! {
    input_tokens,
    cache_read_tokens,
    cache_write_tokens,
    output_tokens,
    reasoning_tokens,
    searches,
    images,
    video_ms,
    audio_ms,
    characters,
    rerank_units,
}

/// The quarter of an hour that a moment lies in.
pub(crate) fn quarter_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(QUARTER_MS) * QUARTER_MS
}
