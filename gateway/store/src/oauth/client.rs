//! Programs that an org registered.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ClientRow {
    pub id: String,
    pub org_id: String,
    pub name: String,
    pub secret_verifier: Option<String>,
    pub redirect_uris_json: String,
    pub scopes_json: String,
    pub is_resource_server: bool,
    pub state: String,
    pub created_by_person_id: String,
    pub created_at_ms: i64,
}

pub async fn insert(store: &Store, row: &ClientRow, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into oauth_client (id, org_id, name, secret_verifier, redirect_uris_json, scopes_json, is_resource_server,
                                       state, created_by_person_id, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
            .bind(&row.id).bind(&row.org_id).bind(&row.name).bind(&row.secret_verifier).bind(&row.redirect_uris_json)
            .bind(&row.scopes_json).bind(row.is_resource_server).bind(&row.state).bind(&row.created_by_person_id)
            .bind(row.created_at_ms).execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<ClientRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, org_id, name, secret_verifier, redirect_uris_json, scopes_json, is_resource_server, state,
                created_by_person_id, created_at_ms
         from oauth_client where id = $1")
        .bind(id).fetch_optional(db).await)
}

/// The org's programs, newest first.
pub async fn of_org(store: &Store, org_id: &str) -> sqlx::Result<Vec<ClientRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, org_id, name, secret_verifier, redirect_uris_json, scopes_json, is_resource_server, state,
                created_by_person_id, created_at_ms
         from oauth_client where org_id = $1 order by created_at_ms desc, id")
        .bind(org_id).fetch_all(db).await)
}

/// Switches a program off for good, and ends everything it was allowed. False when there is none in this org.
pub async fn disable(
    store: &Store,
    (org_id, id): (&str, &str),
    now_ms: i64,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let found = sqlx::query("update oauth_client set state = 'disabled' where id = $1 and org_id = $2 and state = 'active'")
            .bind(id).bind(org_id).execute(&mut *tx).await?.rows_affected();
        if found == 1 {
            sqlx::query(
                "update oauth_grant set state = 'revoked', revoked_reason = 'client_disabled', revoked_at_ms = $2
                 where client_id = $1 and state = 'active'")
                .bind(id).bind(now_ms).execute(&mut *tx).await?;
            tx.append(entry).await?;
        }
        tx.commit().await?;
        Ok(found == 1)
    })
}
