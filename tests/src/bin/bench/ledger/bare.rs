//! The bare variant: a wallet, a reservation and a journal row, five statements a pair, committed in batches.
//! It has no limits, lots, receipts, attempts, hash chain or foreign keys; what ours costs beyond it, those cost.

use super::run::Wallets;
use super::{bare_postgres, bare_sqlite, prepare};
use bytespike_store::world::World;
use bytespike_store::{Store, on_database, sqlx};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

pub const HOLD: i64 = 50_000_000;
pub const CHARGE: i64 = 6_314_000;
/// Commands taken into one transaction at most, and waiting at most: as in the ledger.
pub const BATCH: usize = 256;
pub const QUEUE: usize = 4_096;

pub const TABLES: [&str; 3] = [
    "create table wallet (id text primary key not null, posted bigint not null, held bigint not null,
                          check (held >= 0), check (held <= posted))",
    "create table reservation (id text primary key not null, wallet_id text not null, state text not null,
                               held bigint not null, charged bigint)",
    "create table journal (id text primary key not null, reservation_id text not null unique, wallet_id text not null,
                           amount bigint not null)",
];

pub struct Job {
    pub step: Step,
    /// Whether it was done.
    pub done: oneshot::Sender<bool>,
}

pub enum Step {
    Hold { id: String, wallet_id: String },
    Settle { id: String, wallet_id: String, journal_id: String },
}

#[derive(Clone)]
pub struct Bare {
    lanes: Vec<mpsc::Sender<Job>>,
    world: World,
}

impl Bare {
    pub async fn open(store: &Store) -> Self {
        create(store).await;
        let lanes = match store {
            Store::Sqlite { .. } => vec![bare_sqlite::start(&store.sqlite_path().expect("a file"))],
            Store::Postgres(pool) => bare_postgres::start(pool),
        };
        Self { lanes, world: World::system() }
    }

    pub async fn pair(&self, wallet: usize) -> Duration {
        let (id, wallet_id, started) = (self.world.id("rcp"), format!("org_{wallet}"), Instant::now());
        self.ask(wallet, Step::Hold { id: id.clone(), wallet_id: wallet_id.clone() }).await;
        let took = started.elapsed();
        self.ask(wallet, Step::Settle { id, wallet_id, journal_id: self.world.id("jtx") }).await;
        took
    }

    async fn ask(&self, wallet: usize, step: Step) {
        let (done, answer) = oneshot::channel();
        let lane = &self.lanes[wallet % self.lanes.len()];
        assert!(lane.send(Job { step, done }).await.is_ok(), "the writer runs");
        assert!(answer.await.expect("an answer"), "the step is done");
    }
}

/// The three tables, and the wallets with credit.
pub async fn create(store: &Store) {
    prepare(store, &TABLES).await;
    for wallet in 0..Wallets::ALL {
        let id = format!("org_{wallet}");
        let done = on_database!(store, db => sqlx::query("insert into wallet values ($1, 100000000000000000, 0)")
            .bind(&id).execute(db).await.map(drop));
        done.expect("a wallet");
    }
}
