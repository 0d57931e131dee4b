//! The handle everybody holds: commands go to the writer, everything else is a statement of its own.
use crate::alerts::{AlertSetting, Alerts};
use crate::batch::{Answer, Command, Lease};
use crate::books::{self, BooksError, Draft, InForce, Publication};
use crate::call::{
    BookingError, Claim, Claimed, Credit, Credited, Debit, GrantEnd, Held, HoldError, HoldRequest, Release,
    Resolution, ResolveError, SetLimit, Settlement, Unavailable,
};
use crate::faults::{Faults, NoFaults};
use crate::invariants::{self, Violation};
use crate::live::LiveHolds;
use crate::node::NodeId;
use crate::verified::{self, From};
use crate::window::Window;
use crate::writer::{Context, Writer};
use crate::{instance, settings};
use bytespike_catalog::PriceBook;
use bytespike_catalog::diff::Revision;
use bytespike_catalog::fx::FxRate;
use bytespike_store::Store;
use bytespike_store::audit_event::Entry;
use bytespike_store::world::World;
use std::sync::Arc;
use std::time::Duration;

/// How long a hold lives without its owner renewing it.
const LEASE_MS: i64 = 60_000;
/// A hold that the writer has not begun by then is given up, and the call refused.
const HOLD_WITHIN: Duration = Duration::from_secs(5);
/// A settlement that the writer has not begun by then is given up: the customer does not wait for our ledger, and the call
/// is free.
const RESOLVE_WITHIN: Duration = Duration::from_secs(2);

/// One ledger for one database; clones share it.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) store: Store,
    pub(crate) world: World,
    pub(crate) writer: Writer,
    pub(crate) live: LiveHolds,
    /// This process's name in the database.
    pub(crate) owner: String,
}

/// Why a ledger did not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a ledger must not serve.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error("the ledger's invariants do not hold: {0:?}")]
    Violated(Vec<Violation>),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What a round of housekeeping ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub expired: usize,
    pub lapsed: usize,
}

/// What a start found left over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    pub expired: usize,
}

impl Ledger {
    /// Starts the writer. Call [`Ledger::recover`] before serving.
    pub async fn open(store: Store, world: World) -> Result<Self, OpenError> {
        Self::open_with(store, world, Arc::new(NoFaults)).await
    }

    /// As [`Ledger::open`], with a writer that fails where it is told to.
    pub async fn open_with(store: Store, world: World, faults: Arc<dyn Faults>) -> Result<Self, OpenError> {
        let owner = world.id("ins");
        instance::register(&store, &owner, world.now_ms()).await?;
        let lease = Lease { owner: owner.clone(), length_ms: LEASE_MS };
        let writer = Writer::start(&store, Context { world: world.clone(), lease, faults })?;
        Ok(Self { store, world, writer, live: LiveHolds::default(), owner })
    }

    /// Takes credit aside, or says why not.
    pub async fn hold(&self, request: HoldRequest) -> Result<Held, HoldError> {
        let reservation_id = request.reservation_id.clone();
        // Owned before it is asked for, so that no tick can find it abandoned.
        let live = self.live.enter(&reservation_id);
        match self.writer.ask_within(HOLD_WITHIN, Command::Hold(Box::new(request))).await? {
            Answer::Hold(Ok(granted)) => Ok(Held {
                reservation_id,
                held: granted.held,
                held_at_ms: granted.held_at_ms,
                wallet_available: granted.wallet_available,
                limits: granted.limits,
                _live: live,
            }),
            Answer::Hold(Err(refusal)) => Err(refusal.into()),
            _ => Err(mixed_up().into()),
        }
    }

    /// Idempotent. Gives up when it has not begun after two seconds: then it never will, and the call is free.
    pub async fn settle(&self, settlement: Settlement) -> Result<Resolution, ResolveError> {
        resolution(self.writer.ask_within(RESOLVE_WITHIN, Command::Settle(Box::new(settlement))).await?)
    }

    /// Idempotent. Gives up after two seconds: then the hold stands until it is released again, or expires.
    pub async fn release(&self, release: Release) -> Result<Resolution, ResolveError> {
        resolution(self.writer.ask_within(RESOLVE_WITHIN, Command::Release(Box::new(release))).await?)
    }

    /// Books once per idempotency key.
    pub async fn credit(&self, credit: Credit) -> Result<Credited, BookingError> {
        self.book(Command::Credit(credit, None)).await
    }

    /// As [`Self::credit`], and appends the entry in the same transaction if that books it.
    pub async fn credit_decided(&self, credit: Credit, entry: &Entry) -> Result<Credited, BookingError> {
        self.book(Command::Credit(credit, Some(Box::new(entry.clone())))).await
    }

