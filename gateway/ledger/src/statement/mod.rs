//! Monthly statements: what an org had, what came in, what it used, and what was left. A closed one never changes.
//! What becomes known after a month was closed counts in the month that is open, so that every statement begins with
//! what the one before it ended with.
mod build;
mod close;
mod content;
mod period;

pub use content::{
    Credits, Debits, Holds, MovementLine, Movements, NotBilled, Pockets, Statement, StatementUsage, Status,
    UsagePart,
};

use crate::ledger::Ledger;
use bytespike_store::on_database;

/// A closed statement as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StatementLine {
    /// `2026-11`
    pub month: String,
    pub from_ms: i64,
    pub to_ms: i64,
    pub closing_paid_nano: i64,
    pub closing_bonus_nano: i64,
    pub closed_at_ms: i64,
    /// SHA-256 of the statement's text, in hexadecimal.
    pub hash: String,
}

/// A closed statement as it was written.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ClosedStatement {
    body_json: String,
    pub hash: String,
}

impl ClosedStatement {
    /// The statement's text with its `hash` as last member; the hash is over the text without that member.
    pub fn json(&self) -> String {
        let open = self.body_json.strip_suffix('}').unwrap_or(&self.body_json);
        format!(r#"{open},"hash":"sha256:{}"}}"#, self.hash)
    }

    /// `None` when the text is not one of ours.
    pub fn read(&self) -> Option<Statement> {
        serde_json::from_str(&self.body_json).ok()
    }
}

impl Ledger {
    /// Every closed month of the org, the newest first.
    pub async fn statements(&self, org_id: &str) -> sqlx::Result<Vec<StatementLine>> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select month, from_ms, to_ms, closing_paid_nano, closing_bonus_nano, closed_at_ms, hash
             from statement where org_id = $1 order by to_ms desc")
            .bind(org_id).fetch_all(db).await)
    }

    /// A closed month (`2026-11`); `None` while it runs.
    pub async fn statement(&self, org_id: &str, month: &str) -> sqlx::Result<Option<ClosedStatement>> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select body_json, hash from statement where org_id = $1 and month = $2")
            .bind(org_id).bind(month).fetch_optional(db).await)
    }
}
