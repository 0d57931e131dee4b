//! Operators: those who run the installation. Rows stay for ever, so "was there ever one" has an answer.
use crate::{Store, on_database};

pub struct NewOperator<'a> {
    pub id: &'a str,
    pub email: &'a str,
    pub email_key: &'a str,
    pub name: &'a str,
    pub password_hash: &'a str,
    pub now_ms: i64,
}

/// Whether there ever was an operator, disabled ones included.
pub async fn ever_existed(store: &Store) -> sqlx::Result<bool> {
    let (count,): (i64,) =
        on_database!(read store, db => sqlx::query_as("select count(*) from operator").fetch_one(db).await)?;
    Ok(count > 0)
}

/// Creates the operator, or gives the one with that address the new name and password and lets it in again.
pub async fn upsert(store: &Store, operator: &NewOperator<'_>) -> sqlx::Result<String> {
    let (id,): (String,) = on_database!(store, db => sqlx::query_as(
        "insert into operator (id, email, email_key, name, password_hash, created_at_ms) values ($1, $2, $3, $4, $5, $6)
         on conflict (email_key) do update set name = excluded.name, password_hash = excluded.password_hash, state = 'active'
         returning id")
        .bind(operator.id).bind(operator.email).bind(operator.email_key).bind(operator.name)
        .bind(operator.password_hash).bind(operator.now_ms)
        .fetch_one(db).await)?;
    Ok(id)
}

/// Creates the very first operator for whoever holds the one-time token, which is used up in the same transaction.
/// False when the token is not live or an operator already exists: of parallel callers, one succeeds.
pub async fn insert_first(store: &Store, operator: &NewOperator<'_>, token_hash: &str) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let taken = sqlx::query(
            "delete from one_time_token where kind = 'first_operator' and token_hash = $1 and expires_at_ms > $2")
            .bind(token_hash).bind(operator.now_ms).execute(&mut *tx).await?.rows_affected();
        if taken == 0 {
            return Ok(false);
        }
        let inserted = sqlx::query(
            "insert into operator (id, email, email_key, name, password_hash, created_at_ms)
             select $1, $2, $3, $4, $5, $6 where not exists (select 1 from operator)")
            .bind(operator.id).bind(operator.email).bind(operator.email_key).bind(operator.name)
            .bind(operator.password_hash).bind(operator.now_ms)
            .execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        Ok(inserted == 1)
    })
}
