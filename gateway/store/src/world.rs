//! Time, randomness and ids, passed in everywhere so that a test or a simulation can supply its own.
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_ms(&self) -> i64;
}

/// Where randomness comes from.
pub trait Random: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// Everything that is not a function of the arguments: the clock and the dice.
#[derive(Clone)]
pub struct World {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

impl World {
    /// The machine's clock and the operating system's randomness.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(OsRandom) }
    }

    /// A world that repeats: the clock moves only when told, and the seed decides every id.
    pub fn manual(start_ms: i64, seed: u64) -> (Self, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(start_ms));
        (Self { clock: clock.clone(), random: Arc::new(SeededRandom::new(seed)) }, clock)
    }

    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// A new id: `prefix_` and a UUIDv7 as 32 hex digits, so that ids of one kind sort by the time they were made.
    pub fn id(&self, prefix: &str) -> String {
        let mut bits = [0; 10];
        self.random.fill(&mut bits);
        let now_ms = u64::try_from(self.now_ms()).unwrap_or(0);
        let uuid = uuid::Builder::from_unix_timestamp_millis(now_ms, &bits).into_uuid();
        format!("{prefix}_{}", uuid.as_simple())
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }
}

/// Sorts before every id of this kind that was made at that moment or later, and after every earlier one.
pub fn first_id(prefix: &str, at_ms: i64) -> String {
    format!("{prefix}_{:012x}", at_ms.clamp(0, (1 << 48) - 1))
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// A clock that moves only when told.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn at(ms: i64) -> Self {
        Self(AtomicI64::new(ms))
    }

    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn set(&self, ms: i64) {
        self.0.store(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The operating system's randomness.
pub struct OsRandom;

impl Random for OsRandom {
    #[expect(
        clippy::disallowed_methods,
        clippy::panic,
        reason = "the one place that asks the operating system; there is no safe way on without it"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system gave no randomness: {error}");
        }
    }
}

/// Repeatable randomness for tests and simulations (SplitMix64, Steele, Lea and Flood 2014). Never for secrets.
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn next(&self) -> u64 {
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(GAMMA, Ordering::SeqCst).wrapping_add(GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_repeat_from_the_seed() {
        let (world, clock) = World::manual(1_700_000_000_000, 7);
        let first = world.id("rcp");
        clock.advance(1);
        let second = world.id("rcp");
        assert!(first < second, "{first} {second}");
        assert_eq!((first.len(), &first[..4]), (36, "rcp_"));
        let (again, _) = World::manual(1_700_000_000_000, 7);
        assert_eq!(again.id("rcp"), first);
        let between = first_id("rcp", 1_700_000_000_001);
        assert!(first < between && between < second, "{first} {between} {second}");
    }

    #[test]
    fn the_system_world_never_repeats_itself() {
        let world = World::system();
        assert!(world.now_ms() > 1_700_000_000_000);
        assert_ne!(world.bytes::<16>(), world.bytes::<16>());
    }
}
