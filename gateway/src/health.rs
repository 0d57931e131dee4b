//! Which channels are answering: a circuit breaker per channel that opens after failures in a row and lets one call probe later.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Failures in a row before a channel is left alone.
const OPEN_AFTER_FAILURES: u32 = 5;
/// How long an opened channel is left alone before one call may probe it.
const OPEN_FOR_MS: i64 = 10_000;

/// Health of every channel of this process.
#[derive(Debug, Default)]
pub struct Health {
    channels: Mutex<HashMap<String, State>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    failures_in_a_row: u32,
    closed_again_at_ms: i64,
}

impl Health {
    /// Whether calls should prefer other channels over this one now.
    #[must_use]
    pub fn is_open(&self, channel: &str, now_ms: i64) -> bool {
        self.lock().get(channel).is_some_and(|state| now_ms < state.closed_again_at_ms)
    }

    /// The channel answered as it should.
    pub fn succeeded(&self, channel: &str) {
        if let Some(state) = self.lock().get_mut(channel) {
            *state = State::default();
        }
    }

    /// The channel failed in a way that is its own fault (refused, timed out, 5xx, cut).
    pub fn failed(&self, channel: &str, now_ms: i64) {
        let mut channels = self.lock();
        let state = channels.entry(channel.to_owned()).or_default();
        state.failures_in_a_row = state.failures_in_a_row.saturating_add(1);
        if state.failures_in_a_row >= OPEN_AFTER_FAILURES {
            state.closed_again_at_ms = now_ms.saturating_add(OPEN_FOR_MS);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, State>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_failures_in_a_row_and_closes_with_time_or_success() {
        let health = Health::default();
        for _ in 1..OPEN_AFTER_FAILURES {
            health.failed("a", 1_000);
        }
        assert!(!health.is_open("a", 1_000));
        health.failed("a", 1_000);
        assert!(health.is_open("a", 1_000));
        assert!(!health.is_open("b", 1_000));
        assert!(!health.is_open("a", 1_000 + OPEN_FOR_MS));
        health.failed("a", 20_000);
        assert!(health.is_open("a", 20_000), "one failed probe opens it again");
        health.succeeded("a");
        assert!(!health.is_open("a", 20_000));
    }
}
