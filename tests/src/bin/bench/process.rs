//! What the kernel says about processes.

use std::collections::HashMap;
use std::time::Duration;

/// The kernel counts CPU time in hundredths of a second on every platform Rust's Linux targets know.
const TICK: Duration = Duration::from_millis(10);

/// CPU time, user and system, of a process and everything below it.
pub fn cpu(pid: u32) -> Duration {
    let all = all();
    let mut ticks = 0;
    let mut todo = vec![pid];
    while let Some(pid) = todo.pop() {
        ticks += all.get(&pid).map_or(0, |process| process.ticks);
        todo.extend(all.iter().filter(|(_, process)| process.parent == pid).map(|(child, _)| *child));
    }
    TICK * ticks
}

struct Process {
    parent: u32,
    ticks: u32,
}

fn all() -> HashMap<u32, Process> {
    let folders = std::fs::read_dir("/proc").expect("a Linux machine").flatten();
    let pids = folders.filter_map(|folder| folder.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, read(pid)?))).collect()
}

/// The fields after the name, which may hold anything and is in parentheses: state, parent, …, user and system time.
fn read(pid: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u32>().ok();
    Some(Process { parent: number(1)?, ticks: number(11)? + number(12)? })
}