    /// Takes credit out once per idempotency key, never more than is free of its kind, and appends the entry in the same
    /// transaction if that books it.
    pub async fn debit(&self, debit: Debit, entry: Option<&Entry>) -> Result<Credited, BookingError> {
        self.book(Command::Debit(debit, entry.cloned().map(Box::new))).await
    }

    async fn book(&self, credit: Command) -> Result<Credited, BookingError> {
        match self.writer.ask(credit).await? {
            Answer::Credit(booked) => booked,
            _ => Err(mixed_up().into()),
        }
    }

    /// Takes a payment back once per idempotency key. What is missing is owed, and nothing is held until it is paid.
    pub async fn claim(&self, claim: Claim) -> Result<Claimed, BookingError> {
        match self.writer.ask(Command::Claim(claim)).await? {
            Answer::Claim(claimed) => claimed,
            _ => Err(mixed_up().into()),
        }
    }

    /// Creates the org's wallet (empty) or sets its time zone.
    pub async fn open_wallet(&self, org_id: &str, time_zone: &str) -> Result<(), BookingError> {
        settings::open_wallet(&self.store, org_id, (time_zone, self.world.now_ms()), None).await
    }

    /// Sets the org's time zone, and appends the entry in the same transaction.
    pub async fn change_time_zone(
        &self,
        org_id: &str,
        time_zone: &str,
        entry: &Entry,
    ) -> Result<(), BookingError> {
        settings::open_wallet(&self.store, org_id, (time_zone, self.world.now_ms()), Some(entry)).await
    }

    /// Sets, changes or removes a limit. A new lifetime or monthly limit counts what was spent before it was set.
    pub async fn set_limit(&self, limit: SetLimit) -> Result<(), BookingError> {
        settings::set_limit(&self.store, &limit, (self.world.now_ms(), None), None).await
    }

    /// As [`Self::set_limit`], and appends the entry in the same transaction.
    pub async fn change_limit(&self, limit: SetLimit, entry: &Entry) -> Result<(), BookingError> {
        settings::set_limit(&self.store, &limit, (self.world.now_ms(), None), Some(entry)).await
    }

    /// Sets a limit for a time: a hold after its end finds what the limit is set to then.
    pub async fn grant_limit(
        &self,
        limit: SetLimit,
        end: GrantEnd,
        entry: Option<&Entry>,
    ) -> Result<(), BookingError> {
        settings::set_limit(&self.store, &limit, (self.world.now_ms(), Some(end)), entry).await
    }

    /// Writes down that a grant of this limit is over, if one is: no hold depends on it.
    pub async fn end_grant(&self, org_id: &str, limit: (&NodeId, Window)) -> sqlx::Result<()> {
        settings::end_grant(&self.store, org_id, limit, self.world.now_ms()).await
    }

    /// When the org wants to be told of its balance and its limits.
    pub async fn set_alerts(&self, org_id: &str, alerts: Alerts) -> Result<(), BookingError> {
        settings::set_alerts(&self.store, org_id, alerts, None).await
    }

    /// As [`Self::set_alerts`], and appends the entry in the same transaction.
    pub async fn change_alerts(
        &self,
        org_id: &str,
        alerts: Alerts,
        entry: &Entry,
    ) -> Result<(), BookingError> {
        settings::set_alerts(&self.store, org_id, alerts, Some(entry)).await
    }

    /// Changes one of the org's alerts and leaves the others as they are. The event, made of what was and what is then, is
    /// appended in the same transaction.
    pub async fn set_alert(
        &self,
        org_id: &str,
        to: AlertSetting,
        told: impl Fn(Alerts, Alerts) -> Entry,
    ) -> Result<(), BookingError> {
        settings::set_alert(&self.store, (org_id, to), told).await
    }

    /// A frozen wallet takes no holds; what is held may still settle.
    pub async fn set_frozen(&self, org_id: &str, frozen: bool) -> Result<(), BookingError> {
        settings::set_frozen(&self.store, org_id, frozen).await
    }

    /// As [`Self::set_frozen`], and appends the entry in the same transaction.
    pub async fn change_frozen(&self, org_id: &str, frozen: bool, entry: &Entry) -> Result<(), BookingError> {
        settings::change_frozen(&self.store, (org_id, frozen), entry).await
    }

    /// Renews this process's leases, expires what nobody owns, and writes off lapsed credit. Every 5 s.
    pub async fn tick(&self) -> Result<Swept, Unavailable> {
        let now_ms = self.world.now_ms();
        let live = self.live.ids();
        let found = instance::keep_alive(&self.store, &self.owner, (now_ms, LEASE_MS), &live).await;
        let abandoned = found.map_err(|error| Unavailable(error.to_string()))?;
        let expired = self.expire(abandoned).await?;
        let lapsed = self.lapse(now_ms).await?;
        Ok(Swept { expired, lapsed })
    }

