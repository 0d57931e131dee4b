//! The text of codes and tokens: a prefix that says what it is, a public id, a secret and a checksum, as keys have.
//! Only an HMAC is stored. Each kind is nothing in the place of another.
use crate::base62;
use crate::secrets::{MacKey, SecretText};
use bytespike_store::world::World;
use subtle::ConstantTimeEq as _;

const ID_CHARS: usize = 12;
const SECRET_CHARS: usize = 32;
const CHECK_CHARS: usize = 6;
const MOST_BYTES: usize = 64;

/// An access token starts so, and no key does.
pub const ACCESS_PREFIX: &str = "bs1a";

/// What a text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Access,
    Refresh,
    Code,
    Device,
    ClientSecret,
}

impl TokenKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Access => ACCESS_PREFIX,
            Self::Refresh => "bs1r",
            Self::Code => "bs1c",
            Self::Device => "bs1d",
            Self::ClientSecret => "bs1s",
        }
    }
}

/// A text that was just made, the id it is found by, and what is stored of it.
pub struct Minted {
    pub id: String,
    pub secret: SecretText,
    pub verifier: String,
}

/// A text that has the form of its kind. Whether it is known is another question.
pub struct Presented<'a> {
    text: &'a str,
    pub id: &'a str,
}

pub fn mint(world: &World, pepper: &MacKey, kind: TokenKind) -> Minted {
    let id = base62::random(world, ID_CHARS).to_string();
    let secret = compose(kind, &id, &base62::random(world, SECRET_CHARS));
    let verifier = pepper.mac_hex(secret.expose().as_bytes());
    Minted { id, secret, verifier }
}

impl<'a> Presented<'a> {
    /// `None` for a text of another kind, a damaged one, or none of ours.
    pub fn parse(kind: TokenKind, text: &'a str) -> Option<Self> {
        let body = text.strip_prefix(kind.prefix())?;
        if body.len() != ID_CHARS + SECRET_CHARS + CHECK_CHARS || !base62::is_base62(body) {
            return None;
        }
        let (covered, check) = text.split_at(text.len() - CHECK_CHARS);
        (base62::checksum(crc32fast::hash(covered.as_bytes())) == check)
            .then(|| Self { text, id: &body[..ID_CHARS] })
    }

    /// Whether this is the text that the stored verifier was made of.
    pub fn is(&self, pepper: &MacKey, verifier: &str) -> bool {
        bool::from(pepper.mac_hex(self.text.as_bytes()).as_bytes().ct_eq(verifier.as_bytes()))
    }
}

fn compose(kind: TokenKind, id: &str, secret: &str) -> SecretText {
    let mut text = String::with_capacity(MOST_BYTES);
    text.extend([kind.prefix(), id, secret]);
    text.push_str(&base62::checksum(crc32fast::hash(text.as_bytes())));
    SecretText::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{MacPurpose, MasterKey};

    #[test]
    fn s10_the_published_vector_holds_and_kinds_do_not_cross() {
        let text = compose(TokenKind::Access, "7Qm3Zt9aLk2P", "N4vC8yQ1hS6wJ0xR5bT2kG7mD9fZ3pLa");
        assert_eq!(text.expose(), "bs1a7Qm3Zt9aLk2PN4vC8yQ1hS6wJ0xR5bT2kG7mD9fZ3pLa3SJQSS");
        assert_eq!(
            Presented::parse(TokenKind::Access, text.expose()).map(|found| found.id),
            Some("7Qm3Zt9aLk2P")
        );
        for kind in [TokenKind::Refresh, TokenKind::Code, TokenKind::Device, TokenKind::ClientSecret] {
            assert!(Presented::parse(kind, text.expose()).is_none());
        }
        assert!(Presented::parse(TokenKind::Access, &text.expose().replace('v', "w")).is_none());
        assert!(Presented::parse(TokenKind::Access, "bs1aé").is_none());
    }

    #[test]
    fn only_the_text_itself_is_what_was_stored() {
        let (world, _) = World::manual(0, 3);
        let pepper = MasterKey::of_the_vectors().mac(MacPurpose::OauthToken);
        let (one, other) = (mint(&world, &pepper, TokenKind::Code), mint(&world, &pepper, TokenKind::Code));
        let presented = Presented::parse(TokenKind::Code, one.secret.expose()).expect("well formed");
        assert!(presented.is(&pepper, &one.verifier) && !presented.is(&pepper, &other.verifier));
        assert!(!presented.is(&pepper, one.secret.expose()), "a stored verifier is no token");
    }
}
