//! The sealed keys that outlive the master key they were derived from. There is one row.
use crate::{Store, on_database};

const NAME: &str = "proofs";

/// What is kept; `None` in a database that no process has served.
pub async fn load(store: &Store) -> sqlx::Result<Option<String>> {
    on_database!(read store, db => sqlx::query_scalar("select sealed from kept_keys where name = $1")
        .bind(NAME).fetch_optional(db).await)
}

/// Keeps them unless some are kept.
pub async fn begin(store: &Store, sealed: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "insert into kept_keys (name, sealed) values ($1, $2) on conflict (name) do nothing")
        .bind(NAME).bind(sealed).execute(db).await.map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_each_database;

    #[tokio::test]
    async fn the_first_ones_stay() {
        on_each_database(async |store| {
            assert_eq!(load(&store).await.expect("read"), None);
            begin(&store, "first").await.expect("kept");
            begin(&store, "second").await.expect("nothing to do");
            assert_eq!(load(&store).await.expect("read").as_deref(), Some("first"));
        })
        .await;
    }
}
