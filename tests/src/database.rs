//! The databases a product runs on: each test gets a fresh one, which vanishes with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use bytespike_store::{Store, on_database, sqlx};

use crate::setting;

/// Which database a product runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// Both; a promise about money is kept on each.
pub const BOTH: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

/// A fresh database.
pub struct Database {
    url: String,
    /// Dropped with the test, on PostgreSQL.
    name: Option<String>,
}

impl Database {
    /// A database of its own for one product; `folder` is where a file may live.
    #[must_use]
    pub fn fresh(kind: Kind, folder: &Path) -> Self {
        match kind {
            Kind::Sqlite => Self { url: format!("sqlite:{}", file(folder).display()), name: None },
            Kind::Postgres => Self::fresh_postgres(folder),
        }
    }

    fn fresh_postgres(folder: &Path) -> Self {
        // The folder's name is random, and as unique as this database.
        let unique: String =
            folder.to_string_lossy().to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("black_box_{unique}");
        run_on_server(&format!("create database {name}"));
        let server = server_url();
        let base = server.rsplit_once('/').expect("a URL with a database").0;
        Self { url: format!("{base}/{name}"), name: Some(name) }
    }

    /// What the product is configured with.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection of the test's own, beside the product's.
    pub async fn connect(&self) -> Store {
        Store::connect(&self.url).await.expect("the database answers")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            run_on_server(&format!("drop database {name} with (force)"));
        }
    }
}

/// The whole numbers of every row that `sql` selects.
pub async fn rows(store: &Store, sql: &'static str) -> Vec<Vec<String>> {
    on_database!(store, db => {
        use sqlx::{Column as _, Row as _};
        let rows = sqlx::query(sql).fetch_all(db).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter().map(|row| {
            row.columns().iter().map(|column| text(row.try_get::<Option<String>, _>(column.ordinal()).ok(),
                row.try_get::<Option<i64>, _>(column.ordinal()).ok())).collect()
        }).collect()
    })
}

/// The one whole number that `sql` selects.
pub async fn number(store: &Store, sql: &'static str) -> i64 {
    let rows = rows(store, sql).await;
    rows.first()
        .and_then(|row| row.first())
        .and_then(|value| value.parse().ok())
        .unwrap_or_else(|| panic!("{sql}: {rows:?}"))
}

fn text(as_text: Option<Option<String>>, as_number: Option<Option<i64>>) -> String {
    match (as_text, as_number) {
        (Some(Some(text)), _) => text,
        (_, Some(Some(number))) => number.to_string(),
        _ => "null".to_owned(),
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("bytespike.sqlite")
}

fn server_url() -> String {
    setting("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL names a PostgreSQL server; tests/run starts one")
}

/// Runs one statement as the server's administrator. `psql` comes with the server.
fn run_on_server(sql: &str) {
    let ran =
        Command::new("psql").arg(server_url()).args(["-q", "-v", "ON_ERROR_STOP=1", "-c", sql]).output();
    let ran = ran.expect("psql is installed with PostgreSQL");
    assert!(ran.status.success(), "{sql}: {}", String::from_utf8_lossy(&ran.stderr));
}
