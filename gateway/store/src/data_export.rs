//! Archives of what a person's account is: asked for, prepared by one process at a time, kept for a day, gone. The archive
//! lies in sealed pieces; which of them count is decided by how often its preparation was begun.
use crate::audit_event::{Appends as _, Entry};
use crate::letter::NewLetter;
use crate::{Store, on_database};

/// An archive, or the wish for one.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ExportRow {
    pub id: String,
    pub person_id: String,
    /// `waiting`, `ready` or `failed`.
    pub state: String,
    pub tries: i64,
    pub bytes: i64,
    pub asked_at_ms: i64,
    pub expires_at_ms: Option<i64>,
}

/// One preparation of one archive. A later one makes it void.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub export_id: &'a str,
    /// The archive's `tries` when it was taken.
    pub number: i64,
}

/// Asks for an archive in place of one that has ended. False, and nothing written, while one is being prepared.
pub async fn ask(
    store: &Store,
    (id, person_id, now_ms): (&str, &str, i64),
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "delete from data_export_part where export_id in (
                 select id from data_export where person_id = $1 and state <> 'waiting')")
            .bind(person_id).execute(&mut *tx).await?;
        sqlx::query("delete from data_export where person_id = $1 and state <> 'waiting'")
            .bind(person_id).execute(&mut *tx).await?;
        let asked = sqlx::query(
            "insert into data_export (id, person_id, asked_at_ms) values ($1, $2, $3) on conflict (person_id) do nothing")
            .bind(id).bind(person_id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if asked == 1 {
            tx.append(entry).await?;
        }
        tx.commit().await?;
        Ok(asked == 1)
    })
}

/// The person's, whatever became of it.
pub async fn of_person(store: &Store, person_id: &str) -> sqlx::Result<Option<ExportRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, person_id, state, tries, bytes, asked_at_ms, expires_at_ms from data_export where person_id = $1")
        .bind(person_id).fetch_optional(db).await)
}

