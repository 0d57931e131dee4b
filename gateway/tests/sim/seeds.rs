//! Runs by seed. A seed that fails is printed with the command that plays it again.
use crate::run::play;
use bytespike_tests::{scale, setting};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Plays one seed and prints everything that happened.
pub const AGAIN: &str = "BYTESPIKE_SIM_SEED";

#[test]
fn every_seed_keeps_every_promise() {
    if let Some(seed) = setting(AGAIN) {
        println!("{}", play(seed.parse().expect("a seed is a number")));
        return;
    }
    let count = scale("seeds of the simulation", 50, 1_000);
    let first: u64 = setting("TEST_SEED").and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let next = AtomicUsize::new(0);
    let failed = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|threads| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            threads.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let seed = first + number as u64;
                    if catch_unwind(|| play(seed)).is_err() {
                        println!("seed {seed} failed; play it again with: {AGAIN}={seed} {COMMAND}");
                        failed.lock().expect("not poisoned").push(seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("not poisoned");
    assert!(failed.is_empty(), "{} of {count} seeds failed: {failed:?}", failed.len());
}

const COMMAND: &str = "cargo test -p bytespike-gateway --test sim -- --nocapture every_seed";

#[test]
fn the_same_seed_is_the_same_run_byte_for_byte() {
    for seed in 1..=scale("seeds of the simulation that are played twice", 12, 100) as u64 {
        let (first, second) = (play(seed), play(seed));
        let differing = first.lines().zip(second.lines()).find(|(a, b)| a != b);
        assert_eq!(differing, None, "seed {seed}");
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}
