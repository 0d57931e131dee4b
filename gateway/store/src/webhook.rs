//! Where an org is told over HTTP, and the secrets that sign what it is told.
use crate::audit_event::{Appends as _, Entry};
use crate::outbox::Event;
use crate::{Store, on_database};
use serde_json::{Value, json};

/// What waits for an endpoint is not sent any more.
macro_rules! give_up_waiting {
    ($tx:ident, $id:expr, $now_ms:expr) => {
        sqlx::query(
            "update webhook_delivery set state = 'given_up', ended_at_ms = $2, leased_until_ms = 0
             where endpoint_id = $1 and state = 'waiting'",
        )
        .bind($id)
        .bind($now_ms)
        .execute(&mut *$tx)
        .await?
    };
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EndpointRow {
    pub id: String,
    pub org_id: String,
    pub url: String,
    pub description: String,
    /// A JSON list; `None` for every type.
    pub events_json: Option<String>,
    /// `on`, `off`, `failed` or `removed`.
    pub state: String,
    pub creation_key: Option<String>,
    pub creation_hash: Option<String>,
    pub failing_since_ms: Option<i64>,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
}

/// A secret as it lies there.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SecretRow {
    pub id: String,
    pub endpoint_id: String,
    pub sealed: String,
    pub created_at_ms: i64,
    /// `None` for the newest one.
    pub ends_at_ms: Option<i64>,
}

/// What became of a wish for a new endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    New,
    /// The same creation key has made this one before.
    Before(Box<EndpointRow>),
    /// The org has as many as it may have.
    TooMany,
}

/// Keeps a new endpoint and its first secret, unless the org has `most` that are not removed, or the creation key was
/// used before.
pub async fn insert(
    store: &Store,
    (row, secret): (&EndpointRow, &SecretRow),
    most: i64,
    entry: &Entry,
) -> sqlx::Result<Inserted> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // Holding the org's row, so that two who add at once count each other.
        sqlx::query("update org set name = name where id = $1").bind(&row.org_id).execute(&mut *tx).await?;
        let before: Option<EndpointRow> = sqlx::query_as(
            "select id, org_id, url, description, events_json, state, creation_key, creation_hash, failing_since_ms,
                    created_at_ms, updated_at_ms
             from webhook_endpoint where org_id = $1 and creation_key = $2")
            .bind(&row.org_id).bind(&row.creation_key).fetch_optional(&mut *tx).await?;
        if let Some(before) = before {
            return Ok(Inserted::Before(Box::new(before)));
        }
        let (count,): (i64,) = sqlx::query_as(
            "select count(*) from webhook_endpoint where org_id = $1 and state <> 'removed'")
            .bind(&row.org_id).fetch_one(&mut *tx).await?;
        if count >= most {
            return Ok(Inserted::TooMany);
        }
        sqlx::query(
            "insert into webhook_endpoint (id, org_id, url, description, events_json, creation_key, creation_hash,
                                           created_at_ms, updated_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $8)")
            .bind(&row.id).bind(&row.org_id).bind(&row.url).bind(&row.description).bind(&row.events_json)
            .bind(&row.creation_key).bind(&row.creation_hash).bind(row.created_at_ms)
            .execute(&mut *tx).await?;
        sqlx::query("insert into webhook_secret (id, endpoint_id, sealed, created_at_ms) values ($1, $2, $3, $4)")
            .bind(&secret.id).bind(&row.id).bind(&secret.sealed).bind(secret.created_at_ms)
            .execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(Inserted::New)
    })
}

/// The org's endpoints that are not removed, the first made first.
pub async fn of_org(store: &Store, org_id: &str) -> sqlx::Result<Vec<EndpointRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, org_id, url, description, events_json, state, creation_key, creation_hash, failing_since_ms,
                created_at_ms, updated_at_ms
         from webhook_endpoint where org_id = $1 and state <> 'removed' order by created_at_ms, id")
        .bind(org_id).fetch_all(db).await)
}

/// One of them.
pub async fn find(store: &Store, org_id: &str, id: &str) -> sqlx::Result<Option<EndpointRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, org_id, url, description, events_json, state, creation_key, creation_hash, failing_since_ms,
                created_at_ms, updated_at_ms
         from webhook_endpoint where org_id = $1 and id = $2 and state <> 'removed'")
        .bind(org_id).bind(id).fetch_optional(db).await)
}

/// What an endpoint is to be.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    pub url: &'a str,
    pub description: &'a str,
    pub events_json: Option<&'a str>,
    /// `on` or `off`
    pub state: &'a str,
    pub now_ms: i64,
}

