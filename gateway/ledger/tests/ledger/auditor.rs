//! An independent ledger in memory. It keeps the history of credits and calls and sums it anew for every question, so
//! that it cannot share a mistake with counters that are carried along; months it reckons without a calendar library.
mod limits;
mod lots;

use crate::calendar::Zone;
use crate::request::{Request, Said};
use bytespike_ledger::{Attempt, Claim, Credit, CreditKind, Debit, HoldRequest, NodeId, Outcome, Window};
use std::collections::BTreeMap;

pub const LEASE_MS: i64 = 60_000;
const DEAD_AFTER_MS: i64 = 20_000;
const MAX_REQUEST_NANO: i64 = 10_000_000_000_000;

/// A call the ledger was asked to hold, and what became of it.
#[derive(Clone, Debug)]
pub struct Call {
    pub id: String,
    pub org: String,
    pub nodes: Vec<NodeId>,
    pub held_at_ms: i64,
    pub amount: i64,
    /// What it may burn, by lot.
    pins: Vec<(usize, i64)>,
    /// `None` while it is held.
    pub end: Option<End>,
    /// Somebody in the running process still works on it, so that its lease is renewed.
    pub owned: bool,
    process: usize,
    lease_ends_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub outcome: Outcome,
    pub charged: i64,
}

#[derive(Clone, Debug)]
struct Lot {
    org: String,
    key: String,
    kind: CreditKind,
    granted: i64,
    expires_ms: Option<i64>,
    booked_ms: i64,
    burnt: i64,
    lapsed: i64,
    /// By payments that were undone.
    taken: i64,
    /// By decision.
    debited: i64,
}

#[derive(Clone, Debug)]
pub struct Limit {
    pub node: NodeId,
    pub window: Window,
    pub nano: i64,
    /// Until when it is that, and what it is then.
    pub grant: Option<(i64, i64)>,
    pub opened_ms: i64,
    pub ends_ms: i64,
}

#[derive(Clone, Debug)]
struct Org {
    zone: Zone,
    frozen: bool,
    /// Transactions that wrote off lapsed credit.
    breakages: usize,
}

pub struct Auditor {
    orgs: BTreeMap<String, Org>,
    lots: Vec<Lot>,
    /// Those that were booked.
    debits: Vec<Debit>,
    claims: Vec<Claim>,
    pub calls: Vec<Call>,
    pub limits: Vec<Limit>,
    /// When each process last said that it is alive; the last one is running.
    seen_ms: Vec<i64>,
    /// An embedded database has one process, so that a start ends what another one held.
    embedded: bool,
    /// By reservation and cause, in pico-USD.
    pub absorbed: BTreeMap<(String, String), i64>,
}

impl Auditor {
    pub fn new(embedded: bool, now_ms: i64) -> Self {
        Self {
            orgs: BTreeMap::new(),
            lots: Vec::new(),
            debits: Vec::new(),
            claims: Vec::new(),
            calls: Vec::new(),
            limits: Vec::new(),
            seen_ms: vec![now_ms],
            embedded,
            absorbed: BTreeMap::new(),
        }
    }

    pub fn set_zone(&mut self, org: &str, zone: Zone) {
        let new = Org { zone, frozen: false, breakages: 0 };
        self.orgs.entry(org.to_owned()).or_insert(new).zone = zone;
    }

    pub fn set_frozen(&mut self, org: &str, frozen: bool) {
        self.orgs.get_mut(org).expect("a wallet").frozen = frozen;
    }

    pub fn breakages(&self, org: &str) -> usize {
        self.orgs[org].breakages
    }

    pub fn posted(&self, org: &str) -> i64 {
        let lots = self.lots.iter().filter(|lot| lot.org == org);
        let credited: i64 = lots.map(|lot| lot.granted - lot.lapsed - lot.taken - lot.debited).sum();
        let charged: i64 = self.ended(org).map(|end| end.charged).sum();
        credited - charged
    }

    pub fn available(&self, org: &str) -> i64 {
        self.posted(org) - self.open().filter(|call| call.org == org).map(|call| call.amount).sum::<i64>()
    }

