//! An authenticator app, as a person holds one.

use totp_rs::{Algorithm, Secret, TOTP};

/// An app with the secret that a set-up page shows.
pub struct App(TOTP);

impl App {
    /// Types the secret off the page.
    #[must_use]
    pub fn typed(page: &str) -> Self {
        let (_, rest) = page.split_once("id=\"secret\"").expect("the secret");
        let value = rest.split('>').nth(1).and_then(|rest| rest.split('<').next()).expect("a value");
        let secret = Secret::Encoded(value.replace(' ', "")).to_bytes().expect("base32");
        Self(TOTP::new(Algorithm::SHA1, 6, 1, 30, secret, None, String::new()).expect("a secret"))
    }

    /// The code of now, or of a step away: one step either way is still, or already, good.
    #[must_use]
    pub fn code(&self, steps_away: i64) -> String {
        let now = bytespike_store::world::World::system().now_ms() / 1_000;
        self.0.generate(u64::try_from(now + 30 * steps_away).expect("after 1970"))
    }
}
