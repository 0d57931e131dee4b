//! Messages for endpoints: made from what is to be told, leased by whoever sends them, and what each try brought.
use crate::{Store, on_database};

macro_rules! put {
    ($db:expr, $new:ident) => {
        sqlx::query(
            "insert into webhook_delivery (id, endpoint_id, org_id, event_id, event_type, body, due_at_ms, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $7)")
            .bind(&$new.id).bind(&$new.endpoint_id).bind(&$new.org_id).bind(&$new.event_id).bind(&$new.event_type)
            .bind(&$new.body).bind($new.created_at_ms).execute($db).await?
    };
}

/// A message about to be kept.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub id: String,
    pub endpoint_id: String,
    pub org_id: String,
    pub event_id: String,
    pub event_type: String,
    pub body: String,
    pub created_at_ms: i64,
}

/// A message and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeliveryRow {
    pub id: String,
    pub endpoint_id: String,
    pub event_id: String,
    pub event_type: String,
    pub body: String,
    /// `waiting`, `delivered` or `given_up`
    pub state: String,
    pub tries: i64,
    pub due_at_ms: i64,
    pub created_at_ms: i64,
    pub ended_at_ms: Option<i64>,
    /// Of the last try; `None` when there was none, or nothing answered.
    pub last_status: Option<i64>,
}

/// A message that was taken to be sent.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Taken {
    pub id: String,
    pub endpoint_id: String,
    pub org_id: String,
    pub event_id: String,
    pub body: String,
    /// This one included; since it was made or last sent again, and in all.
    pub round_tries: i64,
    pub tries: i64,
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AttemptRow {
    pub number: i64,
    pub at_ms: i64,
    pub duration_ms: i64,
    /// `None` when nothing answered.
    pub status: Option<i64>,
    pub excerpt: String,
}

/// What follows from a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Delivered,
    /// Tried again at this moment.
    Again(i64),
    GivenUp,
}

/// The oldest events of orgs that no message was made from.
pub async fn events(store: &Store, limit: u32) -> sqlx::Result<Vec<crate::outbox::Event>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, org_id, kind, subject, payload_json, created_at_ms from outbox
         where webhooks_at_ms is null order by created_at_ms, id limit $1")
        .bind(i64::from(limit)).fetch_all(db).await)
}

/// Keeps the event's messages, unless another process has done so; answers whether this one did.
pub async fn spread(
    store: &Store,
    event_id: &str,
    messages: &[NewDelivery],
    now_ms: i64,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let mine = sqlx::query("update outbox set webhooks_at_ms = $2 where id = $1 and webhooks_at_ms is null")
            .bind(event_id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if mine == 0 {
            return Ok(false);
        }
        for new in messages {
            put!(&mut *tx, new);
        }
        tx.commit().await?;
        Ok::<_, sqlx::Error>(true)
    })
}

/// Keeps a message that no event of the org's asked for.
pub async fn insert(store: &Store, new: &NewDelivery) -> sqlx::Result<()> {
    on_database!(store, db => {
        put!(db, new);
        Ok::<_, sqlx::Error>(())
    })
}

