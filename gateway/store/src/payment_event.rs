//! What the payment provider told us, each event once, and what was done about it.
use crate::{Store, on_database};

/// An event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EventRow {
    pub id: String,
    pub kind: String,
    pub received_at_ms: i64,
    pub handled_at_ms: Option<i64>,
    /// `applied`, `known`, `unknown` or `refused`.
    pub outcome: Option<String>,
    pub reason: Option<String>,
}

/// Keeps the event. False when it is here and was handled before: then there is nothing to do.
pub async fn receive(
    store: &Store,
    (id, kind): (&str, &str),
    body_json: &str,
    now_ms: i64,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into payment_event (id, kind, body_json, received_at_ms) values ($1, $2, $3, $4)
             on conflict (id) do nothing")
            .bind(id).bind(kind).bind(body_json).bind(now_ms).execute(&mut *tx).await?;
        let handled: Option<i64> = sqlx::query_scalar("select handled_at_ms from payment_event where id = $1")
            .bind(id).fetch_one(&mut *tx).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(handled.is_none())
    })
}

/// Notes what was done about it.
pub async fn handled(
    store: &Store,
    id: &str,
    (outcome, reason): (&str, Option<&str>),
    now_ms: i64,
) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update payment_event set handled_at_ms = $2, outcome = $3, reason = $4 where id = $1 and handled_at_ms is null")
        .bind(id).bind(now_ms).bind(outcome).bind(reason).execute(db).await.map(drop))
}

/// Events of this outcome, or all, the newest first, from before this moment.
pub async fn list(
    store: &Store,
    outcome: Option<&str>,
    before_ms: i64,
    limit: u32,
) -> sqlx::Result<Vec<EventRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, kind, received_at_ms, handled_at_ms, outcome, reason from payment_event
         where received_at_ms < $1 and (cast($2 as text) is null or outcome = $2)
         order by received_at_ms desc, id desc limit $3")
        .bind(before_ms).bind(outcome).bind(i64::from(limit)).fetch_all(db).await)
}

/// Empties the bodies of events that were handled before this moment: they name people. How many.
pub async fn forget_bodies(store: &Store, before_ms: i64) -> sqlx::Result<u64> {
    on_database!(store, db => sqlx::query(
        "update payment_event set body_json = '' where handled_at_ms < $1 and body_json <> ''")
        .bind(before_ms).execute(db).await.map(|done| done.rows_affected()))
}
