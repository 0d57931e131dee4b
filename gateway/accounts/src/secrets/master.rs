//! The master key: where it comes from, what is refused, and the keys derived from it (HKDF-SHA256, RFC 5869).
use super::mac::MacKey;
use super::purposes::{MacPurpose, SealPurpose};
use super::seal::SealKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytespike_store::world::World;
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use std::io;
use std::path::PathBuf;
use zeroize::Zeroizing;

const SALT: &[u8] = b"bytespike-hkdf-salt-v1";
const KEY_BYTES: usize = 32;
/// Fewer distinct bytes than this in 32 is not randomness (a random key has 30 or so; the chance of under 16 is below 10⁻¹²).
const LEAST_DISTINCT_BYTES: usize = 16;

/// 32 bytes from which every other key is derived. Never stored in the database, never given on a command line.
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

/// Why a master key is not used.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error(
        "the master key must be 32 random bytes, as 64 hex digits or as base64; make one with `openssl rand -hex 32`"
    )]
    Malformed,
    #[error(
        "the master key is an example or a pattern, not random bytes; make one with `openssl rand -hex 32`"
    )]
    Placeholder,
    #[error("a master key stands there twice; each has to be another one")]
    Twice,
    #[error("the master key file {path} cannot be used: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("the master key file {path} can be read by others; run `chmod 600 {path}`")]
    Readable { path: PathBuf },
    #[error(
        "the master key file {path} belongs to another user; it must belong to the one that runs bytespike"
    )]
    Owner { path: PathBuf },
}

impl MasterKey {
    /// Reads a key given as text: 64 hex digits or base64 of 32 bytes.
    pub fn from_text(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        let decoded = hex::decode(text).ok().or_else(|| STANDARD.decode(text).ok()).map(Zeroizing::new);
        let bytes = decoded.ok_or(MasterKeyError::Malformed)?;
        Self::from_bytes(bytes.as_slice().try_into().map_err(|_| MasterKeyError::Malformed)?)
    }

    /// # Errors
    /// When the bytes are plainly not random.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Result<Self, MasterKeyError> {
        if is_pattern(&bytes) {
            return Err(MasterKeyError::Placeholder);
        }
        Ok(Self(Zeroizing::new(bytes)))
    }

    pub fn mac(&self, purpose: MacPurpose) -> MacKey {
        MacKey::new(&self.derive(purpose.info()))
    }

    pub fn seal(&self, purpose: SealPurpose) -> SealKey {
        SealKey::new(std::iter::once(self.derive(purpose.info())))
    }

    /// What this key is called where it must not be shown: eight hex digits.
    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(&self.derive("bytespike/v1/key-id")[..4])
    }

    /// The key as its file holds it.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_slice()))
    }

    #[must_use]
    pub fn random(world: &World) -> Self {
        Self(Zeroizing::new(world.bytes::<KEY_BYTES>()))
    }

    pub(super) fn derive(&self, info: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        // 32 bytes are one block of the 255 that HKDF can give, so this cannot fail; if it did, no key may come of it.
        if Hkdf::<Sha256>::new(Some(SALT), self.0.as_slice())
            .expand(info.as_bytes(), key.as_mut_slice())
            .is_err()
        {
            unreachable!("HKDF-SHA256 gives up to 8,160 bytes");
        }
        key
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Zeros, a repeated word, an ascending example: anything with too few distinct bytes or in strict order.
fn is_pattern(bytes: &[u8; KEY_BYTES]) -> bool {
    let mut sorted = bytes.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let ascending = bytes.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1));
    let readable = bytes.iter().all(u8::is_ascii_graphic);
    sorted.len() < LEAST_DISTINCT_BYTES || ascending || readable
}

#[cfg(test)]
mod tests {
    use super::super::purposes::{REASONING_STATE, SignPurpose};
    use super::*;

    /// 00 01 02 … 1f, which [`MasterKey::from_bytes`] refuses as the example it is.
    fn example() -> MasterKey {
        let mut bytes = [0; 32];
        (0..).zip(&mut bytes).for_each(|(value, byte)| *byte = value);
        MasterKey(Zeroizing::new(bytes))
    }

    #[test]
    fn purpose_keys_are_the_published_vectors() {
        let vectors = [
            ("api-key-pepper", "495db8a84cedc263465cebd4e08d28374b7ddd3bba8c033a97522665a2b9df8a"),
            ("oauth-token-pepper", "5d38c7ebac3fe080105bf9d58f0a79f6769b8f4f3b07a5f93f87d4c5d4373be3"),
            ("session-id-pepper", "e237aecd40a6242d72920aaaea2e67eb6a804fe27823fe6794f220907cd1a81c"),
            ("csrf", "4f7848390b64a736f8068e34742165e91502f101afd3e8705624c0fdb965d174"),
            ("channel-secret-aead", "13874b8df48348976cede083172ed77d8bb557a18993a245faab82c7df51b532"),
        ];
        for (purpose, expected) in vectors {
            assert_eq!(
                hex::encode(example().derive(&format!("bytespike/v1/{purpose}")).as_slice()),
                expected,
                "{purpose}"
            );
        }
    }

    #[test]
    fn s116_every_purpose_has_a_key_of_its_own() {
        let proofs = MacPurpose::ALL.map(MacPurpose::info).into_iter();
        let infos = proofs
            .chain(SealPurpose::ALL.map(SealPurpose::info))
            .chain(SignPurpose::ALL.map(SignPurpose::info));
        let infos: Vec<_> = infos.chain([REASONING_STATE]).collect();
        let keys: std::collections::BTreeSet<_> = infos.iter().map(|info| *example().derive(info)).collect();
        assert_eq!(keys.len(), infos.len());
    }

    #[test]
    fn s51_s117_placeholders_and_short_keys_are_refused() {
        let refused = [
            "",
            "changeme",
            "sk-1234",
            &"0".repeat(64),
            &"ab".repeat(32),
            &hex::encode([7; 31]),
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            &hex::encode(b"please-change-this-secret-12345!"),
        ];
        for text in refused {
            assert!(MasterKey::from_text(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn random_keys_are_accepted_as_hex_and_as_base64() {
        let (world, _) = World::manual(0, 3);
        for _ in 0..1_000 {
            let bytes = world.bytes::<32>();
            assert!(MasterKey::from_text(&hex::encode(bytes)).is_ok());
            assert!(MasterKey::from_text(&format!("{}\n", STANDARD.encode(bytes))).is_ok());
        }
    }

    #[test]
    fn s127_debug_output_hides_the_key() {
        assert_eq!(format!("{:?} {:?}", example(), example().mac(MacPurpose::Csrf)), "[redacted] [redacted]");
    }

    impl MasterKey {
        /// The key that the published vectors use.
        pub(crate) fn of_the_vectors() -> Self {
            example()
        }
    }
}
