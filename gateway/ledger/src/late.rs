//! Usage that is learned after its call was resolved. A resolved call never changes, so this is a row of its own, written
//! once; what it cost us beyond what its customer paid for is absorbed.
use crate::ledger::Ledger;
use bytespike_catalog::Usage;
use bytespike_store::on_database;

/// The cause under which such a cost is absorbed.
pub(crate) const LATE_USAGE: &str = "late_usage";

/// What an answer turned out to have used when nobody waited for it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateUsage {
    pub reservation_id: String,
    /// The attempt it belongs to, from 1.
    pub attempt: i64,
    pub usage: Usage,
    /// What all of it costs us, in pico-USD, as far as known.
    pub cost_pico: Option<i64>,
    /// The part of the cost that nobody pays for, in pico-USD.
    pub absorbed_pico: i64,
}

impl Ledger {
    /// Keeps it with the call it belongs to; a second time changes nothing. `false` when the call is not resolved yet.
    ///
    /// # Errors
    /// The database did not take it.
    pub async fn note_late_usage(&self, late: &LateUsage) -> sqlx::Result<bool> {
        let usage =
            serde_json::to_string(&late.usage).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        let now_ms = self.world.now_ms();
        on_database!(&self.store, db => {
            let mut tx = db.begin().await?;
            let noted = sqlx::query(
                "insert into late_usage (reservation_id, seq, at_ms, usage_json, cost_pico)
                 select id, $2, $3, $4, $5 from reservation where id = $1 and state <> 'held'
                 on conflict (reservation_id, seq) do nothing")
                .bind(&late.reservation_id).bind(late.attempt).bind(now_ms).bind(&usage).bind(late.cost_pico)
                .execute(&mut *tx).await?.rows_affected();
            if noted == 1 && late.absorbed_pico > 0 {
                sqlx::query(
                    "insert into absorbed_cost (reservation_id, cause, org_id, key_id, amount_pico, at_ms)
                     select id, $2, org_id, key_id, $3, $4 from reservation where id = $1
                     on conflict (reservation_id, cause) do nothing")
                    .bind(&late.reservation_id).bind(LATE_USAGE).bind(late.absorbed_pico).bind(now_ms)
                    .execute(&mut *tx).await?;
            }
            tx.commit().await?;
            sqlx::Result::Ok(noted == 1)
        })
    }
}
