//! How far estimates were from what providers counted: calls per model and bucket.
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RatioRow {
    pub model: String,
    pub bucket: i64,
    pub calls: i64,
}

pub async fn all(store: &Store) -> sqlx::Result<Vec<RatioRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select model, bucket, calls from estimate_ratio order by model, bucket").fetch_all(db).await)
}

/// Adds calls to their buckets. A model with more than `most` calls then keeps half of each bucket, so that what was
/// learned long ago fades.
pub async fn add(store: &Store, rows: &[RatioRow], most: i64) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        for row in rows {
            sqlx::query(
                "insert into estimate_ratio (model, bucket, calls) values ($1, $2, $3)
                 on conflict (model, bucket) do update set calls = estimate_ratio.calls + excluded.calls")
                .bind(&row.model).bind(row.bucket).bind(row.calls).execute(&mut *tx).await?;
        }
        sqlx::query(
            "update estimate_ratio set calls = calls / 2 where model in
                (select model from estimate_ratio group by model having sum(calls) > $1)")
            .bind(most).execute(&mut *tx).await?;
        sqlx::query("delete from estimate_ratio where calls = 0").execute(&mut *tx).await?;
        sqlx::query("update change_counter set changes = changes + 1 where name = 'estimates'").execute(&mut *tx).await?;
        tx.commit().await
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_each_database;

    #[tokio::test]
    async fn calls_add_up_and_fade() {
        on_each_database(async |store| {
            let row = |model: &str, bucket, calls| RatioRow { model: model.to_owned(), bucket, calls };
            add(&store, &[row("a", 3, 60), row("a", 5, 1), row("b", 3, 7)], 100).await.expect("adds");
            add(&store, &[row("a", 3, 60)], 100).await.expect("adds");
            assert_eq!(
                all(&store).await.expect("reads"),
                [row("a", 3, 60), row("b", 3, 7)],
                "121 calls are halved, a lone one is gone, and others stay"
            );
        })
        .await;
    }
}