/// Changes an endpoint; messages that wait for one that is switched off are given up. False when there is none.
pub async fn change(
    store: &Store,
    (org_id, id): (&str, &str),
    to: &Change<'_>,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // Whether it was switched on anew is decided by what it was.
        let changed = sqlx::query(
            "update webhook_endpoint set url = $3, description = $4, events_json = $5, updated_at_ms = $7,
                 failing_since_ms = case when state = $6 and url = $3 then failing_since_ms else null end,
                 rest_until_ms = case when state = $6 and url = $3 then rest_until_ms else 0 end,
                 state = $6
             where org_id = $1 and id = $2 and state <> 'removed'")
            .bind(org_id).bind(id).bind(to.url).bind(to.description).bind(to.events_json).bind(to.state).bind(to.now_ms)
            .execute(&mut *tx).await?.rows_affected();
        if changed == 0 {
            return Ok(false);
        }
        if to.state != "on" {
            give_up_waiting!(tx, id, to.now_ms);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(true)
    })
}

/// Takes an endpoint away, with its secrets. False when there is none.
pub async fn remove(
    store: &Store,
    (org_id, id): (&str, &str),
    now_ms: i64,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let removed = sqlx::query(
            "update webhook_endpoint set state = 'removed', updated_at_ms = $3, creation_key = null, creation_hash = null
             where org_id = $1 and id = $2 and state <> 'removed'")
            .bind(org_id).bind(id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if removed == 0 {
            return Ok(false);
        }
        sqlx::query("delete from webhook_secret where endpoint_id = $1").bind(id).execute(&mut *tx).await?;
        give_up_waiting!(tx, id, now_ms);
        tx.append(entry).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(true)
    })
}

/// The secrets that are valid, the newest first.
pub async fn secrets(store: &Store, endpoint_id: &str, now_ms: i64) -> sqlx::Result<Vec<SecretRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, endpoint_id, sealed, created_at_ms, ends_at_ms from webhook_secret
         where endpoint_id = $1 and (ends_at_ms is null or ends_at_ms > $2)
         order by case when ends_at_ms is null then 0 else 1 end, created_at_ms desc, id desc")
        .bind(endpoint_id).bind(now_ms).fetch_all(db).await)
}

/// Puts a new secret in the place of the newest, which stays valid until `former_ends_at_ms`; one before it ends now.
/// False when the endpoint is gone.
pub async fn rotate(
    store: &Store,
    (org_id, secret): (&str, &SecretRow),
    former_ends_at_ms: i64,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let found = sqlx::query(
            "update webhook_endpoint set updated_at_ms = $3 where org_id = $1 and id = $2 and state <> 'removed'")
            .bind(org_id).bind(&secret.endpoint_id).bind(secret.created_at_ms)
            .execute(&mut *tx).await?.rows_affected();
        if found == 0 {
            return Ok(false);
        }
        sqlx::query("delete from webhook_secret where endpoint_id = $1 and ends_at_ms is not null")
            .bind(&secret.endpoint_id).execute(&mut *tx).await?;
        sqlx::query("update webhook_secret set ends_at_ms = $2 where endpoint_id = $1")
            .bind(&secret.endpoint_id).bind(former_ends_at_ms).execute(&mut *tx).await?;
        sqlx::query("insert into webhook_secret (id, endpoint_id, sealed, created_at_ms) values ($1, $2, $3, $4)")
            .bind(&secret.id).bind(&secret.endpoint_id).bind(&secret.sealed).bind(secret.created_at_ms)
            .execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(true)
    })
}

/// The endpoint takes messages again.
pub async fn note_success(store: &Store, id: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update webhook_endpoint set failing_since_ms = null, rest_until_ms = 0
         where id = $1 and (failing_since_ms is not null or rest_until_ms <> 0)")
        .bind(id).execute(db).await.map(drop))
}

/// The endpoint did not take a message: it rests. Answers since when it has failed.
pub async fn note_failure(
    store: &Store,
    id: &str,
    (now_ms, rest_until_ms): (i64, i64),
) -> sqlx::Result<Option<i64>> {
    let row: Option<(i64,)> = on_database!(store, db => sqlx::query_as(
        "update webhook_endpoint set failing_since_ms = coalesce(failing_since_ms, $2), rest_until_ms = $3
         where id = $1 returning failing_since_ms")
        .bind(id).bind(now_ms).bind(rest_until_ms).fetch_optional(db).await)?;
    Ok(row.map(|(since_ms,)| since_ms))
}

/// Switches an endpoint off that has failed for too long, and wants that told. False when it is not on any more.
pub async fn fail(store: &Store, id: &str, told: &Event, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let failed = sqlx::query(
            "update webhook_endpoint set state = 'failed', updated_at_ms = $2 where id = $1 and state = 'on'")
            .bind(id).bind(told.created_at_ms).execute(&mut *tx).await?.rows_affected();
        if failed == 0 {
            return Ok(false);
        }
        give_up_waiting!(tx, id, told.created_at_ms);
        crate::outbox::put!(&mut *tx, told);
        tx.append(entry).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(true)
    })
}

impl EndpointRow {
    /// For the audit log.
    #[must_use]
    pub fn said(&self) -> Value {
        let events: Option<Value> =
            self.events_json.as_deref().and_then(|json| serde_json::from_str(json).ok());
        json!({ "url": self.url, "description": self.description, "events": events, "state": self.state })
    }
}
