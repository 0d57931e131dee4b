//! Counters of failed attempts. When the next one is allowed is the caller's rule; this file applies it atomically.
use crate::{Store, on_database};

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AttemptRow {
    pub failures: i64,
    pub next_try_at_ms: i64,
    pub window_ends_at_ms: i64,
}

/// Reads the subject's counter and writes what `rule` makes of it, as one step. `None` from the rule changes
/// nothing and is the answer: not now.
pub async fn advance(
    store: &Store,
    subject: &str,
    rule: impl Fn(AttemptRow) -> Option<AttemptRow>,
) -> sqlx::Result<Option<AttemptRow>> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // The insert, or the update that changes nothing, takes the row's lock before it is read.
        let before: AttemptRow = sqlx::query_as(
            "insert into attempt (subject, failures, next_try_at_ms, window_ends_at_ms) values ($1, 0, 0, 0)
             on conflict (subject) do update set failures = attempt.failures
             returning failures, next_try_at_ms, window_ends_at_ms")
            .bind(subject).fetch_one(&mut *tx).await?;
        let Some(after) = rule(before) else { return Ok(None) };
        sqlx::query("update attempt set failures = $2, next_try_at_ms = $3, window_ends_at_ms = $4 where subject = $1")
            .bind(subject).bind(after.failures).bind(after.next_try_at_ms).bind(after.window_ends_at_ms)
            .execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(Some(after))
    })
}

/// Forgets the subject's failures.
pub async fn clear(store: &Store, subject: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("delete from attempt where subject = $1")
        .bind(subject).execute(db).await.map(drop))
}

/// Takes back the attempt just counted, which turned out not to be a failure.
pub async fn take_back(store: &Store, subject: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("update attempt set failures = failures - 1 where subject = $1 and failures > 0")
        .bind(subject).execute(db).await.map(drop))
}

/// Sweeps up to `limit` counters whose window has ended by `now_ms`; answers how many went.
pub async fn delete_ended(store: &Store, now_ms: i64, limit: i64) -> sqlx::Result<u64> {
    on_database!(store, db => sqlx::query(
        "delete from attempt where subject in (select subject from attempt where window_ends_at_ms <= $1 limit $2)")
        .bind(now_ms).bind(limit).execute(db).await.map(|done| done.rows_affected()))
}
