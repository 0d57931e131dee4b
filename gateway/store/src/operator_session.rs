//! Browser sessions of operators. Rows are found by a hash of the cookie's value, never by the value itself.
use crate::operator::OperatorRow;
use crate::{Store, on_database};

#[derive(Clone, sqlx::FromRow)]
pub struct OperatorSessionRow {
    pub id_hash: String,
    pub public_id: String,
    pub operator_id: String,
    /// `first_step` or `signed_in`
    pub step: String,
    pub kept_sealed: Option<String>,
    pub confirmed_at_ms: i64,
    pub ip: String,
    pub user_agent: String,
    pub last_seen_at_ms: i64,
    pub ends_at_ms: i64,
    pub created_at_ms: i64,
}

/// Which sessions still count: not past their end, and used since `idle_since_ms`.
#[derive(Clone, Copy)]
pub struct Alive {
    pub now_ms: i64,
    pub idle_since_ms: i64,
}

/// Starts a session in the place of another, which ends: an id planted before is worthless after.
pub async fn replace(store: &Store, ended_hash: Option<&str>, row: &OperatorSessionRow) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("delete from operator_session where id_hash = $1")
            .bind(ended_hash.unwrap_or_default()).execute(&mut *tx).await?;
        sqlx::query(
            "insert into operator_session (id_hash, public_id, operator_id, step, kept_sealed, confirmed_at_ms, ip, user_agent,
                                           last_seen_at_ms, ends_at_ms, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
            .bind(&row.id_hash).bind(&row.public_id).bind(&row.operator_id).bind(&row.step).bind(&row.kept_sealed)
            .bind(row.confirmed_at_ms).bind(&row.ip).bind(&row.user_agent).bind(row.last_seen_at_ms)
            .bind(row.ends_at_ms).bind(row.created_at_ms)
            .execute(&mut *tx).await?;
        tx.commit().await
    })
}

/// A live session of this step, with its operator, who must be active.
pub async fn find(
    store: &Store,
    (id_hash, step): (&str, &str),
    alive: Alive,
) -> sqlx::Result<Option<(OperatorSessionRow, OperatorRow)>> {
    let found: Option<OperatorSessionRow> = on_database!(read store, db => sqlx::query_as(
        "select id_hash, public_id, operator_id, step, kept_sealed, confirmed_at_ms, ip, user_agent, last_seen_at_ms,
                ends_at_ms, created_at_ms
         from operator_session where id_hash = $1 and step = $2 and ends_at_ms > $3 and last_seen_at_ms > $4")
        .bind(id_hash).bind(step).bind(alive.now_ms).bind(alive.idle_since_ms).fetch_optional(db).await)?;
    let Some(row) = found else { return Ok(None) };
    let operator = crate::operator::find(store, &row.operator_id).await?;
    Ok(operator.filter(|operator| operator.state == "active").map(|operator| (row, operator)))
}

pub async fn mark_seen(store: &Store, id_hash: &str, now_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("update operator_session set last_seen_at_ms = $2 where id_hash = $1")
        .bind(id_hash).bind(now_ms).execute(db).await.map(drop))
}

/// Puts something aside for the session's next page, or takes it away.
pub async fn keep(store: &Store, id_hash: &str, kept_sealed: Option<&str>) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("update operator_session set kept_sealed = $2 where id_hash = $1")
        .bind(id_hash).bind(kept_sealed).execute(db).await.map(drop))
}

pub async fn delete(store: &Store, id_hash: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("delete from operator_session where id_hash = $1")
        .bind(id_hash).execute(db).await.map(drop))
}

/// The operator's sessions that still count, the most recently used first.
pub async fn of_operator(
    store: &Store,
    operator_id: &str,
    alive: Alive,
) -> sqlx::Result<Vec<OperatorSessionRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id_hash, public_id, operator_id, step, kept_sealed, confirmed_at_ms, ip, user_agent, last_seen_at_ms,
                ends_at_ms, created_at_ms
         from operator_session
         where operator_id = $1 and step = 'signed_in' and ends_at_ms > $2 and last_seen_at_ms > $3
         order by last_seen_at_ms desc, id_hash")
        .bind(operator_id).bind(alive.now_ms).bind(alive.idle_since_ms).fetch_all(db).await)
}

/// Ends the operator's sessions except the one with this hash.
pub async fn delete_others(store: &Store, operator_id: &str, keep_id_hash: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("delete from operator_session where operator_id = $1 and id_hash <> $2")
        .bind(operator_id).bind(keep_id_hash).execute(db).await.map(drop))
}

/// Sweeps up to `limit` sessions that do not count any more; answers how many went.
pub async fn delete_ended(store: &Store, alive: Alive, limit: i64) -> sqlx::Result<u64> {
    on_database!(store, db => sqlx::query(
        "delete from operator_session where id_hash in (
             select id_hash from operator_session where ends_at_ms <= $1 or last_seen_at_ms <= $2 limit $3)")
        .bind(alive.now_ms).bind(alive.idle_since_ms).bind(limit).execute(db).await.map(|done| done.rows_affected()))
}
