//! Message authentication: what proves that we made something, without the secret standing in the database.
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt;
use std::sync::Arc;

/// An HMAC-SHA256 key for one purpose, its first block already hashed. Clones share it: everything in accounts has one, and
/// futures that hold accounts stay small.
#[derive(Clone)]
pub struct MacKey(Arc<Hmac<Sha256>>);

impl MacKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let Ok(mac) = Hmac::new_from_slice(key) else { unreachable!("HMAC takes keys of any length") };
        Self(Arc::new(mac))
    }

    pub fn mac(&self, message: &[u8]) -> [u8; 32] {
        Hmac::clone(&self.0).chain_update(message).finalize().into_bytes().into()
    }

    pub fn mac_hex(&self, message: &[u8]) -> String {
        hex::encode(self.mac(message))
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
