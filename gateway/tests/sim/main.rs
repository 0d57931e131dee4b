//! The whole call on one thread whose time stands still until everything waits: the real router, the real ledger on a
//! real SQLite file, a provider in memory, and faults. One seed is one run, byte for byte.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to fail on the spot")]

mod client;
mod log;
mod offsets;
mod plan;
mod provider;
mod recordings;
mod run;
mod scenarios;
mod seeds;
mod stage;
mod time;
mod trouble;
mod verdict;
mod wire;
