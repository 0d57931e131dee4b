//! The log of security events, a chain: each row's hash covers the row before it.
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditRow {
    pub seq: i64,
    pub at_ms: i64,
    pub event: String,
    pub actor: String,
    pub org_id: Option<String>,
    pub target: Option<String>,
    pub ip: String,
    pub user_agent: String,
    pub request_id: String,
    pub detail_json: String,
    pub hash: String,
}

/// Appends one event. `hash` computes the row's hash from the previous row's hash and the row with its `seq` set.
pub async fn append(
    store: &Store,
    mut row: AuditRow,
    hash: impl Fn(&str, &AuditRow) -> String,
) -> sqlx::Result<AuditRow> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // Moving the head first lets one writer in at a time.
        let (seq, previous): (i64, String) =
            sqlx::query_as("update audit_head set seq = seq + 1 where name = 'audit' returning seq, hash")
                .fetch_one(&mut *tx).await?;
        row.seq = seq;
        row.hash = hash(&previous, &row);
        sqlx::query(
            "insert into audit_event (seq, at_ms, event, actor, org_id, target, ip, user_agent, request_id, detail_json, hash)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
            .bind(row.seq).bind(row.at_ms).bind(&row.event).bind(&row.actor).bind(&row.org_id).bind(&row.target)
            .bind(&row.ip).bind(&row.user_agent).bind(&row.request_id).bind(&row.detail_json).bind(&row.hash)
            .execute(&mut *tx).await?;
        sqlx::query("update audit_head set hash = $1 where name = 'audit'")
            .bind(&row.hash).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(row)
    })
}

/// Up to `limit` events after `seq`, in order.
pub async fn after(store: &Store, seq: i64, limit: i64) -> sqlx::Result<Vec<AuditRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select seq, at_ms, event, actor, org_id, target, ip, user_agent, request_id, detail_json, hash
         from audit_event where seq > $1 order by seq limit $2")
        .bind(seq).bind(limit).fetch_all(db).await)
}

/// The last event's number and hash.
pub async fn head(store: &Store) -> sqlx::Result<(i64, String)> {
    on_database!(read store, db => sqlx::query_as("select seq, hash from audit_head where name = 'audit'")
        .fetch_one(db).await)
}
