//! The bare variant on PostgreSQL: the wallets of a batch are locked, it is decided in memory, and written as sets.

use super::bare::{BATCH, CHARGE, HOLD, Job, QUEUE, Step};
use bytespike_store::sqlx::{self, PgPool};
use std::collections::{BTreeMap, HashSet};
use tokio::sync::mpsc;

/// Transactions under way at once: as in the ledger.
const LANES: usize = 4;

pub fn start(pool: &PgPool) -> Vec<mpsc::Sender<Job>> {
    let lane = |_| {
        let (sender, mut jobs) = mpsc::channel(QUEUE);
        let pool = pool.clone();
        tokio::spawn(async move {
            let mut queued = Vec::with_capacity(BATCH);
            while jobs.recv_many(&mut queued, BATCH).await > 0 {
                commit(&pool, std::mem::take(&mut queued)).await.expect("a batch is committed");
            }
        });
        sender
    };
    (0..LANES).map(lane).collect()
}

/// What a batch writes, a column each.
#[derive(Default)]
struct Batch {
    held: (Vec<String>, Vec<String>),
    settled: Vec<String>,
    journal: (Vec<String>, Vec<String>, Vec<String>),
}

async fn commit(pool: &PgPool, jobs: Vec<Job>) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    if !jobs.iter().any(|job| matches!(job.step, Step::Settle { .. })) {
        sqlx::query("set local synchronous_commit = off").execute(&mut *transaction).await?;
    }
    let ids: Vec<&str> = jobs.iter().map(|job| wallet_of(&job.step)).collect();
    let wallets: Vec<(String, i64, i64)> =
        sqlx::query_as("select id, posted, held from wallet where id = any($1) order by id for update")
            .bind(&ids)
            .fetch_all(&mut *transaction)
            .await?;
    let mut wallets: BTreeMap<String, (i64, i64)> =
        wallets.into_iter().map(|(id, posted, held)| (id, (posted, held))).collect();
    let (batch, done) = decide(&jobs, &mut wallets);
    if !batch.held.0.is_empty() {
        sqlx::query("insert into reservation select id, wallet_id, 'held', $3, null from unnest($1::text[], $2::text[]) r (id, wallet_id)")
            .bind(&batch.held.0).bind(&batch.held.1).bind(HOLD).execute(&mut *transaction).await?;
    }
    let mut known = HashSet::new();
    if !batch.settled.is_empty() {
        let settled: Vec<String> = sqlx::query_scalar(
            "update reservation set state = 'settled', charged = $2 where id = any($1) and state = 'held' returning id")
            .bind(&batch.settled).bind(CHARGE).fetch_all(&mut *transaction).await?;
        known.extend(settled);
        sqlx::query("insert into journal select id, reservation_id, wallet_id, $4 from unnest($1::text[], $2::text[], $3::text[]) j (id, reservation_id, wallet_id)")
            .bind(&batch.journal.0).bind(&batch.journal.1).bind(&batch.journal.2).bind(-CHARGE)
            .execute(&mut *transaction).await?;
    }
    let (ids, amounts): (Vec<&str>, Vec<(i64, i64)>) =
        wallets.iter().map(|(id, amounts)| (id.as_str(), *amounts)).unzip();
    let (posted, held): (Vec<i64>, Vec<i64>) = amounts.into_iter().unzip();
    sqlx::query("update wallet set posted = w.posted, held = w.held from unnest($1::text[], $2::bigint[], $3::bigint[]) w (id, posted, held) where wallet.id = w.id")
        .bind(&ids).bind(&posted).bind(&held).execute(&mut *transaction).await?;
    transaction.commit().await?;
    for (job, done) in jobs.into_iter().zip(done) {
        let settled = match &job.step {
            Step::Hold { .. } => true,
            Step::Settle { id, .. } => known.contains(id),
        };
        // A client that is gone does not care.
        job.done.send(done && settled).ok();
    }
    Ok(())
}

fn wallet_of(step: &Step) -> &str {
    match step {
        Step::Hold { wallet_id, .. } | Step::Settle { wallet_id, .. } => wallet_id,
    }
}

fn decide(jobs: &[Job], wallets: &mut BTreeMap<String, (i64, i64)>) -> (Batch, Vec<bool>) {
    let mut batch = Batch::default();
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        let (posted, held) = wallets.get_mut(wallet_of(&job.step)).expect("a wallet");
        match &job.step {
            Step::Hold { id, wallet_id } => {
                let fits = *posted - *held >= HOLD;
                if fits {
                    *held += HOLD;
                    batch.held.0.push(id.clone());
                    batch.held.1.push(wallet_id.clone());
                }
                done.push(fits);
            }
            Step::Settle { id, wallet_id, journal_id } => {
                *held -= HOLD;
                *posted -= CHARGE;
                batch.settled.push(id.clone());
                batch.journal.0.push(journal_id.clone());
                batch.journal.1.push(id.clone());
                batch.journal.2.push(wallet_id.clone());
                done.push(true);
            }
        }
    }
    (batch, done)
}
