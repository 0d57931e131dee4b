//! Sealing: what is stored encrypted opens only in the row and column it was sealed for (XChaCha20-Poly1305).
use super::text::SecretText;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytespike_store::world::World;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use std::sync::Arc;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// Where a sealed value lives. Moved to another row or column, it no longer opens.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub table: &'a str,
    pub row: &'a str,
    pub column: &'a str,
}

/// Encrypts for one purpose. It opens what former master keys sealed too.
#[derive(Clone)]
pub struct SealKey(Arc<[XChaCha20Poly1305]>);

/// The value was sealed with another key, for another place, or was changed.
#[derive(Debug, thiserror::Error)]
#[error("the sealed value in {table}.{column} does not open: another master key, another row, or damaged")]
pub struct OpenError {
    table: String,
    column: String,
}

impl SealKey {
    /// Of the key that seals and those that open besides.
    pub(super) fn new(keys: impl Iterator<Item = Zeroizing<[u8; 32]>>) -> Self {
        Self(keys.map(|key| XChaCha20Poly1305::new(Key::from_slice(key.as_slice()))).collect())
    }

    pub(super) fn sealing(&self) -> XChaCha20Poly1305 {
        match self.0.first() {
            Some(first) => first.clone(),
            None => unreachable!("made of one key at least"),
        }
    }

    /// The one that seals first, then those that open besides.
    pub(super) fn ciphers(&self) -> &[XChaCha20Poly1305] {
        &self.0
    }

    /// The same value sealed anew; `None` when the master key in use sealed it.
    ///
    /// # Errors
    /// No known master key sealed it.
    pub fn sealed_anew(
        &self,
        world: &World,
        place: Place<'_>,
        sealed: &str,
    ) -> Result<Option<String>, OpenError> {
        match self.sealed_by(place, sealed) {
            None => Err(place.closed()),
            Some((0, _)) => Ok(None),
            Some((_, plaintext)) => Ok(Some(self.seal(world, place, &plaintext))),
        }
    }

    /// The sealed value as text: base64 of a version byte, a random nonce and the ciphertext.
    pub fn seal(&self, world: &World, place: Place<'_>, plaintext: &[u8]) -> String {
        let nonce = world.bytes::<NONCE_BYTES>();
        let ciphertext = self.encrypt(nonce, place, plaintext);
        STANDARD_NO_PAD.encode([&[VERSION], nonce.as_slice(), &ciphertext].concat())
    }

    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.sealed_by(place, sealed).map(|(_, plaintext)| plaintext).ok_or_else(|| place.closed())
    }

    /// [`Self::open`] for values that are text.
    pub fn open_text(&self, place: Place<'_>, sealed: &str) -> Result<SecretText, OpenError> {
        let bytes = self.open(place, sealed)?;
        Ok(SecretText::new(String::from_utf8_lossy(&bytes)))
    }

    fn encrypt(&self, nonce: [u8; NONCE_BYTES], place: Place<'_>, plaintext: &[u8]) -> Vec<u8> {
        let aad = place.bound_text();
        let payload = Payload { msg: plaintext, aad: aad.as_bytes() };
        match self.sealing().encrypt(XNonce::from_slice(&nonce), payload) {
            Ok(ciphertext) => ciphertext,
            Err(_) => unreachable!("only plaintexts beyond 256 GiB are refused"),
        }
    }

    /// Which of the keys opens it, and what it holds.
    fn sealed_by(&self, place: Place<'_>, sealed: &str) -> Option<(usize, Zeroizing<Vec<u8>>)> {
        let bytes = STANDARD_NO_PAD.decode(sealed).ok()?;
        let (&VERSION, rest) = bytes.split_first()? else { return None };
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_BYTES)?;
        let aad = place.bound_text();
        self.0.iter().enumerate().find_map(|(at, cipher)| {
            let payload = Payload { msg: ciphertext, aad: aad.as_bytes() };
            Some((at, Zeroizing::new(cipher.decrypt(XNonce::from_slice(nonce), payload).ok()?)))
        })
    }
}

impl Place<'_> {
    fn closed(&self) -> OpenError {
        OpenError { table: self.table.to_owned(), column: self.column.to_owned() }
    }

    fn bound_text(&self) -> String {
        format!("bytespike/v1/{}/{}/{}", self.table, self.row, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{MasterKey, MasterKeys, SealPurpose};

    const PLACE: Place<'_> =
        Place { table: "channels", row: "01J0000000000000000000CHAN", column: "api_key" };

    #[test]
    fn the_ciphertext_is_the_published_vector() {
        let mut nonce = [0; NONCE_BYTES];
        (0x40..).zip(&mut nonce).for_each(|(value, byte)| *byte = value);
        let key = MasterKey::of_the_vectors().seal(SealPurpose::ChannelSecret);
        assert_eq!(
            hex::encode(key.encrypt(nonce, PLACE, b"sk-upstream-EXAMPLE-0001")),
            "3959f0c79aa7e407f44ddb41bed29368125f13ab7c530e940f15b7f4f160e53eb474ba4998eff320"
        );
    }

    #[test]
    fn s115_s116_a_value_opens_only_where_it_was_sealed_and_only_under_its_purpose() {
        let (world, _) = World::manual(0, 5);
        let master = MasterKey::of_the_vectors();
        let key = master.seal(SealPurpose::ChannelSecret);
        let sealed = key.seal(&world, PLACE, b"secret");
        assert_eq!(key.open_text(PLACE, &sealed).expect("opens").expose(), "secret");
        assert!(key.open(Place { row: "another", ..PLACE }, &sealed).is_err());
        assert!(key.open(Place { column: "another", ..PLACE }, &sealed).is_err());
        assert!(master.seal(SealPurpose::Totp).open(PLACE, &sealed).is_err());
        for damaged in ["", "AQ", &sealed[..sealed.len() - 4], &sealed.replacen('A', "B", 1), "not base64!"] {
            assert!(key.open(PLACE, damaged).is_err(), "{damaged:?} opened");
        }
    }

    #[test]
    fn s118_what_a_former_master_key_sealed_opens_and_is_sealed_anew() {
        let (world, _) = World::manual(0, 9);
        let (old, new) = (MasterKey::random(&world), MasterKey::random(&world));
        let (before, after) = (old.seal(SealPurpose::Totp), new.seal(SealPurpose::Totp));
        let both = MasterKeys::from(old).behind(new).seal(SealPurpose::Totp);
        let sealed = before.seal(&world, PLACE, b"secret");
        assert_eq!(both.open(PLACE, &sealed).expect("opens").as_slice(), b"secret");
        let anew = both.sealed_anew(&world, PLACE, &sealed).expect("opens").expect("by a former key");
        assert_eq!(after.open(PLACE, &anew).expect("opens").as_slice(), b"secret");
        assert!(before.open(PLACE, &anew).is_err() && after.open(PLACE, &sealed).is_err());
        assert!(both.sealed_anew(&world, PLACE, &anew).expect("opens").is_none(), "there is nothing to do");
        assert!(both.sealed_anew(&world, PLACE, "AQ").is_err());
    }

    #[test]
    fn sealing_twice_gives_different_texts() {
        let (world, _) = World::manual(0, 6);
        let key = MasterKey::of_the_vectors().seal(SealPurpose::Totp);
        assert_ne!(key.seal(&world, PLACE, b"secret"), key.seal(&world, PLACE, b"secret"));
    }
}
