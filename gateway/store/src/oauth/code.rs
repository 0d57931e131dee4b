//! Authorization codes: good for a minute, and once.
use super::token::NewToken;
use crate::{Store, on_database};

pub struct NewCode<'a> {
    pub id: &'a str,
    pub verifier: &'a str,
    pub redirect_uri: &'a str,
    pub code_challenge: &'a str,
    pub expires_at_ms: i64,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CodeRow {
    pub verifier: String,
    pub grant_id: String,
    pub client_id: String,
    pub redirect_uri: String,
    pub code_challenge: String,
    pub expires_at_ms: i64,
    pub used_at_ms: Option<i64>,
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<CodeRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select verifier, grant_id, client_id, redirect_uri, code_challenge, expires_at_ms, used_at_ms
         from oauth_code where id = $1")
        .bind(id).fetch_optional(db).await)
}

/// Uses the code up and adds the tokens it is exchanged for. False when it was used before: then nothing is added.
/// With no tokens the code is only burnt.
pub async fn redeem(store: &Store, id: &str, tokens: &[NewToken], now_ms: i64) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let used = sqlx::query("update oauth_code set used_at_ms = $2 where id = $1 and used_at_ms is null")
            .bind(id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if used == 0 {
            return Ok(false);
        }
        for token in tokens {
            insert_token!(token).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    })
}
