//! The database, its migrations, and the clock and randomness that everything is given.
//! One file of SQL per table; the ledger keeps its own SQL next to its rules.
pub mod account_end;
pub mod announcement;
mod answers;
pub mod api_key;
pub mod api_key_credential;
pub mod attempt;
pub mod audit_event;
pub mod backup;
pub mod billing_details;
pub mod call_body;
pub mod call_limit;
pub mod change_counter;
pub mod channel;
mod connect;
pub mod data_export;
pub mod deployment;
pub mod email_change;
pub mod estimate_ratio;
pub mod idempotent_call;
pub mod identity;
pub mod invitation;
pub mod invoice;
pub mod job;
pub mod kept_keys;
pub mod key_expiry;
pub mod key_leak;
pub mod known_browser;
pub mod letter;
pub mod like;
pub mod limit_node;
pub mod member;
mod migrations;
pub mod names;
pub mod node_rule;
pub mod notice;
pub mod oauth;
pub mod one_time_token;
pub mod operator;
pub mod operator_session;
pub mod operator_token;
pub mod org;
pub mod outbox;
pub mod passkey;
pub mod payment_event;
pub mod payment_order;
pub mod payment_reversal;
pub mod person;
pub mod person_list;
pub mod price_draft;
pub mod quota_request;
pub mod recharge;
pub mod retention_run;
pub mod sealed;
pub mod second_factor;
pub mod session;
pub mod sign_up_request;
pub mod signing_key;
pub mod switch;
#[cfg(feature = "testing")]
pub mod testing;
pub mod voucher;
pub mod voucher_batch;
pub mod waiting_credit;
pub mod webhook;
pub mod webhook_delivery;
pub mod world;

pub use answers::Answers;
pub use connect::ConnectError;
pub use sqlx;
use sqlx::{PgPool, SqlitePool};

/// The connected database. A query is written once and runs on either (see [`on_database!`]).
///
/// SQLite allows one writer: `write` holds exactly one connection, `read` several that cannot write. `answers` says how
/// they are waited for.
#[derive(Clone)]
pub enum Store {
    Sqlite { write: SqlitePool, read: SqlitePool, answers: Answers },
    Postgres(PgPool),
}

/// Compiles the body once for each database and runs the one that is connected.
///
/// `on_database!(store, db => …)` may write. `on_database!(read store, db => …)` may not, and on SQLite
/// does not queue behind writers. `db` is the pool; a transaction (`db.begin()`) stays inside the body, and
/// its first statement is a write, so that SQLite takes its lock at once. The body is an async block of its own: a `?`
/// in it ends the body, not the function.
///
/// ```
/// # use bytespike_store::{Store, on_database, sqlx};
/// async fn wallet_exists(store: &Store, org_id: &str) -> sqlx::Result<bool> {
///     let found: Option<(i64,)> = on_database!(read store, db => sqlx::query_as(
///         "select posted_nano from wallet where org_id = $1")
///         .bind(org_id).fetch_optional(db).await)?;
///     Ok(found.is_some())
/// }
/// ```
#[macro_export]
macro_rules! on_database {
    (read $store:expr, $db:ident => $body:expr) => {
        match $store {
            $crate::Store::Sqlite { read: $db, answers, .. } => answers.of(async { $body }).await,
            $crate::Store::Postgres($db) => $body,
        }
    };
    ($store:expr, $db:ident => $body:expr) => {
        match $store {
            $crate::Store::Sqlite { write: $db, answers, .. } => answers.of(async { $body }).await,
            $crate::Store::Postgres($db) => $body,
        }
    };
}

impl Store {
    /// The same SQLite store, every answer waited for on the spot. The store must have been opened on `connections`'
    /// runtime, and used from another one. PostgreSQL stays as it is: it is no part of a simulation.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn inline(self, connections: tokio::runtime::Handle) -> Self {
        match self {
            Store::Sqlite { write, read, .. } => {
                Store::Sqlite { write, read, answers: Answers::inline(connections) }
            }
            postgres @ Store::Postgres(_) => postgres,
        }
    }

    /// How far the database's clock is ahead of ours, in milliseconds. An embedded database has no clock of its own.
    pub async fn clock_skew_ms(&self, world: &world::World) -> sqlx::Result<i64> {
        let Store::Postgres(pool) = self else { return Ok(0) };
        let (theirs,): (i64,) =
            sqlx::query_as("select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)")
                .fetch_one(pool)
                .await?;
        Ok(theirs - world.now_ms())
    }

    /// Answers when the database does; for readiness checks.
    pub async fn ping(&self) -> sqlx::Result<()> {
        on_database!(read self, db => sqlx::query("select 1").execute(db).await.map(drop))
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        match self {
            Store::Sqlite { write, read, answers } => {
                answers
                    .of(async {
                        read.close().await;
                        write.close().await;
                    })
                    .await;
            }
            Store::Postgres(pool) => pool.close().await,
        }
    }
}
