//! The log of changes and security events, a chain: each row's hash covers the row before it. A change writes its event
//! in its own transaction, so that there is neither without the other.
use crate::{Store, on_database};
use serde_json::{Value, json};
use std::sync::Arc;

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

/// Computes a row's hash from the hash of the row before it and the row with its `seq` set.
pub type Link = Arc<dyn Fn(&str, &AuditRow) -> String + Send + Sync>;

/// An event that waits for the change that it tells of.
#[derive(Clone)]
pub struct Entry {
    pub row: AuditRow,
    pub detail: serde_json::Map<String, Value>,
    pub link: Link,
}

impl Entry {
    /// What the change found, where that is known only inside its transaction.
    #[must_use]
    pub fn before(&self, before: Value) -> Self {
        self.with("before", before)
    }

    /// One more field, whose value is known only inside the transaction.
    #[must_use]
    pub fn with(&self, field: &str, value: Value) -> Self {
        let mut entry = self.clone();
        entry.detail.insert(field.to_owned(), value);
        entry
    }

    /// What the change found and what it left, where both are known only inside its transaction.
    #[must_use]
    pub fn changed(&self, before: Value, after: Value) -> Self {
        self.before(before).with("after", after)
    }

    /// The same event about something else: a change often takes several things along.
    #[must_use]
    pub fn about(&self, target: &str) -> Self {
        let mut entry = self.clone();
        entry.row.target = Some(target.to_owned());
        entry
    }

    /// The row that is appended after the one of this hash.
    #[must_use]
    pub fn linked(&self, seq: i64, previous: &str) -> AuditRow {
        let mut row = AuditRow { seq, detail_json: json!(self.detail).to_string(), ..self.row.clone() };
        row.hash = (self.link)(previous, &row);
        row
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("event", &self.row.event).finish_non_exhaustive()
    }
}

/// A connection inside a transaction. Appending is the transaction's last statement: the chain has one writer at a time,
/// who waits for nothing any more.
pub trait Appends {
    fn append(&mut self, entry: &Entry) -> impl Future<Output = sqlx::Result<()>> + Send;
}

macro_rules! appends {
    ($($connection:ty),*) => {$(
        impl Appends for $connection {
            async fn append(&mut self, entry: &Entry) -> sqlx::Result<()> {
                // Moving the head first lets one writer in at a time.
                let (seq, previous): (i64, String) =
                    sqlx::query_as("update audit_head set seq = seq + 1 where name = 'audit' returning seq, hash")
                        .fetch_one(&mut *self).await?;
                let row = entry.linked(seq, &previous);
                sqlx::query(
                    "insert into audit_event (seq, at_ms, event, actor, org_id, target, ip, user_agent, request_id,
                                              detail_json, hash)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
                    .bind(row.seq).bind(row.at_ms).bind(&row.event).bind(&row.actor).bind(&row.org_id).bind(&row.target)
                    .bind(&row.ip).bind(&row.user_agent).bind(&row.request_id).bind(&row.detail_json).bind(&row.hash)
                    .execute(&mut *self).await?;
                sqlx::query("update audit_head set hash = $1 where name = 'audit'")
                    .bind(&row.hash).execute(&mut *self).await?;
                Ok(())
            }
        }
    )*};
}

appends!(sqlx::SqliteConnection, sqlx::PgConnection);

/// Appends an event that no change of ours goes with: somebody signed in, somebody was refused.
pub async fn append(store: &Store, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        tx.append(entry).await?;
        tx.commit().await
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

/// Which of an org's events. Empty parts ask for all.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// `person:…`, `key:…`
    pub actor: Option<String>,
    /// A whole name (`key.created`) or the thing that events are about, with its point (`key.`).
    pub event: Option<String>,
    pub target: Option<String>,
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
    /// Only events before this one: the last of the page before.
    pub before_seq: Option<i64>,
}

/// The org's events that match, the newest first.
pub async fn of_org(
    store: &Store,
    org_id: &str,
    filter: &AuditFilter,
    limit: i64,
) -> sqlx::Result<Vec<AuditRow>> {
    matching(store, Some(org_id), filter, limit).await
}

/// Events that match, of one org or of the whole installation, the newest first.
pub async fn matching(
    store: &Store,
    org_id: Option<&str>,
    filter: &AuditFilter,
    limit: i64,
) -> sqlx::Result<Vec<AuditRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select seq, at_ms, event, actor, org_id, target, ip, user_agent, request_id, detail_json, hash
         from audit_event
         where (cast($1 as text) is null or org_id = $1) and (cast($2 as bigint) is null or seq < $2)
           and (cast($3 as text) is null or actor = $3)
           and (cast($4 as text) is null or event = $4 or (substr($4, length($4), 1) = '.' and substr(event, 1, length($4)) = $4))
           and (cast($5 as text) is null or target = $5)
           and (cast($6 as bigint) is null or at_ms >= $6) and (cast($7 as bigint) is null or at_ms < $7)
         order by seq desc limit $8")
        .bind(org_id).bind(filter.before_seq).bind(&filter.actor).bind(&filter.event).bind(&filter.target)
        .bind(filter.from_ms).bind(filter.to_ms).bind(limit)
        .fetch_all(db).await)
}

/// What a person did, and what was done about them; up to `limit` after `seq`, in order.
pub async fn of_person(
    store: &Store,
    person_id: &str,
    (seq, limit): (i64, i64),
) -> sqlx::Result<Vec<AuditRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select seq, at_ms, event, actor, org_id, target, ip, user_agent, request_id, detail_json, hash
         from audit_event where (actor = $1 or target = $2) and seq > $3 order by seq limit $4")
        .bind(format!("person:{person_id}")).bind(person_id).bind(seq).bind(limit).fetch_all(db).await)
}
