//! Starts ByteSpike.

mod cli;
mod config;
mod demo;
mod listen;
mod serve;
mod surfaces;
mod telemetry;

/// A fifth to two fifths less CPU per rendered page than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
