//! Reads everything in one transaction, so that a backup made while calls run shows one moment.
use super::format::{Contents, Header, Writer};
use super::{BackupError, Cell, Kind, Table, columns_sql, tables};
use crate::{Store, on_database};
use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, Row, Type};
use std::io::Write;

/// Writes a backup of everything. Calls go on meanwhile: on SQLite a reader does not block the writer, and on PostgreSQL
/// the transaction sees the moment it began.
///
/// # Errors
/// The database or the file fails. What was written so far is then no backup.
pub async fn write<W: Write>(store: &Store, out: W, now_ms: i64) -> Result<(W, Contents), BackupError> {
    let snapshot = match store {
        Store::Sqlite { .. } => "begin",
        Store::Postgres(_) => "begin isolation level repeatable read read only",
    };
    on_database!(read store, db => {
        let mut tx = db.begin_with(snapshot).await?;
        let tables = tables(sqlx::query_as(columns_sql(store)).fetch_all(&mut *tx).await?)?;
        let applied: Vec<i64> = sqlx::query_scalar("select version from _sqlx_migrations where success order by version")
            .fetch_all(&mut *tx).await?;
        let mut backup = Writer::start(out, &Header::new(crate::migrations::shared_of(&applied), now_ms))?;
        for table in &tables {
            backup.table(table)?;
            let sql = select(table);
            let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut *tx);
            while let Some(row) = rows.try_next().await? {
                backup.row(cells(&row, table)?)?;
            }
        }
        tx.rollback().await?;
        backup.finish()
    })
}

/// The names are those of the database's own catalogue.
fn select(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    format!("select {} from \"{}\"", columns.join(", "), table.table)
}

fn cells<'r, R: Row>(row: &'r R, table: &Table) -> sqlx::Result<Vec<Cell>>
where
    usize: ColumnIndex<R>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<bool>: Decode<'r, R::Database> + Type<R::Database>,
    Option<f64>: Decode<'r, R::Database> + Type<R::Database>,
{
    let kinds = table.columns.iter().map(|(_, kind)| *kind).enumerate();
    kinds
        .map(|(at, kind)| {
            Ok(match kind {
                Kind::Text => Cell::Text(row.try_get(at)?),
                Kind::BigInt => Cell::BigInt(row.try_get(at)?),
                Kind::Boolean => Cell::Boolean(row.try_get(at)?),
                Kind::Double => Cell::Double(row.try_get(at)?),
            })
        })
        .collect()
}
