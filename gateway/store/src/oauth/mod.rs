//! Sign in with ByteSpike: one file of SQL per table. A grant is written together with what first proves it, so the text
//! of its insertion, and of a token's, stand here for the files that share them.

/// The statement that inserts a [`grant::NewGrant`].
macro_rules! insert_grant {
    ($grant:expr) => {
        sqlx::query(
            "insert into oauth_grant (id, client_id, client_name, client_place, person_id, org_id, member_id, scopes_json,
                                      resource, key_bounds_json, ends_at_ms, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
            .bind($grant.id).bind($grant.client_id).bind($grant.client_name).bind($grant.client_place)
            .bind($grant.person_id).bind($grant.org_id).bind($grant.member_id).bind($grant.scopes_json)
            .bind($grant.resource).bind($grant.key_bounds_json).bind($grant.ends_at_ms).bind($grant.now_ms)
    };
}

/// The statement that inserts a [`token::NewToken`].
macro_rules! insert_token {
    ($token:expr) => {
        sqlx::query(
            "insert into oauth_token (id, kind, verifier, grant_id, access_id, scopes_json, expires_at_ms, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8)")
            .bind(&$token.id).bind($token.kind).bind(&$token.verifier).bind(&$token.grant_id).bind(&$token.access_id)
            .bind(&$token.scopes_json).bind($token.expires_at_ms).bind($token.created_at_ms)
    };
}

pub mod client;
pub mod client_document;
pub mod code;
pub mod device;
pub mod grant;
pub mod key;
pub mod token;
pub mod transaction;
