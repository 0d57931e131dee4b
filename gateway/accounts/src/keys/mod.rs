//! API keys: making, deriving, rotating and ending them, and saying who presents one.
mod caller;
mod change;
mod create;
mod error;
mod expiry;
mod format;
mod identify;
mod info;
mod ips;
mod leak;
mod lifetime;
mod manager;
mod rights;
mod rotate;
mod tags;
mod terms;
#[cfg(test)]
mod tests;

use crate::Basis;
use crate::audit::Audit;
use crate::secrets::{MacKey, MacPurpose};
use crate::throttle::Throttle;
use bytespike_store::Store;
pub use bytespike_store::api_key::States;
use bytespike_store::world::World;
pub use caller::{AllowList, Caller, Scope};
pub(crate) use caller::{scopes_from_stored, scopes_to_stored};
pub use create::{CreatedKey, NewKey};
pub use error::KeyError;
pub(crate) use format::TokenText;
pub use format::{KeyFormatError, KeyKind, PresentedKey};
use identify::{Entry, LastUsed};
pub use identify::{KeyRefusal, Seen};
pub use info::{CredentialInfo, KeyCursor, KeyInfo, KeyState, KeyTags};
pub use ips::{IpRule, MOST_NETWORKS, NotANetwork};
pub use leak::Ended;
pub use lifetime::{Lifetime, MOST_LIFETIME_DAYS, TooLong};
pub use manager::{KeyReach, Manager};
use moka::future::Cache;
pub(crate) use rights::RightsWatch;
pub use rotate::LONGEST_OVERLAP_MS;
use std::sync::Arc;
use std::time::Duration;
pub use tags::{MOST_TAG_CHARACTERS, MOST_TAGS, TagProblem, Tags};
pub use terms::{Allowed, Terms, Wider};

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
    throttle: Throttle,
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
            pepper: basis.keyring.mac(MacPurpose::ApiKey),
            audit,
            throttle: Throttle::new(basis),
            rights,
            cache: Cache::builder().max_capacity(MOST_CACHED).time_to_live(NAMES_LAST).build(),
            last_used: Arc::default(),
        }
    }
}
