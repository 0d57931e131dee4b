//! API keys: making and ending them, and saying who presents one.
mod caller;
mod format;
mod identify;
mod manage;
mod rights;
#[cfg(test)]
mod tests;

use crate::Basis;
use crate::audit::Audit;
use crate::secrets::{MacKey, MacPurpose};
use bytespike_store::Store;
use bytespike_store::world::World;
pub use caller::{Caller, ModelRule, Scope};
pub(crate) use format::TokenText;
pub use format::{KeyFormatError, KeyKind, PresentedKey};
pub use identify::KeyRefusal;
use identify::{Entry, LastUsed};
pub use manage::{CreatedKey, KeyError, KeyInfo, KeyState, NewKey};
use moka::future::Cache;
pub(crate) use rights::RightsWatch;
use std::sync::Arc;
use std::time::Duration;

/// Cached callers at most; each is about a kilobyte.
const MOST_CACHED: u64 = 100_000;
/// A change of rights empties the cache by itself; this bounds how long a renamed org or member keeps its old name.
const NAMES_LAST: Duration = Duration::from_secs(60);
/// Which pepper made a verifier, for the day there is a second one.
const PEPPER_VERSION: i64 = 1;

/// The org's keys, and the cache in front of them. Clones share it.
#[derive(Clone)]
pub struct Keys {
    store: Store,
    world: World,
    pepper: MacKey,
    audit: Audit,
    rights: Arc<RightsWatch>,
    /// By the HMAC of the whole key: neither a key nor a part of one is ever a cache key.
    cache: Cache<[u8; 32], Arc<Entry>>,
    last_used: Arc<LastUsed>,
}

impl Keys {
    pub(crate) fn new(basis: &Basis<'_>, rights: Arc<RightsWatch>, audit: Audit) -> Self {
        Self {
            store: basis.store.clone(),
            world: basis.world.clone(),
            pepper: basis.master.mac(MacPurpose::ApiKey),
            audit,
            rights,
            cache: Cache::builder().max_capacity(MOST_CACHED).time_to_live(NAMES_LAST).build(),
            last_used: Arc::default(),
        }
    }
}
