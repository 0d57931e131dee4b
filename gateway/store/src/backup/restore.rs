//! Restores a backup into an empty database of either kind: at the schema it was made with, then brought up to date.
use super::format::{Contents, Line, Reader};
use super::{BackupError, Cell, Table, columns_sql, tables};
use crate::{Store, on_database};
use sqlx::{AssertSqlSafe, Database, Encode, QueryBuilder, Type};
use std::io::{self, Read};

/// Rows that go into the database in one statement; times the columns of any table below the least limit of parameters,
/// which is SQLite's 32,766.
const AT_ONCE: usize = 200;

/// Restores the backup, which is opened and read twice, so that a damaged one is refused before anything is written.
///
/// # Errors
/// It cannot be opened, the database has tables, the backup is damaged or newer than this program, or either fails half-way: then the
/// database holds tables and no rows, and has to be removed before the next try.
pub async fn restore<R: Read>(
    store: &Store,
    open: impl Fn() -> io::Result<R>,
) -> Result<Contents, BackupError> {
    let mut whole = Reader::start(open()?)?;
    while whole.next()?.is_some() {}
    let backup = Reader::start(open()?)?;
    let existing: Vec<(String, String, String)> =
        on_database!(read store, db => sqlx::query_as(columns_sql(store)).fetch_all(db).await)?;
    if let Some((table, ..)) = existing.into_iter().next() {
        return Err(BackupError::NotEmpty(table));
    }
    crate::migrations::run_to(store, &backup.header.migrations).await?;
    let contents = fill(store, backup).await?;
    store.migrate().await?;
    Ok(contents)
}

/// All rows in one transaction, in which rows may come before those they refer to.
async fn fill<R: Read>(store: &Store, mut backup: Reader<R>) -> Result<Contents, BackupError> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let made = tables(sqlx::query_as(columns_sql(store)).fetch_all(&mut *tx).await?)?;
        let references: Vec<String> = match store {
            Store::Sqlite { .. } => Vec::new(),
            Store::Postgres(_) => sqlx::query_scalar(REFERENCES).fetch_all(&mut *tx).await?,
        };
        for statement in deferred(store, &references) {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
        }
        let (mut table, mut rows): (Option<Table>, Vec<Vec<Cell>>) = (None, Vec::new());
        loop {
            let line = backup.next()?;
            let is_row = matches!(line, Some(Line::Row(_)));
            if let Some(table) = table.as_ref().filter(|_| !rows.is_empty() && (!is_row || rows.len() == AT_ONCE)) {
                insert(table, std::mem::take(&mut rows)).build().execute(&mut *tx).await?;
            }
            match line {
                None => break,
                Some(Line::Row(cells)) => rows.push(cells),
                Some(Line::Table(next)) => {
                    check_known(&next, &made)?;
                    // What the migrations themselves put there is in the backup, as it became since.
                    let sql = format!("delete from \"{}\"", next.table);
                    sqlx::query(AssertSqlSafe(sql)).execute(&mut *tx).await?;
                    table = Some(next);
                }
            }
        }
        for statement in immediate(store, &references) {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(backup.contents)
    })
}

/// Table and name of every foreign key, as they stand in `alter table … alter constraint …`.
const REFERENCES: &str = "select format('%I alter constraint %I', r.relname, c.conname) from pg_constraint c
    join pg_class r on r.oid = c.conrelid join pg_namespace n on n.oid = r.relnamespace
    where c.contype = 'f' and n.nspname = current_schema()";

/// What lets rows refer to rows that come later.
fn deferred(store: &Store, references: &[String]) -> Vec<String> {
    match store {
        Store::Sqlite { .. } => vec!["pragma defer_foreign_keys = on".to_owned()],
        Store::Postgres(_) => references
            .iter()
            .map(|reference| format!("alter table {reference} deferrable initially deferred"))
            .collect(),
    }
}

/// What checks every reference and makes them as they were. SQLite checks when it commits.
fn immediate(store: &Store, references: &[String]) -> Vec<String> {
    match store {
        Store::Sqlite { .. } => Vec::new(),
        Store::Postgres(_) => {
            let again = references.iter().map(|reference| format!("alter table {reference} not deferrable"));
            std::iter::once("set constraints all immediate".to_owned()).chain(again).collect()
        }
    }
}

/// Names from the file go into SQL only when they are names of the database's own.
fn check_known(table: &Table, made: &[Table]) -> Result<(), BackupError> {
    let found = made.iter().find(|known| known.table == table.table);
    let unknown = |what: String| Err(BackupError::Unknown(what));
    let Some(found) = found else { return unknown(table.table.clone()) };
    match table.columns.iter().find(|column| !found.columns.contains(column)) {
        Some((column, _)) => unknown(format!("{}.{column}", table.table)),
        None => Ok(()),
    }
}

fn insert<DB>(table: &Table, rows: Vec<Vec<Cell>>) -> QueryBuilder<DB>
where
    DB: Database,
    Option<String>: for<'q> Encode<'q, DB> + Type<DB>,
    Option<i64>: for<'q> Encode<'q, DB> + Type<DB>,
    Option<bool>: for<'q> Encode<'q, DB> + Type<DB>,
    Option<f64>: for<'q> Encode<'q, DB> + Type<DB>,
{
    let columns: Vec<String> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let mut insert = QueryBuilder::new(format!("insert into \"{}\" ({}) ", table.table, columns.join(", ")));
    insert.push_values(rows, |mut row, cells| {
        for cell in cells {
            match cell {
                Cell::Text(text) => row.push_bind(text),
                Cell::BigInt(number) => row.push_bind(number),
                Cell::Boolean(truth) => row.push_bind(truth),
                Cell::Double(number) => row.push_bind(number),
            };
        }
    });
    insert
}
