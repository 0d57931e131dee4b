//! Proof Key for Code Exchange, S256 alone (RFC 7636): whoever redeems a code must be who asked for it.
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const CHALLENGE_CHARS: usize = 43;

/// Whether the text has the form of an S256 challenge.
pub fn is_challenge(text: &str) -> bool {
    text.len() == CHALLENGE_CHARS
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Whether the verifier is the one whose hash the challenge is.
pub fn proves(verifier: &str, challenge: &str) -> bool {
    is_verifier(verifier) && bool::from(challenge_of(verifier).as_bytes().ct_eq(challenge.as_bytes()))
}

fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

fn is_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vectors_hold() {
        let (shortest, longest, marks) = ("a".repeat(43), "A".repeat(128), "~".repeat(43));
        for (verifier, challenge) in [
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            (
                "3641a2d12d66101249cdf7a79c000c1f8c05d2aafcf14bf146497bed",
                "6fdkQaPm51l13DSukcAH3Mdx7_ntecHYd1vi3n0hMZY",
            ),
            (&shortest, "ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA"),
            (&longest, "tqw8wQOGMxx2XwTwQcFH0PJ48q7Y6qAh4tAFf8b2_54"),
            (&marks, "dOHT1ivLVSPsewADt8TAZF2T2lLYTZ4BymCwTRKpihg"),
        ] {
            assert!(is_challenge(challenge));
            assert!(proves(verifier, challenge), "{verifier}");
            assert!(!proves(challenge, challenge), "the challenge itself is no verifier");
        }
    }

    #[test]
    fn n12_n26_other_forms_are_refused() {
        let challenge = |verifier: &str| challenge_of(verifier);
        for verifier in ["a".repeat(42), "a".repeat(129), format!("{}+", "a".repeat(43)), "a b".repeat(20)] {
            assert!(!proves(&verifier, &challenge(&verifier)), "{verifier}");
        }
        for wrong in ["a".repeat(42), "a".repeat(44), format!("{}=", "a".repeat(42))] {
            assert!(!is_challenge(&wrong), "{wrong}");
        }
    }
}
