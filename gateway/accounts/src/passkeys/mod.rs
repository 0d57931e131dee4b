//! Passkeys: signing in, and proving anew who one is, with a key that never leaves a device. Each asks its holder for a
//! finger, a face or a PIN, so one is as good as a password and a code. They need a script in the browser; whoever has none
//! uses the password and the authenticator app.
mod challenge;
mod manage;
mod site;

use crate::audit::Audit;
use crate::secrets::{MacKey, MacPurpose, SealKey, SealPurpose};
use crate::throttle::Throttle;
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::world::World;
pub use manage::{AddError, Passkey, RemoveError};
pub use site::Site;
use webauthn_rp::bin::Decode as _;
use webauthn_rp::request::register::UserHandle16;

/// So long a browser may take to answer.
const WAITS_MS: i64 = 5 * 60_000;
/// More than these nobody needs, and each is a way in.
const MOST: i64 = 10;

#[derive(Clone)]
pub struct Passkeys {
    store: Store,
    world: World,
    seal: SealKey,
    pepper: MacKey,
    throttle: Throttle,
    audit: Audit,
}

/// Who asks, and in which browser. The browser's answer is good in it alone.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    pub origin: &'a Origin,
    /// A value that only this browser brings back: of its cookie before sign-in, or of its session.
    pub browser: &'a str,
}

#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// Not of this browser or of nobody's here, answered before, too late, or wrong: nobody is told which.
    #[error("the passkey was not accepted; try again, or use another way")]
    Refused,
    #[error("too many attempts from your network; try again later")]
    TooMany,
    #[error("passkeys cannot be used right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Passkeys {
    pub(crate) fn new(basis: &Basis<'_>, audit: Audit) -> Self {
        Self {
            store: basis.store.clone(),
            world: basis.world.clone(),
            seal: basis.keyring.seal(SealPurpose::PasskeyCeremony),
            pepper: basis.keyring.mac(MacPurpose::PasskeyCeremony),
            throttle: Throttle::new(basis),
            audit,
        }
    }
}

/// What devices know a person by: the random part of their id, which says nothing about them.
fn handle_of(person_id: &str) -> Option<UserHandle16> {
    let bytes = hex::decode(person_id.strip_prefix("usr_")?).ok()?;
    UserHandle16::decode(bytes.try_into().ok()?).ok()
}
