//! Checked requests to authorize that wait for a person's decision.
use super::code::NewCode;
use super::grant::NewGrant;
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TransactionRow {
    pub id: String,
    pub browser_verifier: String,
    pub client_id: String,
    pub redirect_uri: String,
    pub client_state: Option<String>,
    pub code_challenge: String,
    pub scopes_json: String,
    pub resource: Option<String>,
    pub key_request_json: String,
    /// `prompt=login`: a sign-in before this moment does not count.
    pub must_sign_in_after_ms: Option<i64>,
    pub expires_at_ms: i64,
    pub decided_at_ms: Option<i64>,
    pub created_at_ms: i64,
}

pub async fn insert(store: &Store, row: &TransactionRow) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "insert into oauth_transaction (id, browser_verifier, client_id, redirect_uri, client_state, code_challenge, scopes_json,
                                        resource, key_request_json, must_sign_in_after_ms, expires_at_ms, created_at_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
        .bind(&row.id).bind(&row.browser_verifier).bind(&row.client_id).bind(&row.redirect_uri).bind(&row.client_state)
        .bind(&row.code_challenge).bind(&row.scopes_json).bind(&row.resource).bind(&row.key_request_json)
        .bind(row.must_sign_in_after_ms).bind(row.expires_at_ms).bind(row.created_at_ms)
        .execute(db).await.map(drop))
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<TransactionRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, browser_verifier, client_id, redirect_uri, client_state, code_challenge, scopes_json, resource,
                key_request_json, must_sign_in_after_ms, expires_at_ms, decided_at_ms, created_at_ms
         from oauth_transaction where id = $1")
        .bind(id).fetch_optional(db).await)
}

/// Decides it, once: with a grant and its code when it was allowed, with nothing when it was denied. False when somebody
/// was first, or it is too late.
pub async fn decide(
    store: &Store,
    (id, now_ms): (&str, i64),
    allowed: Option<(&NewGrant<'_>, &NewCode<'_>)>,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let decided = sqlx::query(
            "update oauth_transaction set decided_at_ms = $2 where id = $1 and decided_at_ms is null and expires_at_ms > $2")
            .bind(id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if decided == 0 {
            return Ok(false);
        }
        if let Some((grant, code)) = allowed {
            insert_grant!(grant).execute(&mut *tx).await?;
            sqlx::query(
                "insert into oauth_code (id, verifier, grant_id, client_id, redirect_uri, code_challenge, expires_at_ms, created_at_ms)
                 values ($1, $2, $3, $4, $5, $6, $7, $8)")
                .bind(code.id).bind(code.verifier).bind(grant.id).bind(grant.client_id).bind(code.redirect_uri)
                .bind(code.code_challenge).bind(code.expires_at_ms).bind(now_ms)
                .execute(&mut *tx).await?;
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}
