//! Secrets that are recognised wherever they turn up: in an answer, on a page, in the log.

/// The upstream key the product is configured with.
pub const UPSTREAM_KEY: &str = "sk-upstream-CANARY-5c1d9e77";
/// The password of everyone who signs up.
pub const PASSWORD: &str = "correct horse CANARY 9b2f41";
/// What the product is configured with to take payments: Stripe's key, and two secrets that sign its events.
pub const STRIPE_KEY: &str = "sk_test_CANARY_7b31c90ae2";
pub const WEBHOOK_SECRET: &str = "whsec_CANARY_0f6a2c4e8d";
pub const NEXT_WEBHOOK_SECRET: &str = "whsec_CANARY_next_93b1";
/// The master key, 32 bytes in hex.
pub const MASTER_KEY: &str = "6dd71092a0860adf94deb611a3d55f963cb0e01d7d7849f6bbdad0ccde5622ae";

/// Fails when a secret is in the bytes; `place` says where they were seen.
pub fn check(place: &str, bytes: &[u8]) {
    for (name, secret) in [
        ("upstream key", UPSTREAM_KEY),
        ("password", PASSWORD),
        ("payment key", STRIPE_KEY),
        ("webhook secret", WEBHOOK_SECRET),
        ("next webhook secret", NEXT_WEBHOOK_SECRET),
        ("master key", MASTER_KEY),
    ] {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "the {name} leaked into {place}");
    }
}
