//! The one place where a hold ends: priced and settled, or released.

use std::time::Duration;

use bytespike_catalog::{NanoUsd, Served, charge};
use bytespike_dialects::{Cost, TokenUsage};
use bytespike_ledger::{Decision, Reason, Release, Resolution, ResolveError, Settlement, UsageSource};

use tokio::time::sleep;

use super::call::CallBook;
use super::usage;

/// Waits between tries to release what the ledger did not resolve.
const LATER: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// Usage and who counted it.
#[derive(Clone, Copy)]
pub struct Counted {
    pub usage: TokenUsage,
    pub source: UsageSource,
}

impl Default for Counted {
    fn default() -> Self {
        Self { usage: TokenUsage::default(), source: UsageSource::DeliveredCount }
    }
}

/// How a call was resolved.
pub struct Settled {
    /// `None` when the ledger could not resolve it, so that the call is free.
    pub cost: Option<Cost>,
    pub usage: TokenUsage,
    pub resolution: Option<Resolution>,
}

/// Ends the hold. `reason` is how a settled call ended; a released one carries its own.
pub async fn resolve(book: &CallBook, decision: Decision, counted: Counted, reason: &str) -> Settled {
    let (resolved, otherwise) = match decision {
        Decision::Release(reason) => (release(book, reason).await, reason),
        Decision::SettleUsage | Decision::SettleDelivered => {
            (settle(book, counted, reason).await, Reason::LedgerUnavailable)
        }
    };
    let usage = counted.usage;
    match resolved {
        Ok(resolution) => {
            crate::telemetry::resolved(&resolution);
            let receipt_id = resolution.reservation_id.clone();
            let cost = Some(Cost { credits: resolution.charged.credits(), receipt_id });
            Settled { cost, usage, resolution: Some(resolution) }
        }
        Err(error) => {
            let receipt_id = &book.held.reservation_id;
            tracing::error!(%receipt_id, %error, "a call was not resolved as asked; it is free unless its receipt says otherwise");
            if matches!(error, ResolveError::Unavailable(_)) {
                release_later(book.clone(), otherwise);
            }
            Settled { cost: None, usage, resolution: None }
        }
    }
}

/// A usage that cannot be priced is our loss, never a guess.
async fn settle(book: &CallBook, counted: Counted, reason: &str) -> Result<Resolution, ResolveError> {
    let usage = usage::priced(counted.usage);
    let served =
        book.attempts.last().map_or(book.plan.slug.as_str(), |attempt| attempt.model_served.as_str());
    let call = Served { requested: &book.plan.slug, served, held_at_ms: book.held.held_at_ms };
    let charge = match charge(&book.plan.book, &usage, call) {
        Ok(charge) => charge,
        Err(error) => {
            tracing::error!(receipt_id = %book.held.reservation_id, %error, "a usage could not be priced");
            return release(book, Reason::UpstreamGarbled).await;
        }
    };
    if counted.source == UsageSource::Provider
        && let Some(ratio_micro) = usage::ratio_micro(&book.request, counted.usage)
    {
        book.gateway.factors.observe(&book.plan.slug, ratio_micro);
    }
    if let Some(excess) = charge.nano.checked_sub(book.held.held).filter(|excess| *excess > NanoUsd::ZERO) {
        crate::telemetry::over_hold((&book.held.reservation_id, &book.plan.slug), excess);
    }
    let settlement = Settlement {
        reservation_id: book.held.reservation_id.clone(),
        org_id: book.org_id.clone(),
        charge,
        usage,
        usage_source: counted.source,
        reason: reason.to_owned(),
        attempts: book.attempts.clone(),
    };
    book.gateway.ledger.settle(settlement).await
}

/// The client was told that it is free, so it must not be held until its lease runs out. What was committed without our
/// hearing of it stands. When the ledger stays away, or we stop, the lease does it.
fn release_later(book: CallBook, reason: Reason) {
    let (tasks, cut) = (book.gateway.tasks.clone(), book.gateway.cut.clone());
    tasks.spawn(cut.run_until_cancelled_owned(async move {
        for wait in LATER {
            sleep(wait).await;
            match release(&book, reason).await {
                Ok(resolution) => return crate::telemetry::resolved(&resolution),
                Err(ResolveError::Unavailable(_)) => {}
                Err(_) => return,
            }
        }
    }));
}

async fn release(book: &CallBook, reason: Reason) -> Result<Resolution, ResolveError> {
    let release = Release {
        reservation_id: book.held.reservation_id.clone(),
        org_id: book.org_id.clone(),
        reason,
        attempts: book.attempts.clone(),
    };
    book.gateway.ledger.release(release).await
}
