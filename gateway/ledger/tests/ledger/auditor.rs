//! An independent ledger in memory: it keeps only the history of calls and sums it anew for every question, so that it
//! cannot share a mistake with counters that are carried along.
use bytespike_ledger::{NodeId, Window};

pub const LEASE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// A call the ledger was asked to hold, and what became of it.
#[derive(Clone, Debug)]
pub struct Call {
    pub id: String,
    pub nodes: Vec<NodeId>,
    pub held_at_ms: i64,
    pub amount: i64,
    /// `None` while it is held, then what it was charged: 0 when nothing landed.
    pub charged: Option<i64>,
    pub settled: bool,
    /// Its owner is still there, so that its lease is renewed.
    pub owned: bool,
    pub lease_ends_ms: i64,
}

#[derive(Clone, Debug)]
pub struct Limit {
    pub node: NodeId,
    pub window: Window,
    pub nano: i64,
    opened_ms: i64,
    ends_ms: i64,
}

/// What the ledger should say to a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    Held {
        available: i64,
    },
    Frozen,
    Insufficient {
        available: i64,
    },
    /// What is left of the limit that binds.
    Limited {
        remaining: i64,
    },
}

#[derive(Default)]
pub struct Auditor {
    pub credited: i64,
    pub calls: Vec<Call>,
    pub limits: Vec<Limit>,
    pub frozen: bool,
}

impl Auditor {
    pub fn posted(&self) -> i64 {
        self.credited - self.calls.iter().filter_map(|call| call.charged).sum::<i64>()
    }

    pub fn available(&self) -> i64 {
        self.posted() - self.open().map(|call| call.amount).sum::<i64>()
    }

    pub fn open(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.charged.is_none())
    }

    /// Decides a hold and, when it is taken, remembers it.
    pub fn hold(&mut self, id: &str, nodes: &[NodeId], amount: i64, now_ms: i64) -> Expected {
        if self.frozen {
            return Expected::Frozen;
        }
        if amount > self.available() {
            return Expected::Insufficient { available: self.available() };
        }
        let on_the_way = |limit: &&Limit| nodes.contains(&limit.node);
        let held_at_ms =
            self.limits.iter().filter(on_the_way).map(|limit| limit.opened_ms).fold(now_ms, i64::max);
        let least = self.limits.iter().filter(on_the_way).map(|limit| self.left(&limit.at(held_at_ms)));
        if let Some(remaining) = least.filter(|left| *left < amount).map(|left| left.max(0)).min() {
            return Expected::Limited { remaining };
        }
        for limit in self.limits.iter_mut().filter(|limit| nodes.contains(&limit.node)) {
            *limit = limit.at(held_at_ms);
        }
        self.calls.push(Call {
            id: id.to_owned(),
            nodes: nodes.to_vec(),
            held_at_ms,
            amount,
            charged: None,
            settled: false,
            owned: true,
            lease_ends_ms: now_ms + LEASE_MS,
        });
        Expected::Held { available: self.available() }
    }

    /// What is left of a limit: everything held in its window counts, charged or still open.
    fn left(&self, limit: &Limit) -> i64 {
        let counts = |call: &&Call| {
            call.nodes.contains(&limit.node) && (limit.opened_ms..limit.ends_ms).contains(&call.held_at_ms)
        };
        limit.nano
            - self.calls.iter().filter(counts).map(|call| call.charged.unwrap_or(call.amount)).sum::<i64>()
    }

    pub fn set_limit(&mut self, node: &NodeId, window: Window, nano: Option<i64>, now_ms: i64) {
        let here = |limit: &Limit| limit.node == *node && limit.window == window;
        match (nano, self.limits.iter_mut().find(|limit| here(limit))) {
            (None, _) => self.limits.retain(|limit| !here(limit)),
            (Some(nano), Some(limit)) => limit.nano = nano,
            (Some(nano), None) => {
                // All but the lifetime open with the next hold.
                let (opened_ms, ends_ms) =
                    if window == Window::Lifetime { (0, i64::MAX) } else { (now_ms + 1, now_ms + 2) };
                self.limits.push(Limit { node: node.clone(), window, nano, opened_ms, ends_ms });
            }
        }
    }

    /// Leases of owned calls are renewed when less than half is left; the others end when theirs has.
    pub fn tick(&mut self, now_ms: i64) -> usize {
        let mut expired = 0;
        for call in self.calls.iter_mut().filter(|call| call.charged.is_none()) {
            if call.owned && call.lease_ends_ms < now_ms + LEASE_MS / 2 {
                call.lease_ends_ms = now_ms + LEASE_MS;
            }
            if call.lease_ends_ms <= now_ms {
                call.charged = Some(0);
                expired += 1;
            }
        }
        expired
    }
}

impl Limit {
    fn at(&self, at_ms: i64) -> Self {
        let length_ms = match self.window {
            Window::FiveHours => 5 * HOUR_MS,
            Window::Day => 24 * HOUR_MS,
            Window::Week => 7 * 24 * HOUR_MS,
            Window::Lifetime | Window::Month => return self.clone(),
        };
        let over = at_ms >= self.ends_ms;
        let (opened_ms, ends_ms) =
            if over { (at_ms, at_ms + length_ms) } else { (self.opened_ms, self.ends_ms) };
        Self { opened_ms, ends_ms, ..self.clone() }
    }
}
