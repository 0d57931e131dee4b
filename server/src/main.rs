//! Starts ByteSpike.
fn main() {}
