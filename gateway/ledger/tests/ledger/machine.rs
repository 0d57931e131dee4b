//! Long random histories: after every step the ledger says what the auditor predicts, and its invariants hold. The
//! database refuses and the process dies at every point of a commit; then the database is asked what came of it.
//! `BYTESPIKE_TEST_OPS` sets how many commands are sent at least; `BYTESPIKE_TEST_SEED` repeats a run, from the history
//! that `BYTESPIKE_TEST_HISTORY` counts.
mod audit;

use crate::auditor::{Auditor, Call, LEASE_MS};
use crate::calendar::Zone;
use crate::cast::{node, org_id, payer};
use crate::request::{Request, Said};
use crate::steps::{Op, Step, step};
use crate::support::{START_MS, release_of, request_of, settlement_of};
use crate::trouble::{Trouble, Troubles};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Claim, Credit, CreditKind, Debit, GrantEnd, Held, Ledger, Outcome, SetLimit, Window};
use bytespike_store::testing::{on_postgres, on_sqlite};
use bytespike_store::world::{ManualClock, World};
use bytespike_store::{Store, on_database, sqlx};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Steps of one history; each begins with an empty database.
const HISTORY: usize = 250;
/// Every so many steps everything that is written is compared, not only what was just said.
const AUDIT_EVERY: usize = 50;

#[test]
fn the_ledger_agrees_with_its_auditor_on_sqlite() {
    agree("SQLite", |history, sent| block_on(on_sqlite(async |store| replay(store, history, sent).await)));
}

#[test]
fn the_ledger_agrees_with_its_auditor_on_postgres() {
    agree("PostgreSQL", |history, sent| {
        block_on(on_postgres(async |store| replay(store, history, sent).await));
    });
}

/// Runs histories until enough commands were sent.
#[expect(clippy::print_stdout, reason = "a failing history is repeated from its seed")]
fn agree(database: &str, run: impl Fn(&[Step], &AtomicU64)) {
    let wanted = setting("BYTESPIKE_TEST_OPS", 1_500);
    let seed = setting("BYTESPIKE_TEST_SEED", 20_261_124);
    let first = setting("BYTESPIKE_TEST_HISTORY", 1);
    println!("BYTESPIKE_TEST_SEED={seed}, at least {wanted} commands in histories of {HISTORY} steps");
    let (sent, mut number) = (AtomicU64::new(0), first);
    while sent.load(Ordering::Relaxed) < wanted {
        let config =
            Config { cases: 1, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&number.to_le_bytes());
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let outcome = runner.run(&prop::collection::vec(step(), HISTORY), |history| {
            run(&history, &sent);
            Ok::<_, TestCaseError>(())
        });
        outcome.unwrap_or_else(|error| {
            panic!("BYTESPIKE_TEST_SEED={seed} BYTESPIKE_TEST_HISTORY={number} on {database}: {error}")
        });
        number += 1;
    }
    let sent = sent.into_inner();
    println!("{database}: {sent} commands in {} histories", number - first);
    note(&format!("- commands to the ledger compared with its auditor on {database}, seed {seed}: {sent}"));
}

#[expect(clippy::disallowed_methods, reason = "how long a test runs is set from outside")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

/// A line for the report of a long run.
#[expect(clippy::disallowed_methods, reason = "the run says where it collects its notes")]
fn note(line: &str) {
    use std::io::Write as _;
    let Some(notes) = std::env::var("TEST_LONG").ok().filter(|path| !path.is_empty()) else { return };
    let mut file = std::fs::File::options().create(true).append(true).open(notes).expect("a file for notes");
    writeln!(file, "{line}").expect("a note is written");
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work);
}

/// A ledger under test, its auditor, and the holds whose owners are still there.
struct Machine<'a> {
    store: Store,
    world: World,
    clock: Arc<ManualClock>,
    ledger: Ledger,
    troubles: Arc<Troubles>,
    auditor: Auditor,
    owned: HashMap<String, Vec<Held>>,
    /// What was asked for: to be asked again.
    credits: Vec<Credit>,
    debits: Vec<Debit>,
    claims: Vec<Claim>,
    holds: HashMap<String, bytespike_ledger::HoldRequest>,
    /// The receipts of calls that ended; they never change.
    receipts: BTreeMap<String, String>,
    sent: &'a AtomicU64,
}

