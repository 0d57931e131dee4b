//! Request rate, concurrency and credits per call, as they are set on limit nodes.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

/// One limit of one node.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CallLimitRow {
    pub node_id: String,
    pub kind: String,
    /// Requests, calls, or nano-USD.
    pub value: i64,
    /// From then on it is `after_value`.
    pub grant_ends_at_ms: Option<i64>,
    pub after_value: Option<i64>,
}

/// Which limit of which org's node.
#[derive(Clone, Copy, Debug)]
pub struct CallLimitRef<'a> {
    pub org_id: &'a str,
    pub node_id: &'a str,
    pub kind: &'a str,
}

/// Every limit of the org, by node and kind.
pub async fn of_org(store: &Store, org_id: &str) -> sqlx::Result<Vec<CallLimitRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select node_id, kind, value, grant_ends_at_ms, after_value from call_limit where org_id = $1 order by node_id, kind")
        .bind(org_id).fetch_all(db).await)
}

/// Sets the limit, for good or until a moment from which on it is another, or removes it. Cached callers carry it, so this
/// counts as a change of rights.
pub async fn set(
    store: &Store,
    limit: CallLimitRef<'_>,
    value: Option<(i64, Option<(i64, i64)>)>,
    entry: &Entry,
) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let changed = match value {
            Some((value, end)) => sqlx::query(
                "insert into call_limit (node_id, kind, org_id, value, grant_ends_at_ms, after_value)
                 values ($1, $2, $3, $4, $5, $6)
                 on conflict (node_id, kind) do update set value = excluded.value,
                     grant_ends_at_ms = excluded.grant_ends_at_ms, after_value = excluded.after_value
                 where call_limit.org_id = excluded.org_id")
                .bind(limit.node_id).bind(limit.kind).bind(limit.org_id).bind(value)
                .bind(end.map(|(at_ms, _)| at_ms)).bind(end.map(|(_, value)| value))
                .execute(&mut *tx).await?,
            None => sqlx::query("delete from call_limit where node_id = $1 and kind = $2 and org_id = $3")
                .bind(limit.node_id).bind(limit.kind).bind(limit.org_id)
                .execute(&mut *tx).await?,
        };
        // A node of another org's: nothing happened.
        if changed.rows_affected() == 0 {
            return Ok(());
        }
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// Writes down that a grant is over. What it means for calls has counted since the moment itself.
pub async fn end_grant(store: &Store, limit: CallLimitRef<'_>, now_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update call_limit set value = after_value, after_value = null, grant_ends_at_ms = null
         where node_id = $1 and kind = $2 and org_id = $3 and grant_ends_at_ms <= $4")
        .bind(limit.node_id).bind(limit.kind).bind(limit.org_id).bind(now_ms).execute(db).await.map(drop))
}
