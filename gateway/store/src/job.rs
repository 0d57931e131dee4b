//! Jobs that one of several processes does at a time.
use crate::{Store, on_database};

/// Whether the caller does the job now: nobody began it in the last `every_ms`. Of callers at the same time, one does.
pub async fn claim(store: &Store, name: &str, (now_ms, every_ms): (i64, i64)) -> sqlx::Result<bool> {
    let claimed: u64 = on_database!(store, db => sqlx::query(
        "insert into job (name, begun_at_ms) values ($1, $2)
         on conflict (name) do update set begun_at_ms = excluded.begun_at_ms where job.begun_at_ms <= $3")
        .bind(name).bind(now_ms).bind(now_ms - every_ms)
        .execute(db).await.map(|done| done.rows_affected()))?;
    Ok(claimed == 1)
}

/// Lets the next caller do the job at once, because this time it failed.
pub async fn give_back(store: &Store, name: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("update job set begun_at_ms = 0 where name = $1")
        .bind(name).execute(db).await.map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_each_database;

    #[tokio::test]
    async fn a_job_is_claimed_once_in_its_interval_whoever_asks() {
        on_each_database(async |store| {
            let claim = async |now_ms| claim(&store, "check", (now_ms, 100)).await.expect("asked");
            let first = futures_util::future::join_all((0..8).map(|_| claim(1_000))).await;
            assert_eq!(first.into_iter().filter(|claimed| *claimed).count(), 1);
            assert!(!claim(1_099).await);
            assert!(claim(1_100).await);
            give_back(&store, "check").await.expect("given back");
            assert!(claim(1_101).await);
        })
        .await;
    }
}
