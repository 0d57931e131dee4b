//! Lots of credit: which is held, burnt and lapsed first.
use super::{Auditor, Lot};
use bytespike_ledger::CreditKind;

impl Auditor {
    /// Lots in the order they burn: given before paid, what lapses first before what stays, older before younger.
    pub(super) fn burn_order(&self, org: &str) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.lots.len()).filter(|lot| self.lots[*lot].org == org).collect();
        order.sort_by_key(|lot| {
            let lot = &self.lots[*lot];
            (lot.kind == CreditKind::TopUp, lot.expires_ms.unwrap_or(i64::MAX), lot.booked_ms)
        });
        order
    }

    pub(super) fn pinned(&self, lot: usize) -> i64 {
        self.open()
            .flat_map(|call| &call.pins)
            .filter(|(pinned, _)| *pinned == lot)
            .map(|(_, nano)| nano)
            .sum()
    }

    pub(super) fn free(&self, lot: usize) -> i64 {
        let Lot { granted, burnt, lapsed, taken, debited, .. } = &self.lots[lot];
        granted - burnt - lapsed - taken - debited - self.pinned(lot)
    }

    pub(super) fn pin(&self, org: &str, amount: i64) -> Vec<(usize, i64)> {
        let mut left = amount;
        let mut pins = Vec::new();
        for lot in self.burn_order(org) {
            let taken = left.min(self.free(lot));
            if taken > 0 {
                left -= taken;
                pins.push((lot, taken));
            }
        }
        assert_eq!(left, 0, "the lots hold what the wallet says is there");
        pins
    }

    pub(super) fn burn(&mut self, call: usize, charge: i64) {
        let mut left = charge;
        for (lot, pinned) in self.calls[call].pins.clone() {
            let taken = left.min(pinned);
            left -= taken;
            self.lots[lot].burnt += taken;
        }
    }

    /// Credit whose time is up and that no call holds is gone.
    pub fn lapse(&mut self, org: &str, now_ms: i64) {
        let due = |lot: &Lot| lot.org == org && lot.expires_ms.is_some_and(|expires| expires <= now_ms);
        let lapsing: Vec<(usize, i64)> = (0..self.lots.len())
            .filter(|lot| due(&self.lots[*lot]))
            .map(|lot| (lot, self.free(lot)))
            .filter(|(_, free)| *free > 0)
            .collect();
        for (lot, free) in &lapsing {
            self.lots[*lot].lapsed += free;
        }
        if !lapsing.is_empty() {
            self.orgs.get_mut(org).expect("a wallet").breakages += 1;
        }
    }
}
