//! The documentation through its router: pages, search, and the language it is written in.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod chinese;
mod pages;
mod search;
mod support;
