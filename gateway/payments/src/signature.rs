//! The signature of a webhook: HMAC-SHA256 over the moment and the raw body, as Stripe describes it.
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// How far the moment in a signature may be from ours, either way.
pub const TOLERANCE_MS: i64 = 300_000;
/// While a secret is replaced there are two signatures; nobody sends many.
const MOST_SIGNATURES: usize = 16;

/// Why an event is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the header Stripe-Signature is missing or malformed")]
    Malformed,
    #[error("no signature matches; is the endpoint's signing secret configured here?")]
    Wrong,
    #[error("the signature is more than five minutes away from this server's clock")]
    TooOld,
}

/// Checks a `Stripe-Signature` header over the raw body. Any of the secrets may have signed it; an empty one never did.
pub fn verify(header: &str, body: &[u8], secrets: &[String], now_ms: i64) -> Result<(), SignatureError> {
    let (moment, signatures) = read(header).ok_or(SignatureError::Malformed)?;
    let secrets = secrets.iter().filter(|secret| !secret.is_empty());
    let mut is_ours = subtle::Choice::from(0);
    for secret in secrets {
        let wanted = sign(secret, moment, body);
        for signature in &signatures {
            is_ours |= wanted.as_slice().ct_eq(signature);
        }
    }
    if !bool::from(is_ours) {
        return Err(SignatureError::Wrong);
    }
    let signed_at_ms =
        moment.parse::<i64>().ok().and_then(|s| s.checked_mul(1_000)).ok_or(SignatureError::Malformed)?;
    let distance = now_ms.checked_sub(signed_at_ms).map(i64::abs);
    if distance.is_some_and(|ms| ms <= TOLERANCE_MS) { Ok(()) } else { Err(SignatureError::TooOld) }
}

/// The moment as it was written, and every signature of the scheme `v1`.
fn read(header: &str) -> Option<(&str, Vec<Vec<u8>>)> {
    let pairs = || header.split(',').filter_map(|pair| pair.trim().split_once('='));
    let moment = pairs().find(|(name, _)| *name == "t").map(|(_, value)| value)?;
    let signatures = pairs().filter(|(name, _)| *name == "v1").take(MOST_SIGNATURES);
    let signatures: Vec<Vec<u8>> = signatures.filter_map(|(_, value)| hex::decode(value).ok()).collect();
    (!signatures.is_empty()).then_some((moment, signatures))
}

fn sign(secret: &str, moment: &str, body: &[u8]) -> Vec<u8> {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return Vec::new() };
    mac.update(moment.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_512_600_000;
    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn header(secret: &str, at_ms: i64, body: &[u8]) -> String {
        let moment = (at_ms / 1_000).to_string();
        format!("t={moment},v1={},v0=00", hex::encode(sign(secret, &moment, body)))
    }

    fn secrets(these: &[&str]) -> Vec<String> {
        these.iter().map(|secret| (*secret).to_owned()).collect()
    }

    /// Computed with Python's hmac module.
    #[test]
    fn s111_a_signature_made_elsewhere_is_understood() {
        let made = "88ac8147f0b3ad0e2fd1400c58988cfcf4cca94e4de66f9f5ba0a704845a4ead";
        assert_eq!(hex::encode(sign("whsec_test", "1795512600", BODY)), made);
    }

    #[test]
    fn s111_any_of_several_secrets_counts_and_an_empty_one_never_does() {
        let old = header("whsec_old", NOW_MS, BODY);
        assert_eq!(verify(&old, BODY, &secrets(&["whsec_new", "whsec_old"]), NOW_MS), Ok(()));
        assert_eq!(verify(&old, BODY, &secrets(&["whsec_new"]), NOW_MS), Err(SignatureError::Wrong));
        let nothing = header("", NOW_MS, BODY);
        assert_eq!(verify(&nothing, BODY, &secrets(&[""]), NOW_MS), Err(SignatureError::Wrong));
        assert_eq!(verify(&nothing, BODY, &[], NOW_MS), Err(SignatureError::Wrong));
    }

    #[test]
    fn s111_body_moment_and_scheme_are_signed() {
        let given = secrets(&["whsec_a"]);
        let good = header("whsec_a", NOW_MS, BODY);
        assert_eq!(verify(&good, b"{}", &given, NOW_MS), Err(SignatureError::Wrong));
        let later = good.replace("t=1795512600", "t=1795512601");
        assert_eq!(verify(&later, BODY, &given, NOW_MS), Err(SignatureError::Wrong));
        assert_eq!(verify(&good.replace("v1=", "v0="), BODY, &given, NOW_MS), Err(SignatureError::Malformed));
        for nonsense in ["", "t=1", "v1=00", "t=x,v1=zz", "🙂"] {
            assert_eq!(verify(nonsense, BODY, &given, NOW_MS), Err(SignatureError::Malformed), "{nonsense}");
        }
    }

    #[test]
    fn s111_five_minutes_either_way_and_no_more() {
        let given = secrets(&["whsec_a"]);
        for (away_ms, expected) in [
            (0, Ok(())),
            (TOLERANCE_MS, Ok(())),
            (-TOLERANCE_MS, Ok(())),
            (TOLERANCE_MS + 1_000, Err(SignatureError::TooOld)),
            (-TOLERANCE_MS - 1_000, Err(SignatureError::TooOld)),
        ] {
            let header = header("whsec_a", NOW_MS - away_ms, BODY);
            assert_eq!(verify(&header, BODY, &given, NOW_MS), expected, "{away_ms}");
        }
    }
}
