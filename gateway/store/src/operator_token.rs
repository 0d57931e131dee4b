//! Tokens of programs that operate the installation. Rows stay, so that the audit log's names keep their meaning.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OperatorTokenRow {
    /// The public twelve characters inside the token.
    pub id: String,
    pub name: String,
    pub verifier: String,
    pub last_four: String,
    pub expires_at_ms: Option<i64>,
    pub revoked_at_ms: Option<i64>,
    pub last_used_at_ms: Option<i64>,
    pub created_at_ms: i64,
}

pub async fn insert(store: &Store, row: &OperatorTokenRow, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into operator_token (id, name, verifier, last_four, expires_at_ms, created_at_ms)
             values ($1, $2, $3, $4, $5, $6)")
            .bind(&row.id).bind(&row.name).bind(&row.verifier).bind(&row.last_four).bind(row.expires_at_ms)
            .bind(row.created_at_ms).execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<OperatorTokenRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, name, verifier, last_four, expires_at_ms, revoked_at_ms, last_used_at_ms, created_at_ms
         from operator_token where id = $1").bind(id).fetch_optional(db).await)
}

/// The newest first.
pub async fn all(store: &Store) -> sqlx::Result<Vec<OperatorTokenRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, name, verifier, last_four, expires_at_ms, revoked_at_ms, last_used_at_ms, created_at_ms
         from operator_token order by created_at_ms desc, id").fetch_all(db).await)
}

/// False, and nothing written, when there is no such token, or it was revoked before.
pub async fn revoke(store: &Store, (id, now_ms): (&str, i64), entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let revoked = sqlx::query(
            "update operator_token set revoked_at_ms = $2 where id = $1 and revoked_at_ms is null")
            .bind(id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if revoked == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Writes the time unless a time after `unless_after_ms` is there.
pub async fn mark_used(store: &Store, id: &str, (now_ms, unless_after_ms): (i64, i64)) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update operator_token set last_used_at_ms = $2
         where id = $1 and (last_used_at_ms is null or last_used_at_ms <= $3)")
        .bind(id).bind(now_ms).bind(unless_after_ms).execute(db).await.map(drop))
}
