//! How long a hold takes while the console writes into the same database, beside without.

use super::Subject;
use super::console;
use super::run::{Load, Measured, Wallets};
use std::time::Duration;

const CLIENTS: usize = 16;

pub async fn print(ours: &Subject, rounds: usize, lasting: Duration) {
    let load = Load { clients: CLIENTS, wallets: Wallets::Many, lasting };
    let (mut quiet, mut busy) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        quiet.push(ours.run(&load).await);
        let writing = console::start(&ours.store).await;
        busy.push(ours.run(&load).await);
        drop(writing);
    }
    println!(
        "  holds of {CLIENTS} clients on {} wallets, and beside console writes (a session, a key, an audit event every {} ms)",
        Wallets::ALL,
        console::EVERY.as_millis()
    );
    for (name, rounds) in [("quiet", &quiet), ("beside", &busy)] {
        let m = Measured::median(rounds);
        println!(
            "    {name:<7} p50 {:.2} ms, p99 {:.2} ms, {:.0} pairs/s",
            m.hold_p50_ms, m.hold_p99_ms, m.per_second
        );
    }
}
