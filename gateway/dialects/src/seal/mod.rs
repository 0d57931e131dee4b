//! Opaque state that travels through clients: reasoning signatures the gateway mints, tool ids and tool names
//! that fit every dialect.

pub(crate) mod thought;
pub(crate) mod tool_id;
pub(crate) mod tool_names;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const NONCE_BYTES: usize = 24;

/// Seals and opens reasoning signatures for one organisation.
#[derive(Clone)]
pub struct Seal {
    key: [u8; 32],
    scope: String,
}

/// What a signature says about the reasoning it goes with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reasoning {
    /// The provider family that reasoned.
    #[serde(rename = "o")]
    pub(crate) origin: String,
    /// SHA-256 of the text the client got, in hex.
    #[serde(rename = "h")]
    pub(crate) shown_sha256: String,
    /// The text itself, where the client does not get it.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub(crate) hidden_text: Option<String>,
}

impl Seal {
    pub(crate) const PREFIX: &str = "gw1.";

    /// `key` is used for nothing else; a signature opens only under the same `scope`.
    pub fn new(key: [u8; 32], scope: impl Into<String>) -> Self {
        Self { key, scope: scope.into() }
    }

    /// The reasoning text to send back to `target`, or `None` if the signature is not ours, was made for text
    /// other than `shown`, or comes from somebody else's reasoning.
    pub(crate) fn restore(&self, signature: &str, shown: &str, target: &str) -> Option<String> {
        let reasoning = self.open(signature)?;
        let untouched = reasoning.shown_sha256 == hex(&Sha256::digest(shown.as_bytes()));
        (untouched && reasoning.origin == target)
            .then(|| reasoning.hidden_text.unwrap_or_else(|| shown.to_owned()))
    }

    pub(crate) fn seal(&self, reasoning: &Reasoning) -> String {
        let plain = serde_json::to_vec(reasoning).unwrap_or_default();
        let nonce = self.nonce(&plain);
        let payload = Payload { msg: &plain, aad: self.scope.as_bytes() };
        let sealed = self.cipher().encrypt(XNonce::from_slice(&nonce), payload).unwrap_or_default();
        format!("{}{}", Self::PREFIX, URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    fn open(&self, signature: &str) -> Option<Reasoning> {
        let bytes = URL_SAFE_NO_PAD.decode(signature.strip_prefix(Self::PREFIX)?).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let payload = Payload { msg: sealed, aad: self.scope.as_bytes() };
        let plain = self.cipher().decrypt(XNonce::from_slice(nonce), payload).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// Derived from what is sealed, so that no randomness is needed and no nonce serves two texts.
    fn nonce(&self, plain: &[u8]) -> [u8; NONCE_BYTES] {
        let mut hash = Sha256::new();
        hash.update(b"reasoning signature nonce");
        hash.update(self.key);
        hash.update(self.scope.as_bytes());
        hash.update(plain);
        let digest = hash.finalize();
        std::array::from_fn(|at| digest[at])
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.key).into())
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key stays out of logs.
        f.debug_struct("Seal").field("scope", &self.scope).finish_non_exhaustive()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasoning(shown: &str, hidden_text: Option<&str>) -> Reasoning {
        Reasoning {
            origin: "deepseek".into(),
            shown_sha256: hex(&Sha256::digest(shown)),
            hidden_text: hidden_text.map(str::to_owned),
        }
    }

    #[test]
    fn a_signature_restores_only_its_own_text_for_its_own_origin() {
        let seal = Seal::new([7; 32], "org_1");
        let signature = seal.seal(&reasoning("first, count", None));
        assert!(signature.starts_with("gw1."));
        assert_eq!(seal.restore(&signature, "first, count", "deepseek").as_deref(), Some("first, count"));
        assert_eq!(seal.restore(&signature, "first, count", "moonshot"), None);
        assert_eq!(seal.restore(&signature, "altered", "deepseek"), None);
        assert_eq!(Seal::new([7; 32], "org_2").restore(&signature, "first, count", "deepseek"), None);
        assert_eq!(Seal::new([8; 32], "org_1").restore(&signature, "first, count", "deepseek"), None);
    }

    #[test]
    fn a_withheld_thought_is_restored_from_its_signature() {
        let seal = Seal::new([7; 32], "org_1");
        let signature = seal.seal(&reasoning("", Some("secret plan")));
        assert!(!signature.contains("secret"));
        assert_eq!(seal.restore(&signature, "", "deepseek").as_deref(), Some("secret plan"));
    }

    #[test]
    fn signatures_of_others_are_not_opened() {
        let seal = Seal::new([7; 32], "org_1");
        for foreign in ["", "abc", "gw1.", "gw1.AAAA", "gw1.not base64 at all", "EuYBCkQYAiJA"] {
            assert_eq!(seal.restore(foreign, "", "deepseek"), None, "{foreign}");
        }
    }
}
