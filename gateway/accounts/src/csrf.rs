//! Form tokens: a form posted by another site carries none that this browser's session would accept.
use crate::secrets::{Keyring, MacKey, MacPurpose, SecretText};
use bytespike_store::world::World;
use subtle::ConstantTimeEq as _;

const RANDOM_BYTES: usize = 16;

/// Makes and checks the tokens.
#[derive(Clone)]
pub struct Csrf {
    key: MacKey,
    world: World,
}

/// What a form's token is bound to: only the same binding accepts it.
#[derive(Clone, Copy)]
pub enum Binding<'a> {
    /// The value of the session cookie.
    Session(&'a str),
    /// The value of an operator's session cookie.
    Operator(&'a str),
    /// As [`Binding::Session`], for deciding about one thing alone.
    Decision { session: &'a str, about: &'a str },
    /// The value of the anonymous cookie set with a sign-in form, before there is a session.
    Anonymous(&'a str),
}

impl Csrf {
    pub fn new(keyring: &Keyring, world: World) -> Self {
        Self { key: keyring.mac(MacPurpose::Csrf), world }
    }

    /// A token for a form shown to the holder of `binding`.
    pub fn token(&self, binding: Binding<'_>) -> String {
        self.token_with(binding, &hex::encode(self.world.bytes::<RANDOM_BYTES>()))
    }

    /// Whether `token` was made for `binding`.
    pub fn verify(&self, binding: Binding<'_>, token: &str) -> bool {
        let Some((_, random)) = token.split_once('.') else { return false };
        let expected = self.token_with(binding, random);
        random.len() == 2 * RANDOM_BYTES && bool::from(expected.as_bytes().ct_eq(token.as_bytes()))
    }

    /// The value of a new anonymous cookie.
    pub fn anonymous_value(&self) -> SecretText {
        SecretText::new(hex::encode(self.world.bytes::<32>()))
    }

    fn token_with(&self, binding: Binding<'_>, random: &str) -> String {
        let bound = match binding {
            Binding::Session(id) => id.to_owned(),
            Binding::Operator(id) => format!("operator:{id}"),
            Binding::Decision { session, about } => format!("decision:{session}:{about}"),
            // Session ids hold no colon, so an anonymous value can never stand in for one.
            Binding::Anonymous(value) => format!("anonymous:{value}"),
        };
        let message = format!("{}!{bound}!{}!{random}", bound.len(), random.len());
        format!("{}.{random}", self.key.mac_hex(message.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::MasterKey;

    fn csrf() -> Csrf {
        Csrf::new(&MasterKey::of_the_vectors().into(), World::manual(0, 8).0)
    }

    #[test]
    fn the_token_is_the_published_vector() {
        let token = csrf().token_with(
            Binding::Session("c2Vzc2lvbi1pZC0wMDAwMDAwMDAwMDAwMQ"),
            "000102030405060708090a0b0c0d0e0f",
        );
        assert_eq!(
            token,
            "fae75ec200ea2e86f3eeb2e556e901383d70e1f2865f94790cf9c160d4509d68.000102030405060708090a0b0c0d0e0f"
        );
    }

    #[test]
    fn s16_only_the_session_it_was_made_for_accepts_it() {
        let csrf = csrf();
        let token = csrf.token(Binding::Session("mine"));
        assert!(csrf.verify(Binding::Session("mine"), &token));
        assert!(!csrf.verify(Binding::Session("other"), &token));
        assert!(!csrf.verify(Binding::Anonymous("mine"), &token));
        for changed in
            ["", ".", &token.to_uppercase(), &token[..token.len() - 1], &token[1..], &format!("{token}0")]
        {
            assert!(!csrf.verify(Binding::Session("mine"), changed), "{changed:?} was accepted");
        }
    }

    #[test]
    fn s23_n21_a_decision_is_about_one_thing_in_one_session() {
        let csrf = csrf();
        let token = csrf.token(Binding::Decision { session: "mine", about: "this" });
        assert!(csrf.verify(Binding::Decision { session: "mine", about: "this" }, &token));
        assert!(!csrf.verify(Binding::Decision { session: "mine", about: "that" }, &token));
        assert!(!csrf.verify(Binding::Decision { session: "other", about: "this" }, &token));
        assert!(!csrf.verify(Binding::Session("mine"), &token));
    }

    #[test]
    fn s11_a_form_before_sign_in_is_bound_to_its_anonymous_cookie() {
        let csrf = csrf();
        let (one, other) = (csrf.anonymous_value(), csrf.anonymous_value());
        let token = csrf.token(Binding::Anonymous(one.expose()));
        assert!(csrf.verify(Binding::Anonymous(one.expose()), &token));
        assert!(!csrf.verify(Binding::Anonymous(other.expose()), &token));
        assert!(!csrf.verify(Binding::Session(&format!("anonymous:{}", one.expose())[..0]), &token));
    }

    #[test]
    fn two_tokens_of_one_session_differ() {
        let csrf = csrf();
        assert_ne!(csrf.token(Binding::Session("mine")), csrf.token(Binding::Session("mine")));
    }
}
