//! Device codes: a program without a browser waits here until a person has decided elsewhere.
use super::grant::NewGrant;
use super::token::NewToken;
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeviceRow {
    pub id: String,
    pub verifier: String,
    pub user_code_hash: String,
    pub client_id: String,
    pub scopes_json: String,
    pub resource: Option<String>,
    pub key_request_json: String,
    pub ip: String,
    pub state: String,
    pub grant_id: Option<String>,
    pub interval_s: i64,
    pub polled_at_ms: Option<i64>,
    pub expires_at_ms: i64,
    pub created_at_ms: i64,
}

pub async fn insert(store: &Store, row: &DeviceRow) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "insert into oauth_device (id, verifier, user_code_hash, client_id, scopes_json, resource, key_request_json, ip,
                                   interval_s, expires_at_ms, created_at_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
        .bind(&row.id).bind(&row.verifier).bind(&row.user_code_hash).bind(&row.client_id).bind(&row.scopes_json)
        .bind(&row.resource).bind(&row.key_request_json).bind(&row.ip).bind(row.interval_s).bind(row.expires_at_ms)
        .bind(row.created_at_ms).execute(db).await.map(drop))
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<DeviceRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, verifier, user_code_hash, client_id, scopes_json, resource, key_request_json, ip, state, grant_id, interval_s,
                polled_at_ms, expires_at_ms, created_at_ms
         from oauth_device where id = $1")
        .bind(id).fetch_optional(db).await)
}

/// The device that shows this code and still waits.
pub async fn find_by_user_code(
    store: &Store,
    user_code_hash: &str,
    now_ms: i64,
) -> sqlx::Result<Option<DeviceRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, verifier, user_code_hash, client_id, scopes_json, resource, key_request_json, ip, state, grant_id, interval_s,
                polled_at_ms, expires_at_ms, created_at_ms
         from oauth_device where user_code_hash = $1 and state = 'pending' and expires_at_ms > $2")
        .bind(user_code_hash).bind(now_ms).fetch_optional(db).await)
}

/// Decides it, once. False when somebody was first, or it is too late.
pub async fn decide(
    store: &Store,
    (id, now_ms): (&str, i64),
    allowed: Option<&NewGrant<'_>>,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // Taken first, so that of two decisions one waits and then finds nothing to decide.
        let pending = sqlx::query(
            "update oauth_device set interval_s = interval_s where id = $1 and state = 'pending' and expires_at_ms > $2")
            .bind(id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if pending == 0 {
            return Ok(false);
        }
        if let Some(grant) = allowed {
            insert_grant!(grant).execute(&mut *tx).await?;
        }
        let (state, grant_id) = (if allowed.is_some() { "approved" } else { "denied" }, allowed.map(|grant| grant.id));
        sqlx::query("update oauth_device set state = $2, grant_id = $3 where id = $1")
            .bind(id).bind(state).bind(grant_id).execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Notes a question. One that came too early lengthens the interval for good; answers whether it did.
pub async fn poll(store: &Store, id: &str, now_ms: i64) -> sqlx::Result<bool> {
    let slowed = on_database!(store, db => {
        let mut tx = db.begin().await?;
        let slowed = sqlx::query(
            "update oauth_device set interval_s = interval_s + 5 where id = $1 and polled_at_ms > $2 - interval_s * 1000")
            .bind(id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        sqlx::query("update oauth_device set polled_at_ms = $2 where id = $1").bind(id).bind(now_ms).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(slowed)
    })?;
    Ok(slowed == 1)
}

/// Hands the tokens out, once.
pub async fn redeem(store: &Store, id: &str, tokens: &[NewToken]) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let redeemed = sqlx::query("update oauth_device set state = 'redeemed' where id = $1 and state = 'approved'")
            .bind(id).execute(&mut *tx).await?.rows_affected();
        if redeemed == 0 {
            return Ok(false);
        }
        for token in tokens {
            insert_token!(token).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    })
}
