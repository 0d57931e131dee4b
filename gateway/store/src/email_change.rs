//! Addresses that people want to change to, and the change once an address is proven.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

/// A wish; `token_hash` is of the token in the letter to the new address.
#[derive(Clone, Copy)]
pub struct NewWish<'a> {
    pub person_id: &'a str,
    pub email: &'a str,
    pub email_key: &'a str,
    pub token_hash: &'a str,
    pub expires_at_ms: i64,
}

/// Replaces the person's earlier wish.
pub async fn replace(store: &Store, wish: NewWish<'_>, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into email_change (person_id, email, email_key, token_hash, expires_at_ms) values ($1, $2, $3, $4, $5)
             on conflict (person_id) do update set email = excluded.email, email_key = excluded.email_key,
                 token_hash = excluded.token_hash, expires_at_ms = excluded.expires_at_ms")
            .bind(wish.person_id).bind(wish.email).bind(wish.email_key).bind(wish.token_hash).bind(wish.expires_at_ms)
            .execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// What a link would change.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Wish {
    pub person_id: String,
    pub email: String,
}

/// What the token would change, if it would work. Uses nothing up.
pub async fn peek(store: &Store, token_hash: &str, now_ms: i64) -> sqlx::Result<Option<Wish>> {
    on_database!(read store, db => sqlx::query_as(
        "select person_id, email from email_change where token_hash = $1 and expires_at_ms > $2")
        .bind(token_hash).bind(now_ms).fetch_optional(db).await)
}

/// Changes the address, ends every session of the person and every link sent to the old one; answers whose it is. `None`
/// when the token is dead or somebody else has the address by now.
pub async fn apply(
    store: &Store,
    token_hash: &str,
    now_ms: i64,
    entry: &Entry,
) -> sqlx::Result<Option<String>> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let wish: Option<(String, String, String, i64)> = sqlx::query_as(
            "delete from email_change where token_hash = $1 returning person_id, email, email_key, expires_at_ms")
            .bind(token_hash).fetch_optional(&mut *tx).await?;
        let Some((person_id, email, email_key, _)) = wish.filter(|wish| wish.3 > now_ms) else {
            tx.commit().await?;
            return Ok(None);
        };
        let changed = sqlx::query(
            "update person set email = $2, email_key = $3, email_verified_at_ms = $4
             where id = $1 and state = 'active' and not exists (select 1 from person where email_key = $3 and id <> $1)")
            .bind(&person_id).bind(&email).bind(&email_key).bind(now_ms)
            .execute(&mut *tx).await?.rows_affected();
        if changed == 1 {
            sqlx::query("delete from session where person_id = $1").bind(&person_id).execute(&mut *tx).await?;
            sqlx::query("delete from one_time_token where subject_id = $1").bind(&person_id).execute(&mut *tx).await?;
            tx.append(entry).await?;
        }
        tx.commit().await?;
        Ok((changed == 1).then_some(person_id))
    })
}

pub async fn delete_expired(store: &Store, now_ms: i64, limit: i64) -> sqlx::Result<u64> {
    on_database!(store, db => sqlx::query(
        "delete from email_change where person_id in (select person_id from email_change where expires_at_ms <= $1 limit $2)
         and expires_at_ms <= $1")
        .bind(now_ms).bind(limit).execute(db).await.map(|done| done.rows_affected()))
}