/// Takes the message that has waited longest, until `leased_until_ms`. While one is on its way to an endpoint, or the
/// endpoint rests after a failure, its others wait: a slow receiver holds up nobody else.
pub async fn take(store: &Store, now_ms: i64, leased_until_ms: i64) -> sqlx::Result<Option<Taken>> {
    on_database!(store, db => sqlx::query_as(
        "update webhook_delivery set round_tries = round_tries + 1, tries = tries + 1, leased_until_ms = $2
         where id in (select d.id from webhook_delivery d join webhook_endpoint e on e.id = d.endpoint_id
                      where d.state = 'waiting' and d.due_at_ms <= $1 and d.leased_until_ms <= $1
                        and e.rest_until_ms <= $1
                        and not exists (select 1 from webhook_delivery o
                                        where o.endpoint_id = d.endpoint_id and o.state = 'waiting'
                                          and o.leased_until_ms > $1)
                      order by d.due_at_ms, d.id limit 1)
           and state = 'waiting' and leased_until_ms <= $1
         returning id, endpoint_id, org_id, event_id, body, round_tries, tries")
        .bind(now_ms).bind(leased_until_ms).fetch_optional(db).await)
}

/// Keeps what a try brought and what follows from it.
pub async fn record(
    store: &Store,
    id: &str,
    attempt: &AttemptRow,
    (next, now_ms): (Next, i64),
) -> sqlx::Result<()> {
    let (state, due_at_ms) = match next {
        Next::Delivered => ("delivered", None),
        Next::Again(at_ms) => ("waiting", Some(at_ms)),
        Next::GivenUp => ("given_up", None),
    };
    let ended_at_ms = (state != "waiting").then_some(now_ms);
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // One whose lease ran out may have been sent, and recorded, by another process under the next number.
        sqlx::query(
            "insert into webhook_attempt (delivery_id, number, at_ms, duration_ms, status, excerpt)
             values ($1, $2, $3, $4, $5, $6) on conflict (delivery_id, number) do nothing")
            .bind(id).bind(attempt.number).bind(attempt.at_ms).bind(attempt.duration_ms).bind(attempt.status)
            .bind(&attempt.excerpt).execute(&mut *tx).await?;
        sqlx::query(
            "update webhook_delivery set state = $2, due_at_ms = coalesce($3, due_at_ms), ended_at_ms = $4,
                    leased_until_ms = 0
             where id = $1 and state = 'waiting'")
            .bind(id).bind(state).bind(due_at_ms).bind(ended_at_ms).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(())
    })
}

/// Where a page of messages starts: after the one made at this moment with this id.
pub type Cursor = (i64, String);

/// The endpoint's messages, the newest first.
pub async fn of_endpoint(
    store: &Store,
    (org_id, endpoint_id): (&str, &str),
    (after, limit): (Option<&Cursor>, i64),
) -> sqlx::Result<Vec<DeliveryRow>> {
    let (at_ms, id) = after.map_or((i64::MAX, ""), |(at_ms, id)| (*at_ms, id.as_str()));
    on_database!(read store, db => sqlx::query_as(
        "select d.id, d.endpoint_id, d.event_id, d.event_type, d.body, d.state, d.tries, d.due_at_ms, d.created_at_ms,
                d.ended_at_ms, a.status as last_status
         from webhook_delivery d left join webhook_attempt a on a.delivery_id = d.id
              and a.number = (select max(number) from webhook_attempt l where l.delivery_id = d.id)
         where d.org_id = $1 and d.endpoint_id = $2
           and (d.created_at_ms < $3 or (d.created_at_ms = $3 and d.id < $4))
         order by d.created_at_ms desc, d.id desc limit $5")
        .bind(org_id).bind(endpoint_id).bind(at_ms).bind(id).bind(limit).fetch_all(db).await)
}

/// One of them.
pub async fn find(
    store: &Store,
    (org_id, endpoint_id): (&str, &str),
    id: &str,
) -> sqlx::Result<Option<DeliveryRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select d.id, d.endpoint_id, d.event_id, d.event_type, d.body, d.state, d.tries, d.due_at_ms, d.created_at_ms,
                d.ended_at_ms, a.status as last_status
         from webhook_delivery d left join webhook_attempt a on a.delivery_id = d.id
              and a.number = (select max(number) from webhook_attempt l where l.delivery_id = d.id)
         where d.org_id = $1 and d.endpoint_id = $2 and d.id = $3")
        .bind(org_id).bind(endpoint_id).bind(id).fetch_optional(db).await)
}

/// Every try of a message, the last first.
pub async fn attempts(store: &Store, id: &str) -> sqlx::Result<Vec<AttemptRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select number, at_ms, duration_ms, status, excerpt from webhook_attempt
         where delivery_id = $1 order by number desc")
        .bind(id).fetch_all(db).await)
}

/// Sends a message again, now, under its own id. False when there is none.
pub async fn again(
    store: &Store,
    (org_id, endpoint_id): (&str, &str),
    (id, now_ms): (&str, i64),
) -> sqlx::Result<bool> {
    let found = on_database!(store, db => {
        let mut tx = db.begin().await?;
        let found = sqlx::query(
            "update webhook_delivery set state = 'waiting', round_tries = 0, due_at_ms = $4, ended_at_ms = null
             where org_id = $1 and endpoint_id = $2 and id = $3")
            .bind(org_id).bind(endpoint_id).bind(id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        // Whoever asks does not want to wait out a failure.
        sqlx::query("update webhook_endpoint set rest_until_ms = 0 where id = $1 and org_id = $2")
            .bind(endpoint_id).bind(org_id).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(found)
    })?;
    Ok(found == 1)
}

/// Sweeps messages that ended before `before_ms`, some at a time; answers how many.
pub async fn delete_ended(store: &Store, before_ms: i64, limit: i64) -> sqlx::Result<u64> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "delete from webhook_attempt where delivery_id in
                 (select id from webhook_delivery where state <> 'waiting' and ended_at_ms < $1
                  order by ended_at_ms, id limit $2)")
            .bind(before_ms).bind(limit).execute(&mut *tx).await?;
        let gone = sqlx::query(
            "delete from webhook_delivery where id in
                 (select id from webhook_delivery where state <> 'waiting' and ended_at_ms < $1
                  order by ended_at_ms, id limit $2)")
            .bind(before_ms).bind(limit).execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        Ok::<_, sqlx::Error>(gone)
    })
}
