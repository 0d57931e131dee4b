//! The price book through its public functions, built from the embedded catalogue.
#![expect(clippy::expect_used, reason = "a test that cannot go on has to fail on the spot")]

mod book;
mod charge;
mod check;
mod cost;
mod export;
mod hold;
mod media;
mod museum;
mod support;
