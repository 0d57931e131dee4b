//! Spend limits in memory: which window is current, whether a hold fits, and what a resolution changes.
use crate::call::{GrantEnd, LimitState};
use crate::node::NodeId;
use crate::rows::LimitRow;
use crate::window::{NEVER_MS, Window};
use bytespike_catalog::NanoUsd;
use jiff::tz::TimeZone;

impl LimitRow {
    pub fn window(&self) -> Window {
        // The table admits no other name.
        Window::parse(&self.window_kind).unwrap_or(Window::Lifetime)
    }

    /// The row as it is at `at_ms`: when its window has ended, an empty one that opens now.
    pub fn current(&self, at_ms: i64, zone: &TimeZone) -> Self {
        if !self.is_over(at_ms) {
            return self.clone();
        }
        let (opened_at_ms, ends_at_ms) = self.window().following(self.ends_at_ms, at_ms, zone);
        Self { used_nano: 0, held_nano: 0, alerted_percent: 0, opened_at_ms, ends_at_ms, ..self.clone() }
    }

    /// What the limit is at that moment: one that was raised for a time is what it was before once the time is over.
    pub fn limit_at(&self, at_ms: i64) -> i64 {
        self.grant_end().filter(|end| end.at_ms <= at_ms).map_or(self.limit_nano, |end| end.then.0)
    }

    fn grant_end(&self) -> Option<GrantEnd> {
        let (at_ms, then) = self.grant_ends_at_ms.zip(self.after_nano)?;
        Some(GrantEnd { at_ms, then: NanoUsd(then) })
    }

    /// A window that has not opened: it lies before the next call and holds none of what comes.
    pub fn unopened(latest_ms: i64) -> (i64, i64) {
        (latest_ms, latest_ms + 1)
    }

    /// The earliest moment at which a call can be held under it, whatever the clock says: not before its window opened,
    /// and not in a window that has not opened.
    pub fn not_before_ms(&self) -> i64 {
        let unopened = Self::unopened(self.opened_at_ms) == (self.opened_at_ms, self.ends_at_ms);
        if unopened { self.ends_at_ms } else { self.opened_at_ms }
    }

    /// Whether the window has ended at `at_ms`, so that the next call opens it anew.
    pub fn is_over(&self, at_ms: i64) -> bool {
        self.ends_at_ms <= at_ms
    }

    /// Whether the window that is current at `at_ms` has room.
    pub fn fits(&self, amount_nano: i64, at_ms: i64) -> bool {
        // Both counters and the amount are bounded by the wallet's maximum, far from overflow.
        let taken_nano = if self.is_over(at_ms) { 0 } else { self.used_nano + self.held_nano };
        taken_nano + amount_nano <= self.limit_at(at_ms)
    }

    /// Whether a call held at that moment is counted in the row's window.
    pub fn counts(&self, held_at_ms: i64) -> bool {
        self.opened_at_ms <= held_at_ms && held_at_ms < self.ends_at_ms
    }

    pub fn state_at(&self, at_ms: i64) -> LimitState {
        LimitState {
            node: NodeId::parse(&self.node_id).unwrap_or_else(|| NodeId::org(&self.org_id)),
            window: self.window(),
            limit: NanoUsd(self.limit_at(at_ms)),
            used: NanoUsd(self.used_nano),
            held: NanoUsd(self.held_nano),
            resets_at_ms: Some(self.ends_at_ms).filter(|ends| *ends != NEVER_MS),
            grant_end: self.grant_end().filter(|end| at_ms < end.at_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_ended_opens_anew_with_the_next_call() {
        let row = LimitRow {
            node_id: "key:k".to_owned(),
            window_kind: "5h".to_owned(),
            org_id: "o".to_owned(),
            limit_nano: 100,
            grant_ends_at_ms: None,
            after_nano: None,
            used_nano: 70,
            held_nano: 20,
            opened_at_ms: 0,
            ends_at_ms: 1_000,
            alerted_percent: 80,
        };
        assert_eq!(row.current(999, &TimeZone::UTC), row);
        assert!(row.fits(10, 999) && !row.fits(11, 999));
        assert!(row.fits(100, 1_000) && !row.fits(101, 1_000), "the next window is empty");
        let next = row.current(1_000, &TimeZone::UTC);
        assert_eq!((next.used_nano, next.held_nano, next.opened_at_ms), (0, 0, 1_000));
        assert_eq!(next.alerted_percent, 0, "a new window is told of anew");
        assert!(next.counts(1_000) && !next.counts(999), "an older call is not counted in it");

        let raised = LimitRow { limit_nano: 500, grant_ends_at_ms: Some(700), after_nano: Some(100), ..row };
        assert!(raised.fits(410, 699) && !raised.fits(411, 699));
        assert!(raised.fits(10, 700) && !raised.fits(11, 700), "from then on it is what it was");
        assert_eq!([raised.state_at(699).limit.0, raised.state_at(700).limit.0], [500, 100]);
    }
}
