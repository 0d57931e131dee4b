//! Work that goes on beside the requests, each at its own pace, until the process stops.

use std::time::Duration;

use bytespike_accounts::retention::Kept;
use bytespike_accounts::switches::{Feature, Switches};
use bytespike_catalog::NanoUsd;
use bytespike_gateway::Gateway;
use bytespike_gateway::webhooks::Webhooks;
use bytespike_ledger::Retention;
use bytespike_payments::Payments;
use bytespike_store::job;
use bytespike_ui::{Board, Urls};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::alerts;
use crate::core::Core;
use crate::follow::{self, ChannelSources};
use crate::mail::Outbox;
use crate::price_feed::Exports;
use crate::reconcile_command;
use crate::{Failure, data_exports, trials, vouchers, webhooks};

/// Leases are renewed and lapsed holds expired this often.
const LEDGER_EVERY: Duration = Duration::from_secs(5);
/// The price export is signed anew this often; it is good for fifteen minutes.
const SIGN_EVERY: Duration = Duration::from_secs(60);
/// How many processes share the request limits is learnt this often.
const SHARE_EVERY: Duration = Duration::from_secs(1);
/// Idempotency keys whose time is over are forgotten this often.
const FORGET_EVERY: Duration = Duration::from_secs(600);
/// Credit of trials and vouchers that a crash left owed is booked this often.
const OWED_EVERY: Duration = Duration::from_secs(60);

/// Resolved calls are added to the sums of usage this often. Until then answers read them one by one.
const USAGE_EVERY: Duration = Duration::from_secs(30);
/// Months that have ended are looked for this often.
const MONTHS_EVERY: Duration = Duration::from_secs(300);
/// Keys that end soon are looked for this often.
const EXPIRY_EVERY: Duration = Duration::from_secs(60);
/// How often a process asks whether a job that one of several does is due.
const ASK_EVERY: Duration = Duration::from_secs(30);
const MINUTELY_MS: i64 = 60_000;
const HOURLY_MS: i64 = 3_600_000;
const DAILY_MS: i64 = 24 * HOURLY_MS;

/// Payments whose events did not come are asked about this often.
const PAYMENTS_EVERY: Duration = Duration::from_secs(60);
/// Balances are looked at this often, to charge the saved cards of those that are low.
const RECHARGE_EVERY: Duration = Duration::from_secs(5);
/// What the ledger wants told is turned into letters this often.
const ALERTS_EVERY: Duration = Duration::from_secs(5);

/// Copies of data that people asked for are looked for this often.
const EXPORTS_EVERY: Duration = Duration::from_secs(2);

/// Limits that were raised for a time are set back at most this late.
const GRANTS_EVERY: Duration = Duration::from_secs(5);

/// What the jobs work on.
#[derive(Clone)]
pub struct Work {
    pub core: Core,
    pub gateway: Gateway,
    pub exports: Exports,
    /// What the pages of this process announce.
    pub board: Board,
    pub trial_grant: NanoUsd,
    pub sources: ChannelSources,
    pub payments: Option<Payments>,
    pub webhooks: Webhooks,
    /// Where a mail server is configured: what alerts become, and the addresses in them.
    pub letters: Option<(Outbox, Urls)>,
}

