//! The ledger by itself: hold + settle pairs per second beside a bare variant of five statements, batched in the same
//! way, and beside the naive path. The variants take turns, so that what else the machine does falls on all of them.

mod bare;
mod bare_postgres;
mod bare_sqlite;
mod console;
mod latency;
mod naive;
mod ours;
mod run;

use bytespike_store::{Store, on_database, sqlx};
use bytespike_tests::database::{Database, Kind};
use bytespike_tests::setting;
use run::{Load, Measured, Wallets};
use std::time::Duration;

const CLIENTS: [usize; 3] = [1, 16, 256];
const WALLETS: [Wallets; 2] = [Wallets::One, Wallets::Many];

/// One way of keeping the ledger. Its clones share it.
#[derive(Clone)]
pub enum Variant {
    Ours(ours::Ours),
    Bare(bare::Bare),
    Naive(naive::Naive),
}

impl Variant {
    /// Holds and settles once in a wallet, and says how long the hold took.
    pub async fn pair(&self, wallet: usize) -> Duration {
        match self {
            Self::Ours(ours) => ours.pair(wallet).await,
            Self::Bare(bare) => bare.pair(wallet).await,
            Self::Naive(naive) => naive.pair(wallet).await,
        }
    }
}

/// A variant on a database of its own.
struct Subject {
    variant: Variant,
    store: Store,
    _database: Database,
}

/// Every variant on one kind of database: ours, bare, naive.
struct Subjects([Subject; 3]);

/// Prints the tables; `only` names one database.
pub async fn compare(rounds: usize, only: Option<&str>) {
    let each_ms = setting("BENCH_MS").map_or(1_000, |ms| ms.parse().expect("BENCH_MS is a number"));
    println!("hold + settle pairs; medians of {rounds} rounds of {each_ms} ms a variant, taken in turn");
    println!("ours: the whole ledger, limits at org, deployment, member and key, a real receipt");
    println!(
        "bare: five statements a pair, batched in the same way; naive: a transaction a step, eight connections"
    );
    println!("settlements wait for the disk in all of them, holds in none");
    for (kind, name) in [(Kind::Sqlite, "sqlite"), (Kind::Postgres, "postgres")] {
        if only.is_none_or(|only| only == name) {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let subjects = Subjects::new(kind, folder.path()).await;
            subjects.throughput(name, rounds, Duration::from_millis(each_ms)).await;
            latency::print(&subjects.0[0], rounds, Duration::from_millis(each_ms)).await;
        }
    }
}

impl Subjects {
    async fn new(kind: Kind, folder: &std::path::Path) -> Self {
        let fresh = async |name: &str| {
            let folder = folder.join(name);
            std::fs::create_dir(&folder).expect("a folder for a database");
            let database = Database::fresh(kind, &folder);
            let store = database.connect().await;
            (database, store)
        };
        let subject = |variant, (database, store)| Subject { variant, store, _database: database };
        let (a, b, c) = (fresh("ours").await, fresh("bare").await, fresh("naive").await);
        let ours = Variant::Ours(ours::Ours::open(&a.1).await);
        let bare = Variant::Bare(bare::Bare::open(&b.1).await);
        let naive = Variant::Naive(naive::Naive::open(&c.1).await);
        Self([subject(ours, a), subject(bare, b), subject(naive, c)])
    }

    async fn throughput(&self, name: &str, rounds: usize, lasting: Duration) {
        println!("\n{name}");
        println!(
            "  {:>7} {:>7} | {:>9} {:>9} {:>9} | {:>9} {:>10} | {:>18} {:>9} | {:>15}",
            "clients",
            "wallets",
            "ours/s",
            "bare/s",
            "naive/s",
            "ours/bare",
            "ours/naive",
            "CPU µs ours, bare",
            "ours/bare",
            "hold p50/p99 ms"
        );
        for wallets in WALLETS {
            for clients in CLIENTS {
                let load = Load { clients, wallets, lasting };
                let [ours, bare, naive] = self.in_turn(rounds, &load).await;
                println!(
                    "  {clients:>7} {:>7} | {:>9.0} {:>9.0} {:>9.0} | {:>9.2} {:>10.1} | {:>9.0} {:>8.0} {:>9.2} | {:>7.2} {:>7.2}",
                    wallets.count(),
                    ours.per_second,
                    bare.per_second,
                    naive.per_second,
                    ours.per_second / bare.per_second,
                    ours.per_second / naive.per_second,
                    ours.cpu_us,
                    bare.cpu_us,
                    bare.cpu_us / ours.cpu_us,
                    ours.hold_p50_ms,
                    ours.hold_p99_ms,
                );
            }
        }
    }

    async fn in_turn(&self, rounds: usize, load: &Load) -> [Measured; 3] {
        let mut measured = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (subject, measured) in self.0.iter().zip(&mut measured) {
                measured.push(subject.run(load).await);
            }
        }
        measured.map(|rounds| Measured::median(&rounds))
    }
}

impl Subject {
    async fn run(&self, load: &Load) -> Measured {
        run::run(&self.variant, load, &backends(&self.store).await).await
    }
}

/// The server's processes that work for this database; none on an embedded one.
async fn backends(store: &Store) -> Vec<u32> {
    let Store::Postgres(pool) = store else { return Vec::new() };
    let found: Vec<i32> =
        sqlx::query_scalar("select pid from pg_stat_activity where datname = current_database()")
            .fetch_all(pool)
            .await
            .expect("the server says who works for us");
    found.into_iter().filter_map(|pid| u32::try_from(pid).ok()).collect()
}

/// Runs statements that set a variant up.
async fn prepare(store: &Store, statements: &[&'static str]) {
    for sql in statements {
        let done = on_database!(store, db => sqlx::query(*sql).execute(db).await.map(drop));
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}
