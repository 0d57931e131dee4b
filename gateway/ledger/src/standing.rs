//! What has become of a reservation, for whoever only knows its id.
use crate::ledger::Ledger;
use bytespike_store::on_database;

/// What has become of a reservation. Once it is not held any more it stays what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Held,
    /// The answer landed and was charged.
    Settled {
        at_ms: i64,
    },
    /// Released or expired: nothing was charged, and nothing will be.
    Free,
}

impl Ledger {
    /// `None` when no such reservation was ever held.
    pub async fn standing(&self, reservation_id: &str) -> sqlx::Result<Option<Standing>> {
        let found: Option<(String, Option<i64>)> = on_database!(read &self.store, db => sqlx::query_as(
            "select state, resolved_at_ms from reservation where id = $1")
            .bind(reservation_id).fetch_optional(db).await)?;
        Ok(found.map(|(state, resolved_at_ms)| match (state.as_str(), resolved_at_ms) {
            ("held", _) => Standing::Held,
            ("settled", at_ms) => Standing::Settled { at_ms: at_ms.unwrap_or(0) },
            _ => Standing::Free,
        }))
    }
}
