//! Letters on their way. What they say is sealed; the key is not in the database.
use crate::{Store, on_database};

/// A letter about to be kept.
#[derive(Clone, Copy)]
pub struct NewLetter<'a> {
    pub id: &'a str,
    pub sealed: &'a str,
    pub now_ms: i64,
}

/// A letter that was taken to be sent.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Letter {
    pub id: String,
    pub sealed: String,
    /// This one included.
    pub tries: i64,
}

/// Keeps the letter. When it is not `wanted` nothing is kept, in the same time.
pub async fn insert(store: &Store, letter: NewLetter<'_>, wanted: bool) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "insert into letter (id, sealed, due_at_ms, created_at_ms) select $1, $2, $3, $3 where $4")
        .bind(letter.id).bind(letter.sealed).bind(letter.now_ms).bind(wanted).execute(db).await.map(drop))
}

/// Takes the letter that has waited longest, until `leased_until_ms`; until then nobody else gets it.
pub async fn take(store: &Store, now_ms: i64, leased_until_ms: i64) -> sqlx::Result<Option<Letter>> {
    on_database!(store, db => sqlx::query_as(
        "update letter set tries = tries + 1, leased_until_ms = $2
         where id in (select id from letter where state = 'waiting' and due_at_ms <= $1 and leased_until_ms <= $1
                      order by due_at_ms, id limit 1)
           and state = 'waiting' and leased_until_ms <= $1
         returning id, sealed, tries")
        .bind(now_ms).bind(leased_until_ms).fetch_optional(db).await)
}

/// The letter is tried again at `due_at_ms`.
pub async fn postpone(store: &Store, id: &str, due_at_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update letter set due_at_ms = $2, leased_until_ms = 0 where id = $1 and state = 'waiting'")
        .bind(id).bind(due_at_ms).execute(db).await.map(drop))
}

/// The letter was `sent`, or `failed` for good. What it said is forgotten.
pub async fn end(store: &Store, id: &str, state: &str, now_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update letter set state = $2, ended_at_ms = $3, sealed = '', leased_until_ms = 0
         where id = $1 and state = 'waiting'")
        .bind(id).bind(state).bind(now_ms).execute(db).await.map(drop))
}

/// Sweeps letters that ended before `before_ms`; answers how many rows went.
pub async fn delete_ended(store: &Store, before_ms: i64) -> sqlx::Result<u64> {
    on_database!(store, db => sqlx::query("delete from letter where state <> 'waiting' and ended_at_ms < $1")
        .bind(before_ms).execute(db).await.map(|done| done.rows_affected()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_each_database;

    async fn keep(store: &Store, id: &str, now_ms: i64, wanted: bool) {
        insert(store, NewLetter { id, sealed: "sealed", now_ms }, wanted).await.expect("keeps");
    }

    async fn taken(store: &Store, now_ms: i64) -> Option<(String, i64)> {
        let letter = take(store, now_ms, now_ms + 100).await.expect("takes");
        letter.map(|letter| (letter.id, letter.tries))
    }

    #[tokio::test]
    async fn a_letter_is_taken_by_one_until_its_lease_ends_and_the_oldest_first() {
        on_each_database(async |store| {
            keep(&store, "a", 10, true).await;
            keep(&store, "b", 5, true).await;
            keep(&store, "c", 0, false).await;
            assert_eq!(taken(&store, 10).await, Some(("b".to_owned(), 1)));
            assert_eq!(taken(&store, 10).await, Some(("a".to_owned(), 1)));
            assert_eq!(taken(&store, 10).await, None, "one was not wanted, the others are taken");
            assert_eq!(taken(&store, 110).await, Some(("b".to_owned(), 2)), "its process died");
            postpone(&store, "b", 500).await.expect("postpones");
            end(&store, "a", "sent", 120).await.expect("ends");
            assert_eq!(taken(&store, 499).await, None);
            assert_eq!(taken(&store, 500).await, Some(("b".to_owned(), 3)));
            end(&store, "b", "failed", 501).await.expect("ends");
            assert_eq!(taken(&store, 9_999).await, None);
            assert_eq!(delete_ended(&store, 500).await.expect("sweeps"), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn several_processes_never_take_the_same_letter() {
        on_each_database(async |store| {
            for n in 0..20 {
                keep(&store, &format!("l{n}"), n, true).await;
            }
            let takers: Vec<_> = (0..4)
                .map(|_| {
                    let store = store.clone();
                    tokio::spawn(async move {
                        let mut mine = Vec::new();
                        // A taker that lost a race finds nothing that time and asks again.
                        for _ in 0..40 {
                            mine.extend(taken(&store, 100).await.map(|(id, _)| id));
                        }
                        mine
                    })
                })
                .collect();
            let mut all = Vec::new();
            for taker in takers {
                all.extend(taker.await.expect("runs"));
            }
            let count = all.len();
            all.sort();
            all.dedup();
            assert_eq!((count, all.len()), (20, 20));
        })
        .await;
    }
}
