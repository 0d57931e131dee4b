//! Request rate and concurrency: counted in this process, which takes its share of each limit. Checked before a hold.
//!
//! A process admits at most ⌈limit ÷ processes⌉, so together they stay within limit + processes − 1. Until a process that
//! joins is known to the others (a second), and for the minute they still count what they admitted alone, they stay
//! below twice the limit plus one for each process.

mod recent;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytespike_accounts::call_limits::{CallLimit, CallLimitKind};
use recent::Recent;

/// A request that waits for a running call to end should ask again after this.
const SLOT_WAIT_MS: i64 = 1_000;
/// Idle nodes are forgotten whenever this many more are known than after the last time.
const FORGET_EVERY: usize = 4_096;

/// What this process has admitted, by node.
pub struct Admission {
    /// Processes that share the limits, this one included; at least one.
    processes: AtomicI64,
    counted: Arc<Mutex<Counted>>,
}

#[derive(Default)]
struct Counted {
    nodes: HashMap<Arc<str>, Node>,
    forget_at: usize,
}

#[derive(Default)]
struct Node {
    recent: Recent,
    running: i64,
}

/// The limit that leaves no room, and when to ask again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    pub limit: CallLimit,
    pub retry_after_ms: i64,
}

/// A running call's places at the nodes that limit concurrency, given back when this is released or dropped.
#[derive(Default)]
pub struct Slots {
    counted: Option<Arc<Mutex<Counted>>>,
    nodes: Vec<Arc<str>>,
}

impl Admission {
    #[must_use]
    pub fn new() -> Self {
        let counted = Counted { nodes: HashMap::new(), forget_at: FORGET_EVERY };
        Self { processes: AtomicI64::new(1), counted: Arc::new(Mutex::new(counted)) }
    }

    /// How many processes admit calls, this one included.
    pub fn share_among(&self, processes: i64) {
        self.processes.store(processes.max(1), Ordering::Relaxed);
    }

    /// Lets a request in if every limit on its way has room, and counts it in all of them; else in none.
    ///
    /// # Errors
    /// The limit that keeps it out the longest.
    pub fn admit(&self, limits: &[CallLimit], now_ms: i64) -> Result<Slots, Busy> {
        let is_counted = |limit: &&CallLimit| limit.kind != CallLimitKind::CreditsPerCall;
        if !limits.iter().any(|limit| is_counted(&limit)) {
            return Ok(Slots::default());
        }
        let processes = self.processes.load(Ordering::Relaxed);
        let mut counted = lock(&self.counted);
        let busy = limits.iter().filter(is_counted).filter_map(|limit| {
            let limit = limit.at(now_ms);
            let wait_ms = counted.wait_ms(&limit, (share(limit.value, processes), now_ms))?;
            Some(Busy { limit, retry_after_ms: wait_ms })
        });
        if let Some(busy) = busy.max_by_key(|busy| busy.retry_after_ms) {
            return Err(busy);
        }
        let mut nodes = Vec::new();
        for limit in limits.iter().filter(is_counted) {
            let node = counted.nodes.entry(limit.node.clone()).or_default();
            if limit.kind == CallLimitKind::ConcurrentCalls {
                node.running += 1;
                nodes.push(limit.node.clone());
            } else {
                node.recent.count(now_ms);
            }
        }
        counted.forget_idle(now_ms);
        drop(counted);
        Ok(Slots { counted: Some(self.counted.clone()), nodes })
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self::new()
    }
}

impl Counted {
    /// How long until the limit has room; `None` when it has.
    fn wait_ms(&self, limit: &CallLimit, (share, now_ms): (i64, i64)) -> Option<i64> {
        let node = self.nodes.get(&limit.node);
        match limit.kind {
            CallLimitKind::ConcurrentCalls => {
                (node.map_or(0, |node| node.running) >= share).then_some(SLOT_WAIT_MS)
            }
            CallLimitKind::RequestsPerMinute => match node {
                Some(node) => node.recent.wait_ms(share, now_ms),
                None => (share == 0).then_some(recent::SPAN_MS),
            },
            CallLimitKind::CreditsPerCall => None,
        }
    }

    fn forget_idle(&mut self, now_ms: i64) {
        if self.nodes.len() < self.forget_at {
            return;
        }
        self.nodes.retain(|_, node| node.running > 0 || !node.recent.is_idle(now_ms));
        self.forget_at = self.nodes.len() + FORGET_EVERY;
    }
}

impl Slots {
    /// Gives the places back now; the call is over for whoever waits to make the next.
    pub fn release(&mut self) {
        let Some(counted) = self.counted.take() else { return };
        let mut counted = lock(&counted);
        for node in self.nodes.drain(..) {
            if let Some(node) = counted.nodes.get_mut(&node) {
                node.running -= 1;
            }
        }
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        self.release();
    }
}

