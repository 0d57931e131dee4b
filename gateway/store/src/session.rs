//! Browser sessions. Rows are found by a hash of the cookie's value, never by the value itself.
use crate::{Store, on_database};

#[derive(Clone, sqlx::FromRow)]
pub struct SessionRow {
    pub id_hash: String,
    pub public_id: String,
    pub person_id: Option<String>,
    pub data_json: String,
    pub user_agent: String,
    pub ip: String,
    pub idle_ms: i64,
    pub last_seen_at_ms: i64,
    pub ends_at_ms: i64,
    pub created_at_ms: i64,
}

/// Inserts the session, and ends the person's least recently used ones beyond `most_per_person`.
/// False, and nothing written, when the hash is already in use.
pub async fn insert(store: &Store, row: &SessionRow, most_per_person: i64) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let inserted = sqlx::query(
            "insert into session (id_hash, public_id, person_id, data_json, user_agent, ip, idle_ms, last_seen_at_ms,
                                  ends_at_ms, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id_hash) do nothing")
            .bind(&row.id_hash).bind(&row.public_id).bind(&row.person_id).bind(&row.data_json).bind(&row.user_agent)
            .bind(&row.ip).bind(row.idle_ms).bind(row.last_seen_at_ms).bind(row.ends_at_ms).bind(row.created_at_ms)
            .execute(&mut *tx).await?.rows_affected();
        sqlx::query(
            "delete from session where person_id = $1 and id_hash <> $2 and id_hash not in (
                 select id_hash from session where person_id = $1 and id_hash <> $2
                 order by last_seen_at_ms desc, id_hash limit $3)")
            .bind(&row.person_id).bind(&row.id_hash).bind(most_per_person - 1)
            .execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(inserted == 1)
    })
}

/// The session if it has not ended by `now_ms`.
pub async fn find(store: &Store, id_hash: &str, now_ms: i64) -> sqlx::Result<Option<SessionRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id_hash, public_id, person_id, data_json, user_agent, ip, idle_ms, last_seen_at_ms, ends_at_ms, created_at_ms
         from session where id_hash = $1 and ends_at_ms > $2 and last_seen_at_ms + idle_ms > $2")
        .bind(id_hash).bind(now_ms).fetch_optional(db).await)
}

/// Overwrites what the session remembers. A session that was ended meanwhile stays ended.
pub async fn update_data(store: &Store, id_hash: &str, data_json: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("update session set data_json = $2 where id_hash = $1")
        .bind(id_hash).bind(data_json).execute(db).await.map(drop))
}

pub async fn mark_seen(store: &Store, id_hash: &str, now_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("update session set last_seen_at_ms = $2 where id_hash = $1")
        .bind(id_hash).bind(now_ms).execute(db).await.map(drop))
}

pub async fn delete(store: &Store, id_hash: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("delete from session where id_hash = $1")
        .bind(id_hash).execute(db).await.map(drop))
}

/// The person's sessions that have not ended, the most recently used first.
pub async fn of_person(store: &Store, person_id: &str, now_ms: i64) -> sqlx::Result<Vec<SessionRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id_hash, public_id, person_id, data_json, user_agent, ip, idle_ms, last_seen_at_ms, ends_at_ms, created_at_ms
         from session where person_id = $1 and ends_at_ms > $2 and last_seen_at_ms + idle_ms > $2
         order by last_seen_at_ms desc, id_hash")
        .bind(person_id).bind(now_ms).fetch_all(db).await)
}

/// Ends one session of the person. False when there is none of that name.
pub async fn delete_by_public_id(store: &Store, person_id: &str, public_id: &str) -> sqlx::Result<bool> {
    let ended = on_database!(store, db => sqlx::query("delete from session where person_id = $1 and public_id = $2")
        .bind(person_id).bind(public_id).execute(db).await.map(|done| done.rows_affected()))?;
    Ok(ended == 1)
}

/// Ends the person's sessions except the one with this hash.
pub async fn delete_others(store: &Store, person_id: &str, keep_id_hash: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("delete from session where person_id = $1 and id_hash <> $2")
        .bind(person_id).bind(keep_id_hash).execute(db).await.map(drop))
}

/// Sweeps up to `limit` sessions that have ended by `now_ms`; answers how many went.
pub async fn delete_ended(store: &Store, now_ms: i64, limit: i64) -> sqlx::Result<u64> {
    on_database!(store, db => sqlx::query(
        "delete from session where id_hash in (
             select id_hash from session where ends_at_ms <= $1 or last_seen_at_ms + idle_ms <= $1 limit $2)")
        .bind(now_ms).bind(limit).execute(db).await.map(|done| done.rows_affected()))
}
