//! The public keys this installation has signed with: remembered in the database, so that a former key stays known.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use bytespike_accounts::secrets::SignPurpose;
use bytespike_gateway::{Jwk, KeySet};
use bytespike_store::signing_key::{self, SigningKeyRow};
use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::Failure;
use crate::core::Core;

const PURPOSES: [(SignPurpose, &str); 2] =
    [(SignPurpose::Receipt, "receipt"), (SignPurpose::PriceExport, "price_export")];

/// Remembers the keys in use and returns them with every earlier one.
///
/// # Errors
/// The database cannot be read or written.
pub async fn publish(core: &Core) -> Result<KeySet, Failure> {
    let mut current = Vec::new();
    for (purpose, name) in PURPOSES {
        let key = SigningKey::from_bytes(&core.keyring.signing_seed(purpose)).verifying_key();
        let jwk = Jwk::new(&key, name, "current");
        let row = SigningKeyRow {
            id: jwk.kid.clone(),
            purpose: name.to_owned(),
            public_key: jwk.x.clone(),
            first_used_at_ms: core.world.now_ms(),
        };
        signing_key::keep(&core.store, &row).await?;
        current.push(jwk);
    }
    let known = signing_key::all(&core.store).await?;
    let former = known.iter().filter(|row| current.iter().all(|jwk| jwk.kid != row.id)).filter_map(former);
    Ok(KeySet { keys: current.iter().cloned().chain(former).collect() })
}

/// A row that holds no key is left out: nobody could verify anything with it.
fn former(row: &SigningKeyRow) -> Option<Jwk> {
    let bytes: [u8; 32] = BASE64URL.decode(&row.public_key).ok()?.try_into().ok()?;
    Some(Jwk::new(&VerifyingKey::from_bytes(&bytes).ok()?, &row.purpose, "former"))
}