    /// What is left of given credit.
    pub fn bonus(&self, org: &str) -> i64 {
        let given = |lot: &&Lot| lot.org == org && lot.kind == CreditKind::Grant;
        self.lots.iter().filter(given).map(|lot| lot.granted - lot.burnt - lot.lapsed - lot.debited).sum()
    }

    /// What was claimed and is not taken yet.
    pub fn owed(&self, org: &str) -> i64 {
        let claimed: i64 =
            self.claims.iter().filter(|claim| claim.org_id == org).map(|claim| claim.amount.0).sum();
        claimed - self.lots.iter().filter(|lot| lot.org == org).map(|lot| lot.taken).sum::<i64>()
    }

    pub fn open(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.end.is_none())
    }

    fn ended<'a>(&'a self, org: &'a str) -> impl Iterator<Item = End> + 'a {
        self.calls.iter().filter(move |call| call.org == org).filter_map(|call| call.end)
    }

    pub fn call(&self, id: &str) -> Option<&Call> {
        self.calls.iter().find(|call| call.id == id)
    }

    /// Does what was asked, and says what the ledger should say.
    pub fn apply(&mut self, request: &Request, now_ms: i64) -> Said {
        match request {
            Request::Credit(credit) => self.credit(credit, now_ms),
            Request::Debit(debit) => self.debit(debit, now_ms),
            Request::Claim(claim) => self.claim(claim),
            Request::Hold(hold) => self.hold(hold, now_ms),
            Request::Settle(settlement) => {
                let (id, charge) = (&settlement.reservation_id, settlement.charge.nano.0);
                let open = self.call(id).is_some_and(|call| call.end.is_none());
                let said = self.end(id, Outcome::Settled, charge);
                match said {
                    Said::Ended { charged, .. } if open => {
                        self.absorb(id, "over_hold", (charge - charged) * 1_000);
                    }
                    Said::AlreadyEnded(Outcome::Expired) => self.absorb_late(id, &settlement.attempts),
                    _ => {}
                }
                said
            }
            Request::Release(release) => {
                let id = &release.reservation_id;
                let open = self.call(id).is_some_and(|call| call.end.is_none());
                let said = self.end(id, Outcome::Released, 0);
                match said {
                    Said::Ended { .. } if open => {
                        for attempt in &release.attempts {
                            self.absorb(id, &attempt.outcome, attempt.cost_pico.unwrap_or(0));
                        }
                    }
                    Said::AlreadyEnded(Outcome::Expired) => self.absorb_late(id, &release.attempts),
                    _ => {}
                }
                said
            }
        }
    }

    fn absorb_late(&mut self, id: &str, attempts: &[Attempt]) {
        self.absorb(id, "late_usage", attempts.iter().filter_map(|attempt| attempt.cost_pico).sum());
    }

    /// The first word on a cause stands.
    fn absorb(&mut self, id: &str, cause: &str, pico: i64) {
        if pico > 0 {
            self.absorbed.entry((id.to_owned(), cause.to_owned())).or_insert(pico);
        }
    }

    fn credit(&mut self, credit: &Credit, now_ms: i64) -> Said {
        let before =
            self.lots.iter().find(|lot| lot.org == credit.org_id && lot.key == credit.idempotency_key);
        match before.map(|lot| lot.granted == credit.amount.0) {
            Some(true) => return Said::BookedBefore { available: self.available(&credit.org_id) },
            Some(false) => return Said::OtherAmount,
            None => {}
        }
        self.lots.push(Lot {
            org: credit.org_id.clone(),
            key: credit.idempotency_key.clone(),
            kind: credit.kind,
            granted: credit.amount.0,
            expires_ms: credit.expires_at_ms,
            booked_ms: now_ms,
            burnt: 0,
            lapsed: 0,
            taken: 0,
            debited: 0,
        });
        self.collect(&credit.org_id);
        Said::Booked { available: self.available(&credit.org_id) }
    }

    /// All of it out of one kind of credit, or nothing.
    fn debit(&mut self, debit: &Debit, now_ms: i64) -> Said {
        let same_key = |before: &&Debit| {
            before.org_id == debit.org_id && before.idempotency_key == debit.idempotency_key
        };
        match self.debits.iter().find(same_key).map(|before| before.amount == debit.amount) {
            Some(true) => return Said::BookedBefore { available: self.available(&debit.org_id) },
            Some(false) => return Said::OtherAmount,
            None => {}
        }
        self.lapse(&debit.org_id, now_ms);
        let mut lots = self.burn_order(&debit.org_id);
        lots.retain(|lot| self.lots[*lot].kind == debit.kind);
        let free: i64 = lots.iter().map(|lot| self.free(*lot)).sum();
        if debit.amount.0 > free {
            return Said::NotEnough { free };
        }
        let mut left = debit.amount.0;
        for lot in lots {
            let debited = left.min(self.free(lot));
            self.lots[lot].debited += debited;
            left -= debited;
        }
        self.debits.push(debit.clone());
        Said::Booked { available: self.available(&debit.org_id) }
    }

    fn claim(&mut self, claim: &Claim) -> Said {
        let same_key = |before: &&Claim| {
            before.org_id == claim.org_id && before.idempotency_key == claim.idempotency_key
        };
        match self.claims.iter().find(same_key).map(|before| before == claim) {
            Some(true) => return Said::Claimed { owed: self.owed(&claim.org_id) },
            Some(false) => return Said::OtherAmount,
            None => {}
        }
        self.claims.push(claim.clone());
        let mut left = claim.bonus.0;
        for lot in self.burn_order(&claim.org_id) {
            if self.lots[lot].kind == CreditKind::Grant {
                let taken = left.min(self.free(lot));
                self.lots[lot].lapsed += taken;
                left -= taken;
            }
        }
        if left < claim.bonus.0 {
            self.orgs.get_mut(&claim.org_id).expect("a wallet").breakages += 1;
        }
        self.collect(&claim.org_id);
        Said::Claimed { owed: self.owed(&claim.org_id) }
    }

    /// Paid credit that is free goes to what is owed.
    fn collect(&mut self, org: &str) {
        let mut owed = self.owed(org);
        for lot in self.burn_order(org) {
            if self.lots[lot].kind == CreditKind::TopUp {
                let taken = owed.min(self.free(lot));
                self.lots[lot].taken += taken;
                owed -= taken;
            }
        }
    }

    fn hold(&mut self, request: &HoldRequest, now_ms: i64) -> Said {
        let (org, nodes, amount) = (&request.payer.org_id, request.payer.nodes(), request.amount.0);
        if let Some(call) = self.call(&request.reservation_id) {
            let same = call.end.is_none() && call.nodes == nodes && call.amount == amount;
            return if same { self.held(call) } else { Said::IdReused };
        }
        self.lapse(org, now_ms);
        if self.orgs[org].frozen || self.owed(org) > 0 {
            return Said::Frozen;
        }
        if amount > self.available(org) || !(0..=MAX_REQUEST_NANO).contains(&amount) {
            return Said::Insufficient { available: self.available(org) };
        }
        let zone = self.orgs[org].zone;
        let on_the_way = |limit: &&Limit| nodes.contains(&limit.node);
        let held_at_ms =
            self.limits.iter().filter(on_the_way).map(|limit| limit.not_before_ms()).fold(now_ms, i64::max);
        let current = self.limits.iter().filter(on_the_way).map(|limit| limit.at(held_at_ms, zone));
        let left = current.map(|limit| self.left(&limit, held_at_ms));
        if let Some(remaining) = left.filter(|left| *left < amount).map(|left| left.max(0)).min() {
            return Said::Limited { remaining };
        }
        for limit in self.limits.iter_mut().filter(|limit| nodes.contains(&limit.node)) {
            *limit = limit.at(held_at_ms, zone);
        }
        let call = Call {
            id: request.reservation_id.clone(),
            org: org.clone(),
            nodes,
            held_at_ms,
            amount,
            pins: self.pin(org, amount),
            end: None,
            owned: true,
            process: self.seen_ms.len() - 1,
            lease_ends_ms: now_ms + LEASE_MS,
        };
        self.calls.push(call);
        self.held(&self.calls[self.calls.len() - 1])
    }

    fn held(&self, call: &Call) -> Said {
        let (available, limits) = (self.available(&call.org), self.limits_of(call));
        Said::Held { held_at_ms: call.held_at_ms, available, limits }
    }

    /// The first ending stands.
    fn end(&mut self, id: &str, outcome: Outcome, charge: i64) -> Said {
        let Some(position) = self.calls.iter().position(|call| call.id == id) else { return Said::Unknown };
        if self.calls[position].end.is_none() {
            let charged = charge.min(self.calls[position].amount);
            self.calls[position].end = Some(End { outcome, charged });
            self.burn(position, charged);
            let org = self.calls[position].org.clone();
            self.collect(&org);
        }
        let call = &self.calls[position];
        match call.end {
            Some(end) if end.outcome == outcome => Said::Ended {
                outcome,
                charged: end.charged,
                available: self.available(&call.org),
                limits: self.limits_of(call),
            },
            Some(end) => Said::AlreadyEnded(end.outcome),
            None => Said::Unknown,
        }
    }

    /// Leases of owned calls are renewed when less than half is left; the others end when theirs has, and those of dead
    /// processes at once. None of this process runs longer than a lease, whatever the clock said when it began. Names what
    /// is to expire.
    pub fn overdue(&mut self, now_ms: i64) -> Vec<String> {
        let running = self.seen_ms.len() - 1;
        self.seen_ms[running] = now_ms;
        for call in self.calls.iter_mut().filter(|call| call.end.is_none()) {
            if call.owned && call.lease_ends_ms < now_ms + LEASE_MS / 2 {
                call.lease_ends_ms = now_ms + LEASE_MS;
            }
            if call.process == running {
                call.lease_ends_ms = call.lease_ends_ms.min(now_ms + LEASE_MS);
            }
        }
        self.end_leases(|seen_ms| seen_ms < now_ms - DEAD_AFTER_MS, now_ms);
        self.open().filter(|call| call.lease_ends_ms <= now_ms).map(|call| call.id.clone()).collect()
    }

    pub fn expire(&mut self, id: &str) {
        self.end(id, Outcome::Expired, 0);
    }

    /// The process dies and another starts: what the dead are known to have held expires.
    pub fn restart(&mut self, now_ms: i64) -> usize {
        self.seen_ms.push(now_ms);
        for call in &mut self.calls {
            call.owned = false;
        }
        let (running, embedded) = (self.seen_ms.len() - 1, self.embedded);
        let dead: Vec<bool> =
            self.seen_ms.iter().map(|seen_ms| embedded || *seen_ms < now_ms - DEAD_AFTER_MS).collect();
        for call in self.calls.iter_mut().filter(|call| call.end.is_none()) {
            if call.process != running && dead[call.process] {
                call.lease_ends_ms = call.lease_ends_ms.min(now_ms);
            }
        }
        let overdue: Vec<String> =
            self.open().filter(|call| call.lease_ends_ms <= now_ms).map(|call| call.id.clone()).collect();
        for id in &overdue {
            self.expire(id);
        }
        overdue.len()
    }

    fn end_leases(&mut self, dead: impl Fn(i64) -> bool, now_ms: i64) {
        let seen_ms = self.seen_ms.clone();
        for call in self.calls.iter_mut().filter(|call| call.end.is_none() && dead(seen_ms[call.process])) {
            call.lease_ends_ms = call.lease_ends_ms.min(now_ms);
        }
    }

    pub fn own(&mut self, id: &str, owned: bool) {
        if let Some(call) = self.calls.iter_mut().find(|call| call.id == id) {
            call.owned = owned;
        }
    }

    pub fn orgs(&self) -> Vec<String> {
        self.orgs.keys().cloned().collect()
    }
}
