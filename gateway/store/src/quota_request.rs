//! Requests for more than a limit allows, and what became of them.
use crate::audit_event::{Appends as _, Entry};
use crate::outbox::{self, Event};
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct QuotaRequestRow {
    pub id: String,
    pub org_id: String,
    pub member_id: String,
    pub node_id: String,
    pub limit_name: String,
    /// Nano-USD, requests or calls; so are `granted` and `former`.
    pub wanted: i64,
    pub reason: String,
    pub state: String,
    pub granted: Option<i64>,
    /// What the limit was before it was raised.
    pub former: Option<i64>,
    pub ends_at_ms: Option<i64>,
    pub answer: String,
    pub decided_by_person_id: Option<String>,
    pub created_at_ms: i64,
    pub decided_at_ms: Option<i64>,
}

/// A request that is still to be answered. Of the same member for the same limit the newest counts: one that waits is
/// withdrawn. Those who answer are told of it.
pub async fn insert(
    store: &Store,
    row: &QuotaRequestRow,
    (entry, told): (&Entry, &Event),
) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "update quota_request set state = 'withdrawn', decided_at_ms = $5
             where org_id = $1 and member_id = $2 and node_id = $3 and limit_name = $4 and state = 'waiting'")
            .bind(&row.org_id).bind(&row.member_id).bind(&row.node_id).bind(&row.limit_name).bind(row.created_at_ms)
            .execute(&mut *tx).await?;
        sqlx::query(
            "insert into quota_request (id, org_id, member_id, node_id, limit_name, wanted, reason, ends_at_ms, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(&row.id).bind(&row.org_id).bind(&row.member_id).bind(&row.node_id).bind(&row.limit_name)
            .bind(row.wanted).bind(&row.reason).bind(row.ends_at_ms).bind(row.created_at_ms)
            .execute(&mut *tx).await?;
        outbox::put!(&mut *tx, told);
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// The org's requests, those that wait first, then the newest; with `member_id`, only that member's.
pub async fn list(
    store: &Store,
    (org_id, member_id): (&str, Option<&str>),
    limit: i64,
) -> sqlx::Result<Vec<QuotaRequestRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, org_id, member_id, node_id, limit_name, wanted, reason, state, granted, former, ends_at_ms, answer,
                decided_by_person_id, created_at_ms, decided_at_ms
         from quota_request where org_id = $1 and (cast($2 as text) is null or member_id = $2)
         order by case when state = 'waiting' then 0 else 1 end, created_at_ms desc, id limit $3")
        .bind(org_id).bind(member_id).bind(limit).fetch_all(db).await)
}

/// One request of the org.
pub async fn find(store: &Store, org_id: &str, id: &str) -> sqlx::Result<Option<QuotaRequestRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, org_id, member_id, node_id, limit_name, wanted, reason, state, granted, former, ends_at_ms, answer,
                decided_by_person_id, created_at_ms, decided_at_ms
         from quota_request where org_id = $1 and id = $2")
        .bind(org_id).bind(id).fetch_optional(db).await)
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// `granted` or `declined`
    pub state: &'a str,
    pub granted: Option<i64>,
    pub former: Option<i64>,
    pub ends_at_ms: Option<i64>,
    pub answer: &'a str,
    pub person_id: &'a str,
    pub now_ms: i64,
}

/// Answers a request that waits, and has its member told. False when it does not wait any more: somebody else was first.
pub async fn decide(
    store: &Store,
    (org_id, id): (&str, &str),
    decision: &Decision<'_>,
    (entry, told): (&Entry, &Event),
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let decided = sqlx::query(
            "update quota_request set state = $3, granted = $4, former = $5, ends_at_ms = $6, answer = $7,
                    decided_by_person_id = $8, decided_at_ms = $9
             where org_id = $1 and id = $2 and state = 'waiting'")
            .bind(org_id).bind(id).bind(decision.state).bind(decision.granted).bind(decision.former)
            .bind(decision.ends_at_ms).bind(decision.answer).bind(decision.person_id).bind(decision.now_ms)
            .execute(&mut *tx).await?.rows_affected();
        if decided == 0 {
            return Ok(false);
        }
        outbox::put!(&mut *tx, told);
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Takes a request of the member's back. False when it does not wait.
pub async fn withdraw(
    store: &Store,
    (org_id, member_id): (&str, &str),
    (id, now_ms): (&str, i64),
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let withdrawn = sqlx::query(
            "update quota_request set state = 'withdrawn', decided_at_ms = $4
             where org_id = $1 and member_id = $2 and id = $3 and state = 'waiting'")
            .bind(org_id).bind(member_id).bind(id).bind(now_ms)
            .execute(&mut *tx).await?.rows_affected();
        if withdrawn == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Grants whose time is over, the earliest first.
pub async fn due(store: &Store, now_ms: i64, limit: i64) -> sqlx::Result<Vec<QuotaRequestRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, org_id, member_id, node_id, limit_name, wanted, reason, state, granted, former, ends_at_ms, answer,
                decided_by_person_id, created_at_ms, decided_at_ms
         from quota_request where state = 'granted' and ends_at_ms is not null and ends_at_ms <= $1
         order by ends_at_ms, id limit $2")
        .bind(now_ms).bind(limit).fetch_all(db).await)
}

/// The grant is over. False when another process was first.
pub async fn end(store: &Store, id: &str, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let ended = sqlx::query("update quota_request set state = 'ended' where id = $1 and state = 'granted'")
            .bind(id).execute(&mut *tx).await?.rows_affected();
        if ended == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}
