//! The browsers a person signed in with, so that a new one can be told of.
use crate::{Store, on_database};

/// What a sign-in from a browser means to its person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The person's first browser: there is nothing to compare it with.
    First,
    Known,
    New,
}

/// Remembers the browser, and says whether the person used it before.
pub async fn see(store: &Store, person_id: &str, browser_hash: &str, now_ms: i64) -> sqlx::Result<Seen> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let known = sqlx::query(
            "update known_browser set last_seen_at_ms = $3 where person_id = $1 and browser_hash = $2")
            .bind(person_id).bind(browser_hash).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if known == 1 {
            tx.commit().await?;
            return Ok(Seen::Known);
        }
        let (others,): (i64,) = sqlx::query_as("select count(*) from known_browser where person_id = $1")
            .bind(person_id).fetch_one(&mut *tx).await?;
        sqlx::query(
            "insert into known_browser (person_id, browser_hash, last_seen_at_ms, created_at_ms) values ($1, $2, $3, $3)
             on conflict (person_id, browser_hash) do nothing")
            .bind(person_id).bind(browser_hash).bind(now_ms).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(if others == 0 { Seen::First } else { Seen::New })
    })
}

/// Forgets browsers that nobody signed in with since `before_ms`, up to `limit`; answers how many.
pub async fn delete_unseen(store: &Store, before_ms: i64, limit: i64) -> sqlx::Result<u64> {
    on_database!(store, db => sqlx::query(
        "delete from known_browser where browser_hash in (
             select browser_hash from known_browser where last_seen_at_ms < $1 limit $2) and last_seen_at_ms < $1")
        .bind(before_ms).bind(limit).execute(db).await.map(|done| done.rows_affected()))
}