/// Takes the one that has waited longest, until `leased_until_ms`; until then nobody else gets it.
pub async fn take(store: &Store, now_ms: i64, leased_until_ms: i64) -> sqlx::Result<Option<ExportRow>> {
    on_database!(store, db => sqlx::query_as(
        "update data_export set tries = tries + 1, leased_until_ms = $2
         where id in (select id from data_export where state = 'waiting' and leased_until_ms <= $1
                      order by asked_at_ms, id limit 1)
           and state = 'waiting' and leased_until_ms <= $1
         returning id, person_id, state, tries, bytes, asked_at_ms, expires_at_ms")
        .bind(now_ms).bind(leased_until_ms).fetch_optional(db).await)
}

/// Keeps a piece and the lease. False, and nothing written, when another attempt was begun or the wish is gone.
pub async fn put(
    store: &Store,
    attempt: Attempt<'_>,
    (number, sealed): (i64, &str),
    leased_until_ms: i64,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let mine = sqlx::query(
            "update data_export set leased_until_ms = $3 where id = $1 and tries = $2 and state = 'waiting'")
            .bind(attempt.export_id).bind(attempt.number).bind(leased_until_ms)
            .execute(&mut *tx).await?.rows_affected();
        if mine == 0 {
            return Ok(false);
        }
        sqlx::query("insert into data_export_part (export_id, attempt, number, sealed) values ($1, $2, $3, $4)")
            .bind(attempt.export_id).bind(attempt.number).bind(number).bind(sealed).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// An archive whose every piece is kept.
#[derive(Clone, Copy)]
pub struct Finished<'a> {
    pub bytes: i64,
    pub now_ms: i64,
    pub expires_at_ms: i64,
    /// Tells its person.
    pub letter: Option<NewLetter<'a>>,
}

/// The archive is ready: pieces of other attempts go, and its letter is kept. False when another attempt was begun.
pub async fn finish(
    store: &Store,
    attempt: Attempt<'_>,
    done: Finished<'_>,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let mine = sqlx::query(
            "update data_export set state = 'ready', bytes = $3, ready_at_ms = $4, expires_at_ms = $5
             where id = $1 and tries = $2 and state = 'waiting'")
            .bind(attempt.export_id).bind(attempt.number).bind(done.bytes).bind(done.now_ms).bind(done.expires_at_ms)
            .execute(&mut *tx).await?.rows_affected();
        if mine == 0 {
            return Ok(false);
        }
        sqlx::query("delete from data_export_part where export_id = $1 and attempt <> $2")
            .bind(attempt.export_id).bind(attempt.number).execute(&mut *tx).await?;
        if let Some(letter) = done.letter {
            sqlx::query("insert into letter (id, sealed, due_at_ms, created_at_ms) values ($1, $2, $3, $3)")
                .bind(letter.id).bind(letter.sealed).bind(letter.now_ms).execute(&mut *tx).await?;
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// This attempt came to nothing. The next one begins at `again_at_ms`; without it, none does.
pub async fn give_up(
    store: &Store,
    attempt: Attempt<'_>,
    (again_at_ms, now_ms): (Option<i64>, i64),
) -> sqlx::Result<()> {
    let state = if again_at_ms.is_some() { "waiting" } else { "failed" };
    // Whoever was told that it failed may still read so for a day.
    on_database!(store, db => sqlx::query(
        "update data_export set state = $3, leased_until_ms = $4, expires_at_ms = $5
         where id = $1 and tries = $2 and state = 'waiting'")
        .bind(attempt.export_id).bind(attempt.number).bind(state).bind(again_at_ms.unwrap_or(0))
        .bind(again_at_ms.is_none().then_some(now_ms + 24 * 3_600_000))
        .execute(db).await.map(drop))
}

/// A sealed piece of an archive that is ready, and which attempt it is of.
pub async fn part(store: &Store, id: &str, number: i64) -> sqlx::Result<Option<(i64, String)>> {
    on_database!(read store, db => sqlx::query_as(
        "select p.attempt, p.sealed from data_export e
         join data_export_part p on p.export_id = e.id and p.attempt = e.tries
         where e.id = $1 and e.state = 'ready' and p.number = $2")
        .bind(id).bind(number).fetch_optional(db).await)
}

/// Removes what has expired by `now_ms`, up to `limit`, and pieces that belong to nothing; answers how many archives went.
pub async fn delete_expired(store: &Store, now_ms: i64, limit: i64) -> sqlx::Result<u64> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let gone = sqlx::query(
            "delete from data_export where id in (select id from data_export where expires_at_ms <= $1 limit $2)")
            .bind(now_ms).bind(limit).execute(&mut *tx).await?.rows_affected();
        sqlx::query(
            "delete from data_export_part where not exists (select 1 from data_export e where e.id = data_export_part.export_id)")
            .execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(gone)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{entry, on_each_database};

    async fn person(store: &Store) {
        on_database!(store, db => sqlx::query(
            "insert into person (id, email, email_key, name, language, time_zone, created_at_ms)
             values ('usr_1', 'a@b.c', 'a@b.c', 'Ada', 'en', 'UTC', 0)").execute(db).await.map(drop))
        .expect("written");
    }

    #[tokio::test]
    async fn one_process_prepares_it_and_what_a_dead_one_left_counts_for_nothing() {
        on_each_database(async |store| {
            person(&store).await;
            let asked = async |id: &str| ask(&store, (id, "usr_1", 1), &entry()).await.expect("asked");
            assert!(asked("exp_1").await);
            assert!(!asked("exp_2").await, "one at a time");
            let takers = futures_util::future::join_all((0..8).map(|_| take(&store, 10, 20))).await;
            let taken: Vec<_> = takers.into_iter().filter_map(|taken| taken.expect("asked")).collect();
            assert_eq!(taken.len(), 1);
            let dead = Attempt { export_id: "exp_1", number: taken[0].tries };
            assert!(put(&store, dead, (0, "dead"), 20).await.expect("put"));
            assert!(take(&store, 19, 30).await.expect("asked").is_none(), "it is leased");
            let row = take(&store, 20, 30).await.expect("asked").expect("the lease has run out");
            let alive = Attempt { export_id: "exp_1", number: row.tries };
            assert!(!put(&store, dead, (1, "dead"), 99).await.expect("asked"), "another attempt was begun");
            assert!(put(&store, alive, (0, "alive"), 30).await.expect("put"));
            let done = Finished { bytes: 5, now_ms: 25, expires_at_ms: 125, letter: None };
            assert!(!finish(&store, dead, done, &entry()).await.expect("asked"));
            assert!(part(&store, "exp_1", 0).await.expect("read").is_none(), "not ready yet");
            assert!(finish(&store, alive, done, &entry()).await.expect("finished"));
            let kept = part(&store, "exp_1", 0).await.expect("read").expect("a piece");
            assert_eq!(kept, (alive.number, "alive".to_owned()));
            assert_eq!(delete_expired(&store, 124, 10).await.expect("swept"), 0);
            assert_eq!(delete_expired(&store, 125, 10).await.expect("swept"), 1);
            assert!(part(&store, "exp_1", 0).await.expect("read").is_none());
            assert!(asked("exp_3").await, "and again");
        })
        .await;
    }
}