/// This process's part of a limit, rounded up so that a small limit is not nothing.
fn share(limit: i64, processes: i64) -> i64 {
    limit.max(0).saturating_add(processes - 1) / processes.max(1)
}

/// A panic cannot leave the counts half changed.
fn lock(counted: &Mutex<Counted>) -> std::sync::MutexGuard<'_, Counted> {
    counted.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(node: &str, kind: CallLimitKind, value: i64) -> CallLimit {
        CallLimit { node: node.into(), kind, value, grant_end: None }
    }

    fn rpm(node: &str, value: i64) -> CallLimit {
        limit(node, CallLimitKind::RequestsPerMinute, value)
    }

    fn at_once(node: &str, value: i64) -> CallLimit {
        limit(node, CallLimitKind::ConcurrentCalls, value)
    }

    #[test]
    fn a_request_is_counted_at_every_node_or_at_none() {
        let admission = Admission::new();
        let way = [rpm("org:o", 3), rpm("key:a", 2)];
        for _ in 0..2 {
            assert!(admission.admit(&way, 0).is_ok());
        }
        for _ in 0..5 {
            let busy = admission.admit(&way, 10).err().expect("the key has no room");
            assert_eq!((&*busy.limit.node, busy.limit.value), ("key:a", 2));
        }
        assert!(admission.admit(&[rpm("org:o", 3), rpm("key:b", 2)], 20).is_ok(), "refusals took no room");
        let busy = admission.admit(&[rpm("org:o", 3), rpm("key:b", 2)], 30).err().expect("the org is full");
        assert_eq!(&*busy.limit.node, "org:o");
    }

    #[test]
    fn a_place_is_given_back_once_however_a_call_ends() {
        let admission = Admission::new();
        let way = [at_once("org:o", 2), at_once("key:a", 1)];
        let first = admission.admit(&way, 0).expect("room");
        assert_eq!(admission.admit(&way, 0).err().expect("full").retry_after_ms, SLOT_WAIT_MS);
        drop(first);
        let mut second = admission.admit(&way, 0).expect("given back by the drop");
        second.release();
        second.release();
        let third = admission.admit(&way, 0).expect("given back by the release");
        drop(second);
        assert!(admission.admit(&way, 0).is_err(), "releasing twice gave back one place");
        drop(third);
    }

    #[test]
    fn zero_lets_nothing_through_and_no_limit_everything() {
        let admission = Admission::new();
        assert!(admission.admit(&[rpm("key:a", 0)], 0).is_err());
        assert!(admission.admit(&[at_once("key:a", 0)], 0).is_err());
        let per_call = limit("key:a", CallLimitKind::CreditsPerCall, 0);
        assert!((0..1_000).all(|_| admission.admit(std::slice::from_ref(&per_call), 0).is_ok()));
    }

    #[test]
    fn processes_that_share_a_limit_admit_at_most_one_more_each_than_it_says() {
        for (value, processes) in [(1, 1), (1, 3), (7, 2), (60, 4), (100, 7)] {
            let all: Vec<Admission> = (0..processes).map(|_| Admission::new()).collect();
            let mut admitted = 0;
            for admission in &all {
                admission.share_among(processes);
                admitted +=
                    (0..value * 2).filter(|_| admission.admit(&[rpm("org:o", value)], 0).is_ok()).count();
            }
            let admitted = i64::try_from(admitted).expect("few");
            assert!((value..value + processes).contains(&admitted), "{value} by {processes}: {admitted}");
        }
    }

    #[test]
    fn a_process_that_joins_at_most_doubles_one_minute() {
        let (old, new) = (Admission::new(), Admission::new());
        let way = [rpm("org:o", 100)];
        let alone = (0..200).filter(|_| old.admit(&way, 0).is_ok()).count();
        old.share_among(2);
        new.share_among(2);
        let both = (0..200).filter(|_| old.admit(&way, 1_000).is_ok()).count()
            + (0..200).filter(|_| new.admit(&way, 1_000).is_ok()).count();
        assert_eq!((alone, both), (100, 50), "the old one waits until its minute is over");
        let next = (0..200).filter(|_| old.admit(&way, 120_000).is_ok()).count()
            + (0..200).filter(|_| new.admit(&way, 120_000).is_ok()).count();
        assert_eq!(next, 100);
    }

    #[test]
    fn idle_nodes_are_forgotten() {
        let admission = Admission::new();
        for n in 0..FORGET_EVERY * 3 {
            let at_ms = i64::try_from(n).expect("small") * 100;
            assert!(admission.admit(&[rpm(&format!("key:{n}"), 5)], at_ms).is_ok());
        }
        assert!(lock(&admission.counted).nodes.len() < FORGET_EVERY * 2);
    }
}