    /// Says that this process admits calls, and counts the processes that do, this one included. Every second.
    pub async fn admits_calls(&self) -> sqlx::Result<i64> {
        instance::admits_calls(&self.store, &self.owner, self.world.now_ms()).await
    }

    /// After a start: expires the holds of dead processes and checks the invariants, as far as they were not before.
    pub async fn recover(&self) -> Result<Recovered, RecoverError> {
        let abandoned = instance::bury(&self.store, &self.owner, self.world.now_ms()).await?;
        let expired = self.expire(abandoned).await?;
        let violations = self.check_what_is_new().await?;
        if violations.is_empty() {
            Ok(Recovered { expired })
        } else {
            Err(RecoverError::Violated(violations))
        }
    }

    /// Checks the ledger's rules over its whole history and keeps the result. Takes the longer, the longer that is.
    pub async fn check_invariants(&self) -> sqlx::Result<Vec<Violation>> {
        let violations = invariants::check(&self.store, self.world.now_ms()).await?;
        invariants::record(&self.store, &self.world, From::Beginning, &violations).await?;
        Ok(violations)
    }

    /// Checks what is new since the last check that found nothing, and keeps the result.
    pub async fn check_what_is_new(&self) -> sqlx::Result<Vec<Violation>> {
        let violations = verified::check(&self.store, From::Marks, self.world.now_ms()).await?;
        invariants::record(&self.store, &self.world, From::Marks, &violations).await?;
        Ok(violations)
    }

    /// Puts a price book in force and answers with it under its version: the one it has had before, or the next one.
    /// The caller has checked it (`bytespike_catalog::check`).
    pub async fn publish(&self, draft: Draft) -> Result<PriceBook, BooksError> {
        let version = books::publish(&self.store, &draft, (self.world.now_ms(), None)).await?;
        Ok(draft.book.with_version(version))
    }

    /// As [`Self::publish`], by somebody's decision: drops the draft of the operators' pages, and appends the entry, about the
    /// version, in the same transaction.
    pub async fn publish_decided(&self, draft: Draft, entry: &Entry) -> Result<PriceBook, BooksError> {
        let version = books::publish(&self.store, &draft, (self.world.now_ms(), Some(entry))).await?;
        Ok(draft.book.with_version(version))
    }

    /// The price book in force; `None` before the first was published.
    pub async fn prices_in_force(&self) -> Result<Option<InForce>, BooksError> {
        books::in_force(&self.store).await
    }

    /// The price book of a version, in force or not.
    pub async fn price_book(&self, version: i64) -> Result<Option<PriceBook>, BooksError> {
        books::load(&self.store, version).await
    }

    /// Which price books came into force, newest first.
    pub async fn publications(&self, limit: u32) -> sqlx::Result<Vec<Publication>> {
        books::history(&self.store, limit).await
    }

    /// What the last publications changed, newest first. Reads every one of their books.
    pub async fn price_history(&self, limit: u32) -> Result<Vec<Revision>, BooksError> {
        books::revisions(&self.store, limit).await
    }

    /// The newest exchange rate that was seen, whether or not a book uses it.
    pub async fn newest_rate(&self) -> sqlx::Result<Option<FxRate>> {
        books::newest_rate(&self.store).await
    }

    /// All at once, so that they share batches.
    async fn expire(&self, abandoned: Vec<(String, String)>) -> Result<usize, Unavailable> {
        let mut expiries = tokio::task::JoinSet::new();
        for (reservation_id, org_id) in abandoned {
            let writer = self.writer.clone();
            expiries.spawn(async move { writer.ask(Command::Expire { reservation_id, org_id }).await });
        }
        let mut expired = 0;
        while let Some(done) = expiries.join_next().await {
            let answer = done.map_err(|error| Unavailable(error.to_string()))??;
            expired += usize::from(matches!(answer, Answer::Resolve(Ok(_))));
        }
        Ok(expired)
    }

    async fn lapse(&self, now_ms: i64) -> Result<usize, Unavailable> {
        let orgs = settings::orgs_with_lapsed_credit(&self.store, now_ms).await;
        let mut lapsed = 0;
        for org_id in orgs.map_err(|error| Unavailable(error.to_string()))? {
            lapsed +=
                usize::from(matches!(self.writer.ask(Command::Lapse { org_id }).await?, Answer::Lapse(true)));
        }
        Ok(lapsed)
    }
}

fn resolution(answer: Answer) -> Result<Resolution, ResolveError> {
    match answer {
        Answer::Resolve(resolved) => resolved,
        _ => Err(mixed_up().into()),
    }
}

/// An answer to another command than was asked: a mistake in the writer, and no reason to panic.
fn mixed_up() -> Unavailable {
    Unavailable("its writer answered another command".to_owned())
}
