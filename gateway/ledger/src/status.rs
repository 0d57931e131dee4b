//! What anyone may know: when the invariants were last checked, and how many calls ended in which way.
use crate::ledger::Ledger;
use bytespike_store::on_database;
use bytespike_store::world::first_id;

const DAY_MS: i64 = 86_400_000;
/// How far back the public counts go.
const COUNTED_MS: i64 = 30 * DAY_MS;

/// The public state of the books. No id, no name, no amount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BooksStatus {
    pub last_run: Option<CheckRun>,
    pub calls: CallCounts,
    /// Checks in the last 30 days, and those that found something.
    pub runs: i64,
    pub runs_with_violations: i64,
}

/// One check of every invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRun {
    pub at_ms: i64,
    /// How many invariants were asked.
    pub checked: i64,
    /// How many of them did not hold.
    pub violations: usize,
    /// False when only what was new since the run before was looked at.
    pub whole_history: bool,
}

/// Calls held in the last 30 days, by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// When they were counted; `None` before the first count.
    pub counted_at_ms: Option<i64>,
    pub held: i64,
    pub settled: i64,
    pub released: i64,
    pub expired: i64,
}

impl CallCounts {
    pub fn total(&self) -> i64 {
        self.held + self.settled + self.released + self.expired
    }
}

/// A run of the invariants as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct InvariantRun {
    pub id: String,
    pub at_ms: i64,
    pub checked: i64,
    /// A list of [`crate::Violation`].
    pub violations_json: String,
    /// False when only what was new since the run before was looked at.
    pub whole_history: bool,
}

impl InvariantRun {
    /// What did not hold. A list that cannot be read counts as a violation of its own.
    pub fn violations(&self) -> Vec<crate::Violation> {
        serde_json::from_str(&self.violations_json).unwrap_or_else(|_| {
            vec![crate::Violation {
                invariant: "this run cannot be read".to_owned(),
                example: self.id.clone(),
            }]
        })
    }
}

impl Ledger {
    /// For the status page: four small reads, whatever the size of the books.
    pub async fn books_status(&self) -> sqlx::Result<BooksStatus> {
        let last = self.invariant_runs(1).await?;
        let (runs, runs_with_violations): (i64, i64) = on_database!(read &self.store, db => sqlx::query_as(
            "select count(*), count(case when violations_json <> '[]' then 1 end)
             from invariant_run where id >= $1")
            .bind(first_id("inv", self.world.now_ms() - COUNTED_MS)).fetch_one(db).await)?;
        let last_run = last.first().map(|run| CheckRun {
            at_ms: run.at_ms,
            checked: run.checked,
            violations: run.violations().len(),
            whole_history: run.whole_history,
        });
        Ok(BooksStatus { last_run, calls: self.call_counts().await?, runs, runs_with_violations })
    }

    /// The newest checks, newest first.
    pub async fn invariant_runs(&self, limit: u32) -> sqlx::Result<Vec<InvariantRun>> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select id, at_ms, checked, violations_json, whole_history from invariant_run order by id desc limit $1")
            .bind(i64::from(limit)).fetch_all(db).await)
    }

    /// Counts the calls of the last 30 days by how they ended, for [`Ledger::books_status`]. Reads that part of the book of holds.
    pub async fn count_calls(&self) -> sqlx::Result<()> {
        let now_ms = self.world.now_ms();
        let counted: Vec<(String, i64)> = on_database!(read &self.store, db => sqlx::query_as(
            "select state, count(*) from reservation where id >= $1 group by state")
            .bind(first_id("rcp", now_ms - COUNTED_MS)).fetch_all(db).await)?;
        for state in ["held", "settled", "released", "expired"] {
            let calls = counted.iter().find(|(name, _)| name == state).map_or(0, |(_, calls)| *calls);
            on_database!(&self.store, db => sqlx::query(
                "insert into call_count (state, calls, counted_at_ms) values ($1, $2, $3)
                 on conflict (state) do update set calls = excluded.calls, counted_at_ms = excluded.counted_at_ms")
                .bind(state).bind(calls).bind(now_ms).execute(db).await.map(drop))?;
        }
        Ok(())
    }

    async fn call_counts(&self) -> sqlx::Result<CallCounts> {
        let rows: Vec<(String, i64, i64)> = on_database!(read &self.store, db => sqlx::query_as(
            "select state, calls, counted_at_ms from call_count").fetch_all(db).await)?;
        let of = |state: &str| rows.iter().find(|(name, ..)| name == state).map_or(0, |(_, calls, _)| *calls);
        Ok(CallCounts {
            counted_at_ms: rows.iter().map(|(.., at_ms)| *at_ms).min(),
            held: of("held"),
            settled: of("settled"),
            released: of("released"),
            expired: of("expired"),
        })
    }
}
