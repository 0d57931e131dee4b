//! The handle everybody holds.
use crate::call::*;
use crate::read::*;
use bytespike_store::Store;
use bytespike_store::world::World;

/// One ledger for one database; clones share it.
#[derive(Clone)]
pub struct Ledger {
    store: Store,
    world: World,
}

impl Ledger {
    /// Starts the writer. Call [`Ledger::recover`] before serving.
    pub async fn open(_store: Store, _world: World) -> Result<Self, OpenError> {
        unimplemented!()
    }
    pub async fn hold(&self, _request: HoldRequest) -> Result<Held, HoldError> {
        unimplemented!()
    }
    /// Idempotent. Gives up after two seconds: then the call is free unless its receipt says otherwise.
    pub async fn settle(&self, _settlement: Settlement) -> Result<Resolution, ResolveError> {
        unimplemented!()
    }
    pub async fn release(&self, _release: Release) -> Result<Resolution, ResolveError> {
        unimplemented!()
    }
    pub async fn credit(&self, _credit: Credit) -> Result<Credited, BookingError> {
        unimplemented!()
    }
    /// Creates the org's wallet (empty) or sets its time zone.
    pub async fn open_wallet(&self, _org_id: &str, _time_zone: &str) -> Result<(), BookingError> {
        unimplemented!()
    }
    pub async fn set_limit(&self, _limit: SetLimit) -> Result<(), BookingError> {
        unimplemented!()
    }
    pub async fn set_frozen(&self, _org_id: &str, _frozen: bool) -> Result<(), BookingError> {
        unimplemented!()
    }
    /// Renews this process's leases, expires what nobody owns, and writes off lapsed credit. Every 5 s.
    pub async fn tick(&self) -> Result<Swept, Unavailable> {
        unimplemented!()
    }
    /// After a start: expires the holds of dead processes and checks the invariants.
    pub async fn recover(&self) -> Result<Recovered, RecoverError> {
        unimplemented!()
    }
    pub async fn wallet(&self, _org_id: &str) -> sqlx::Result<Option<Wallet>> {
        unimplemented!()
    }
    pub async fn limits(&self, _org_id: &str) -> sqlx::Result<Vec<LimitState>> {
        unimplemented!()
    }
    /// The receipt of a resolved call; `None` while it runs, or when there is none.
    pub async fn receipt(&self, _id: &str) -> sqlx::Result<Option<Receipt>> {
        unimplemented!()
    }
    /// Newest first.
    pub async fn calls(
        &self,
        _org_id: &str,
        _filter: &CallFilter,
        _page: &Page,
    ) -> sqlx::Result<Vec<CallRow>> {
        unimplemented!()
    }
    pub async fn summary(&self, _org_id: &str, _from_ms: i64, _to_ms: i64) -> sqlx::Result<Summary> {
        unimplemented!()
    }
    pub async fn transactions(&self, _org_id: &str, _limit: u32) -> sqlx::Result<Vec<Transaction>> {
        unimplemented!()
    }
    pub async fn check_invariants(&self) -> sqlx::Result<Vec<Violation>> {
        unimplemented!()
    }
    /// Publishes the book under the next version, or finds the version it already has.
    pub async fn publish(
        &self,
        _book: bytespike_catalog::PriceBook,
    ) -> Result<bytespike_catalog::PriceBook, Unavailable> {
        unimplemented!()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}")]
    Unavailable(String),
}
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error("the ledger's invariants do not hold: {0:?}")]
    Violated(Vec<Violation>),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub expired: usize,
    pub lapsed: usize,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    pub expired: usize,
}
/// A rule that does not hold, and an example.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Violation {
    pub invariant: String,
    pub example: String,
}
