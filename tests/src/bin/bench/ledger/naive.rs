//! The naive path: each step a transaction of its own on one of eight connections, the same five statements a pair.

use super::bare::{self, CHARGE, HOLD};
use bytespike_store::Store;
use bytespike_store::sqlx::postgres::PgPoolOptions;
use bytespike_store::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use bytespike_store::sqlx::{self, PgPool, SqlitePool};
use bytespike_store::world::World;
use std::time::{Duration, Instant};

const CONNECTIONS: u32 = 8;
/// A client waits for a connection and for the write lock as long as it takes.
const PATIENCE: Duration = Duration::from_secs(120);

const TAKE: &str = "update wallet set held = held + $2 where id = $1 and posted - held >= $2";
const RESERVE: &str = "insert into reservation values ($1, $2, 'held', $3, null)";
const END: &str = "update reservation set state = 'settled', charged = $2 where id = $1 and state = 'held'";
const PAY: &str = "update wallet set held = held - $2, posted = posted - $3 where id = $1";
const BOOK: &str = "insert into journal values ($1, $2, $3, $4)";

#[derive(Clone)]
pub struct Naive {
    pool: Pool,
    world: World,
}

#[derive(Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// The rest of a step, the same on both databases once its transaction has begun.
macro_rules! hold {
    ($transaction:expr, $id:expr, $wallet_id:expr) => {{
        let mut transaction = $transaction;
        let held =
            sqlx::query(TAKE).bind($wallet_id).bind(HOLD).execute(&mut *transaction).await?.rows_affected();
        sqlx::query(RESERVE).bind($id).bind($wallet_id).bind(HOLD).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(held == 1)
    }};
}

macro_rules! settle {
    ($transaction:expr, $id:expr, $wallet_id:expr, $journal_id:expr) => {{
        let mut transaction = $transaction;
        let settled =
            sqlx::query(END).bind($id).bind(CHARGE).execute(&mut *transaction).await?.rows_affected();
        sqlx::query(PAY).bind($wallet_id).bind(HOLD).bind(CHARGE).execute(&mut *transaction).await?;
        sqlx::query(BOOK)
            .bind($journal_id)
            .bind($id)
            .bind($wallet_id)
            .bind(-CHARGE)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(settled == 1)
    }};
}

impl Naive {
    pub async fn open(store: &Store) -> Self {
        bare::create(store).await;
        let pool = match store {
            Store::Sqlite { .. } => {
                let options = SqliteConnectOptions::new()
                    .filename(store.sqlite_path().expect("a file"))
                    .journal_mode(SqliteJournalMode::Wal)
                    .busy_timeout(PATIENCE);
                let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
                Pool::Sqlite(pool.connect_with(options).await.expect("connects"))
            }
            Store::Postgres(pool) => {
                let options = pool.connect_options().as_ref().clone();
                let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
                Pool::Postgres(pool.connect_with(options).await.expect("connects"))
            }
        };
        Self { pool, world: World::system() }
    }

    pub async fn pair(&self, wallet: usize) -> Duration {
        let (id, wallet_id, started) = (self.world.id("rcp"), format!("org_{wallet}"), Instant::now());
        assert!(self.hold(&id, &wallet_id).await.expect("a hold"), "the hold fits");
        let took = started.elapsed();
        let journal_id = self.world.id("jtx");
        assert!(self.settle(&id, &wallet_id, &journal_id).await.expect("a settlement"), "it was held");
        took
    }

    async fn hold(&self, id: &str, wallet_id: &str) -> sqlx::Result<bool> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                let mut connection = pool.acquire().await?;
                sqlx::query("pragma synchronous = normal").execute(&mut *connection).await?;
                hold!(sqlx::Connection::begin_with(&mut *connection, "begin immediate").await?, id, wallet_id)
            }
            Pool::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                sqlx::query("set local synchronous_commit = off").execute(&mut *transaction).await?;
                hold!(transaction, id, wallet_id)
            }
        }
    }

    async fn settle(&self, id: &str, wallet_id: &str, journal_id: &str) -> sqlx::Result<bool> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                let mut connection = pool.acquire().await?;
                sqlx::query("pragma synchronous = full").execute(&mut *connection).await?;
                settle!(
                    sqlx::Connection::begin_with(&mut *connection, "begin immediate").await?,
                    id,
                    wallet_id,
                    journal_id
                )
            }
            Pool::Postgres(pool) => settle!(pool.begin().await?, id, wallet_id, journal_id),
        }
    }
}
