//! Passkeys of people, and the challenges that wait for a browser's answer.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PasskeyRow {
    pub id: String,
    /// As the device names it, in base64url.
    pub credential_id: String,
    pub person_id: String,
    pub name: String,
    /// The public key and what was agreed with the device.
    pub fixed_state: String,
    /// What changes with each use.
    pub moving_state: String,
    pub created_at_ms: i64,
    pub last_used_at_ms: Option<i64>,
}

/// What became of a passkey that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    Done,
    /// The device's id is in use here.
    Taken,
    /// The person has as many as they may.
    TooMany,
}

/// What became of one that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    Done,
    /// The person has no such passkey.
    Unknown,
    /// It is the only way in: no password, no account elsewhere, no other passkey.
    Last,
}

/// Adds it, and ends the person's sessions but `keep_session_hash`.
pub async fn insert(
    store: &Store,
    row: &PasskeyRow,
    (keep_session_hash, most): (&str, i64),
    entry: &Entry,
) -> sqlx::Result<Added> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("update person set name = name where id = $1").bind(&row.person_id).execute(&mut *tx).await?;
        let (count,): (i64,) = sqlx::query_as("select count(*) from passkey where person_id = $1")
            .bind(&row.person_id).fetch_one(&mut *tx).await?;
        if count >= most {
            return Ok(Added::TooMany);
        }
        let inserted = sqlx::query(
            "insert into passkey (id, credential_id, person_id, name, fixed_state, moving_state, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (credential_id) do nothing")
            .bind(&row.id).bind(&row.credential_id).bind(&row.person_id).bind(&row.name).bind(&row.fixed_state)
            .bind(&row.moving_state).bind(row.created_at_ms).execute(&mut *tx).await?.rows_affected();
        if inserted == 0 {
            return Ok(Added::Taken);
        }
        sqlx::query("delete from session where person_id = $1 and id_hash <> $2")
            .bind(&row.person_id).bind(keep_session_hash).execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(Added::Done)
    })
}

/// The person's, the oldest first.
pub async fn of_person(store: &Store, person_id: &str) -> sqlx::Result<Vec<PasskeyRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, credential_id, person_id, name, fixed_state, moving_state, created_at_ms, last_used_at_ms
         from passkey where person_id = $1 order by created_at_ms, id")
        .bind(person_id).fetch_all(db).await)
}

pub async fn by_credential(store: &Store, credential_id: &str) -> sqlx::Result<Option<PasskeyRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, credential_id, person_id, name, fixed_state, moving_state, created_at_ms, last_used_at_ms
         from passkey where credential_id = $1")
        .bind(credential_id).fetch_optional(db).await)
}

/// Notes a use. False when it was used or removed since `before` was read: of two uses at once, one counts.
pub async fn used(store: &Store, id: &str, (before, after): (&str, &str), now_ms: i64) -> sqlx::Result<bool> {
    let noted = on_database!(store, db => sqlx::query(
        "update passkey set moving_state = $3, last_used_at_ms = $4 where id = $1 and moving_state = $2")
        .bind(id).bind(before).bind(after).bind(now_ms).execute(db).await.map(|done| done.rows_affected()))?;
    Ok(noted == 1)
}

/// False when the person has no such passkey. What is called so already stays without an event.
pub async fn rename(
    store: &Store,
    (person_id, id): (&str, &str),
    name: &str,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let before: Option<(String,)> = sqlx::query_as(
            "update passkey set name = name where id = $2 and person_id = $1 returning name")
            .bind(person_id).bind(id).fetch_optional(&mut *tx).await?;
        let Some((before,)) = before else { return Ok(false) };
        if before != name {
            sqlx::query("update passkey set name = $2 where id = $1").bind(id).bind(name).execute(&mut *tx).await?;
            tx.append(&entry.before(json!({ "name": before }))).await?;
        }
        tx.commit().await?;
        Ok(true)
    })
}

