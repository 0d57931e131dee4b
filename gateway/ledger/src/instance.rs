//! Running processes and the leases of their holds: renewed while somebody works on them, expired when nobody does.
use bytespike_store::{Store, on_database};

/// A process that did not say it is alive for this long is dead.
const DEAD_AFTER_MS: i64 = 20_000;
/// Holds ended in one round at most.
const ROUND: i64 = 500;

pub(crate) async fn register(store: &Store, owner: &str, now_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "insert into instance (id, started_at_ms, seen_at_ms) values ($1, $2, $2)")
        .bind(owner).bind(now_ms).execute(db).await.map(drop))
}

/// A process that did not say that it admits calls for this long takes no share of the limits.
const ADMITS_FOR_MS: i64 = 5_000;

/// Says that this process admits calls, and counts those that do, this one included. An embedded database has one.
pub(crate) async fn admits_calls(store: &Store, owner: &str, now_ms: i64) -> sqlx::Result<i64> {
    let Store::Postgres(db) = store else { return Ok(1) };
    sqlx::query("update instance set admits_at_ms = $2 where id = $1")
        .bind(owner)
        .bind(now_ms)
        .execute(db)
        .await?;
    let count: i64 = sqlx::query_scalar("select count(*) from instance where admits_at_ms > $1")
        .bind(now_ms - ADMITS_FOR_MS)
        .fetch_one(db)
        .await?;
    Ok(count.max(1))
}

/// Says that this process is alive, renews the leases of its live holds when half of one is gone, shortens those that a
/// clock gone ahead made longer than a lease, and finds the holds (id and org) whose lease has run out.
pub(crate) async fn keep_alive(
    store: &Store,
    owner: &str,
    (now_ms, lease_ms): (i64, i64),
    live: &[String],
) -> sqlx::Result<Vec<(String, String)>> {
    on_database!(store, db => sqlx::query("update instance set seen_at_ms = $2 where id = $1")
        .bind(owner).bind(now_ms).execute(db).await.map(drop))?;
    for id in live {
        on_database!(store, db => sqlx::query(
            "update reservation set expires_at_ms = $2 where id = $1 and state = 'held' and expires_at_ms < $3")
            .bind(id).bind(now_ms + lease_ms).bind(now_ms + lease_ms / 2).execute(db).await.map(drop))?;
    }
    on_database!(store, db => sqlx::query(
        "update reservation set expires_at_ms = $2 where state = 'held' and expires_at_ms > $2 and owner = $1")
        .bind(owner).bind(now_ms + lease_ms).execute(db).await.map(drop))?;
    end_leases(store, "", now_ms - DEAD_AFTER_MS, now_ms).await?;
    overdue(store, now_ms).await
}

/// At a start: the holds of every process that is dead. An embedded database has one process, and that is this one.
pub(crate) async fn bury(store: &Store, owner: &str, now_ms: i64) -> sqlx::Result<Vec<(String, String)>> {
    let alive_since = match store {
        Store::Sqlite { .. } => i64::MAX,
        Store::Postgres(_) => now_ms - DEAD_AFTER_MS,
    };
    end_leases(store, owner, alive_since, now_ms).await?;
    let mut found = Vec::new();
    loop {
        let more = overdue_after(store, now_ms, found.last()).await?;
        if more.is_empty() {
            return Ok(found);
        }
        found.extend(more);
    }
}

/// Ends the leases of processes not seen since `alive_since_ms`, `spare` apart.
async fn end_leases(store: &Store, spare: &str, alive_since_ms: i64, now_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update reservation set expires_at_ms = $3 where state = 'held' and expires_at_ms > $3
         and owner in (select id from instance where seen_at_ms < $2 and id <> $1)")
        .bind(spare).bind(alive_since_ms).bind(now_ms).execute(db).await.map(drop))
}

async fn overdue(store: &Store, now_ms: i64) -> sqlx::Result<Vec<(String, String)>> {
    overdue_after(store, now_ms, None).await
}

async fn overdue_after(
    store: &Store,
    now_ms: i64,
    after: Option<&(String, String)>,
) -> sqlx::Result<Vec<(String, String)>> {
    let after = after.map_or("", |(id, _)| id.as_str());
    on_database!(store, db => sqlx::query_as(
        "select id, org_id from reservation where state = 'held' and expires_at_ms <= $1 and id > $2
         order by id limit $3")
        .bind(now_ms).bind(after).bind(ROUND).fetch_all(db).await)
}
