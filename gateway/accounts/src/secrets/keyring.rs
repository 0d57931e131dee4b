//! The master keys that are known, and every key that is made of them.
//!
//! What *seals* follows the master key in use, the first one; what the others sealed opens still. What *proves* or *signs*
//! (keys, sessions, the audit log, receipts) was handed out or written down long ago, so it outlives the master key it was
//! derived from: it is kept in the database, sealed (`kept.rs`).
use super::mac::MacKey;
use super::master::{MasterKey, MasterKeyError};
use super::purposes::{MacPurpose, REASONING_STATE, SealPurpose, SignPurpose};
use super::seal::SealKey;
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// The master keys: the one in use, and those before it.
pub struct MasterKeys {
    active: MasterKey,
    former: Vec<MasterKey>,
}

impl MasterKeys {
    /// Reads keys that stand between blanks, line ends or commas, the one in use first.
    ///
    /// # Errors
    /// There is none, one is not 32 random bytes, or one stands there twice.
    pub fn from_text(text: &str) -> Result<Self, MasterKeyError> {
        let words = text.split([' ', '\t', '\r', '\n', ',']).filter(|word| !word.is_empty());
        let mut keys = words.map(MasterKey::from_text).collect::<Result<Vec<_>, _>>()?;
        let mut ids: Vec<String> = keys.iter().map(MasterKey::id).collect();
        ids.sort();
        ids.dedup();
        if keys.is_empty() {
            return Err(MasterKeyError::Malformed);
        }
        if ids.len() < keys.len() {
            return Err(MasterKeyError::Twice);
        }
        let former = keys.split_off(1);
        keys.pop().map(|active| Self { active, former }).ok_or(MasterKeyError::Malformed)
    }

    /// As a file holds them: one in a line.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for key in self.all() {
            text.push_str(&key.text());
            text.push('\n');
        }
        text
    }

    /// The same keys after a new one, which is in use from now on.
    #[must_use]
    pub fn behind(self, active: MasterKey) -> Self {
        Self { active, former: std::iter::once(self.active).chain(self.former).collect() }
    }

    /// The one in use first.
    pub fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.active).chain(&self.former)
    }

    #[must_use]
    pub fn has_former(&self) -> bool {
        !self.former.is_empty()
    }

    pub fn seal(&self, purpose: SealPurpose) -> SealKey {
        SealKey::new(self.all().map(|master| master.derive(purpose.info())))
    }
}

impl From<MasterKey> for MasterKeys {
    fn from(active: MasterKey) -> Self {
        Self { active, former: Vec::new() }
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A key by what it was derived for.
pub(super) type KeptKeys = BTreeMap<String, Zeroizing<[u8; 32]>>;

/// Every key there is.
pub struct Keyring {
    pub(super) masters: MasterKeys,
    pub(super) kept: KeptKeys,
}

impl Keyring {
    /// Every purpose whose key outlives the master key.
    pub(super) fn kept_purposes() -> impl Iterator<Item = &'static str> {
        let proofs = MacPurpose::ALL.into_iter().map(MacPurpose::info);
        proofs.chain(SignPurpose::ALL.into_iter().map(SignPurpose::info)).chain([REASONING_STATE])
    }

    pub fn mac(&self, purpose: MacPurpose) -> MacKey {
        MacKey::new(&self.proving(purpose.info()))
    }

    pub fn seal(&self, purpose: SealPurpose) -> SealKey {
        self.masters.seal(purpose)
    }

    /// The seed of an Ed25519 signing key.
    pub fn signing_seed(&self, purpose: SignPurpose) -> Zeroizing<[u8; 32]> {
        self.proving(purpose.info())
    }

    /// The key under which gateways seal the reasoning state that clients carry from turn to turn.
    pub fn reasoning_state_key(&self) -> Zeroizing<[u8; 32]> {
        self.proving(REASONING_STATE)
    }

    pub(super) fn proving(&self, info: &str) -> Zeroizing<[u8; 32]> {
        self.kept.get(info).cloned().unwrap_or_else(|| self.masters.active.derive(info))
    }
}

/// The keys of a database that is new.
impl From<MasterKey> for Keyring {
    fn from(master: MasterKey) -> Self {
        Self { masters: master.into(), kept: KeptKeys::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytespike_store::world::World;

    #[test]
    fn keys_are_read_in_their_order_and_none_twice() {
        let (world, _) = World::manual(0, 3);
        let (first, second) = (MasterKey::random(&world), MasterKey::random(&world));
        let text = format!("{},\n {} \n", *first.text(), *second.text());
        let keys = MasterKeys::from_text(&text).expect("two keys");
        assert_eq!(keys.all().map(MasterKey::id).collect::<Vec<_>>(), [first.id(), second.id()]);
        assert_eq!(*keys.text(), format!("{}\n{}\n", *first.text(), *second.text()));
        let twice = MasterKeys::from_text(&format!("{} {}", *first.text(), *first.text()));
        assert!(matches!(twice, Err(MasterKeyError::Twice)));
        for bad in ["", " , \n", "changeme", &format!("{} short", *first.text())] {
            assert!(MasterKeys::from_text(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn s127_debug_output_hides_the_keys() {
        let (world, _) = World::manual(0, 4);
        assert_eq!(format!("{:?}", MasterKeys::from(MasterKey::random(&world))), "[redacted]");
    }
}
