//! Sign in with ByteSpike: an OAuth 2.1 authorization server. A program asks ([`authorize`]), a person decides
//! ([`consent`] in a browser, [`device`] on another screen), the program exchanges what it got for tokens ([`exchange`]),
//! and with one of them makes itself a key within the bounds the person set ([`provision`]). Knows no HTTP.
pub mod apps;
pub mod authorize;
mod bearer;
mod client;
pub mod consent;
pub mod device;
pub mod document;
pub mod exchange;
pub mod key_request;
mod pkce;
pub mod provision;
pub mod redirect;
mod refresh;
pub mod scope;
#[cfg(test)]
mod tests;
mod token_text;

use crate::Basis;
use crate::audit::Audit;
use crate::keys::Keys;
use crate::people::People;
use crate::secrets::{MacKey, MacPurpose, SealKey, SealPurpose};
pub use bearer::{Bearer, BearerProblem};
use bytespike_store::Store;
use bytespike_store::world::World;
pub use client::{Client, ClientError, NewClient, RegisteredClient, Trust};
pub use scope::{GrantScope, GrantScopes};
pub use token_text::ACCESS_PREFIX;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// A request waits this long for the person to sign in and decide.
pub const TRANSACTION_MS: i64 = 10 * MINUTE_MS;
const CODE_MS: i64 = MINUTE_MS;
pub const ACCESS_MS: i64 = 15 * MINUTE_MS;
/// A refresh token dies unused after this long …
const REFRESH_IDLE_MS: i64 = 30 * DAY_MS;
/// … and a grant ends its refreshes after this long, whatever its use.
pub const GRANT_MS: i64 = 90 * DAY_MS;

/// What a token can be for: the API, at the address that clients are told.
pub fn resources(gateway_url: &str) -> [String; 1] {
    [format!("{gateway_url}/v1")]
}

/// The authorization server. Clones share everything.
#[derive(Clone)]
pub struct Oauth {
    store: Store,
    world: World,
    pepper: MacKey,
    /// Seals the answer that carries a new key, for the minute in which it may have been lost.
    answer_seal: SealKey,
    keys: Keys,
    people: People,
    audit: Audit,
}

impl Oauth {
    pub(crate) fn new(basis: &Basis<'_>, keys: Keys, people: People, audit: Audit) -> Self {
        Self {
            store: basis.store.clone(),
            world: basis.world.clone(),
            pepper: basis.keyring.mac(MacPurpose::OauthToken),
            answer_seal: basis.keyring.seal(SealPurpose::ProvisionedKey),
            keys,
            people,
            audit,
        }
    }

    /// Removes what nobody can use any more.
    pub async fn sweep(&self) -> sqlx::Result<()> {
        bytespike_store::oauth::grant::sweep(&self.store, self.world.now_ms()).await
    }
}
