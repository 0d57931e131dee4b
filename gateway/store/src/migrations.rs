//! Schema changes. `migrations/` is shared; `migrations/sqlite` and `migrations/postgres` hold only what one
//! database needs (append-only triggers, storage parameters). Versions are unique over the folders one database uses.
use crate::Store;
use crate::backup::BackupError;
use sqlx::migrate::{MigrateError, Migration, Migrator};

static SHARED: Migrator = sqlx::migrate!("./migrations");
static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

impl Store {
    /// Brings the schema up to date. Safe to run from several instances at once, and again.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        match self {
            Store::Sqlite { write, .. } => with_shared(&SQLITE).run(write).await,
            Store::Postgres(pool) => with_shared(&POSTGRES).run(pool).await,
        }
    }

    /// How many migrations are still to be applied.
    pub async fn pending_migrations(&self) -> sqlx::Result<usize> {
        let known = match self {
            Store::Sqlite { .. } => with_shared(&SQLITE).iter().count(),
            Store::Postgres(_) => with_shared(&POSTGRES).iter().count(),
        };
        // Before the first migration the table is missing, and everything is pending.
        let applied =
            crate::on_database!(read self, db => sqlx::query_as("select count(*) from _sqlx_migrations")
            .fetch_one(db).await)
            .map_or(0, |(count,): (i64,)| usize::try_from(count).unwrap_or(0));
        Ok(known.saturating_sub(applied))
    }
}

/// Which of the applied versions are shared by both databases.
pub(crate) fn shared_of(applied: &[i64]) -> Vec<i64> {
    applied.iter().copied().filter(|version| SHARED.version_exists(*version)).collect()
}

/// Brings an empty database to the schema of another one that had these shared migrations, whichever kind it was.
pub(crate) async fn run_to(store: &Store, shared: &[i64]) -> Result<(), BackupError> {
    if let Some(newer) = shared.iter().find(|version| !SHARED.version_exists(**version)) {
        return Err(BackupError::Newer(*newer));
    }
    let newest = shared.iter().max().copied().unwrap_or(0);
    let wanted = |migration: &&Migration| match SHARED.version_exists(migration.version) {
        true => shared.contains(&migration.version),
        false => migration.version <= newest,
    };
    let own = match store {
        Store::Sqlite { .. } => &SQLITE,
        Store::Postgres(_) => &POSTGRES,
    };
    let migrator = Migrator::with_migrations(with_shared(own).iter().filter(wanted).cloned().collect());
    match store {
        Store::Sqlite { write, .. } => migrator.run(write).await?,
        Store::Postgres(pool) => migrator.run(pool).await?,
    }
    Ok(())
}

fn with_shared(own: &Migrator) -> Migrator {
    let all: Vec<Migration> = SHARED.iter().chain(own.iter()).cloned().collect();
    Migrator::with_migrations(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_each_database;
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    #[tokio::test]
    async fn both_databases_end_up_with_the_same_tables_and_columns() {
        let seen: Mutex<Vec<BTreeSet<(String, String, String)>>> = Mutex::default();
        on_each_database(async |store| {
            let columns = columns(&store).await;
            assert!(!columns.is_empty());
            seen.lock().expect("not poisoned").push(columns);
        })
        .await;
        let seen = seen.into_inner().expect("not poisoned");
        let differing: Vec<_> = seen[0].symmetric_difference(&seen[1]).collect();
        assert!(differing.is_empty(), "only on one of the databases: {differing:?}");
    }

    #[tokio::test]
    async fn columns_have_portable_types_only() {
        on_each_database(async |store| {
            for (table, column, kind) in columns(&store).await {
                let portable = ["text", "bigint", "boolean", "double precision"].contains(&kind.as_str());
                assert!(portable, "{table}.{column} is {kind}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn migrating_twice_changes_nothing() {
        on_each_database(async |store| {
            store.migrate().await.expect("runs again");
            assert_eq!(store.pending_migrations().await.expect("counts"), 0);
        })
        .await;
    }

    #[test]
    fn a_version_is_used_once_per_database() {
        for own in [&SQLITE, &POSTGRES] {
            let versions: Vec<i64> = with_shared(own).iter().map(|m| m.version).collect();
            let unique: BTreeSet<i64> = versions.iter().copied().collect();
            assert_eq!(unique.len(), versions.len(), "a version is used twice: {versions:?}");
        }
    }

    async fn columns(store: &Store) -> BTreeSet<(String, String, String)> {
        let rows: Vec<(String, String, String)> = match store {
            Store::Sqlite { read, .. } => sqlx::query_as(
                "select m.name, c.name, lower(c.type) from sqlite_master m, pragma_table_info(m.name) c
                 where m.type = 'table' and m.name not like '\\_sqlx%' escape '\\' and m.name not like 'sqlite%'",
            )
            .fetch_all(read)
            .await,
            Store::Postgres(pool) => sqlx::query_as(
                "select cast(table_name as text), cast(column_name as text), cast(data_type as text)
                 from information_schema.columns
                 where table_schema = current_schema() and table_name not like '\\_sqlx%'",
            )
            .fetch_all(pool)
            .await,
        }
        .expect("the catalogue answers");
        rows.into_iter().collect()
    }
}
