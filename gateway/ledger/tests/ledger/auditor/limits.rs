//! Limits, their windows, and what is for a time.
use super::{Auditor, Call, Limit};
use crate::calendar::{DAY_MS, HOUR_MS, Zone};
use bytespike_ledger::{NodeId, Window};

impl Auditor {
    /// What is charged and what is held in a limit's window.
    pub fn counters(&self, limit: &Limit) -> (i64, i64) {
        let counts = |call: &&Call| {
            call.nodes.contains(&limit.node) && (limit.opened_ms..limit.ends_ms).contains(&call.held_at_ms)
        };
        let mut counters = (0, 0);
        for call in self.calls.iter().filter(counts) {
            match call.end {
                Some(end) => counters.0 += end.charged,
                None => counters.1 += call.amount,
            }
        }
        counters
    }

    pub(super) fn left(&self, limit: &Limit, at_ms: i64) -> i64 {
        let (used, held) = self.counters(limit);
        let nano = match limit.grant {
            Some((ends_ms, then)) if at_ms >= ends_ms => then,
            _ => limit.nano,
        };
        nano - used - held
    }

    /// Every limit on a call's way: node, window, used and held.
    pub(super) fn limits_of(&self, call: &Call) -> Vec<(String, String, i64, i64)> {
        let on_the_way = self.limits.iter().filter(|limit| call.nodes.contains(&limit.node));
        let mut states: Vec<_> = on_the_way
            .map(|limit| {
                let (used, held) = self.counters(limit);
                (limit.node.to_string(), limit.window.name().to_owned(), used, held)
            })
            .collect();
        states.sort();
        states
    }

    pub fn set_limit(
        &mut self,
        (org, node, window): (&str, &NodeId, Window),
        nano: Option<i64>,
        now_ms: i64,
    ) {
        let here = |limit: &Limit| limit.node == *node && limit.window == window;
        match (nano, self.limits.iter_mut().find(|limit| here(limit))) {
            (None, _) => self.limits.retain(|limit| !here(limit)),
            (Some(nano), Some(limit)) => (limit.nano, limit.grant) = (nano, None),
            (Some(nano), None) => {
                let calls = self.calls.iter().filter(|call| call.org == org).map(|call| call.held_at_ms);
                let latest_ms = calls.fold(now_ms, i64::max);
                let (opened_ms, ends_ms) = match window {
                    Window::Lifetime => (0, i64::MAX),
                    Window::Month => self.orgs[org].zone.month_around(latest_ms),
                    // Not open yet.
                    Window::FiveHours | Window::Day | Window::Week => (latest_ms, latest_ms + 1),
                };
                self.limits.push(Limit { node: node.clone(), window, nano, grant: None, opened_ms, ends_ms });
            }
        }
    }

    /// What was just set is for a time.
    pub fn grant(&mut self, (node, window): (&NodeId, Window), end: (i64, i64)) {
        let here = |limit: &&mut Limit| limit.node == *node && limit.window == window;
        self.limits.iter_mut().find(here).expect("was set").grant = Some(end);
    }

    /// What is over is written down as over; it changes nothing, unless the clock goes back.
    pub fn end_grant(&mut self, (node, window): (&NodeId, Window), now_ms: i64) {
        let here = |limit: &&mut Limit| limit.node == *node && limit.window == window;
        let Some(limit) = self.limits.iter_mut().find(here) else { return };
        if let Some((_, then)) = limit.grant.filter(|(ends_ms, _)| *ends_ms <= now_ms) {
            (limit.nano, limit.grant) = (then, None);
        }
    }
}

impl Limit {
    pub(super) fn not_before_ms(&self) -> i64 {
        if self.ends_ms == self.opened_ms + 1 { self.ends_ms } else { self.opened_ms }
    }

    pub(super) fn at(&self, at_ms: i64, zone: Zone) -> Self {
        if at_ms < self.ends_ms {
            return self.clone();
        }
        let (opened_ms, ends_ms) = match self.window {
            Window::FiveHours => (at_ms, at_ms + 5 * HOUR_MS),
            Window::Day => (at_ms, at_ms + DAY_MS),
            Window::Week => (at_ms, at_ms + 7 * DAY_MS),
            Window::Month => self.next_month(at_ms, zone),
            Window::Lifetime => (self.opened_ms, self.ends_ms),
        };
        Self { opened_ms, ends_ms, ..self.clone() }
    }

    /// A month that had begun before the last window ended (the zone was changed) counts from that end on, and as far as
    /// the month goes in which it mostly lies.
    fn next_month(&self, at_ms: i64, zone: Zone) -> (i64, i64) {
        let (start_ms, end_ms) = zone.month_around(at_ms);
        if self.ends_ms <= start_ms {
            return (start_ms, end_ms);
        }
        let soon_ms = self.ends_ms + DAY_MS + DAY_MS / 2;
        (self.ends_ms, zone.month_around(soon_ms).1)
    }
}
