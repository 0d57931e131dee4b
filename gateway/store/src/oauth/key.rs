//! Keys that programs made within their grants.
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct MadeKeyRow {
    pub key_id: String,
    pub grant_id: String,
    pub client_instance: Option<String>,
    pub request_key: String,
    pub body_hash: String,
    pub sealed_answer: Option<String>,
    pub sealed_until_ms: i64,
    pub created_at_ms: i64,
    /// Of the key itself.
    pub state: String,
}

pub async fn insert(store: &Store, row: &MadeKeyRow) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "insert into oauth_key (key_id, grant_id, client_instance, request_key, body_hash, sealed_answer, sealed_until_ms, created_at_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(&row.key_id).bind(&row.grant_id).bind(&row.client_instance).bind(&row.request_key).bind(&row.body_hash)
        .bind(&row.sealed_answer).bind(row.sealed_until_ms).bind(row.created_at_ms).execute(db).await.map(drop))
}

/// Keeps the answer for a client that did not hear it.
pub async fn keep_answer(store: &Store, key_id: &str, sealed: &str, until_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("update oauth_key set sealed_answer = $2, sealed_until_ms = $3 where key_id = $1")
        .bind(key_id).bind(sealed).bind(until_ms).execute(db).await.map(drop))
}

/// Every key of the grant, the oldest first.
pub async fn of_grant(store: &Store, grant_id: &str) -> sqlx::Result<Vec<MadeKeyRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select k.key_id, k.grant_id, k.client_instance, k.request_key, k.body_hash, k.sealed_answer, k.sealed_until_ms,
                k.created_at_ms, a.state
         from oauth_key k join api_key a on a.id = k.key_id where k.grant_id = $1 order by k.created_at_ms, k.key_id")
        .bind(grant_id).fetch_all(db).await)
}

/// Live keys that the same installation of the same program made before, for the same person in the same org.
pub async fn of_instance(
    store: &Store,
    (person_id, org_id): (&str, &str),
    (client_id, client_instance): (&str, &str),
) -> sqlx::Result<Vec<String>> {
    on_database!(read store, db => sqlx::query_scalar(
        "select k.key_id from oauth_key k
         join oauth_grant g on g.id = k.grant_id
         join api_key a on a.id = k.key_id
         where g.person_id = $1 and g.org_id = $2 and g.client_id = $3 and k.client_instance = $4
           and a.state in ('active', 'disabled')")
        .bind(person_id).bind(org_id).bind(client_id).bind(client_instance).fetch_all(db).await)
}
