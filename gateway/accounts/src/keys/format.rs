//! The text of a key: `sk-byts-` or `sk-byts-test-`, a public id, a secret and a checksum, all base62.
//! The checksum is no security: it turns typing mistakes and garbage away before anything is looked up.
use crate::base62;
use crate::secrets::{MacKey, SecretText};
use bytespike_store::world::World;

const LIVE_PREFIX: &str = "sk-byts-";
const TEST_PREFIX: &str = "sk-byts-test-";
const ID_CHARS: usize = 12;
const SECRET_CHARS: usize = 32;
const CHECK_CHARS: usize = 6;
const BODY_CHARS: usize = ID_CHARS + SECRET_CHARS + CHECK_CHARS;
/// Longer than any key; what exceeds it is not looked at.
const MOST_BYTES: usize = 128;

/// Live keys spend; test keys are marked as such wherever they appear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Live,
    Test,
}

impl KeyKind {
    pub fn as_str(self) -> &'static str {
        match self {
            KeyKind::Live => "live",
            KeyKind::Test => "test",
        }
    }

    pub(crate) fn from_stored(text: &str) -> Self {
        if text == "test" { KeyKind::Test } else { KeyKind::Live }
    }

    fn prefix(self) -> &'static str {
        match self {
            KeyKind::Live => LIVE_PREFIX,
            KeyKind::Test => TEST_PREFIX,
        }
    }
}

/// Why a text is not a key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFormatError {
    #[error("a ByteSpike key starts with `sk-byts-`")]
    Prefix,
    #[error("a ByteSpike key has 50 letters and digits after its prefix")]
    Length,
    #[error("the key's checksum does not match: it was cut short or mistyped")]
    Checksum,
}

/// A text of a prefix, a public id, a secret and a checksum, all as they should be.
#[derive(Clone, Copy)]
pub(crate) struct TokenText<'a> {
    text: &'a str,
    body: &'a str,
}

impl<'a> TokenText<'a> {
    pub fn parse(text: &'a str, prefix: &str) -> Result<Self, KeyFormatError> {
        let body = text.strip_prefix(prefix).ok_or(KeyFormatError::Prefix)?;
        if text.len() > MOST_BYTES || body.len() != BODY_CHARS || !base62::is_base62(body) {
            return Err(KeyFormatError::Length);
        }
        let (covered, check) = text.split_at(text.len() - CHECK_CHARS);
        if base62::checksum(crc32fast::hash(covered.as_bytes())) != check {
            return Err(KeyFormatError::Checksum);
        }
        Ok(Self { text, body })
    }

    /// A new one.
    pub fn mint(world: &World, prefix: &str) -> SecretText {
        Self::compose(prefix, &base62::random(world, ID_CHARS), &base62::random(world, SECRET_CHARS))
    }

    pub fn compose(prefix: &str, id: &str, secret: &str) -> SecretText {
        // Reserved at its final size, so that no grown-out-of buffer keeps a copy of the secret.
        let mut text = String::with_capacity(MOST_BYTES);
        text.extend([prefix, id, secret]);
        text.push_str(&base62::checksum(crc32fast::hash(text.as_bytes())));
        SecretText::new(text)
    }

    /// The public part, which names it in logs and lists.
    pub fn id(&self) -> &'a str {
        &self.body[..ID_CHARS]
    }

    /// What is stored instead of it: an HMAC of the whole text.
    pub fn verifier(&self, pepper: &MacKey) -> [u8; 32] {
        pepper.mac(self.text.as_bytes())
    }

    pub fn last_four(&self) -> &'a str {
        &self.text[self.text.len() - 4..]
    }
}

/// A text that has the form of a key. Whether the key exists is not known yet.
#[derive(Clone, Copy)]
pub struct PresentedKey<'a> {
    token: TokenText<'a>,
    kind: KeyKind,
}

impl<'a> PresentedKey<'a> {
    pub fn parse(text: &'a str) -> Result<Self, KeyFormatError> {
        let kind = if text.starts_with(TEST_PREFIX) { KeyKind::Test } else { KeyKind::Live };
        Ok(Self { token: TokenText::parse(text, kind.prefix())?, kind })
    }

    /// The public part, which names the credential in logs and lists.
    pub fn credential_id(&self) -> &'a str {
        self.token.id()
    }

    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// What is stored instead of the key: an HMAC of the whole text.
    pub fn verifier(&self, pepper: &MacKey) -> [u8; 32] {
        self.token.verifier(pepper)
    }

    pub fn last_four(&self) -> &'a str {
        self.token.last_four()
    }
}