/// Removes one, and ends the person's sessions but `keep_session_hash`. Of two at once, one waits for the other, so that
/// the last way in stays.
pub async fn remove(
    store: &Store,
    (person_id, id): (&str, &str),
    keep_session_hash: &str,
    entry: &Entry,
) -> sqlx::Result<Removed> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("update person set name = name where id = $1").bind(person_id).execute(&mut *tx).await?;
        let name: Option<(String,)> = sqlx::query_as("select name from passkey where id = $2 and person_id = $1")
            .bind(person_id).bind(id).fetch_optional(&mut *tx).await?;
        let Some((name,)) = name else { return Ok(Removed::Unknown) };
        let (others,): (i64,) = sqlx::query_as(
            "select (select count(*) from passkey where person_id = $1 and id <> $2)
                  + (select count(*) from identity where person_id = $1)
                  + (select count(*) from person where id = $1 and password_hash is not null)")
            .bind(person_id).bind(id).fetch_one(&mut *tx).await?;
        if others == 0 {
            return Ok(Removed::Last);
        }
        sqlx::query("delete from passkey where id = $1").bind(id).execute(&mut *tx).await?;
        sqlx::query("delete from session where person_id = $1 and id_hash <> $2")
            .bind(person_id).bind(keep_session_hash).execute(&mut *tx).await?;
        tx.append(&entry.before(json!({ "name": name }))).await?;
        tx.commit().await?;
        Ok(Removed::Done)
    })
}

/// Puts a challenge aside.
pub async fn begin(store: &Store, id_hash: &str, sealed: &str, expires_at_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "insert into passkey_ceremony (id_hash, sealed, expires_at_ms) values ($1, $2, $3)")
        .bind(id_hash).bind(sealed).bind(expires_at_ms).execute(db).await.map(drop))
}

/// Takes it: of any number of answers, one gets it, and only before it expires.
pub async fn take(store: &Store, id_hash: &str, now_ms: i64) -> sqlx::Result<Option<String>> {
    let row: Option<(String, i64)> = on_database!(store, db => sqlx::query_as(
        "delete from passkey_ceremony where id_hash = $1 returning sealed, expires_at_ms")
        .bind(id_hash).fetch_optional(db).await)?;
    Ok(row.filter(|(_, expires_at_ms)| *expires_at_ms > now_ms).map(|(sealed, _)| sealed))
}

pub async fn delete_expired(store: &Store, now_ms: i64, limit: i64) -> sqlx::Result<u64> {
    on_database!(store, db => sqlx::query(
        "delete from passkey_ceremony where id_hash in (
             select id_hash from passkey_ceremony where expires_at_ms <= $1 limit $2)")
        .bind(now_ms).bind(limit).execute(db).await.map(|done| done.rows_affected()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{entry, on_each_database};

    fn row(id: &str, credential_id: &str) -> PasskeyRow {
        PasskeyRow {
            id: id.to_owned(),
            credential_id: credential_id.to_owned(),
            person_id: "usr_1".to_owned(),
            name: "phone".to_owned(),
            fixed_state: "key".to_owned(),
            moving_state: "1".to_owned(),
            created_at_ms: 1,
            last_used_at_ms: None,
        }
    }

    #[tokio::test]
    async fn the_last_way_in_stays_and_a_use_and_a_challenge_count_once() {
        on_each_database(async |store| {
            on_database!(&store, db => sqlx::query(
                "insert into person (id, email, email_key, name, language, time_zone, created_at_ms)
                 values ('usr_1', 'a@b.c', 'a@b.c', 'Ada', 'en', 'UTC', 0)").execute(db).await.map(drop))
            .expect("written");
            let add = async |row: PasskeyRow| insert(&store, &row, ("", 2), &entry()).await.expect("asked");
            assert_eq!(add(row("psk_1", "a")).await, Added::Done);
            assert_eq!(add(row("psk_2", "a")).await, Added::Taken);
            assert_eq!(add(row("psk_2", "b")).await, Added::Done);
            assert_eq!(add(row("psk_3", "c")).await, Added::TooMany);
            let uses = (0..8).map(|_| used(&store, "psk_1", ("1", "2"), 5));
            let noted = futures_util::future::join_all(uses).await;
            assert_eq!(noted.into_iter().filter(|noted| *noted.as_ref().expect("asked")).count(), 1);
            let out =
                async |id: &'static str| remove(&store, ("usr_1", id), "", &entry()).await.expect("asked");
            let both = futures_util::future::join_all([out("psk_1"), out("psk_2")]).await;
            assert!(both.contains(&Removed::Done) && both.contains(&Removed::Last), "{both:?}");
            assert_eq!(out("psk_9").await, Removed::Unknown);
            begin(&store, "hash", "sealed", 10).await.expect("put aside");
            let takers = futures_util::future::join_all((0..8).map(|_| take(&store, "hash", 9))).await;
            assert_eq!(
                takers.into_iter().filter(|taken| taken.as_ref().expect("asked").is_some()).count(),
                1
            );
            begin(&store, "old", "sealed", 10).await.expect("put aside");
            assert!(take(&store, "old", 10).await.expect("asked").is_none(), "it has expired");
        })
        .await;
    }
}
