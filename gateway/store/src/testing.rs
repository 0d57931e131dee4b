//! Fresh, migrated databases for tests. Both databases, always: a test that skipped one in silence would prove nothing.
use crate::Store;
use futures_util::FutureExt as _;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnectOptions;
use std::panic::AssertUnwindSafe;
use std::str::FromStr as _;

/// Runs the test on a fresh SQLite file and on a fresh PostgreSQL schema, and removes both afterwards.
///
/// # Panics
/// When `TEST_POSTGRES_URL` is not set or a database cannot be prepared.
pub async fn on_each_database(test: impl AsyncFn(Store)) {
    on_sqlite(&test).await;
    on_postgres(&test).await;
}

/// Runs the test on a fresh SQLite file.
#[expect(clippy::expect_used, reason = "a test that cannot prepare its database has to fail")]
pub async fn on_sqlite(test: impl AsyncFn(Store)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let store = Store::connect(&url).await.expect("a fresh SQLite database");
    store.migrate().await.expect("the migrations run on SQLite");
    test(store.clone()).await;
    store.close().await;
}

/// Runs the test on a fresh PostgreSQL schema.
#[expect(clippy::expect_used, reason = "a test that cannot prepare its database has to fail")]
pub async fn on_postgres(test: impl AsyncFn(Store)) {
    let schema = fresh_schema_name();
    let options =
        PgConnectOptions::from_str(&test_postgres_url()).expect("TEST_POSTGRES_URL is a PostgreSQL URL");
    let outer =
        sqlx::PgPool::connect_with(options.clone()).await.expect("PostgreSQL at TEST_POSTGRES_URL answers");
    run(&outer, format!("create schema {schema}")).await;
    // No test takes the power away, so none waits for the disk.
    let settings = [("search_path", schema.as_str()), ("synchronous_commit", "off")];
    let store =
        Store::connect_postgres(options.options(settings)).await.expect("a connection to the fresh schema");
    store.migrate().await.expect("the migrations run on PostgreSQL");
    let outcome = AssertUnwindSafe(test(store.clone())).catch_unwind().await;
    store.close().await;
    run(&outer, format!("drop schema {schema} cascade")).await;
    if let Err(panicked) = outcome {
        std::panic::resume_unwind(panicked);
    }
}

/// The PostgreSQL server that tests use, from `TEST_POSTGRES_URL`.
///
/// # Panics
/// When the variable is not set: a test without its database fails and says how to mend it.
#[expect(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "tests find their database through the environment"
)]
pub fn test_postgres_url() -> String {
    std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("set TEST_POSTGRES_URL to a PostgreSQL server this test may create schemas on, or start the tests with tests/run")
    })
}

fn fresh_schema_name() -> String {
    let unique = u128::from_le_bytes(crate::world::World::system().bytes());
    format!("test_{unique:032x}")
}

#[expect(clippy::expect_used, reason = "a test that cannot prepare its database has to fail")]
async fn run(pool: &sqlx::PgPool, sql: String) {
    // The text holds only a schema name made above.
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(pool)
        .await
        .expect("the test schema can be created and dropped");
}

/// Wants something told without what makes it true: that is not what is tested.
///
/// # Errors
/// The database does not take it.
pub async fn tell(store: &Store, event: &crate::outbox::Event) -> sqlx::Result<()> {
    crate::on_database!(store, db => {
        crate::outbox::put!(db, event);
        Ok::<_, sqlx::Error>(())
    })
}

/// An event for changes whose event is not what is tested. Its hash links nothing.
#[must_use]
pub fn entry() -> crate::audit_event::Entry {
    let row = crate::audit_event::AuditRow {
        seq: 0,
        at_ms: 0,
        event: "test.changed".to_owned(),
        actor: "host".to_owned(),
        org_id: None,
        target: None,
        ip: String::new(),
        user_agent: String::new(),
        request_id: String::new(),
        detail_json: String::new(),
        hash: String::new(),
    };
    let link = std::sync::Arc::new(|_: &str, row: &crate::audit_event::AuditRow| format!("{}", row.seq));
    crate::audit_event::Entry { row, detail: serde_json::Map::new(), link }
}
