//! Every price book that was ever in force, by version.
use bytespike_catalog::PriceBook;
use bytespike_store::{Store, on_database};

/// The version of this book: the one it has, or the next one.
pub(crate) async fn publish(store: &Store, book: &PriceBook, now_ms: i64) -> sqlx::Result<i64> {
    if let Some(version) = version_of(store, &book.hash).await? {
        return Ok(version);
    }
    let body = serde_json::to_string(&book.content).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    on_database!(store, db => sqlx::query(
        "insert into price_book (version, hash, published_at_ms, body_json)
         select coalesce(max(version), 0) + 1, $1, $2, $3 from price_book where true
         on conflict do nothing")
        .bind(&book.hash).bind(now_ms).bind(&body).execute(db).await.map(drop))?;
    // Another process may have published meanwhile: what stands in the table counts.
    version_of(store, &book.hash).await?.ok_or(sqlx::Error::RowNotFound)
}

async fn version_of(store: &Store, hash: &str) -> sqlx::Result<Option<i64>> {
    on_database!(store, db => sqlx::query_scalar("select version from price_book where hash = $1")
        .bind(hash).fetch_optional(db).await)
}