/// A new key's text.
pub fn mint(world: &World, kind: KeyKind) -> SecretText {
    TokenText::mint(world, kind.prefix())
}

/// How lists show a key: enough to recognise it, nothing to use.
pub fn masked(kind: KeyKind, credential_id: &str, last_four: &str) -> String {
    let shown: String = credential_id.chars().take(4).collect();
    format!("{}{shown}…{last_four}", kind.prefix())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{MacPurpose, MasterKey};
    use proptest::prelude::*;

    const ID: &str = "7Qm3Zt9aLk2P";
    const SECRET: &str = "N4vC8yQ1hS6wJ0xR5bT2kG7mD9fZ3pLa";
    const VECTORS: [(KeyKind, &str, &str); 2] = [
        (
            KeyKind::Live,
            "sk-byts-7Qm3Zt9aLk2PN4vC8yQ1hS6wJ0xR5bT2kG7mD9fZ3pLa2oLZbv",
            "8878a4c597ca95971463dabb65dcc9e954e9b66357b182f0648b843c65df8c61",
        ),
        (
            KeyKind::Test,
            "sk-byts-test-7Qm3Zt9aLk2PN4vC8yQ1hS6wJ0xR5bT2kG7mD9fZ3pLa1UdJpU",
            "78d9ae47ab0485b8544998ca4ff087602b75f995dae5d930efc90e13835e9ac5",
        ),
    ];

    #[test]
    fn keys_and_verifiers_are_the_published_vectors() {
        let pepper = MasterKey::of_the_vectors().mac(MacPurpose::ApiKey);
        for (kind, text, verifier) in VECTORS {
            assert_eq!(TokenText::compose(kind.prefix(), ID, SECRET).expose(), text);
            let key = PresentedKey::parse(text).expect("a key");
            assert_eq!(
                (key.credential_id(), key.kind(), key.last_four()),
                (ID, kind, &text[text.len() - 4..])
            );
            assert_eq!(hex::encode(key.verifier(&pepper)), verifier);
        }
    }

    #[test]
    fn every_single_substitution_is_rejected() {
        const ALPHANUMERIC: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        for (_, text, _) in VECTORS {
            for (at, original) in text.char_indices() {
                for replacement in ALPHANUMERIC.chars().chain("-_ é".chars()).filter(|c| *c != original) {
                    let changed = format!("{}{replacement}{}", &text[..at], &text[at + 1..]);
                    assert!(PresentedKey::parse(&changed).is_err(), "{changed} was accepted");
                }
            }
        }
    }

    #[test]
    fn the_failure_says_what_is_wrong() {
        let (_, text, _) = VECTORS[0];
        assert_eq!(PresentedKey::parse("").err(), Some(KeyFormatError::Prefix));
        assert_eq!(PresentedKey::parse("sk-ant-api03-x").err(), Some(KeyFormatError::Prefix));
        assert_eq!(PresentedKey::parse(&text[..57]).err(), Some(KeyFormatError::Length));
        assert_eq!(PresentedKey::parse(&text.replace('v', "w")).err(), Some(KeyFormatError::Checksum));
        assert_eq!(PresentedKey::parse("sk-byts-' OR pg_sleep(8)--").err(), Some(KeyFormatError::Length));
    }

    proptest! {
        #[test]
        fn a_minted_key_parses_back(seed: u64, test: bool) {
            let kind = if test { KeyKind::Test } else { KeyKind::Live };
            let (world, _) = World::manual(0, seed);
            let text = mint(&world, kind);
            let key = PresentedKey::parse(text.expose()).expect("a key");
            prop_assert_eq!(key.kind(), kind);
            prop_assert!(text.expose().contains(key.credential_id()));
        }

        #[test]
        fn no_text_breaks_the_parser(text in "(sk-byts-)?(test-)?\\PC{0,60}") {
            let _ = PresentedKey::parse(&text).map(|key| (key.credential_id(), key.last_four()));
        }

        #[test]
        fn swapping_neighbours_is_rejected(seed: u64, at in 8_usize..57) {
            let (world, _) = World::manual(0, seed);
            let text = mint(&world, KeyKind::Live);
            let mut bytes = text.expose().as_bytes().to_vec();
            prop_assume!(bytes[at] != bytes[at + 1] && at + 1 < bytes.len());
            bytes.swap(at, at + 1);
            let swapped = String::from_utf8(bytes).expect("ASCII");
            prop_assert!(PresentedKey::parse(&swapped).is_err());
        }
    }
}
