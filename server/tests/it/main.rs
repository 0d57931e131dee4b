//! The binary, started as an operator starts it and asked over HTTP.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to fail on the spot")]

mod demo;
mod first_run;
mod process;
