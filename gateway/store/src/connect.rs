//! From a URL to a connected [`Store`].
use crate::{Answers, Store};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why no connection could be made. Never contains the URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("the database URL must start with `sqlite:` (followed by a path) or `postgres://`")]
    UnknownScheme,
    #[error("an in-memory SQLite database cannot be shared with the ledger's writer; give a file path")]
    InMemory,
    #[error("cannot create the database file {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("cannot connect to the database: {0}")]
    Database(#[from] sqlx::Error),
}

impl Store {
    /// Connects to `sqlite:<path>` (created with mode 0600 if missing) or `postgres://…`. Does not migrate.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::connect_postgres(PgConnectOptions::from_str(url)?).await;
        }
        let path = url.strip_prefix("sqlite:").ok_or(ConnectError::UnknownScheme)?;
        Self::connect_sqlite(Path::new(path.strip_prefix("//").unwrap_or(path))).await
    }

    pub(crate) async fn connect_postgres(options: PgConnectOptions) -> Result<Self, ConnectError> {
        let options = options.application_name("bytespike");
        Ok(Store::Postgres(
            PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).connect_with(options).await?,
        ))
    }

    async fn connect_sqlite(path: &Path) -> Result<Self, ConnectError> {
        if path.as_os_str().is_empty() || path.to_string_lossy().contains(":memory:") {
            return Err(ConnectError::InMemory);
        }
        create_private(path).map_err(|source| ConnectError::File { path: path.to_owned(), source })?;
        let write = SqlitePoolOptions::new().max_connections(1).connect_with(sqlite_options(path)).await?;
        let read = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .connect_with(sqlite_options(path).pragma("query_only", "on"))
            .await?;
        Ok(Store::Sqlite { write, read, answers: Answers::default() })
    }

    /// The database file, when there is one; the ledger's writer opens it a second time.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        match self {
            Store::Sqlite { write, .. } => Some(write.connect_options().get_filename().to_owned()),
            Store::Postgres(_) => None,
        }
    }
}

/// WAL lets readers work beside the writer. NORMAL may lose the last commits on power loss, never the file's
/// integrity; the ledger's own connection asks for more where money has moved.
fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
}

/// Only the owner may read a file that holds balances and key verifiers.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_url_of_another_kind_is_refused_without_repeating_it() {
        let refused = Store::connect("mysql://user:hunter2@host/db").await.err().expect("refused");
        assert!(matches!(refused, ConnectError::UnknownScheme));
        assert!(!refused.to_string().contains("hunter2"));
        assert!(matches!(Store::connect("sqlite::memory:").await.err(), Some(ConnectError::InMemory)));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn s128_the_sqlite_file_is_private_and_readers_cannot_write() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.db");
        let store = Store::connect(&format!("sqlite:{}", path.display())).await.expect("connects");
        assert_eq!(std::fs::metadata(&path).expect("exists").permissions().mode() & 0o777, 0o600);
        let written = crate::on_database!(read &store, db => sqlx::query("create table t (a bigint)").execute(db).await.is_ok());
        assert!(!written);
        assert_eq!(store.sqlite_path(), Some(path));
    }
}
