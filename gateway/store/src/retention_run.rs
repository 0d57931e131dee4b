//! What removing of what was kept long enough did last.
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RunRow {
    pub kind: String,
    pub at_ms: i64,
    pub removed: i64,
    pub last_removed_at_ms: Option<i64>,
    pub removed_in_all: i64,
}

pub async fn record(store: &Store, (kind, removed): (&str, i64), now_ms: i64) -> sqlx::Result<()> {
    let removed_at_ms = (removed > 0).then_some(now_ms);
    on_database!(store, db => sqlx::query(
        "insert into retention_run (kind, at_ms, removed, last_removed_at_ms, removed_in_all) values ($1, $2, $3, $4, $3)
         on conflict (kind) do update set at_ms = excluded.at_ms, removed = excluded.removed,
            last_removed_at_ms = coalesce(excluded.last_removed_at_ms, retention_run.last_removed_at_ms),
            removed_in_all = retention_run.removed_in_all + excluded.removed")
        .bind(kind).bind(now_ms).bind(removed).bind(removed_at_ms).execute(db).await.map(drop))
}

pub async fn all(store: &Store) -> sqlx::Result<Vec<RunRow>> {
    on_database!(read store, db => sqlx::query_as("select * from retention_run order by kind").fetch_all(db).await)
}
