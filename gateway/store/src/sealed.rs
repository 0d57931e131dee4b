//! Sealed values of any table with a text id, for sealing them anew.
use crate::{Store, on_database};
use sqlx::AssertSqlSafe;

/// Where sealed values stand. The names are the program's own: they go into SQL as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedIn {
    pub table: &'static str,
    pub id: &'static str,
    /// What a value is bound to, as SQL over its row.
    pub row: &'static str,
    pub column: &'static str,
}

/// A value as it stands there.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SealedRow {
    pub id: String,
    pub bound_to: String,
    pub sealed: String,
}

/// Up to `limit` values after the id, in order.
pub async fn after(store: &Store, place: SealedIn, id: &str, limit: i64) -> sqlx::Result<Vec<SealedRow>> {
    let SealedIn { table, id: key, row, column } = place;
    let sql = format!(
        "select {key} as id, {row} as bound_to, {column} as sealed from {table}
         where {key} > $1 and {column} is not null order by {key} limit $2"
    );
    on_database!(read store, db => sqlx::query_as(AssertSqlSafe(sql)).bind(id).bind(limit).fetch_all(db).await)
}

/// Puts another value in place of this one. False when it is not there any more.
pub async fn replace(
    store: &Store,
    place: SealedIn,
    id: &str,
    (before, after): (&str, &str),
) -> sqlx::Result<bool> {
    let SealedIn { table, id: key, column, .. } = place;
    let sql = format!("update {table} set {column} = $1 where {key} = $2 and {column} = $3");
    on_database!(store, db => sqlx::query(AssertSqlSafe(sql))
        .bind(after).bind(id).bind(before).execute(db).await.map(|done| done.rows_affected() == 1))
}

/// Every column whose name says that it is sealed, as `table.column`.
pub async fn columns(store: &Store) -> sqlx::Result<Vec<String>> {
    let sql = match store {
        Store::Sqlite { .. } => {
            "select m.name || '.' || c.name from sqlite_master m, pragma_table_info(m.name) c
             where m.type = 'table' and c.name like '%sealed%' and lower(c.type) = 'text' order by 1"
        }
        Store::Postgres(_) => {
            "select cast(table_name || '.' || column_name as text) from information_schema.columns
             where table_schema = current_schema() and column_name like '%sealed%' and data_type = 'text' order by 1"
        }
    };
    on_database!(read store, db => sqlx::query_scalar(sql).fetch_all(db).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept_keys;
    use crate::testing::on_each_database;

    const KEPT: SealedIn = SealedIn { table: "kept_keys", id: "name", row: "name", column: "sealed" };

    #[tokio::test]
    async fn values_are_read_in_order_and_replaced_only_as_they_were_read() {
        on_each_database(async |store| {
            kept_keys::begin(&store, "first").await.expect("kept");
            let read = after(&store, KEPT, "", 10).await.expect("read");
            let [row] = read.as_slice() else { panic!("{read:?}") };
            assert_eq!((&*row.id, &*row.bound_to, &*row.sealed), ("proofs", "proofs", "first"));
            assert!(after(&store, KEPT, "proofs", 10).await.expect("read").is_empty());
            assert!(!replace(&store, KEPT, "proofs", ("another", "second")).await.expect("tried"));
            assert!(replace(&store, KEPT, "proofs", ("first", "second")).await.expect("tried"));
            assert_eq!(kept_keys::load(&store).await.expect("read").as_deref(), Some("second"));
        })
        .await;
    }

    #[tokio::test]
    async fn the_same_columns_are_sealed_in_both_databases() {
        on_each_database(async |store| {
            let columns = columns(&store).await.expect("read");
            assert!(columns.contains(&"kept_keys.sealed".to_owned()), "{columns:?}");
            assert!(columns.iter().all(|column| !column.contains("until_ms")), "{columns:?}");
        })
        .await;
    }
}
