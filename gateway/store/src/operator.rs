//! Operators: those who run the installation. Rows stay for ever, so "was there ever one" has an answer.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

/// What goes when the host lets an operator in again.
const FORGET: [&str; 3] = [
    "delete from operator_session where operator_id = $1",
    "delete from totp where subject_id = $1",
    "delete from recovery_code where subject_id = $1",
];

#[derive(Clone, sqlx::FromRow)]
pub struct OperatorRow {
    pub id: String,
    pub email: String,
    pub name: String,
    pub password_hash: String,
    /// `active` or `disabled`
    pub state: String,
    pub created_at_ms: i64,
}

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

/// False, and nothing written, when the address is taken.
pub async fn insert(store: &Store, operator: &NewOperator<'_>, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let inserted = sqlx::query(
            "insert into operator (id, email, email_key, name, password_hash, created_at_ms) values ($1, $2, $3, $4, $5, $6)
             on conflict (email_key) do nothing")
            .bind(operator.id).bind(operator.email).bind(operator.email_key).bind(operator.name)
            .bind(operator.password_hash).bind(operator.now_ms)
            .execute(&mut *tx).await?.rows_affected();
        if inserted == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Gives the operator a new password and lets it in again, without its sessions and its second factor.
pub async fn reset(store: &Store, (id, password_hash): (&str, &str), entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("update operator set password_hash = $2, state = 'active' where id = $1")
            .bind(id).bind(password_hash).execute(&mut *tx).await?;
        for sql in FORGET {
            sqlx::query(sql).bind(id).execute(&mut *tx).await?;
        }
        tx.append(entry).await?;
        tx.commit().await
    })
}

pub async fn find_by_email(store: &Store, email_key: &str) -> sqlx::Result<Option<OperatorRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, email, name, password_hash, state, created_at_ms from operator where email_key = $1")
        .bind(email_key).fetch_optional(db).await)
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<OperatorRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, email, name, password_hash, state, created_at_ms from operator where id = $1")
        .bind(id).fetch_optional(db).await)
}

/// Everybody who is or was an operator, in the order they came.
pub async fn all(store: &Store) -> sqlx::Result<Vec<OperatorRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, email, name, password_hash, state, created_at_ms from operator order by created_at_ms, id")
        .fetch_all(db).await)
}

/// Replaces a hash by a stronger one of the same password, unless the password was changed meanwhile.
pub async fn replace_hash(store: &Store, id: &str, (old, newer): (&str, &str)) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("update operator set password_hash = $3 where id = $1 and password_hash = $2")
        .bind(id).bind(old).bind(newer).execute(db).await.map(drop))
}

/// Creates the very first operator for whoever holds the one-time token, which is used up in the same transaction.
/// False when the token is not live or an operator already exists: of parallel callers, one succeeds.
pub async fn insert_first(
    store: &Store,
    (operator, token_hash): (&NewOperator<'_>, &str),
    entry: &Entry,
) -> sqlx::Result<bool> {
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
        if inserted == 1 {
            tx.append(entry).await?;
        }
        tx.commit().await?;
        Ok(inserted == 1)
    })
}
