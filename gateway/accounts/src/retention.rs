//! How long things are kept: as the configuration says, or shorter where operators decided so, and what the last removal of
//! each removed.
use crate::switches::{Changed, Switches};
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::retention_run;
pub use bytespike_store::retention_run::RunRow;
use bytespike_store::world::World;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

const DAY_MS: i64 = 86_400_000;

/// What is removed some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Calls that cost nothing: record, receipt and attempts.
    FreeCalls,
    Attempts,
    InvariantRuns,
    CostReports,
    WebhookMessages,
    /// What the payment provider told about payments.
    PaymentEvents,
    /// Processes that are gone.
    Processes,
    /// What calls were asked and answered, where an org has it kept: as long as it chose, at most so long.
    Bodies,
}

/// Clones share what is configured.
#[derive(Clone)]
pub struct Retention {
    store: Store,
    world: World,
    switches: Switches,
    configured: Arc<RwLock<BTreeMap<Kept, u32>>>,
}

#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    #[error("days: from {least} to {most}, as long as the configuration keeps it")]
    Days { least: u32, most: u32 },
    #[error("how long things are kept cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Retention {
    pub(crate) fn new(basis: &Basis<'_>, switches: Switches) -> Self {
        let (store, world) = (basis.store.clone(), basis.world.clone());
        Self { store, world, switches, configured: Arc::new(RwLock::new(BTreeMap::new())) }
    }

    /// What the configuration says, in days.
    pub fn configure(&self, days: impl IntoIterator<Item = (Kept, u32)>) {
        *self.configured.write().unwrap_or_else(PoisonError::into_inner) = days.into_iter().collect();
    }

    /// As the configuration says, in days.
    #[must_use]
    pub fn configured_days(&self, kept: Kept) -> u32 {
        let configured = self.configured.read().unwrap_or_else(PoisonError::into_inner);
        configured.get(&kept).copied().unwrap_or(kept.usual_days())
    }

    /// How long it is kept, in days: never longer than the configuration says.
    #[must_use]
    pub fn days(&self, kept: Kept) -> u32 {
        let configured = self.configured_days(kept);
        let decided = self.switches.number(&kept.switch()).filter(|_| kept.least_days().is_some());
        decided.map_or(configured, |days| days.min(configured))
    }

    /// The same in milliseconds.
    #[must_use]
    pub fn ms(&self, kept: Kept) -> i64 {
        i64::from(self.days(kept)) * DAY_MS
    }

    /// Who shortened it, if anybody did.
    #[must_use]
    pub fn shortened(&self, kept: Kept) -> Option<Changed> {
        self.switches.named(&kept.switch())
    }

    /// Keeps it shorter; without days, as long as the configuration says. Every process follows within two seconds, and the
    /// next hourly removal counts by it.
    pub async fn shorten(
        &self,
        by: (&Origin, &str),
        (kept, days): (Kept, Option<u32>),
    ) -> Result<(), RetentionError> {
        let most = self.configured_days(kept);
        let least = kept.least_days().unwrap_or(most);
        if days.is_some_and(|days| !(least..=most).contains(&days)) || kept.least_days().is_none() {
            return Err(RetentionError::Days { least, most });
        }
        let value = days.map(|days| days.to_string()).unwrap_or_default();
        Ok(self.switches.set_named(by, (&kept.switch(), value)).await?)
    }

    /// Notes what the removal of it did.
    pub async fn removed(&self, kept: Kept, rows: u64) -> sqlx::Result<()> {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        retention_run::record(&self.store, (kept.as_str(), rows), self.world.now_ms()).await
    }

    /// What the last removals did; one that never ran is not there.
    pub async fn runs(&self) -> sqlx::Result<Vec<RunRow>> {
        retention_run::all(&self.store).await
    }
}

impl Kept {
    pub const ALL: [Self; 8] = [
        Self::FreeCalls,
        Self::Attempts,
        Self::InvariantRuns,
        Self::CostReports,
        Self::WebhookMessages,
        Self::PaymentEvents,
        Self::Processes,
        Self::Bodies,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FreeCalls => "free_calls",
            Self::Attempts => "attempts",
            Self::InvariantRuns => "invariant_runs",
            Self::CostReports => "cost_reports",
            Self::WebhookMessages => "webhook_messages",
            Self::PaymentEvents => "payment_events",
            Self::Processes => "processes",
            Self::Bodies => "bodies",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kept| kept.as_str() == text)
    }

    /// The least that an operator may choose: reconciliation looks back for weeks, everything else for a day. `None` where it
    /// is not for them to choose.
    #[must_use]
    pub const fn least_days(self) -> Option<u32> {
        match self {
            Self::Attempts | Self::CostReports => Some(35),
            Self::FreeCalls | Self::InvariantRuns | Self::WebhookMessages | Self::Bodies => Some(1),
            Self::PaymentEvents | Self::Processes => None,
        }
    }

    const fn usual_days(self) -> u32 {
        match self {
            Self::FreeCalls | Self::WebhookMessages | Self::Bodies => 30,
            Self::Attempts | Self::CostReports => 400,
            Self::InvariantRuns | Self::PaymentEvents => 90,
            Self::Processes => 7,
        }
    }

    fn switch(self) -> String {
        format!("retention.{}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{on_each, origin};

    #[tokio::test]
    async fn it_is_only_ever_shortened_within_bounds_and_what_went_is_counted() {
        on_each(async |bench| {
            let retention = &bench.accounts.retention;
            retention.configure([(Kept::FreeCalls, 20), (Kept::Attempts, 400)]);
            let by = (&origin(), "opr_1");
            for (kept, wrong) in
                [(Kept::FreeCalls, 21), (Kept::FreeCalls, 0), (Kept::Attempts, 7), (Kept::Processes, 3)]
            {
                assert!(retention.shorten(by, (kept, Some(wrong))).await.is_err(), "{kept:?} {wrong}");
            }
            retention.shorten(by, (Kept::FreeCalls, Some(5))).await.expect("shortened");
            assert_eq!((retention.days(Kept::FreeCalls), retention.ms(Kept::Attempts)), (5, 400 * DAY_MS));
            let other = bench.other_instance();
            other.switches.read_again().await.expect("read");
            assert_eq!(other.retention.days(Kept::FreeCalls), 5);
            // A configuration that keeps it shorter still wins.
            retention.configure([(Kept::FreeCalls, 3)]);
            assert_eq!(retention.days(Kept::FreeCalls), 3);
            retention.shorten(by, (Kept::FreeCalls, None)).await.expect("taken back");
            assert!(retention.shortened(Kept::FreeCalls).is_none());
            for removed in [4, 0, 3] {
                bench.clock.advance(10);
                retention.removed(Kept::FreeCalls, removed).await.expect("noted");
            }
            retention.removed(Kept::Processes, 0).await.expect("noted");
            let runs = retention.runs().await.expect("read");
            assert_eq!(
                (runs[0].removed, runs[0].removed_in_all, runs[0].last_removed_at_ms),
                (3, 7, Some(runs[0].at_ms))
            );
            assert_eq!((runs[1].removed_in_all, runs[1].last_removed_at_ms), (0, None));
        })
        .await;
    }
}
