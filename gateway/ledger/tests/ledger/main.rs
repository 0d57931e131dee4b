//! The ledger through its handle, on both databases.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to fail on the spot")]

mod concurrency;
mod flow;
mod limits;
mod recovery;
mod support;
