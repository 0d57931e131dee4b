//! The job that closes months. Any process may run it: a month is closed by whoever finds the sums as it read them.
use super::build::{Known, Open};
use super::content::{Statement, Status};
use crate::ledger::Ledger;
use crate::usage::Reach;
use bytespike_store::on_database;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// A month is closed this long after it ended: calls that ended in it have been written by then. One that was not is
/// counted in the next month.
const LAG_MS: i64 = 10 * 60_000;
/// Another process may add calls while a statement is put together; then it is put together again.
const TRIES: usize = 5;

/// Up to where a statement counts.
struct Counted {
    journal_seq: i64,
    resolved_seq: i64,
}

impl Ledger {
    /// Closes every month that has ended; answers how many.
    pub async fn close_months(&self) -> sqlx::Result<usize> {
        let ended_by_ms = self.world.now_ms() - LAG_MS;
        let due: Vec<String> = on_database!(read &self.store, db => sqlx::query_scalar(
            "select org_id from usage_mark where month_ends_ms is null or month_ends_ms <= $1")
            .bind(ended_by_ms).fetch_all(db).await)?;
        let mut closed = 0;
        for org_id in due {
            closed += self.close_months_of(&org_id, ended_by_ms).await?;
        }
        Ok(closed)
    }

    async fn close_months_of(&self, org_id: &str, ended_by_ms: i64) -> sqlx::Result<usize> {
        let mut closed = 0;
        while let Some(open) = self.open_month(org_id).await? {
            if open.period.to_ms > ended_by_ms {
                self.note_end(org_id, open.period.to_ms).await?;
                break;
            }
            if !self.close(org_id, &open).await? {
                // It stays due.
                break;
            }
            closed += 1;
        }
        Ok(closed)
    }

    /// False when others were in the way every time, or closed it meanwhile.
    async fn close(&self, org_id: &str, open: &Open) -> sqlx::Result<bool> {
        for _ in 0..TRIES {
            let resolved_seq = self.roll_up_org(org_id).await?;
            let journal_seq: i64 = on_database!(read &self.store, db => sqlx::query_scalar(
                "select journal_seq from wallet where org_id = $1").bind(org_id).fetch_one(db).await)?;
            let known = Known { status: Status::Closed, journal_seq, reach: Reach::Added };
            let statement = self.build_statement(org_id, open, known).await?;
            if self.write(open, &statement, &Counted { journal_seq, resolved_seq }).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes the statement if the sums still reach exactly as far as when they were read.
    async fn write(&self, open: &Open, statement: &Statement, counted: &Counted) -> sqlx::Result<bool> {
        let body = serde_json::to_string(statement).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        let hash = hex::encode(Sha256::digest(body.as_bytes()));
        let now_ms = self.world.now_ms();
        on_database!(&self.store, db => {
            let mut tx = db.begin().await?;
            let unmoved = sqlx::query("update usage_mark set month_ends_ms = null where org_id = $1 and resolved_seq = $2")
                .bind(&statement.org_id).bind(counted.resolved_seq).execute(&mut *tx).await?.rows_affected();
            if unmoved == 0 {
                return Ok(false);
            }
            let written = sqlx::query(
                "insert into statement (org_id, month, from_ms, to_ms, journal_seq, resolved_seq, closing_paid_nano,
                                        closing_bonus_nano, closed_at_ms, body_json, hash)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (org_id, month) do nothing")
                .bind(&statement.org_id).bind(&statement.month).bind(open.period.from_ms).bind(open.period.to_ms)
                .bind(counted.journal_seq).bind(counted.resolved_seq)
                .bind(statement.closing.paid_credits.nano()).bind(statement.closing.bonus_credits.nano())
                .bind(now_ms).bind(&body).bind(&hash)
                .execute(&mut *tx).await?.rows_affected();
            if written == 1 && has_moved(statement) {
                sqlx::query(
                    "insert into outbox (id, org_id, kind, subject, payload_json, created_at_ms)
                     values ($1, $2, 'statement_closed', $3, $4, $5)")
                    .bind(self.world.id("evt")).bind(&statement.org_id).bind(format!("org:{}", statement.org_id))
                    .bind(told(open, statement)).bind(now_ms)
                    .execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok::<_, sqlx::Error>(written == 1)
        })
    }

    /// So that the org is not looked at again before its month has ended.
    async fn note_end(&self, org_id: &str, ends_ms: i64) -> sqlx::Result<()> {
        on_database!(&self.store, db => sqlx::query("update usage_mark set month_ends_ms = $2 where org_id = $1")
            .bind(org_id).bind(ends_ms).execute(db).await.map(drop))
    }
}

/// Nobody is told of a month in which nothing happened.
fn has_moved(statement: &Statement) -> bool {
    let sums = [
        statement.usage.charged_credits,
        statement.top_ups.credits,
        statement.withdrawals.credits,
        statement.debits.taken.total_credits,
    ];
    statement.usage.calls > 0 || sums.iter().any(|sum| sum.nano() != 0)
}

fn told(open: &Open, statement: &Statement) -> String {
    json!({
        "month": statement.month,
        "from_ms": open.period.from_ms,
        "to_ms": open.period.to_ms,
        "charged_credits": statement.usage.charged_credits,
    })
    .to_string()
}
