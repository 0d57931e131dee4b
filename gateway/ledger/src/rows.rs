//! Table rows as the writer loads and stores them. Declared once, they know how to travel to and from both databases.
use rusqlite::ToSql;
use serde::Serialize;

/// A row of a table the writer owns.
pub(crate) trait Row: Serialize + Sized {
    const TABLE: &'static str;
    /// The columns of the primary key.
    const KEY: &'static [&'static str];
    const COLUMNS: &'static [&'static str];
    /// What an insert says about a row that is there already: nothing, unless the first one stands.
    const AGAIN: &'static str;

    /// In the order of `COLUMNS`.
    fn values(&self) -> Vec<&dyn ToSql>;
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self>;

    /// `select <every column> from <table> where `
    fn select_where() -> String {
        format!("select {} from {} where ", Self::COLUMNS.join(", "), Self::TABLE)
    }
}

/// Declares a row: its table, its key, and one field per column, named like it.
macro_rules! row {
    (@again first) => { " on conflict do nothing" };
    ($(#[$doc:meta])* $name:ident in $table:literal by [$($key:literal),+] $(keeping $first:ident)?
     { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
        pub(crate) struct $name {
            $(pub $field: $type),+
        }

        impl Row for $name {
            const TABLE: &'static str = $table;
            const KEY: &'static [&'static str] = &[$($key),+];
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];
            const AGAIN: &'static str = concat!("" $(, row!(@again $first))?);

            fn values(&self) -> Vec<&dyn ToSql> {
                vec![$(&self.$field),+]
            }

            fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                Ok(Self { $($field: row.get(stringify!($field))?),+ })
            }
        }
    };
}

row!(WalletRow in "wallet" by ["org_id"] {
    org_id: String,
    time_zone: String,
    posted_nano: i64,
    held_nano: i64,
    frozen: bool,
    journal_seq: i64,
    journal_hash: String,
    resolved_seq: i64,
    low_balance_nano: Option<i64>,
    alert_limits: bool,
    created_at_ms: i64,
});

row!(LotRow in "lot" by ["id"] {
    id: String,
    org_id: String,
    kind: String,
    granted_nano: i64,
    remaining_nano: i64,
    pinned_nano: i64,
    priority: i64,
    expires_at_ms: Option<i64>,
    created_at_ms: i64,
});

row!(LimitRow in "spend_limit" by ["node_id", "window_kind"] {
    node_id: String,
    window_kind: String,
    org_id: String,
    limit_nano: i64,
    used_nano: i64,
    held_nano: i64,
    opened_at_ms: i64,
    ends_at_ms: i64,
    alerted_percent: i64,
});

row!(ReservationRow in "reservation" by ["id"] {
    id: String,
    org_id: String,
    deployment_id: String,
    member_id: String,
    key_id: String,
    key_path: String,
    state: String,
    reason: Option<String>,
    held_nano: i64,
    charged_nano: Option<i64>,
    price_version: i64,
    model_requested: String,
    protocol: String,
    stream: bool,
    key_name: String,
    request_json: String,
    owner: String,
    expires_at_ms: i64,
    held_at_ms: i64,
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
