//! Tokens that work once: sent by mail or printed at the first start. Only their HMAC is stored.
use crate::{Store, on_database};

#[derive(Clone, Copy)]
pub struct NewToken<'a> {
    pub kind: &'a str,
    pub subject_id: &'a str,
    pub token_hash: &'a str,
    pub expires_at_ms: i64,
    pub now_ms: i64,
}

/// Stores the token; an older one of the same kind for the same subject stops working.
pub async fn replace(store: &Store, token: NewToken<'_>) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "insert into one_time_token (kind, subject_id, token_hash, expires_at_ms, created_at_ms) values ($1, $2, $3, $4, $5)
         on conflict (kind, subject_id) do update set
             token_hash = excluded.token_hash, expires_at_ms = excluded.expires_at_ms, created_at_ms = excluded.created_at_ms")
        .bind(token.kind).bind(token.subject_id).bind(token.token_hash).bind(token.expires_at_ms).bind(token.now_ms)
        .execute(db).await.map(drop))
}

/// Whom the token is for, without using it up.
pub async fn peek(store: &Store, kind: &str, token_hash: &str, now_ms: i64) -> sqlx::Result<Option<String>> {
    let found: Option<(String,)> = on_database!(read store, db => sqlx::query_as(
        "select subject_id from one_time_token where kind = $1 and token_hash = $2 and expires_at_ms > $3")
        .bind(kind).bind(token_hash).bind(now_ms).fetch_optional(db).await)?;
    Ok(found.map(|(subject_id,)| subject_id))
}

/// Sweeps up to `limit` tokens that have expired by `now_ms`; answers how many went.
pub async fn delete_expired(store: &Store, now_ms: i64, limit: i64) -> sqlx::Result<u64> {
    on_database!(store, db => sqlx::query(
        "delete from one_time_token where token_hash in (
             select token_hash from one_time_token where expires_at_ms <= $1 limit $2)")
        .bind(now_ms).bind(limit).execute(db).await.map(|done| done.rows_affected()))
}
