//! What the documents of programs that nobody registered last said.
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ClientDocumentRow {
    /// The address of the document.
    pub client_id: String,
    pub name: String,
    pub redirect_uris_json: String,
    pub scopes_json: String,
    /// Until then it need not be fetched again.
    pub fresh_until_ms: i64,
    pub kept_until_ms: i64,
}

/// Keeps what the document says now.
pub async fn keep(store: &Store, row: &ClientDocumentRow) -> sqlx::Result<()> {
    on_database!(store, db => {
        sqlx::query(
            "insert into oauth_client_document (client_id, name, redirect_uris_json, scopes_json, fresh_until_ms, kept_until_ms)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (client_id) do update set name = excluded.name, redirect_uris_json = excluded.redirect_uris_json,
                scopes_json = excluded.scopes_json, fresh_until_ms = excluded.fresh_until_ms, kept_until_ms = excluded.kept_until_ms")
            .bind(&row.client_id).bind(&row.name).bind(&row.redirect_uris_json).bind(&row.scopes_json)
            .bind(row.fresh_until_ms).bind(row.kept_until_ms).execute(db).await?;
        Ok::<_, sqlx::Error>(())
    })
}

pub async fn find(store: &Store, client_id: &str) -> sqlx::Result<Option<ClientDocumentRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select client_id, name, redirect_uris_json, scopes_json, fresh_until_ms, kept_until_ms
         from oauth_client_document where client_id = $1")
        .bind(client_id).fetch_optional(db).await)
}
