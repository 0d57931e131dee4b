//! One load on one variant: clients that hold and settle one pair after another until the time is over.

use super::Variant;
use crate::process;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Pairs of one client at most, so that a run is bounded in count as well.
const MOST: usize = 200_000;

#[derive(Clone, Copy)]
pub enum Wallets {
    One,
    Many,
}

impl Wallets {
    /// Wallets there are.
    pub const ALL: usize = 300;

    pub fn count(self) -> usize {
        match self {
            Self::One => 1,
            Self::Many => Self::ALL,
        }
    }
}

pub struct Load {
    pub clients: usize,
    pub wallets: Wallets,
    pub lasting: Duration,
}

pub struct Measured {
    pub per_second: f64,
    /// User and system time per pair: this process's, clients included, and the database server's where there is one.
    pub cpu_us: f64,
    pub hold_p50_ms: f64,
    pub hold_p99_ms: f64,
}

impl Measured {
    pub fn median(rounds: &[Self]) -> Self {
        let of = |value: fn(&Self) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        Self {
            per_second: of(|m| m.per_second),
            cpu_us: of(|m| m.cpu_us),
            hold_p50_ms: of(|m| m.hold_p50_ms),
            hold_p99_ms: of(|m| m.hold_p99_ms),
        }
    }
}

/// `backends`: the server's processes whose CPU counts as well.
pub async fn run(variant: &Variant, load: &Load, backends: &[u32]) -> Measured {
    let cpu =
        || process::cpu(std::process::id()) + backends.iter().map(|pid| process::cpu(*pid)).sum::<Duration>();
    let (before, started) = (cpu(), Instant::now());
    let mut clients = JoinSet::new();
    for number in 0..load.clients {
        let (variant, wallets, until) = (variant.clone(), load.wallets.count(), started + load.lasting);
        clients.spawn(async move { client(&variant, number, wallets, until).await });
    }
    let mut holds: Vec<Duration> = clients.join_all().await.concat();
    let (took, used) = (started.elapsed(), cpu().saturating_sub(before));
    holds.sort_unstable();
    let pairs = f64::from(u32::try_from(holds.len()).expect("a bounded count"));
    let quantile = |percent: usize| holds[holds.len() * percent / 100].as_secs_f64() * 1e3;
    Measured {
        per_second: pairs / took.as_secs_f64(),
        cpu_us: used.as_secs_f64() * 1e6 / pairs,
        hold_p50_ms: quantile(50),
        hold_p99_ms: quantile(99),
    }
}

/// Walks through the wallets in steps that lead to each of them, beginning where no other client does.
async fn client(variant: &Variant, number: usize, wallets: usize, until: Instant) -> Vec<Duration> {
    let mut holds = Vec::new();
    let mut wallet = number;
    while holds.len() < MOST && (holds.is_empty() || Instant::now() < until) {
        wallet = (wallet + 7) % wallets;
        holds.push(variant.pair(wallet).await);
    }
    holds
}
