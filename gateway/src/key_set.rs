//! The public keys that sign receipts and price exports, as a JSON Web Key Set (RFC 7517 with the Ed25519 keys of RFC 8037).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use bytespike_catalog::export::key_id;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

/// Current and former keys. A former key stays, because receipts it signed are still out there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet {
    pub keys: Vec<Jwk>,
}

/// One public key. Members beyond the RFCs: `purpose` and `state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    pub crv: String,
    pub alg: String,
    #[serde(rename = "use")]
    pub usage: String,
    /// As signatures name it.
    pub kid: String,
    /// The key's 32 bytes, base64url.
    pub x: String,
    /// `receipt` or `price_export`: a key signs one kind of thing.
    pub purpose: String,
    /// `current` or `former`.
    pub state: String,
}

impl Jwk {
    #[must_use]
    pub fn new(key: &VerifyingKey, purpose: &str, state: &str) -> Self {
        let text = str::to_owned;
        Self {
            kty: text("OKP"),
            crv: text("Ed25519"),
            alg: text("EdDSA"),
            usage: text("sig"),
            kid: key_id(key),
            x: BASE64URL.encode(key.as_bytes()),
            purpose: text(purpose),
            state: text(state),
        }
    }

    /// `None` when it is no Ed25519 key, or not the one its id names.
    fn verifying_key(&self) -> Option<VerifyingKey> {
        let bytes: [u8; 32] = BASE64URL.decode(&self.x).ok()?.try_into().ok()?;
        let key =
            VerifyingKey::from_bytes(&bytes).ok().filter(|_| self.kty == "OKP" && self.crv == "Ed25519")?;
        (key_id(&key) == self.kid).then_some(key)
    }
}

impl KeySet {
    /// The key of that id for that purpose.
    #[must_use]
    pub fn find(&self, kid: &str, purpose: &str) -> Option<VerifyingKey> {
        self.keys.iter().find(|key| key.kid == kid && key.purpose == purpose)?.verifying_key()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    #[test]
    fn a_key_is_found_by_its_id_and_purpose_alone() {
        let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        let mut forged = Jwk::new(&other, "receipt", "former");
        forged.kid = key_id(&SigningKey::from_bytes(&[9; 32]).verifying_key());
        let set = KeySet { keys: vec![Jwk::new(&key, "receipt", "current"), forged.clone()] };
        let json = serde_json::to_string(&set).unwrap();
        assert!(json.contains(r#""kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig""#), "{json}");
        let read: KeySet = serde_json::from_str(&json).unwrap();
        assert_eq!(read.find(&key_id(&key), "receipt"), Some(key));
        assert_eq!(read.find(&key_id(&key), "price_export"), None, "another purpose");
        assert_eq!(read.find(&forged.kid, "receipt"), None, "a key under another's name");
    }
}
