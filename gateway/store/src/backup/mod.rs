//! Backups: every row of one consistent moment, in a format that restores into either database.
//!
//! A backup is gzip over lines of JSON: a header, then for each table a line that names it and one array per row, then
//! a closing line with the number of rows and the SHA-256 of everything before it. Integers and truth values are JSON's
//! own, doubles are text, so that nothing is rounded on the way. The master key is not in the database, so it is in no
//! backup.
mod format;
mod restore;
#[cfg(test)]
mod tests;
mod write;

use crate::{Store, sqlx};
pub use format::Contents;
pub use restore::restore;
use serde::{Deserialize, Serialize};
pub use write::write;

/// Why a backup was not made or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the backup cannot be read or written: {0}")]
    File(#[from] std::io::Error),
    #[error("this is not a backup of ByteSpike, or it is damaged, at line {line}: {problem}")]
    Damaged { line: u64, problem: String },
    #[error("the backup was cut short: its closing line is missing")]
    Cut,
    #[error("the backup needs migration {0}, which this program does not have; use a newer one")]
    Newer(i64),
    #[error(
        "the database is not empty: it has a table `{0}`. A backup is restored into an empty database only"
    )]
    NotEmpty(String),
    #[error("the backup has a table or column that its migrations do not make: {0}")]
    Unknown(String),
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the migrations: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// The types a column may have; the migrations use no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    #[serde(rename = "text")]
    Text,
    #[serde(rename = "bigint")]
    BigInt,
    #[serde(rename = "boolean")]
    Boolean,
    #[serde(rename = "double precision")]
    Double,
}

impl Kind {
    fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(name.into()).ok()
    }
}

/// A table and its columns, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub table: String,
    pub columns: Vec<(String, Kind)>,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Text(Option<String>),
    BigInt(Option<i64>),
    Boolean(Option<bool>),
    Double(Option<f64>),
}

/// Groups (table, column, type) as the databases' catalogues list them, sorted by table.
fn tables(columns: Vec<(String, String, String)>) -> Result<Vec<Table>, BackupError> {
    let mut tables: Vec<Table> = Vec::new();
    for (table, column, kind) in columns {
        let kind = Kind::parse(&kind)
            .ok_or_else(|| BackupError::Unknown(format!("{table}.{column} of type {kind}")))?;
        match tables.last_mut().filter(|last| last.table == table) {
            Some(last) => last.columns.push((column, kind)),
            None => tables.push(Table { table, columns: vec![(column, kind)] }),
        }
    }
    Ok(tables)
}

/// The catalogue query of this database: every table of ours with its columns in order.
fn columns_sql(store: &Store) -> &'static str {
    match store {
        Store::Sqlite { .. } => {
            "select m.name, c.name, lower(c.type) from sqlite_master m, pragma_table_info(m.name) c
             where m.type = 'table' and m.name not like '\\_sqlx%' escape '\\' and m.name not like 'sqlite%'
             order by m.name, c.cid"
        }
        Store::Postgres(_) => {
            "select cast(c.table_name as text), cast(c.column_name as text), cast(c.data_type as text)
             from information_schema.columns c
             join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
             where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'
               and c.table_name not like '\\_sqlx%'
             order by c.table_name collate \"C\", c.ordinal_position"
        }
    }
}
