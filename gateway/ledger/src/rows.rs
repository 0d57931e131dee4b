//! Table rows as the writer loads and stores them. Declared once, they know how to travel to and from both databases.
use rusqlite::types::{ToSqlOutput, ValueRef};
use serde::Serialize;

/// A row of a table the writer owns.
pub(crate) trait Row: Sized {
    const TABLE: &'static str;
    /// The columns of the primary key.
    const KEY: &'static [&'static str];
    const COLUMNS: &'static [&'static str];
    /// What each of `COLUMNS` holds.
    const KINDS: &'static [Kind];
    /// The columns that no update writes, because the writer never changes them.
    const FIXED: &'static [&'static str];
    /// What an insert says about a row that is there already: nothing, unless the first one stands.
    const AGAIN: &'static str;

    type Cells<'a>: AsRef<[Cell<'a>]>
    where
        Self: 'a;

    /// In the order of `COLUMNS`.
    fn cells(&self) -> Self::Cells<'_>;
    /// From a row that has `COLUMNS` in their order.
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self>;

    /// `select <every column> from <table> where `
    fn select_where() -> String {
        format!("select {} from {} where ", Self::COLUMNS.join(", "), Self::TABLE)
    }

    /// The columns that an update writes, with their positions.
    fn changing() -> impl Iterator<Item = (usize, &'static str)> {
        Self::COLUMNS.iter().copied().enumerate().filter(|(_, name)| !Self::FIXED.contains(name))
    }

    /// The columns of the primary key, with their positions.
    fn key() -> impl Iterator<Item = (usize, &'static str)> {
        Self::COLUMNS.iter().copied().enumerate().filter(|(_, name)| Self::KEY.contains(name))
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Flag,
}

/// One value of a row, on its way to the database.
#[derive(Clone, Copy)]
pub(crate) enum Cell<'a> {
    Text(Option<&'a str>),
    Integer(Option<i64>),
    Flag(bool),
}

impl<'a> Cell<'a> {
    pub fn text(self) -> Option<&'a str> {
        if let Self::Text(text) = self { text } else { None }
    }

    pub fn integer(self) -> Option<i64> {
        if let Self::Integer(integer) = self { integer } else { None }
    }

    pub fn flag(self) -> bool {
        matches!(self, Self::Flag(true))
    }
}

impl rusqlite::ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Text(text) => text.map_or(ValueRef::Null, ValueRef::from),
            Self::Integer(integer) => integer.map_or(ValueRef::Null, ValueRef::Integer),
            Self::Flag(flag) => ValueRef::Integer(i64::from(flag)),
        }))
    }
}

/// A type that a column can have.
pub(crate) trait Value {
    const KIND: Kind;
    fn cell(&self) -> Cell<'_>;
}

macro_rules! value {
    ($type:ty, $kind:ident, $value:ident => $cell:expr) => {
        impl Value for $type {
            const KIND: Kind = Kind::$kind;

            fn cell(&self) -> Cell<'_> {
                let $value = self;
                Cell::$kind($cell)
            }
        }
    };
}

value!(String, Text, text => Some(text));
value!(Option<String>, Text, text => text.as_deref());
value!(i64, Integer, integer => Some(*integer));
value!(Option<i64>, Integer, integer => *integer);
value!(bool, Flag, flag => *flag);

/// Declares a row: its table, its key, and one field per column, named like it. Those that are `fixed` are only inserted.
macro_rules! row {
    (@again first) => { " on conflict do nothing" };
    ($(#[$doc:meta])* $name:ident in $table:literal by [$($key:literal),+] $(keeping $first:ident)?
     $(fixed { $($constant:ident: $kind:ty),+ $(,)? })? { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub(crate) struct $name {
            $($(pub $constant: $kind,)+)?
            $(pub $field: $type),+
        }

        impl Row for $name {
            const TABLE: &'static str = $table;
            const KEY: &'static [&'static str] = &[$($key),+];
            const COLUMNS: &'static [&'static str] =
                &[$($(stringify!($constant),)+)? $(stringify!($field)),+];
            const KINDS: &'static [Kind] =
                &[$($(<$kind as Value>::KIND,)+)? $(<$type as Value>::KIND),+];
            const FIXED: &'static [&'static str] = &[$($(stringify!($constant)),+)?];
            const AGAIN: &'static str = concat!("" $(, row!(@again $first))?);

            type Cells<'a> = [Cell<'a>; <$name as Row>::COLUMNS.len()];

            fn cells(&self) -> Self::Cells<'_> {
                [$($(self.$constant.cell(),)+)? $(self.$field.cell()),+]
            }

            fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                let mut at = 0..;
                let mut next = || at.next().unwrap_or(usize::MAX);
                Ok(Self { $($($constant: row.get(next())?,)+)? $($field: row.get(next())?),+ })
            }
        }

        /// By position: the columns come as `COLUMNS` has them.
        impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for $name
        where
            usize: sqlx::ColumnIndex<R>,
            $($($kind: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,)+)?
            $($type: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,)+
        {
            fn from_row(row: &'r R) -> sqlx::Result<Self> {
                let mut at = 0..;
                let mut next = || at.next().unwrap_or(usize::MAX);
                Ok(Self { $($($constant: row.try_get(next())?,)+)? $($field: row.try_get(next())?),+ })
            }
        }
    };
}

