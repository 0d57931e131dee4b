//! A gate that a test opens: the scripted parts wait for conditions, never for time.

use tokio::sync::watch;

/// Closed until someone opens it; stays open.
#[derive(Debug, Clone)]
pub struct Gate(watch::Sender<bool>);

impl Default for Gate {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Gate {
    /// Lets everyone through who waits now or later.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Returns once the gate is open.
    pub async fn passed(&self) {
        // The sender is owned by `self`, so the channel cannot close while we wait.
        self.0.subscribe().wait_for(|open| *open).await.ok();
    }
}

/// A number that only grows and can be waited for.
#[derive(Debug, Clone, Default)]
pub struct Counter(watch::Sender<usize>);

impl Counter {
    /// Adds one.
    pub fn bump(&self) {
        self.0.send_modify(|n| *n += 1);
    }

    /// The number now.
    #[must_use]
    pub fn now(&self) -> usize {
        *self.0.borrow()
    }

    /// Returns once the number is at least `n`; fails the test when that takes longer than [`crate::PATIENCE`].
    pub async fn at_least(&self, n: usize) {
        let mut seen = self.0.subscribe();
        let waited = tokio::time::timeout(crate::PATIENCE, seen.wait_for(|now| *now >= n)).await;
        assert!(waited.is_ok(), "waited for {n}, saw {}", self.now());
    }
}
