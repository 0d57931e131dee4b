//! Whole calls: CPU per call and added latency, through gateways beside direct ones.

use std::time::Duration;

use crate::load::{Load, run};
use crate::target::{self, Target};
use crate::{process, provider};
use bytespike_tests::setting;

/// One thing that is measured.
struct Scenario {
    name: &'static str,
    /// Added to the target's model name; the provider knows what it means.
    knob: &'static str,
    stream: bool,
    connections: usize,
    calls: usize,
}

/// Latency is read where little runs at once, CPU where much does.
const SCENARIOS: [Scenario; 4] = [
    Scenario { name: "one at a time", knob: "", stream: false, connections: 1, calls: 300 },
    Scenario {
        name: "16 at a time, 50 ms provider",
        knob: "-lat50",
        stream: false,
        connections: 16,
        calls: 480,
    },
    Scenario { name: "32 at a time", knob: "", stream: false, connections: 32, calls: 4000 },
    Scenario { name: "32 at a time, streams", knob: "", stream: true, connections: 32, calls: 2000 },
];

/// What one scenario did to one target, medians over the rounds.
struct Row {
    cpu_us: f64,
    added_p50: Duration,
    added_p99: Duration,
    per_second: f64,
}

/// Measures ours and every other gateway that is named, `rounds` times each.
pub async fn compare(rounds: usize, others: impl Iterator<Item = String>) {
    let provider = provider::start(&setting("BENCH_PROVIDER").unwrap_or("127.0.0.1:0".to_owned())).await;
    let direct = Target::direct(provider);
    let (ours, _product) = target::ours(provider).await;
    let mut targets = vec![ours];
    targets.extend(others.map(|spec| Target::parse(&spec)));
    println!(
        "medians of {rounds} alternated rounds; CPU is user + system of the gateway's processes; ms are beside a direct call in the same round\n"
    );
    for scenario in &SCENARIOS {
        println!("{} ({} calls a round)", scenario.name, scenario.calls);
        println!(
            "  {:<14} {:>12} {:>14} {:>14} {:>10}",
            "gateway", "CPU µs/call", "added p50 ms", "added p99 ms", "calls/s"
        );
        for target in &targets {
            print_row(&target.name, &measure(scenario, target, &direct, rounds).await);
        }
    }
}

fn print_row(name: &str, row: &Row) {
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let (p50, p99) = (ms(row.added_p50), ms(row.added_p99));
    println!("  {name:<14} {:>12.0} {p50:>14.2} {p99:>14.2} {:>10.0}", row.cpu_us, row.per_second);
}

/// Direct and through the gateway in turn, so that what else the machine does falls on both.
async fn measure(scenario: &Scenario, target: &Target, direct: &Target, rounds: usize) -> Row {
    let load = |target: &Target, calls: usize| Load {
        url: target.url.clone(),
        key: target.key.clone(),
        model: format!("{}{}", target.model, scenario.knob),
        stream: scenario.stream,
        connections: scenario.connections,
        calls,
    };
    let _ = run(load(target, scenario.calls / 10)).await;
    let (mut cpu, mut p50, mut p99, mut rate) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let plain = run(load(direct, scenario.calls)).await;
        let before = target.pid.map(process::cpu);
        let through = run(load(target, scenario.calls)).await;
        let used = target.pid.zip(before).map(|(pid, before)| process::cpu(pid).saturating_sub(before));
        cpu.push(used.map_or(f64::NAN, |used| used.as_secs_f64() * 1e6 / count(scenario.calls)));
        p50.push(through.quantile(50).saturating_sub(plain.quantile(50)));
        p99.push(through.quantile(99).saturating_sub(plain.quantile(99)));
        rate.push(count(scenario.calls) / through.took.as_secs_f64());
    }
    cpu.sort_by(f64::total_cmp);
    rate.sort_by(f64::total_cmp);
    p50.sort();
    p99.sort();
    let middle = rounds / 2;
    Row { cpu_us: cpu[middle], added_p50: p50[middle], added_p99: p99[middle], per_second: rate[middle] }
}

fn count(calls: usize) -> f64 {
    u32::try_from(calls).map_or(f64::NAN, f64::from)
}
