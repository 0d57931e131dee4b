//! The master key: where it comes from, what is refused, and the keys derived from it (HKDF-SHA256, RFC 5869).
use super::seal::SealKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytespike_store::world::World;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

const SALT: &[u8] = b"bytespike-hkdf-salt-v1";
const KEY_BYTES: usize = 32;
/// Fewer distinct bytes than this in 32 is not randomness (a random key has 30 or so; the chance of under 16 is below 10⁻¹²).
const LEAST_DISTINCT_BYTES: usize = 16;

/// What an HMAC key is for. One purpose, one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacPurpose {
    ApiKey,
    OauthToken,
    SessionId,
    Csrf,
    OneTimeToken,
    Attempt,
    AuditChain,
    OperatorToken,
    RecoveryCode,
    Browser,
    IdentityTransaction,
    Voucher,
    OperatorSession,
    PasskeyCeremony,
}

/// What a sealing key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealPurpose {
    ChannelSecret,
    IdempotentAnswer,
    /// A new key on its way to the one page that shows it.
    ShownKey,
    /// A letter that waits to be sent, which may carry a one-time link.
    Letter,
    /// The answer that carries a key to the program that made it.
    ProvisionedKey,
    Totp,
    /// What waits for a browser that was sent to another provider.
    IdentityTransaction,
    /// What signs the messages to an org's endpoint.
    WebhookSecret,
    /// What an operator's session keeps for its next page.
    OperatorSession,
    /// A challenge that waits for a passkey's answer.
    PasskeyCeremony,
    /// The archive of a person's data.
    DataExport,
    /// What calls were asked and answered, where their org wants it kept.
    CallBody,
}