async fn replay(store: Store, history: &[Step], sent: &AtomicU64) {
    let mut machine = Machine::new(store, sent).await;
    for (number, step) in (1..).zip(history) {
        machine.take(step).await;
        machine.compare_wallets(&format!("after step {number}: {step:?}")).await;
        if number % AUDIT_EVERY == 0 || number == history.len() {
            machine.audit(&format!("step {number}")).await;
        }
    }
}

impl<'a> Machine<'a> {
    async fn new(store: Store, sent: &'a AtomicU64) -> Self {
        let (world, clock) = World::manual(START_MS, 7);
        let troubles = Arc::new(Troubles::default());
        let ledger =
            Ledger::open_with(store.clone(), world.clone(), troubles.clone()).await.expect("a ledger");
        let mut auditor = Auditor::new(matches!(store, Store::Sqlite { .. }), START_MS);
        for (org, zone) in [Zone::Utc, Zone::Shanghai, Zone::NewYork].into_iter().enumerate() {
            ledger.open_wallet(&org_id(org), zone.name()).await.expect("a wallet");
            auditor.set_zone(&org_id(org), zone);
        }
        Self {
            store,
            world,
            clock,
            ledger,
            troubles,
            auditor,
            owned: HashMap::new(),
            credits: Vec::new(),
            debits: Vec::new(),
            claims: Vec::new(),
            holds: HashMap::new(),
            receipts: BTreeMap::new(),
            sent,
        }
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Send { ops, copies, trouble } => self.send(ops, *copies, *trouble).await,
            Step::Abandon { call } => {
                if let Some(call) = self.pick(call, |call| call.end.is_none() && call.owned) {
                    self.owned.remove(&call.id);
                    self.auditor.own(&call.id, false);
                }
            }
            Step::Limit { node, window, nano } => self.limit(*node, *window, *nano).await,
            Step::Grant { node, window, nano, for_ms, then } => {
                let end = GrantEnd { at_ms: self.now_ms() + for_ms, then: NanoUsd(*then) };
                self.grant((*node, *window), *nano, end).await;
            }
            Step::EndGrant { node: number, window } => {
                let ((org, node), window) = (node(*number), Window::ALL[*window]);
                self.auditor.end_grant((&node, window), self.now_ms());
                self.ledger.end_grant(&org, (&node, window)).await.expect("is written down");
            }
            Step::Freeze { org, frozen } => {
                self.auditor.set_frozen(&org_id(*org), *frozen);
                self.ledger.set_frozen(&org_id(*org), *frozen).await.expect("is set");
            }
            Step::Zone { org, zone } => {
                self.auditor.set_zone(&org_id(*org), *zone);
                self.ledger.open_wallet(&org_id(*org), zone.name()).await.expect("is set");
            }
            Step::Clock { ms } => self.clock.advance(*ms),
            Step::Tick { trouble } => self.tick(*trouble).await,
            Step::Crash => self.crash().await,
        }
    }

    /// Sends commands at once and compares, in their order, what is said with what the auditor says.
    async fn send(&mut self, ops: &[Op], copies: usize, trouble: Option<Trouble>) {
        let mut requests = self.requests(ops, trouble.is_some());
        if trouble.is_some() {
            // Then nothing lapses in between, and what became of a command can be read off the database.
            self.tick(None).await;
            requests.sort_by_key(|request| matches!(request, Request::Settle(_) | Request::Release(_)));
        }
        let requests: Vec<Request> =
            requests.iter().flat_map(|request| std::iter::repeat_n(request, copies)).cloned().collect();
        self.sent.fetch_add(requests.len() as u64, Ordering::Relaxed);
        self.troubles.arm(trouble);
        // Polled in order, and so queued in order.
        let answers = join_all(requests.iter().map(|request| request.send(&self.ledger))).await;
        self.troubles.arm(None);
        let unsure = trouble.is_some();
        for (request, (said, held)) in requests.iter().zip(answers) {
            self.judge(request, said, unsure).await;
            if let Some(held) = held {
                self.owned.entry(held.reservation_id.clone()).or_default().push(held);
            }
        }
        for id in requests.iter().filter_map(Request::reservation_id) {
            let ended = self.auditor.call(id).is_some_and(|call| call.end.is_some());
            if ended {
                self.owned.remove(id);
            }
            self.auditor.own(id, self.owned.contains_key(id));
        }
        if self.troubles.is_dead() {
            self.crash().await;
        }
    }

    async fn judge(&mut self, request: &Request, said: Said, unsure: bool) {
        let now_ms = self.now_ms();
        if said == Said::Unavailable && !self.took_effect(request).await {
            // One that was refused may have found credit whose time was up.
            match request {
                Request::Hold(hold) => self.learn_lapses(&hold.payer.org_id).await,
                Request::Debit(debit) => self.learn_lapses(&debit.org_id).await,
                _ => {}
            }
            return;
        }
        let expected = self.auditor.apply(request, now_ms);
        let booked = |said: &Said| match said {
            Said::Booked { available } | Said::BookedBefore { available } => Some(*available),
            _ => None,
        };
        let same = said == Said::Unavailable
            || said == expected
            // Under trouble only one of two bookings may be heard of.
            || (unsure && booked(&said).is_some() && booked(&said) == booked(&expected));
        assert!(same, "{request:?}: the ledger said {said:?}, the auditor {expected:?}");
    }

    /// Asks the database what became of a command that was not answered.
    async fn took_effect(&self, request: &Request) -> bool {
        match request {
            Request::Credit(credit) => {
                self.moved(&credit.org_id, &credit.idempotency_key).await == Some(credit.amount.0)
            }
            Request::Debit(debit) => {
                self.moved(&debit.org_id, &debit.idempotency_key).await == Some(-debit.amount.0)
            }
            Request::Claim(claim) => {
                let kept: i64 = on_database!(&self.store, db => sqlx::query_scalar(
                    "select count(*) from claim where org_id = $1 and idem_key = $2 and amount_nano = $3")
                    .bind(&claim.org_id).bind(&claim.idempotency_key).bind(claim.amount.0).fetch_one(db).await)
                .expect("reads");
                kept == 1
            }
            Request::Hold(hold) => self.state_of(&hold.reservation_id).await.is_some(),
            Request::Settle(settlement) => self.ended_as(&settlement.reservation_id, "settled").await,
            Request::Release(release) => self.ended_as(&release.reservation_id, "released").await,
        }
    }

    /// What was booked under a key.
    async fn moved(&self, org_id: &str, key: &str) -> Option<i64> {
        on_database!(&self.store, db => sqlx::query_scalar(
            "select cast(sum(e.amount_nano) as bigint) from journal_tx t
             join journal_entry e on e.tx_id = t.id and e.org_id is not null
             where t.org_id = $1 and t.idem_key = $2")
            .bind(org_id).bind(key).fetch_one(db).await)
        .expect("reads")
    }

    /// Whether a call that the auditor takes for open has ended in this way. A late settlement of an expired one may
    /// have left its cost behind.
    async fn ended_as(&self, id: &str, state: &str) -> bool {
        match self.auditor.call(id).and_then(|call| call.end) {
            None => self.state_of(id).await.as_deref() == Some(state),
            Some(end) => {
                let late: Option<String> = on_database!(&self.store, db => sqlx::query_scalar(
                    "select cause from absorbed_cost where reservation_id = $1 and cause = 'late_usage'")
                    .bind(id).fetch_optional(db).await)
                .expect("reads");
                end.outcome == Outcome::Expired && late.is_some()
            }
        }
    }

    async fn state_of(&self, id: &str) -> Option<String> {
        on_database!(&self.store, db => sqlx::query_scalar("select state from reservation where id = $1")
            .bind(id).fetch_optional(db).await)
        .expect("reads")
    }

    /// The commands of a step. Under trouble no call is named twice, so that its end tells which command reached it.
    fn requests(&mut self, ops: &[Op], apart: bool) -> Vec<Request> {
        let mut requests: Vec<Request> = Vec::with_capacity(ops.len());
        for op in ops {
            let Some(request) = self.request(op) else { continue };
            let named = request.reservation_id();
            let again = named.is_some() && requests.iter().any(|earlier| earlier.reservation_id() == named);
            if !(apart && again) {
                requests.push(request);
            }
        }
        requests
    }

    fn request(&mut self, op: &Op) -> Option<Request> {
        let (open, any) = (|call: &Call| call.end.is_none() && call.owned, |_: &Call| true);
        Some(match op {
            Op::Credit { org, nano, kind, lapses_in_ms } => {
                Request::Credit(self.credit(*org, *nano, *kind, *lapses_in_ms))
            }
            Op::CreditAgain { credit, more } => {
                let mut again = pick(credit, &self.credits)?.clone();
                again.amount.0 += more;
                Request::Credit(again)
            }
            Op::Debit { org, nano, kind } => {
                let debit = Debit {
                    org_id: org_id(*org),
                    amount: NanoUsd(*nano),
                    kind: *kind,
                    idempotency_key: format!("debit {}", self.debits.len()),
                    note: "for the test".to_owned(),
                };
                self.debits.push(debit.clone());
                Request::Debit(debit)
            }
            Op::DebitAgain { debit, more } => {
                let mut again = pick(debit, &self.debits)?.clone();
                again.amount.0 += more;
                Request::Debit(again)
            }
            Op::Claim { org, nano, bonus_nano } => {
                let claim = Claim {
                    org_id: org_id(*org),
                    amount: NanoUsd(*nano),
                    bonus: NanoUsd(*bonus_nano),
                    idempotency_key: format!("claim {}", self.claims.len()),
                    note: "for the test".to_owned(),
                };
                self.claims.push(claim.clone());
                Request::Claim(claim)
            }
            Op::ClaimAgain { claim, more } => {
                let mut again = pick(claim, &self.claims)?.clone();
                again.amount.0 += more;
                Request::Claim(again)
            }
            Op::Hold { payer: number, nano } => {
                let request = request_of(self.world.id("rcp"), payer(*number), *nano);
                self.holds.insert(request.reservation_id.clone(), request.clone());
                Request::Hold(Box::new(request))
            }
            Op::HoldAgain { call, more } => {
                let call = self.pick(call, any)?;
                let mut again = self.holds.get(&call.id).expect("was asked for").clone();
                again.amount.0 += more;
                Request::Hold(Box::new(again))
            }
            Op::Settle { call, nano, cost_pico } => settle(&self.pick(call, open)?, *nano, *cost_pico),
            Op::SettleAny { call, nano, cost_pico } => settle(&self.pick(call, any)?, *nano, *cost_pico),
            Op::Release { call, cost_pico } => release(&self.pick(call, open)?, *cost_pico),
            Op::ReleaseAny { call, cost_pico } => release(&self.pick(call, any)?, *cost_pico),
        })
    }

    fn credit(&mut self, org: usize, nano: i64, kind: CreditKind, lapses_in_ms: Option<i64>) -> Credit {
        let credit = Credit {
            org_id: org_id(org),
            amount: NanoUsd(nano),
            kind,
            idempotency_key: format!("credit {}", self.credits.len()),
            note: "for the test".to_owned(),
            expires_at_ms: lapses_in_ms.map(|ms| self.now_ms() + ms),
        };
        self.credits.push(credit.clone());
        credit
    }

    async fn limit(&mut self, number: usize, window: usize, nano: Option<i64>) {
        let ((org, node), window, now_ms) = (node(number), Window::ALL[window], self.now_ms());
        self.auditor.set_limit((&org, &node, window), nano, now_ms);
        let change = SetLimit { org_id: org, node, window, limit: nano.map(NanoUsd) };
        self.ledger.set_limit(change).await.expect("is set");
    }

    async fn grant(&mut self, (number, window): (usize, usize), nano: i64, end: GrantEnd) {
        let ((org, node), window, now_ms) = (node(number), Window::ALL[window], self.now_ms());
        self.auditor.set_limit((&org, &node, window), Some(nano), now_ms);
        self.auditor.grant((&node, window), (end.at_ms, end.then.0));
        let change = SetLimit { org_id: org, node, window, limit: Some(NanoUsd(nano)) };
        self.ledger.grant_limit(change, end, None).await.expect("is set");
    }

    async fn tick(&mut self, trouble: Option<Trouble>) {
        let now_ms = self.now_ms();
        let overdue = self.auditor.overdue(now_ms);
        self.troubles.arm(trouble);
        let swept = self.ledger.tick().await;
        self.troubles.arm(None);
        match swept {
            Ok(swept) => {
                assert_eq!(swept.expired, overdue.len());
                for id in overdue {
                    self.auditor.expire(&id);
                }
                for org in self.auditor.orgs() {
                    self.auditor.lapse(&org, now_ms);
                }
            }
            Err(_) => self.learn_what_was_swept(&overdue).await,
        }
        if self.troubles.is_dead() {
            self.crash().await;
        }
    }

    /// After housekeeping that was broken off.
    async fn learn_what_was_swept(&mut self, overdue: &[String]) {
        for id in overdue {
            if self.ended_as(id, "expired").await {
                self.auditor.expire(id);
            }
        }
        for org in self.auditor.orgs() {
            self.learn_lapses(&org).await;
        }
    }

    /// Whether more credit was written off than the auditor knows: then it was what is due now.
    async fn learn_lapses(&mut self, org: &str) {
        let lapses: i64 = on_database!(&self.store, db => sqlx::query_scalar(
            "select count(*) from journal_tx where org_id = $1 and kind = 'breakage'")
            .bind(org).fetch_one(db).await)
        .expect("reads");
        if usize::try_from(lapses).expect("few") > self.auditor.breakages(org) {
            self.auditor.lapse(org, self.now_ms());
        }
    }

    async fn crash(&mut self) {
        self.owned.clear();
        self.clock.advance(LEASE_MS);
        let expired = self.auditor.restart(self.now_ms());
        self.troubles = Arc::new(Troubles::default());
        let (store, world) = (self.store.clone(), self.world.clone());
        self.ledger = Ledger::open_with(store, world, self.troubles.clone()).await.expect("another ledger");
        assert_eq!(self.ledger.recover().await.expect("recovers").expired, expired);
    }

    fn pick(&self, index: &Index, fits: impl Fn(&Call) -> bool) -> Option<Call> {
        let fitting: Vec<&Call> = self.auditor.calls.iter().filter(|call| fits(call)).collect();
        pick(index, &fitting).map(|call| (*call).clone())
    }

    fn now_ms(&self) -> i64 {
        self.world.now_ms()
    }
}

fn settle(call: &Call, nano: i64, cost_pico: i64) -> Request {
    let mut settlement = settlement_of(&call.id, nano);
    settlement.org_id.clone_from(&call.org);
    for attempt in &mut settlement.attempts {
        attempt.cost_pico = Some(cost_pico);
    }
    Request::Settle(settlement)
}

fn release(call: &Call, cost_pico: i64) -> Request {
    let mut release = release_of(&call.id);
    release.org_id.clone_from(&call.org);
    release.attempts = vec![bytespike_ledger::Attempt {
        outcome: "upstream_overloaded".to_owned(),
        cost_pico: Some(cost_pico),
        ..bytespike_ledger::Attempt::default()
    }];
    Request::Release(release)
}

fn pick<'a, T>(index: &Index, all: &'a [T]) -> Option<&'a T> {
    (!all.is_empty()).then(|| index.get(all))
}
