//! Secrets and signatures of Standard Webhooks: HMAC-SHA256 over id, timestamp and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytespike_accounts::secrets::SecretText;
use bytespike_store::world::World;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
const SECRET_BYTES: usize = 32;

/// A new secret: `whsec_` and 32 random bytes as base64.
pub fn new_secret(world: &World) -> SecretText {
    let bytes = Zeroizing::new(world.bytes::<SECRET_BYTES>());
    SecretText::new(format!("{PREFIX}{}", STANDARD.encode(bytes.as_slice())))
}

/// `v1,…`; nothing for a text that is no secret of ours.
pub fn sign(secret: &SecretText, (id, timestamp_s): (&str, i64), body: &str) -> Option<String> {
    let key = Zeroizing::new(STANDARD.decode(secret.expose().strip_prefix(PREFIX)?).ok()?);
    let mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    let signed = mac.chain_update(format!("{id}.{timestamp_s}.").as_bytes()).chain_update(body.as_bytes());
    Some(format!("v1,{}", STANDARD.encode(signed.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification's own libraries.
    #[test]
    fn the_published_vector_is_met() {
        let secret = SecretText::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = r#"{"test": 2432232314}"#;
        let signature = sign(&secret, ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330), body);
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn a_new_secret_signs_and_another_text_does_not() {
        let (world, _) = World::manual(0, 1);
        let (one, other) = (new_secret(&world), new_secret(&world));
        assert_ne!(sign(&one, ("evt_1", 1), "{}"), sign(&other, ("evt_1", 1), "{}"));
        assert!(sign(&one, ("evt_1", 1), "{}").is_some_and(|text| text.starts_with("v1,")));
        assert_eq!(sign(&SecretText::new("hunter2"), ("evt_1", 1), "{}"), None);
    }
}