/// Starts every job. They end when `stop` is cancelled; the tracker knows when.
pub fn start(work: &Work, stop: &CancellationToken) -> TaskTracker {
    let jobs = TaskTracker::new();
    let accounts = work.core.accounts.clone();
    jobs.spawn(stop.clone().run_until_cancelled_owned(async move { accounts.run().await }));
    jobs.spawn(stop.clone().run_until_cancelled_owned(sign_prices(work.clone())));
    jobs.spawn(stop.clone().run_until_cancelled_owned(follow::follow(work.clone())));
    jobs.spawn(stop.clone().run_until_cancelled_owned(follow::tell_estimates(work.clone())));
    jobs.spawn(stop.clone().run_until_cancelled_owned(book_owed(work.clone())));
    jobs.spawn(stop.clone().run_until_cancelled_owned(add_usage(work.core.clone())));
    jobs.spawn(stop.clone().run_until_cancelled_owned(close_months(work.core.clone())));
    jobs.spawn(stop.clone().run_until_cancelled_owned(do_what_is_due(work.clone())));
    if let Some(payments) = work.payments.clone() {
        jobs.spawn(stop.clone().run_until_cancelled_owned(finish_payments(payments.clone())));
        let switches = work.core.accounts.switches.clone();
        jobs.spawn(stop.clone().run_until_cancelled_owned(recharge(payments, switches)));
    }
    if let Some(letters) = work.letters.clone() {
        jobs.spawn(stop.clone().run_until_cancelled_owned(write_alerts(work.core.clone(), letters)));
    }
    jobs.spawn(stop.clone().run_until_cancelled_owned(data_exports::prepare(work.clone(), EXPORTS_EVERY)));
    jobs.spawn(stop.clone().run_until_cancelled_owned(webhooks::spread(work.webhooks.clone())));
    let (sender, until) = (work.webhooks.clone(), stop.clone());
    jobs.spawn(async move { sender.run(until).await });
    jobs.spawn(stop.clone().run_until_cancelled_owned(tell_of_expiry(work.core.clone())));
    jobs.spawn(stop.clone().run_until_cancelled_owned(end_grants(work.core.clone())));
    jobs.spawn(stop.clone().run_until_cancelled_owned(share_limits(work.gateway.clone())));
    jobs.spawn(stop.clone().run_until_cancelled_owned(forget_idempotency_keys(work.gateway.clone())));
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

async fn write_alerts(core: Core, (outbox, urls): (Outbox, Urls)) {
    let mut due = tokio::time::interval(ALERTS_EVERY);
    loop {
        due.tick().await;
        if let Err(error) = alerts::write_letters(&core, &outbox, &urls).await {
            tracing::warn!(%error, "alerts could not be written; it is tried again");
        }
    }
}

/// Every process may: an order is credited once however often that is asked.
async fn finish_payments(payments: Payments) {
    let mut due = tokio::time::interval(PAYMENTS_EVERY);
    loop {
        due.tick().await;
        match payments.finish().await {
            Ok(0) => {}
            Ok(finished) => tracing::info!(finished, "finished payments whose events had not come"),
            Err(error) => tracing::warn!(%error, "payments could not be finished; it is tried again"),
        }
    }
}

/// Every process may: an org has one such payment at a time. While operators have it switched off none begins.
async fn recharge(payments: Payments, switches: Switches) {
    let mut due = tokio::time::interval(RECHARGE_EVERY);
    loop {
        due.tick().await;
        let done = match switches.is_on(Feature::Recharge) {
            true => payments.recharge_due().await,
            false => payments.go_on_with_recharges().await,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "balances could not be looked at for recharging; it is tried again");
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
        follow::show_prices(&work);
    }
}

/// Limits that were raised for a time are set back.
async fn end_grants(core: Core) {
    let requests = core.quota_requests();
    let mut due = tokio::time::interval(GRANTS_EVERY);
    loop {
        due.tick().await;
        if let Err(error) = requests.end_due().await {
            tracing::warn!(%error, "a limit could not be set back; it is tried again");
        }
    }
}

/// Every process may: a key's end is told of once however often it is looked for.
async fn tell_of_expiry(core: Core) {
    let mut due = tokio::time::interval(EXPIRY_EVERY);
    loop {
        due.tick().await;
        if let Err(error) = core.accounts.keys.tell_of_expiry().await {
            tracing::warn!(%error, "keys that end soon could not be told of; it is tried again");
        }
    }
}

/// A process that stops says so no more, and the others take over its share.
async fn share_limits(gateway: Gateway) {
    let mut due = tokio::time::interval(SHARE_EVERY);
    loop {
        due.tick().await;
        if let Err(error) = gateway.share_limits().await {
            tracing::warn!(%error, "the processes that share request limits could not be counted; it is tried again");
        }
    }
}

async fn forget_idempotency_keys(gateway: Gateway) {
    let mut due = tokio::time::interval(FORGET_EVERY);
    loop {
        due.tick().await;
        if let Err(error) = gateway.forget_idempotency_keys().await {
            tracing::warn!(%error, "old idempotency keys could not be removed; it is tried again");
        }
    }
}

async fn book_owed(work: Work) {
    let mut due = tokio::time::interval(OWED_EVERY);
    loop {
        due.tick().await;
        if let Err(error) = trials::book_due(&work.core, work.trial_grant).await {
            tracing::warn!(error, "trial credit could not be booked; it is tried again");
        }
        if let Err(error) = work.core.operations().book_confirmed().await {
            tracing::warn!(%error, "confirmed credit could not be booked; it is tried again");
        }
        if let Err(error) = vouchers::book_due(&work.core).await {
            tracing::warn!(error, "vouchers could not be booked; it is tried again");
        }
    }
}

/// Jobs of which one process does each, however many there are.
async fn do_what_is_due(work: Work) {
    let mut due = tokio::time::interval(ASK_EVERY);
    loop {
        due.tick().await;
        // The daily check looks at everything, so that a row which changed long after it was checked is found as well.
        if_due(&work.core, ("whole_history", DAILY_MS), check_books(&work.core, true)).await;
        if_due(&work.core, ("invariants", HOURLY_MS), check_books(&work.core, false)).await;
        if_due(&work.core, ("retention", HOURLY_MS), forget_old(&work)).await;
        if_due(&work.core, ("bodies", MINUTELY_MS), forget_bodies(&work.core)).await;
        let reconciled = reconcile_command::daily(&work.core, &work.sources);
        if_due(&work.core, ("reconciliation", DAILY_MS), reconciled).await;
    }
}

/// Does the work if it is this process's turn. What fails is tried again soon.
async fn if_due(core: &Core, (name, every_ms): (&str, i64), work: impl Future<Output = Result<(), Failure>>) {
    let claimed = job::claim(&core.store, name, (core.world.now_ms(), every_ms)).await;
    let done = match claimed {
        Ok(true) => work.await,
        Ok(false) => Ok(()),
        Err(error) => Err(error.into()),
    };
    if let Err(error) = done {
        tracing::warn!(error, job = name, "a job failed; it is tried again");
        if let Err(error) = job::give_back(&core.store, name).await {
            tracing::warn!(%error, job = name, "a job could not be given back; it waits for its next turn");
        }
    }
}

/// The invariants in production, and the counts that the status page shows beside them.
async fn check_books(core: &Core, whole_history: bool) -> Result<(), Failure> {
    let violations = match whole_history {
        true => core.ledger.check_invariants().await?,
        false => core.ledger.check_what_is_new().await?,
    };
    metrics::gauge!("bytespike_ledger_violations").set(f64::from(u32::try_from(violations.len())?));
    for violation in &violations {
        tracing::error!(
            invariant = violation.invariant,
            example = violation.example,
            "an invariant of the ledger does not hold"
        );
    }
    core.ledger.count_calls().await?;
    Ok(())
}

/// Deletes what calls were asked and answered once its time is over.
async fn forget_bodies(core: &Core) -> Result<(), Failure> {
    let forgotten = core.accounts.bodies.forget().await?;
    Ok(core.accounts.retention.removed(Kept::Bodies, forgotten).await?)
}

/// Removes what was kept long enough, and notes how much of each went.
async fn forget_old(work: &Work) -> Result<(), Failure> {
    let kept = &work.core.accounts.retention;
    let forgotten = work
        .core
        .ledger
        .forget_old(&Retention {
            free_calls_ms: kept.ms(Kept::FreeCalls),
            attempts_ms: kept.ms(Kept::Attempts),
            invariant_runs_ms: kept.ms(Kept::InvariantRuns),
            cost_reports_ms: kept.ms(Kept::CostReports),
            processes_ms: kept.ms(Kept::Processes),
        })
        .await?;
    if let Some(payments) = &work.payments {
        kept.removed(Kept::PaymentEvents, payments.forget_bodies().await?).await?;
    }
    let before_ms = work.core.world.now_ms() - kept.ms(Kept::WebhookMessages);
    kept.removed(Kept::WebhookMessages, work.webhooks.forget(before_ms).await?).await?;
    for (what, rows) in [
        (Kept::FreeCalls, forgotten.free_calls),
        (Kept::Attempts, forgotten.attempts),
        (Kept::InvariantRuns, forgotten.invariant_runs),
        (Kept::CostReports, forgotten.cost_lines),
        (Kept::Processes, forgotten.processes),
    ] {
        kept.removed(what, rows).await?;
    }
    if forgotten.total() > 0 {
        metrics::counter!("bytespike_rows_forgotten_total").increment(forgotten.total());
        tracing::info!(?forgotten, "removed what was kept long enough");
    }
    Ok(())
}
