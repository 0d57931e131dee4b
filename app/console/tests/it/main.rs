//! The console as a browser without scripts meets it: the real router, accounts and ledger on a fresh SQLite database.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot set its scene has to fail")]

mod journeys;
mod keys;
mod money;
mod pages;
mod refusals;
mod security;
#[path = "../support/mod.rs"]
mod support;
mod usage;
