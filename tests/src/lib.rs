//! Black-box tests: the real binary, real HTTP, real databases, a real browser. Helpers live here, tests in `it/`.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to fail on the spot")]

pub mod authenticator;
pub mod canary;
pub mod database;
pub mod device;
pub mod gate;
pub mod http;
pub mod invariants;
pub mod keys;
pub mod letters;
pub mod limits;
pub mod load;
pub mod operator;
pub mod person;
pub mod product;
pub mod raw;
pub mod speaker;
pub mod sse;
pub mod stage;
pub mod stripe;
pub mod upstream;
pub mod webhooks;

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

/// How long a test waits for something that must happen before it fails. It never waits for the time to pass.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often something is tried: `long` under `tests/run --long`, which notes what was tried how often, else `short`.
#[must_use]
pub fn scale(what: &str, short: usize, long: usize) -> usize {
    let Some(notes) = setting("TEST_LONG") else { return short };
    let mut notes = File::options().create(true).append(true).open(notes).expect("a file for notes");
    writeln!(notes, "- {what}: {long}").expect("a note is written");
    long
}

/// A variable that `tests/run` hands to the tests.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests are told through the environment what to run against")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Asks until it is so; `what` says what did not come to be.
///
/// # Panics
/// When it is not so in time.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "{what} within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
