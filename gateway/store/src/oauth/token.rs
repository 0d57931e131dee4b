//! Access and refresh tokens. Everything that changes a family of them locks its grant first.
use crate::{Store, on_database};

#[derive(Clone, Debug)]
pub struct NewToken {
    pub id: String,
    /// `access` or `refresh`.
    pub kind: &'static str,
    pub verifier: String,
    pub grant_id: String,
    pub access_id: Option<String>,
    pub scopes_json: Option<String>,
    pub expires_at_ms: i64,
    pub created_at_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TokenRow {
    pub id: String,
    pub kind: String,
    pub verifier: String,
    pub grant_id: String,
    pub state: String,
    pub access_id: Option<String>,
    pub successor_id: Option<String>,
    pub consumed_at_ms: Option<i64>,
    pub scopes_json: Option<String>,
    pub first_used_at_ms: Option<i64>,
    pub expires_at_ms: i64,
    pub created_at_ms: i64,
}

/// A refresh token, the one that replaced it, and that one's access token, as they are under the grant's lock.
pub struct Family {
    pub token: TokenRow,
    pub successor: Option<TokenRow>,
    pub successor_access: Option<TokenRow>,
}

/// What becomes of a presented refresh token.
pub enum Step {
    /// It is consumed; these come after it, and those named first are dead.
    Replace {
        retired: Vec<String>,
        new: Box<[NewToken; 2]>,
    },
    /// Somebody has a token they should not have: the whole family ends.
    Revoke,
    Nothing,
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<TokenRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, kind, verifier, grant_id, state, access_id, successor_id, consumed_at_ms, scopes_json, first_used_at_ms,
                expires_at_ms, created_at_ms
         from oauth_token where id = $1")
        .bind(id).fetch_optional(db).await)
}

/// Looks at a family under its grant's lock, decides, and does it, in one transaction. `None` when the grant has ended.
pub async fn step(
    store: &Store,
    (grant_id, token_id): (&str, &str),
    now_ms: i64,
    decide: impl Fn(&Family) -> Step,
) -> sqlx::Result<Option<Step>> {
    const COLUMNS: &str =
        "select id, kind, verifier, grant_id, state, access_id, successor_id, consumed_at_ms, scopes_json,
                                  first_used_at_ms, expires_at_ms, created_at_ms
                           from oauth_token where id = $1";
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let locked = sqlx::query("update oauth_grant set last_used_at_ms = $2 where id = $1 and state = 'active'")
            .bind(grant_id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if locked == 0 {
            return Ok(None);
        }
        let token: TokenRow = sqlx::query_as(COLUMNS).bind(token_id).fetch_one(&mut *tx).await?;
        let successor: Option<TokenRow> = sqlx::query_as(COLUMNS).bind(&token.successor_id).fetch_optional(&mut *tx).await?;
        let access_id = successor.as_ref().and_then(|successor| successor.access_id.clone());
        let successor_access: Option<TokenRow> = sqlx::query_as(COLUMNS).bind(access_id).fetch_optional(&mut *tx).await?;
        let step = decide(&Family { token, successor, successor_access });
        match &step {
            Step::Nothing => return Ok(Some(step)),
            Step::Revoke => {
                sqlx::query("update oauth_grant set state = 'revoked', revoked_reason = 'reuse', revoked_at_ms = $2 where id = $1")
                    .bind(grant_id).bind(now_ms).execute(&mut *tx).await?;
            }
            Step::Replace { retired, new } => {
                for id in retired {
                    sqlx::query("update oauth_token set state = 'revoked' where id = $1").bind(id).execute(&mut *tx).await?;
                }
                for token in new.iter() {
                    insert_token!(token).execute(&mut *tx).await?;
                }
                sqlx::query(
                    "update oauth_token set state = 'consumed', successor_id = $2, consumed_at_ms = coalesce(consumed_at_ms, $3)
                     where id = $1")
                    .bind(token_id).bind(&new[1].id).bind(now_ms).execute(&mut *tx).await?;
            }
        }
        tx.commit().await?;
        Ok(Some(step))
    })
}

/// Notes that an access token was used, once.
pub async fn mark_used(store: &Store, id: &str, now_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update oauth_token set first_used_at_ms = $2 where id = $1 and first_used_at_ms is null")
        .bind(id).bind(now_ms).execute(db).await.map(drop))
}

/// Ends one access token.
pub async fn revoke(store: &Store, id: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("update oauth_token set state = 'revoked' where id = $1 and state = 'active'")
        .bind(id).execute(db).await.map(drop))
}
