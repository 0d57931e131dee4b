//! Signing in with an account of another provider. What a provider proves is `(provider, subject)`; an address it has
//! verified makes a new account, and never opens one that is there.
mod arrival;
mod link;
#[cfg(test)]
mod tests;
mod waiting;

use crate::Basis;
use crate::audit::Audit;
use crate::people::People;
use crate::secrets::{MacKey, MacPurpose, SealKey, SealPurpose, SecretText};
pub use arrival::{Arrival, ArrivalError};
use bytespike_store::Store;
use bytespike_store::world::World;
pub use link::{LinkError, LinkedIdentity, UnlinkError};
pub use waiting::{Errand, Purpose, Sent};

/// So long a browser may stay at the provider.
const WAITS_MS: i64 = 10 * 60_000;

#[derive(Clone)]
pub struct Identities {
    store: Store,
    world: World,
    seal: SealKey,
    pepper: MacKey,
    people: People,
    audit: Audit,
}

/// Who somebody is at a provider, once everything the provider said has been checked.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The provider's id in the configuration.
    pub provider: String,
    /// What names the account there for good; never an address.
    pub subject: String,
    /// Only an address that the provider says it verified.
    pub email: Option<String>,
    pub name: Option<String>,
}

impl Identities {
    pub(crate) fn new(basis: &Basis<'_>, people: People, audit: Audit) -> Self {
        Self {
            store: basis.store.clone(),
            world: basis.world.clone(),
            seal: basis.keyring.seal(SealPurpose::IdentityTransaction),
            pepper: basis.keyring.mac(MacPurpose::IdentityTransaction),
            people,
            audit,
        }
    }

    fn random(&self) -> SecretText {
        crate::base62::random(&self.world, 43).into()
    }
}
