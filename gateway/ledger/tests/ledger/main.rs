//! The ledger through its handle, on both databases.
mod concurrency;
mod flow;
mod limits;
mod recovery;
mod support;