/// What a signing key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignPurpose {
    Receipt,
    PriceExport,
}

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

    /// Reads the key file, which only its owner may read and who must be the user running this.
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |source| MasterKeyError::File { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        check_private(&file, path)?;
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(failed)?;
        Self::from_text(&text)
    }

    /// Reads the key file, or makes one with mode 0600 if there is none: for a first start on this machine alone.
    pub fn load_or_create(path: &Path, world: &World) -> Result<Self, MasterKeyError> {
        match create_private(path) {
            Ok(mut file) => {
                let bytes = Zeroizing::new(world.bytes::<KEY_BYTES>());
                let text = Zeroizing::new(hex::encode(bytes.as_slice()));
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(|source| MasterKeyError::File { path: path.to_owned(), source })?;
                Self::from_bytes(*bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::load(path),
            Err(source) => Err(MasterKeyError::File { path: path.to_owned(), source }),
        }
    }

    pub fn mac(&self, purpose: MacPurpose) -> MacKey {
        MacKey::new(&self.derive(match purpose {
            MacPurpose::ApiKey => "bytespike/v1/api-key-pepper",
            MacPurpose::OauthToken => "bytespike/v1/oauth-token-pepper",
            MacPurpose::SessionId => "bytespike/v1/session-id-pepper",
            MacPurpose::Csrf => "bytespike/v1/csrf",
            MacPurpose::OneTimeToken => "bytespike/v1/one-time-token-pepper",
            MacPurpose::Attempt => "bytespike/v1/attempt-pepper",
            MacPurpose::AuditChain => "bytespike/v1/audit-chain",
            MacPurpose::OperatorToken => "bytespike/v1/operator-token-pepper",
            MacPurpose::RecoveryCode => "bytespike/v1/recovery-code-pepper",
            MacPurpose::Browser => "bytespike/v1/browser-pepper",
            MacPurpose::IdentityTransaction => "bytespike/v1/identity-transaction-pepper",
            MacPurpose::Voucher => "bytespike/v1/voucher-pepper",
            MacPurpose::OperatorSession => "bytespike/v1/operator-session-pepper",
            MacPurpose::PasskeyCeremony => "bytespike/v1/passkey-ceremony-pepper",
        }))
    }

    pub fn seal(&self, purpose: SealPurpose) -> SealKey {
        SealKey::new(&self.derive(match purpose {
            SealPurpose::ChannelSecret => "bytespike/v1/channel-secret-aead",
            SealPurpose::IdempotentAnswer => "bytespike/v1/idempotent-answer-aead",
            SealPurpose::Letter => "bytespike/v1/letter-aead",
            SealPurpose::ShownKey => "bytespike/v1/shown-key-aead",
            SealPurpose::ProvisionedKey => "bytespike/v1/provisioned-key-aead",
            SealPurpose::Totp => "bytespike/v1/totp-aead",
            SealPurpose::IdentityTransaction => "bytespike/v1/identity-transaction-aead",
            SealPurpose::WebhookSecret => "bytespike/v1/webhook-secret-aead",
            SealPurpose::OperatorSession => "bytespike/v1/operator-session-aead",
            SealPurpose::PasskeyCeremony => "bytespike/v1/passkey-ceremony-aead",
            SealPurpose::DataExport => "bytespike/v1/data-export-aead",
            SealPurpose::CallBody => "bytespike/v1/call-body-aead",
        }))
    }

    /// The seed of an Ed25519 signing key.
    pub fn signing_seed(&self, purpose: SignPurpose) -> Zeroizing<[u8; KEY_BYTES]> {
        self.derive(match purpose {
            SignPurpose::Receipt => "bytespike/v1/receipt-signing",
            SignPurpose::PriceExport => "bytespike/v1/price-export-signing",
        })
    }

    /// The key under which gateways seal the reasoning state that clients carry from turn to turn.
    pub fn reasoning_state_key(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        self.derive("bytespike/v1/reasoning-state-aead")
    }

    fn derive(&self, info: &str) -> Zeroizing<[u8; KEY_BYTES]> {
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

/// An HMAC-SHA256 key for one purpose, its first block already hashed. Clones share it: everything in accounts has one, and
/// futures that hold accounts stay small.
#[derive(Clone)]
pub struct MacKey(Arc<Hmac<Sha256>>);

impl MacKey {
    fn new(key: &[u8; KEY_BYTES]) -> Self {
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

/// Zeros, a repeated word, an ascending example: anything with too few distinct bytes or in strict order.
fn is_pattern(bytes: &[u8; KEY_BYTES]) -> bool {
    let mut sorted = bytes.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let ascending = bytes.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1));
    let readable = bytes.iter().all(u8::is_ascii_graphic);
    sorted.len() < LEAST_DISTINCT_BYTES || ascending || readable
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn check_private(file: &File, path: &Path) -> Result<(), MasterKeyError> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata =
        file.metadata().map_err(|source| MasterKeyError::File { path: path.to_owned(), source })?;
    if metadata.mode() & 0o077 != 0 {
        return Err(MasterKeyError::Readable { path: path.to_owned() });
    }
    if own_uid().is_some_and(|uid| uid != metadata.uid()) {
        return Err(MasterKeyError::Owner { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_: &File, _: &Path) -> Result<(), MasterKeyError> {
    Ok(())
}

/// The user this process runs as. The standard library has no call for it; Linux shows it as the owner of /proc/self.
#[cfg(unix)]
fn own_uid() -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").ok().map(|metadata| metadata.uid())
}

#[cfg(test)]
mod tests {
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
        use MacPurpose::*;
        let macs = [
            ApiKey,
            OauthToken,
            SessionId,
            Csrf,
            OneTimeToken,
            Attempt,
            AuditChain,
            OperatorToken,
            RecoveryCode,
            Browser,
            IdentityTransaction,
            Voucher,
            OperatorSession,
            PasskeyCeremony,
        ];
        let answers: std::collections::BTreeSet<_> =
            macs.iter().map(|p| example().mac(*p).mac(b"x")).collect();
        assert_eq!(answers.len(), macs.len());
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

    #[cfg(unix)]
    #[test]
    fn s117_the_file_is_made_once_private_and_refused_when_others_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("master.key");
        let (world, _) = World::manual(0, 4);
        let made = MasterKey::load_or_create(&path, &world).expect("created");
        let loaded = MasterKey::load_or_create(&path, &world).expect("loaded");
        assert_eq!(made.0, loaded.0);
        assert_eq!(std::fs::metadata(&path).expect("exists").permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("changed");
        assert!(matches!(MasterKey::load(&path), Err(MasterKeyError::Readable { .. })));
        assert!(matches!(MasterKey::load(&folder.path().join("none")), Err(MasterKeyError::File { .. })));
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
