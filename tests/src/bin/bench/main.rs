//! The benchmarks, started by `tests/bench`; bounded in count and time, on loopback only.
//! `bench [NAME=BASE_URL,…]…` measures whole calls, `bench ledger [sqlite|postgres]` the ledger by itself.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measuring tool prints its table, and stops where it cannot measure"
)]

mod calls;
mod ledger;
mod load;
mod process;
mod provider;
mod target;

use bytespike_tests::setting;

/// The allocator that the product runs with: the ledger is measured in this process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() {
    let rounds =
        setting("BENCH_ROUNDS").map_or(5, |rounds| rounds.parse().expect("BENCH_ROUNDS is a number"));
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|first| first == "ledger").is_some() {
        ledger::compare(rounds, arguments.next().as_deref()).await;
    } else {
        calls::compare(rounds, arguments).await;
    }
}
