//! Checking an ID token: signature, issuer, audience, lifetime and nonce (OpenID Connect Core, 3.1.3.7).
use super::ProviderError;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq as _;

/// Clocks may differ by this much.
const LEEWAY_S: i64 = 60;
const MOST_SUBJECT_CHARS: usize = 255;

/// What the token has to say.
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now_ms: i64,
}

/// What the token says; of a profile, only some of it.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub sub: String,
    #[serde(default)]
    exp: i64,
    #[serde(default)]
    iat: i64,
    #[serde(default, deserialize_with = "one_or_many")]
    aud: Vec<String>,
    azp: Option<String>,
    nonce: Option<String>,
    pub email: Option<String>,
    #[serde(default, deserialize_with = "truth")]
    pub email_verified: bool,
    pub name: Option<String>,
}

impl Claims {
    /// The address of a profile about the same subject, and its name where the token has none.
    pub fn with_profile(self, said: Self) -> Self {
        let (email, email_verified) = (said.email, said.email_verified);
        Self { email, email_verified, name: self.name.or(said.name), ..self }
    }

    pub fn proven_email(&self) -> Option<String> {
        self.email.clone().filter(|_| self.email_verified)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// None of the keys has the name the token asks for.
    UnknownKey,
    Wrong(&'static str),
}

impl Refused {
    pub fn into_error(self) -> ProviderError {
        ProviderError::Invalid(match self {
            Self::UnknownKey => "the ID token is signed with a key it does not publish",
            Self::Wrong(what) => what,
        })
    }
}

pub(super) fn check(token: &str, keys: &JwkSet, expected: &Expected<'_>) -> Result<Claims, Refused> {
    let wrong = Refused::Wrong;
    let header = decode_header(token).map_err(|_| wrong("the ID token is none"))?;
    // Only signatures with published keys: with a shared secret, our own client secret would be enough to forge one.
    if matches!(header.alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
        return Err(wrong("the ID token is not signed with a published key"));
    }
    let key = key_of(keys, header.kid.as_deref()).ok_or(Refused::UnknownKey)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| wrong("a published key is none"))?;
    let mut rules = Validation::new(header.alg);
    rules.set_issuer(&[expected.issuer]);
    rules.set_audience(&[expected.client_id]);
    rules.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    // The lifetime is judged below, by the clock we are given.
    rules.validate_exp = false;
    let claims =
        decode::<Claims>(token, &key, &rules).map_err(|_| wrong("signature, issuer or audience is wrong"))?;
    check_claims(claims.claims, expected).map_err(wrong)
}

fn check_claims(claims: Claims, expected: &Expected<'_>) -> Result<Claims, &'static str> {
    let now_s = expected.now_ms / 1_000;
    if claims.exp + LEEWAY_S <= now_s || claims.iat > now_s + LEEWAY_S {
        return Err("the ID token is not of now");
    }
    let is_for_us = claims.azp.as_deref().map_or(claims.aud.len() == 1, |azp| azp == expected.client_id);
    if !is_for_us {
        return Err("the ID token was made for another client");
    }
    let nonce = claims.nonce.as_deref().unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err("the nonce is not the one that was sent");
    }
    if claims.sub.is_empty() || claims.sub.chars().count() > MOST_SUBJECT_CHARS {
        return Err("the subject is none");
    }
    Ok(claims)
}

/// The key the token names; without a name, the only one there is.
fn key_of<'a>(keys: &'a JwkSet, kid: Option<&str>) -> Option<&'a Jwk> {
    match (kid, keys.keys.as_slice()) {
        (Some(kid), _) => keys.find(kid),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Audience::deserialize(from)? {
        Audience::One(one) => vec![one],
        Audience::Many(many) => many,
    })
}

/// Some issuers write the truth as a string.
fn truth<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(value == serde_json::Value::Bool(true) || value == "true")
}
