//! Work that goes on beside the requests, each at its own pace, until the process stops.

use std::sync::Arc;
use std::time::Duration;

use bytespike_catalog::NanoUsd;
use bytespike_gateway::Gateway;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::Core;
use crate::price_feed::Exports;
use crate::trials;

/// Leases are renewed and lapsed holds expired this often.
const LEDGER_EVERY: Duration = Duration::from_secs(5);
/// The price export is signed anew this often; it is good for fifteen minutes.
const SIGN_EVERY: Duration = Duration::from_secs(60);
/// Trial credit that a crash left owed is booked this often.
const TRIALS_EVERY: Duration = Duration::from_secs(60);

/// Resolved calls are added to the sums of usage this often. Until then answers read them one by one.
const USAGE_EVERY: Duration = Duration::from_secs(30);
/// Months that have ended are looked for this often.
const MONTHS_EVERY: Duration = Duration::from_secs(300);

/// What the jobs work on.
#[derive(Clone)]
pub struct Work {
    pub core: Core,
    pub gateway: Gateway,
    pub exports: Exports,
    pub trial_grant: NanoUsd,
}

/// Starts every job. They end when `stop` is cancelled; the tracker knows when.
pub fn start(work: &Work, stop: &CancellationToken) -> TaskTracker {
    let jobs = TaskTracker::new();
    let accounts = work.core.accounts.clone();
    jobs.spawn(stop.clone().run_until_cancelled_owned(async move { accounts.run().await }));
    jobs.spawn(stop.clone().run_until_cancelled_owned(sign_prices(work.clone())));
    jobs.spawn(stop.clone().run_until_cancelled_owned(book_trials(work.clone())));
    jobs.spawn(stop.clone().run_until_cancelled_owned(add_usage(work.core.clone())));
    jobs.spawn(stop.clone().run_until_cancelled_owned(close_months(work.core.clone())));
    // Running calls need their leases until the very end, so this one is not stopped but dropped with the runtime.
    tokio::spawn(tick_ledger(work.core.clone()));
    jobs.close();
    jobs
}

async fn tick_ledger(core: Core) {
    let mut due = tokio::time::interval(LEDGER_EVERY);
    loop {
        due.tick().await;
        match core.ledger.tick().await {
            Ok(swept) if swept.expired + swept.lapsed > 0 => {
                metrics::counter!("bytespike_holds_expired_total").increment(swept.expired as u64);
                tracing::info!(expired = swept.expired, lapsed = swept.lapsed, "swept the ledger");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the ledger could not be swept; it is tried again"),
        }
    }
}

async fn add_usage(core: Core) {
    let mut due = tokio::time::interval(USAGE_EVERY);
    loop {
        due.tick().await;
        if let Err(error) = core.ledger.roll_up().await {
            tracing::warn!(%error, "usage could not be added to its sums; it is tried again");
        }
    }
}

async fn close_months(core: Core) {
    let mut due = tokio::time::interval(MONTHS_EVERY);
    loop {
        due.tick().await;
        match core.ledger.close_months().await {
            Ok(0) => {}
            Ok(closed) => tracing::info!(closed, "closed monthly statements"),
            Err(error) => tracing::warn!(%error, "months could not be closed; it is tried again"),
        }
    }
}

/// The first tick is at once, so pages have prices from the start.
async fn sign_prices(work: Work) {
    let mut due = tokio::time::interval(SIGN_EVERY);
    loop {
        due.tick().await;
        if let Err(error) = work.gateway.prices.sign_again(work.core.world.now_ms()) {
            tracing::error!(%error, "the price export could not be signed");
        }
        work.exports.send_replace(Some(Arc::new(work.gateway.prices.current().export.clone())));
    }
}

async fn book_trials(work: Work) {
    let mut due = tokio::time::interval(TRIALS_EVERY);
    loop {
        due.tick().await;
        if let Err(error) = trials::book_due(&work.core, work.trial_grant).await {
            tracing::warn!(error, "trial credit could not be booked; it is tried again");
        }
    }
}
