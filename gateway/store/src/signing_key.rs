//! Public keys that sign receipts and price exports, former ones too.
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SigningKeyRow {
    pub id: String,
    /// `receipt` or `price_export`.
    pub purpose: String,
    /// 32 bytes, base64url without padding.
    pub public_key: String,
    pub first_used_at_ms: i64,
}

/// Keeps the key unless it is known.
pub async fn keep(store: &Store, row: &SigningKeyRow) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "insert into signing_key (id, purpose, public_key, first_used_at_ms) values ($1, $2, $3, $4)
         on conflict (id) do nothing")
        .bind(&row.id).bind(&row.purpose).bind(&row.public_key).bind(row.first_used_at_ms)
        .execute(db).await.map(drop))
}

/// Every key, the newest first.
pub async fn all(store: &Store) -> sqlx::Result<Vec<SigningKeyRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, purpose, public_key, first_used_at_ms from signing_key order by first_used_at_ms desc, id")
        .fetch_all(db).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_each_database;

    #[tokio::test]
    async fn a_key_is_kept_once_and_keeps_its_first_use() {
        on_each_database(async |store| {
            let row = |id: &str, first_used_at_ms| SigningKeyRow {
                id: id.to_owned(),
                purpose: "receipt".to_owned(),
                public_key: "AAAA".to_owned(),
                first_used_at_ms,
            };
            for row in [row("a", 1), row("b", 2), row("a", 3)] {
                keep(&store, &row).await.expect("kept");
            }
            assert_eq!(all(&store).await.expect("read"), [row("b", 2), row("a", 1)]);
        })
        .await;
    }
}
