//! Rights taken away anywhere stop everywhere within a second: a counter in the database moves with each such
//! change, every instance reads it four times a second, and nothing cached under an older count is believed.
use crate::Basis;
use bytespike_store::Store;
use bytespike_store::change_counter;
use bytespike_store::world::World;
use std::sync::atomic::{AtomicI64, Ordering};

/// A count read longer ago than this is not believed either: a stalled reader must not keep revoked keys alive.
const BELIEVED_MS: i64 = 1_000;

/// What this instance knows of the counter.
pub(crate) struct RightsWatch {
    store: Store,
    world: World,
    changes: AtomicI64,
    read_at_ms: AtomicI64,
}

impl RightsWatch {
    pub fn new(basis: &Basis<'_>) -> Self {
        Self {
            store: basis.store.clone(),
            world: basis.world.clone(),
            changes: AtomicI64::new(0),
            read_at_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// The counter, read anew only when the last reading is too old.
    pub async fn current(&self) -> sqlx::Result<i64> {
        // Saturating, because before the first reading it is infinitely old.
        let age_ms = self.world.now_ms().saturating_sub(self.read_at_ms.load(Ordering::Acquire));
        if age_ms < BELIEVED_MS { Ok(self.changes.load(Ordering::Acquire)) } else { self.refresh().await }
    }

    /// Reads the counter now.
    pub async fn refresh(&self) -> sqlx::Result<i64> {
        // The time is taken first: the count is at least as new as it claims.
        let now_ms = self.world.now_ms();
        let changes = change_counter::rights(&self.store).await?;
        // Readings may finish out of order; the count only grows.
        let newest = self.changes.fetch_max(changes, Ordering::AcqRel).max(changes);
        self.read_at_ms.fetch_max(now_ms, Ordering::AcqRel);
        Ok(newest)
    }
}
