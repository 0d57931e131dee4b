//! What is forgotten and when: calls that were free, with everything about them; old attempts, old checks. Never the
//! journal, never what belongs to a charge, never what a sum or a statement does not have yet.
use crate::ledger::Ledger;
use bytespike_store::on_database;
use bytespike_store::world::first_id;

/// Rows that go in one transaction: small, so that no call waits behind it.
const BATCH: i64 = 200;

/// What goes with a receipt, children first.
const OF_A_CALL: [&str; 4] = [
    "delete from late_usage where reservation_id = $1",
    "delete from upstream_attempt where reservation_id = $1",
    "delete from reservation_lot where reservation_id = $1",
    "delete from reservation where id = $1",
];

/// How long things are kept, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Calls that cost nothing: receipt, attempts and the row in the book of holds.
    pub free_calls_ms: i64,
    /// Every attempt at a provider, which reconciliation compares with the providers' reports.
    pub attempts_ms: i64,
    /// Runs of the invariants. The last one, and the last over the whole history, are kept whatever their age.
    pub invariant_runs_ms: i64,
    /// Providers' cost reports and their comparisons.
    pub cost_reports_ms: i64,
    /// Processes that are gone.
    pub processes_ms: i64,
}

/// How many rows went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    pub free_calls: u64,
    pub attempts: u64,
    pub invariant_runs: u64,
    pub cost_lines: u64,
    pub processes: u64,
}

impl Forgotten {
    pub fn total(&self) -> u64 {
        self.free_calls + self.attempts + self.invariant_runs + self.cost_lines + self.processes
    }
}

impl Ledger {
    /// Removes what is older than it is kept, in small transactions. Several processes may do it at once.
    pub async fn forget_old(&self, retention: &Retention) -> sqlx::Result<Forgotten> {
        let before = |kept_ms: i64| self.world.now_ms().saturating_sub(kept_ms);
        let mut forgotten = Forgotten::default();
        let free = before(retention.free_calls_ms);
        while let more @ 1.. = self.forget_free_calls(free).await? {
            forgotten.free_calls += more;
        }
        let attempts = first_id("rcp", before(retention.attempts_ms));
        while let more @ 1.. = self.forget_attempts(&attempts).await? {
            forgotten.attempts += more;
        }
        forgotten.invariant_runs =
            self.forget_runs(&first_id("inv", before(retention.invariant_runs_ms))).await?;
        forgotten.cost_lines = self.forget_reports(before(retention.cost_reports_ms)).await?;
        forgotten.processes = self.forget_processes(before(retention.processes_ms)).await?;
        Ok(forgotten)
    }

    /// A batch of receipts and, in the same transaction, everything else about exactly those calls. A call waits until
    /// it is part of its sums and until every month that it was open in is closed: both are made from its row. What it
    /// cost us stays, in `absorbed_cost`.
    async fn forget_free_calls(&self, before_ms: i64) -> sqlx::Result<u64> {
        on_database!(&self.store, db => {
            let mut tx = db.begin().await?;
            let gone: Vec<String> = sqlx::query_scalar(
                "delete from receipt where not settled and id in (
                     select c.id from receipt c join reservation r on r.id = c.id
                     join usage_mark m on m.org_id = r.org_id
                     where not c.settled and c.at_ms < $1
                       and r.resolved_seq <= m.resolved_seq and r.resolved_at_ms < m.month_ends_ms
                     order by c.at_ms limit $2)
                 returning id")
                .bind(before_ms).bind(BATCH).fetch_all(&mut *tx).await?;
            for id in &gone {
                for rest in OF_A_CALL {
                    sqlx::query(rest).bind(id).execute(&mut *tx).await?;
                }
            }
            tx.commit().await?;
            Ok(gone.len() as u64)
        })
    }

    /// Ids sort by time, so the primary key finds the oldest.
    async fn forget_attempts(&self, before_id: &str) -> sqlx::Result<u64> {
        on_database!(&self.store, db => sqlx::query(
            "delete from upstream_attempt where (reservation_id, seq) in (
                 select reservation_id, seq from upstream_attempt where reservation_id < $1
                 order by reservation_id, seq limit $2)")
            .bind(before_id).bind(BATCH).execute(db).await.map(|done| done.rows_affected()))
    }

    async fn forget_runs(&self, before_id: &str) -> sqlx::Result<u64> {
        on_database!(&self.store, db => sqlx::query(
            "delete from invariant_run where id < $1 and id < (select max(id) from invariant_run)
               and id not in (select max(id) from invariant_run where whole_history)")
            .bind(before_id).execute(db).await.map(|done| done.rows_affected()))
    }

    async fn forget_reports(&self, before_ms: i64) -> sqlx::Result<u64> {
        on_database!(&self.store, db => {
            sqlx::query("delete from recon_run where at_ms < $1").bind(before_ms).execute(db).await?;
            sqlx::query("delete from provider_cost where imported_at_ms < $1")
                .bind(before_ms).execute(db).await.map(|done| done.rows_affected())
        })
    }

    async fn forget_processes(&self, before_ms: i64) -> sqlx::Result<u64> {
        on_database!(&self.store, db => sqlx::query(
            "delete from instance where seen_at_ms < $1 and not exists (
                 select 1 from reservation where state = 'held' and owner = instance.id)")
            .bind(before_ms).execute(db).await.map(|done| done.rows_affected()))
    }
}
