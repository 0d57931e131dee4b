//! The time and the dice of one run. The clock follows the runtime's own, which moves only when nothing else can happen.
use bytespike_store::world::{Clock, Random, SeededRandom, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::runtime::Handle;
use tokio::time::Instant;

/// 2026-11-24T16:00:00Z, a Tuesday.
pub const START_MS: i64 = 1_795_536_000_000;

/// What the wall shows: the runtime's time, and however far somebody has set the clock since.
pub struct SimClock {
    origin: Instant,
    runtime: Handle,
    set_by_ms: AtomicI64,
}

impl SimClock {
    /// Milliseconds of the run, whatever the wall shows.
    pub fn elapsed_ms(&self) -> i64 {
        // Another runtime's time may be the current one: a statement's connections have their own.
        let _entered = self.runtime.enter();
        i64::try_from(self.origin.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Somebody sets the machine's clock.
    pub fn set_by(&self, ms: i64) {
        self.set_by_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// And back to where it belongs.
    pub fn set_right(&self) {
        self.set_by_ms.store(0, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        START_MS + self.elapsed_ms() + self.set_by_ms.load(Ordering::Relaxed)
    }
}

/// The world of the runtime that this is called on.
pub fn world(seed: u64) -> (World, Arc<SimClock>) {
    let clock = Arc::new(SimClock {
        origin: Instant::now(),
        runtime: Handle::current(),
        set_by_ms: AtomicI64::new(0),
    });
    (World { clock: clock.clone(), random: Arc::new(SeededRandom::new(seed)) }, clock)
}

/// What a run draws its plan from; apart from the world's, so that a plan does not depend on what the product draws.
pub struct Dice(SeededRandom);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed ^ 0x51e1_0a7e_d1ce_0000))
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % bound
    }

    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.index(choices.len())]
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}
