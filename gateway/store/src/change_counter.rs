//! The number that moves whenever a right is taken away. Writers bump it inside their own transaction.
use crate::{Store, on_database};

/// How many changes of rights there have been.
pub async fn rights(store: &Store) -> sqlx::Result<i64> {
    let (changes,): (i64,) = on_database!(read store, db => sqlx::query_as(
        "select changes from change_counter where name = 'rights'").fetch_one(db).await)?;
    Ok(changes)
}