row!(WalletRow in "wallet" by ["org_id"] fixed {
    org_id: String,
    time_zone: String,
    frozen: bool,
    low_balance_nano: Option<i64>,
    alert_limits: bool,
    created_at_ms: i64,
} {
    posted_nano: i64,
    held_nano: i64,
    owed_nano: i64,
    journal_seq: i64,
    journal_hash: String,
    resolved_seq: i64,
});

row!(LotRow in "lot" by ["id"] fixed {
    id: String,
    org_id: String,
    kind: String,
    granted_nano: i64,
    priority: i64,
    expires_at_ms: Option<i64>,
    created_at_ms: i64,
} {
    remaining_nano: i64,
    pinned_nano: i64,
});

row!(LimitRow in "spend_limit" by ["node_id", "window_kind"] fixed {
    node_id: String,
    window_kind: String,
    org_id: String,
    limit_nano: i64,
    grant_ends_at_ms: Option<i64>,
    after_nano: Option<i64>,
} {
    used_nano: i64,
    held_nano: i64,
    opened_at_ms: i64,
    ends_at_ms: i64,
    alerted_percent: i64,
});

row!(ReservationRow in "reservation" by ["id"] fixed {
    id: String,
    org_id: String,
    deployment_id: String,
    member_id: String,
    key_id: String,
    key_path: String,
    held_nano: i64,
    price_version: i64,
    model_requested: String,
    protocol: String,
    stream: bool,
    key_name: String,
    request_json: String,
    owner: String,
    expires_at_ms: i64,
    held_at_ms: i64,
} {
    state: String,
    reason: Option<String>,
    charged_nano: Option<i64>,
    resolved_at_ms: Option<i64>,
    resolved_seq: Option<i64>,
    model_served: Option<String>,
    usage_source: Option<String>,
    input_tokens: i64,
    cache_read_tokens: i64,
    cache_write_tokens: i64,
    output_tokens: i64,
    reasoning_tokens: i64,
    searches: i64,
    attempts: i64,
    first_content_ms: Option<i64>,
    duration_ms: Option<i64>,
    images: i64,
    video_ms: i64,
    audio_ms: i64,
    characters: i64,
    rerank_units: i64,
});

row!(PinRow in "reservation_lot" by ["reservation_id", "lot_id"] {
    reservation_id: String,
    lot_id: String,
    pinned_nano: i64,
});

row!(JournalRow in "journal_tx" by ["id"] {
    id: String,
    org_id: String,
    seq: i64,
    kind: String,
    reservation_id: Option<String>,
    idem_key: Option<String>,
    note: Option<String>,
    price_version: Option<i64>,
    at_ms: i64,
    prev_hash: String,
    hash: String,
});

row!(EntryRow in "journal_entry" by ["tx_id", "seq"] {
    tx_id: String,
    seq: i64,
    account: String,
    org_id: Option<String>,
    lot_id: Option<String>,
    amount_nano: i64,
});

row!(ClaimRow in "claim" by ["org_id", "idem_key"] {
    org_id: String,
    idem_key: String,
    amount_nano: i64,
    bonus_nano: i64,
    note: String,
    at_ms: i64,
});

row!(AttemptRow in "upstream_attempt" by ["reservation_id", "seq"] keeping first {
    reservation_id: String,
    seq: i64,
    channel_id: String,
    model_served: String,
    upstream_request_id: Option<String>,
    http_status: Option<i64>,
    outcome: String,
    started_at_ms: i64,
    duration_ms: i64,
    first_content_ms: Option<i64>,
    native_finish: Option<String>,
    usage_json: Option<String>,
    cost_pico: Option<i64>,
});

row!(AbsorbedRow in "absorbed_cost" by ["reservation_id", "cause"] keeping first {
    reservation_id: String,
    cause: String,
    org_id: String,
    key_id: String,
    amount_pico: i64,
    at_ms: i64,
});

row!(ReceiptRow in "receipt" by ["id"] {
    id: String,
    org_id: String,
    settled: bool,
    at_ms: i64,
    body_json: String,
});

row!(OutboxRow in "outbox" by ["id"] {
    id: String,
    org_id: String,
    kind: String,
    subject: String,
    payload_json: String,
    created_at_ms: i64,
});

impl ReservationRow {
    /// The nodes that were held at, from the stored columns.
    pub fn nodes(&self) -> Vec<crate::NodeId> {
        use crate::NodeId;
        let own = [
            NodeId::org(&self.org_id),
            NodeId::deployment(&self.deployment_id),
            NodeId::member(&self.member_id),
        ];
        let keys = self.key_path.split('/').filter(|id| !id.is_empty()).map(NodeId::key);
        own.into_iter().chain(keys).collect()
    }
}
