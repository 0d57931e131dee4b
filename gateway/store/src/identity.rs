//! Accounts of other providers that sign a person in, and the browsers that were sent there.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

#[derive(Clone, sqlx::FromRow)]
pub struct Identity {
    pub provider: String,
    pub subject: String,
    pub person_id: String,
    pub email: String,
    pub linked_at_ms: i64,
    pub last_used_at_ms: Option<i64>,
}

/// Whose the account is. Marks it as used at `now_ms`.
pub async fn use_one(
    store: &Store,
    provider: &str,
    subject: &str,
    now_ms: i64,
) -> sqlx::Result<Option<String>> {
    let row: Option<(String,)> = on_database!(store, db => sqlx::query_as(
        "update identity set last_used_at_ms = $3 where provider = $1 and subject = $2 returning person_id")
        .bind(provider).bind(subject).bind(now_ms).fetch_optional(db).await)?;
    Ok(row.map(|(person_id,)| person_id))
}

/// The person's, the first linked first.
pub async fn of_person(store: &Store, person_id: &str) -> sqlx::Result<Vec<Identity>> {
    on_database!(read store, db => sqlx::query_as(
        "select provider, subject, person_id, email, linked_at_ms, last_used_at_ms from identity
         where person_id = $1 order by linked_at_ms, provider")
        .bind(person_id).fetch_all(db).await)
}

/// Links an account, inside a transaction.
macro_rules! put {
    ($db:expr, $new:expr) => {
        sqlx::query(
            "insert into identity (provider, subject, person_id, email, linked_at_ms, last_used_at_ms)
             values ($1, $2, $3, $4, $5, $6) on conflict (provider, subject) do nothing",
        )
        .bind(&$new.provider)
        .bind(&$new.subject)
        .bind(&$new.person_id)
        .bind(&$new.email)
        .bind($new.linked_at_ms)
        .bind($new.last_used_at_ms)
        .execute($db)
        .await?
        .rows_affected()
    };
}
pub(crate) use put;

/// False, and nothing written, when the account belongs to somebody already.
pub async fn link(store: &Store, new: &Identity, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        if put!(&mut *tx, new) == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// What became of an account that was to be unlinked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlinked {
    Done,
    /// The person has no such account.
    Unknown,
    /// It is the only way in: there is no password, no other account and no passkey.
    Last,
}

/// Unlinks one, and ends the person's sessions but `keep_session_hash`. Of two at once, one waits for the other, so that
/// the last way in stays.
pub async fn unlink(
    store: &Store,
    (person_id, provider, subject): (&str, &str, &str),
    keep_session_hash: &str,
    entry: &Entry,
) -> sqlx::Result<Unlinked> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("update person set name = name where id = $1").bind(person_id).execute(&mut *tx).await?;
        let (others,): (i64,) = sqlx::query_as(
            "select count(*) + (select count(*) from person where id = $1 and password_hash is not null)
                  + (select count(*) from passkey where person_id = $1)
             from identity where person_id = $1 and not (provider = $2 and subject = $3)")
            .bind(person_id).bind(provider).bind(subject).fetch_one(&mut *tx).await?;
        let (owned,): (i64,) = sqlx::query_as(
            "select count(*) from identity where person_id = $1 and provider = $2 and subject = $3")
            .bind(person_id).bind(provider).bind(subject).fetch_one(&mut *tx).await?;
        if owned == 0 || others == 0 {
            return Ok(if owned == 0 { Unlinked::Unknown } else { Unlinked::Last });
        }
        sqlx::query("delete from identity where person_id = $1 and provider = $2 and subject = $3")
            .bind(person_id).bind(provider).bind(subject).execute(&mut *tx).await?;
        sqlx::query("delete from session where person_id = $1 and id_hash <> $2")
            .bind(person_id).bind(keep_session_hash).execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(Unlinked::Done)
    })
}

/// An unproven account whose address its provider has proven becomes that of `new`: whatever password it was given by whoever
/// signed up with the address is dropped with every session and link. False when the address is proven already.
pub async fn claim_unproven(store: &Store, new: &Identity, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let claimed = sqlx::query(
            "update person set password_hash = null, email_verified_at_ms = $2
             where id = $1 and email_verified_at_ms is null
               and (state = 'active' or exists (select 1 from sign_up_request r where r.person_id = $1 and r.decision is null))")
            .bind(&new.person_id).bind(new.linked_at_ms).execute(&mut *tx).await?.rows_affected();
        if claimed == 0 {
            return Ok(false);
        }
        sqlx::query("delete from session where person_id = $1").bind(&new.person_id).execute(&mut *tx).await?;
        sqlx::query("delete from one_time_token where subject_id = $1").bind(&new.person_id).execute(&mut *tx).await?;
        put!(&mut *tx, new);
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

pub async fn begin(store: &Store, id_hash: &str, sealed: &str, expires_at_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "insert into identity_transaction (id_hash, sealed, expires_at_ms) values ($1, $2, $3)")
        .bind(id_hash).bind(sealed).bind(expires_at_ms).execute(db).await.map(drop))
}

/// Takes what was put aside; of two at once, one gets it.
pub async fn take(store: &Store, id_hash: &str, now_ms: i64) -> sqlx::Result<Option<String>> {
    let row: Option<(String, i64)> = on_database!(store, db => sqlx::query_as(
        "delete from identity_transaction where id_hash = $1 returning sealed, expires_at_ms")
        .bind(id_hash).fetch_optional(db).await)?;
    Ok(row.filter(|(_, expires_at_ms)| *expires_at_ms > now_ms).map(|(sealed, _)| sealed))
}

pub async fn delete_expired(store: &Store, now_ms: i64, limit: i64) -> sqlx::Result<u64> {
    on_database!(store, db => sqlx::query(
        "delete from identity_transaction where id_hash in (
             select id_hash from identity_transaction where expires_at_ms <= $1 limit $2)")
        .bind(now_ms).bind(limit).execute(db).await.map(|done| done.rows_affected()))
}
