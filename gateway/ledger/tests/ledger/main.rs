//! The ledger through its handle, on both databases.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to fail on the spot")]

mod alerts;
mod auditor;
mod books;
mod calendar;
mod cast;
mod claims;
mod concurrency;
mod crossing;
mod debits;
mod flow;
mod history;
mod invariants;
mod late;
mod limits;
mod machine;
mod museum;
mod recompute;
mod reconcile;
mod recovery;
mod request;
mod retention;
mod statement;
mod steps;
mod support;
mod trouble;
mod usage;
