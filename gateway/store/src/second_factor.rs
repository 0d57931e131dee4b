//! Second factors: the secret of an authenticator app, and recovery codes. `subject_id` names a person or an operator.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};
use serde_json::json;

/// The sessions of a subject but one, whichever kind of subject it is.
const END_SESSIONS: [&str; 2] = [
    "delete from session where person_id = $1 and id_hash <> $2",
    "delete from operator_session where operator_id = $1 and id_hash <> $2",
];

/// The secret, sealed, and the newest step whose code was accepted.
#[derive(Clone, sqlx::FromRow)]
pub struct Totp {
    pub sealed_secret: String,
    pub last_step: i64,
    pub created_at_ms: i64,
}

/// A factor whose first code was right.
#[derive(Clone, Copy)]
pub struct NewFactor<'a> {
    pub subject_id: &'a str,
    pub sealed_secret: &'a str,
    /// The step of that first code, which is spent.
    pub step: i64,
    pub code_hashes: &'a [String],
    pub now_ms: i64,
    /// The session that goes on; every other one of the subject ends.
    pub keep_session_hash: &'a str,
}

/// False, and nothing written, when the subject has a factor already.
pub async fn insert(store: &Store, new: NewFactor<'_>, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let inserted = sqlx::query(
            "insert into totp (subject_id, sealed_secret, last_step, created_at_ms) values ($1, $2, $3, $4)
             on conflict (subject_id) do nothing")
            .bind(new.subject_id).bind(new.sealed_secret).bind(new.step).bind(new.now_ms)
            .execute(&mut *tx).await?.rows_affected();
        if inserted == 0 {
            return Ok(false);
        }
        sqlx::query("delete from recovery_code where subject_id = $1").bind(new.subject_id).execute(&mut *tx).await?;
        for hash in new.code_hashes {
            sqlx::query("insert into recovery_code (code_hash, subject_id, created_at_ms) values ($1, $2, $3)")
                .bind(hash).bind(new.subject_id).bind(new.now_ms).execute(&mut *tx).await?;
        }
        for sql in END_SESSIONS {
            sqlx::query(sql).bind(new.subject_id).bind(new.keep_session_hash).execute(&mut *tx).await?;
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

pub async fn find(store: &Store, subject_id: &str) -> sqlx::Result<Option<Totp>> {
    on_database!(read store, db => sqlx::query_as(
        "select sealed_secret, last_step, created_at_ms from totp where subject_id = $1")
        .bind(subject_id).fetch_optional(db).await)
}

/// Spends the codes up to `step`. False when that step was spent before: of two at once, one succeeds.
pub async fn spend_step(store: &Store, subject_id: &str, step: i64) -> sqlx::Result<bool> {
    let spent = on_database!(store, db => sqlx::query(
        "update totp set last_step = $2 where subject_id = $1 and last_step < $2")
        .bind(subject_id).bind(step).execute(db).await.map(|done| done.rows_affected()))?;
    Ok(spent == 1)
}

/// Spends a recovery code; answers how many are left, which the entry says too. `None` when there is none of this hash, or
/// it was used.
pub async fn spend_code(
    store: &Store,
    (subject_id, code_hash): (&str, &str),
    now_ms: i64,
    entry: &Entry,
) -> sqlx::Result<Option<u64>> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let spent = sqlx::query(
            "update recovery_code set used_at_ms = $3 where code_hash = $2 and subject_id = $1 and used_at_ms is null")
            .bind(subject_id).bind(code_hash).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if spent == 0 {
            return Ok(None);
        }
        let (left,): (i64,) = sqlx::query_as(
            "select count(*) from recovery_code where subject_id = $1 and used_at_ms is null")
            .bind(subject_id).fetch_one(&mut *tx).await?;
        tx.append(&entry.with("codes_left", json!(left))).await?;
        tx.commit().await?;
        Ok(u64::try_from(left).ok())
    })
}

/// How many recovery codes are not used yet.
pub async fn codes_left(store: &Store, subject_id: &str) -> sqlx::Result<u64> {
    let (left,): (i64,) = on_database!(read store, db => sqlx::query_as(
        "select count(*) from recovery_code where subject_id = $1 and used_at_ms is null")
        .bind(subject_id).fetch_one(db).await)?;
    Ok(u64::try_from(left).unwrap_or(0))
}

/// A new set of recovery codes; the old ones are gone. Ends the subject's sessions but `keep_session_hash`.
pub async fn replace_codes(store: &Store, new: NewFactor<'_>, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("delete from recovery_code where subject_id = $1").bind(new.subject_id).execute(&mut *tx).await?;
        for hash in new.code_hashes {
            sqlx::query("insert into recovery_code (code_hash, subject_id, created_at_ms) values ($1, $2, $3)")
                .bind(hash).bind(new.subject_id).bind(new.now_ms).execute(&mut *tx).await?;
        }
        for sql in END_SESSIONS {
            sqlx::query(sql).bind(new.subject_id).bind(new.keep_session_hash).execute(&mut *tx).await?;
        }
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// Takes the factor away with its codes, and ends the subject's sessions but `keep_session_hash`. False when there is none.
pub async fn delete(
    store: &Store,
    (subject_id, keep_session_hash): (&str, &str),
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let deleted = sqlx::query("delete from totp where subject_id = $1")
            .bind(subject_id).execute(&mut *tx).await?.rows_affected();
        if deleted == 0 {
            return Ok(false);
        }
        sqlx::query("delete from recovery_code where subject_id = $1").bind(subject_id).execute(&mut *tx).await?;
        for sql in END_SESSIONS {
            sqlx::query(sql).bind(subject_id).bind(keep_session_hash).execute(&mut *tx).await?;
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{entry, on_each_database};

    #[tokio::test]
    async fn a_step_and_a_code_are_each_spent_once_however_many_try() {
        on_each_database(async |store| {
            let new = NewFactor {
                subject_id: "usr_1",
                sealed_secret: "sealed",
                step: 10,
                code_hashes: &["a".to_owned(), "b".to_owned()],
                now_ms: 1,
                keep_session_hash: "",
            };
            assert!(insert(&store, new, &entry()).await.expect("written"));
            assert!(!insert(&store, new, &entry()).await.expect("asked"), "one factor each");
            let steps = (0..8).map(|_| spend_step(&store, "usr_1", 11));
            let spent = futures_util::future::join_all(steps).await;
            assert_eq!(spent.into_iter().filter(|spent| *spent.as_ref().expect("asked")).count(), 1);
            assert!(!spend_step(&store, "usr_1", 10).await.expect("asked"), "an older one is spent too");
            let spend = async |subject: &'static str, code: &'static str| {
                spend_code(&store, (subject, code), 2, &entry()).await.expect("asked")
            };
            let spent = futures_util::future::join_all((0..8).map(|_| spend("usr_1", "a"))).await;
            assert_eq!(spent.into_iter().flatten().collect::<Vec<_>>(), [1], "once, and one is left");
            assert_eq!(spend("usr_2", "b").await, None, "somebody else's");
            assert_eq!(codes_left(&store, "usr_1").await.expect("read"), 1);
            replace_codes(&store, NewFactor { code_hashes: &["c".to_owned()], ..new }, &entry())
                .await
                .expect("written");
            assert_eq!(spend("usr_1", "b").await, None, "the old set is gone");
            assert!(delete(&store, ("usr_1", ""), &entry()).await.expect("asked"));
            assert!(find(&store, "usr_1").await.expect("read").is_none());
            assert_eq!(codes_left(&store, "usr_1").await.expect("read"), 0);
        })
        .await;
    }
}
