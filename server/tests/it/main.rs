//! The binary, started as an operator starts it and asked over HTTP.

mod demo;
mod process;
