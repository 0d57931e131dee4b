//! Long random histories: after every step the ledger says what the auditor predicts, and its invariants hold.
//! `BYTESPIKE_TEST_OPS` sets how many steps are taken, `BYTESPIKE_TEST_SEED` repeats a history.
use crate::auditor::{Auditor, Expected, LEASE_MS};
use crate::support::{Desk, ORG, desk, release_of, settlement_of};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{
    Held, HoldError, Ledger, NodeId, Outcome, Payer, Refusal, ResolveError, SetLimit, Window,
};
use bytespike_store::Store;
use bytespike_store::testing::{on_postgres, on_sqlite};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::collections::HashMap;

/// Steps of one history; each begins with an empty database.
const HISTORY: usize = 250;

#[derive(Clone, Debug)]
enum Step {
    Credit {
        amount: i64,
    },
    Hold {
        key: usize,
        amount: i64,
    },
    /// The same request again.
    HoldAgain {
        call: Index,
    },
    Settle {
        call: Index,
        amount: i64,
    },
    Release {
        call: Index,
    },
    /// Its owner is gone without a word.
    Abandon {
        call: Index,
    },
    /// Of calls that have ended, in whichever way.
    SettleEnded {
        call: Index,
    },
    ReleaseEnded {
        call: Index,
    },
    Limit {
        node: usize,
        window: usize,
        amount: Option<i64>,
    },
    Freeze(bool),
    Wait {
        ms: i64,
    },
    Tick,
    /// The process dies, and another starts once that is certain.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let call = any::<Index>;
    prop_oneof![
        1 => (1..5_000i64).prop_map(|amount| Step::Credit { amount }),
        10 => (0..3usize, 0..900i64).prop_map(|(key, amount)| Step::Hold { key, amount }),
        1 => call().prop_map(|call| Step::HoldAgain { call }),
        6 => (call(), 0..1_200i64).prop_map(|(call, amount)| Step::Settle { call, amount }),
        3 => call().prop_map(|call| Step::Release { call }),
        1 => call().prop_map(|call| Step::Abandon { call }),
        1 => call().prop_map(|call| Step::SettleEnded { call }),
        1 => call().prop_map(|call| Step::ReleaseEnded { call }),
        1 => (0..7usize, 0..4usize, prop::option::weighted(0.8, 0..4_000i64))
            .prop_map(|(node, window, amount)| Step::Limit { node, window, amount }),
        1 => prop::bool::weighted(0.2).prop_map(Step::Freeze),
        3 => prop_oneof![1..50i64, 1_000..40_000i64, 3_600_000..90_000_000i64].prop_map(|ms| Step::Wait { ms }),
        2 => Just(Step::Tick),
        1 => Just(Step::Crash),
    ]
}

#[test]
fn the_ledger_agrees_with_its_auditor_on_sqlite() {
    agree(|history| block_on(on_sqlite(async |store| replay(store, history).await)));
}

#[test]
fn the_ledger_agrees_with_its_auditor_on_postgres() {
    agree(|history| block_on(on_postgres(async |store| replay(store, history).await)));
}

#[expect(clippy::print_stdout, reason = "a failing history is repeated from its seed")]
fn agree(run: impl Fn(&[Step])) {
    let histories = setting("BYTESPIKE_TEST_OPS", 1_000) / HISTORY as u64 + 1;
    let seed = setting("BYTESPIKE_TEST_SEED", 20_261_124);
    println!("BYTESPIKE_TEST_SEED={seed}, {histories} histories of {HISTORY} steps");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let cases = u32::try_from(histories).expect("fewer than four billion");
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let outcome = runner.run(&prop::collection::vec(step(), HISTORY), |history| {
        run(&history);
        Ok::<_, TestCaseError>(())
    });
    outcome.expect("the ledger and its auditor agree");
}

#[expect(clippy::disallowed_methods, reason = "how long a test runs is set from outside")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work);
}

/// A ledger under test, its auditor, and the holds whose owners are still there.
struct Machine {
    desk: Desk,
    auditor: Auditor,
    owned: HashMap<String, Held>,
    credits: usize,
}

async fn replay(store: Store, history: &[Step]) {
    let desk = desk(store).await;
    let mut machine = Machine { desk, auditor: Auditor::default(), owned: HashMap::new(), credits: 0 };
    machine.credit(10_000).await;
    for (number, step) in (1..).zip(history) {
        machine.take(step).await;
        assert_eq!(
            machine.desk.available().await,
            machine.auditor.available(),
            "after step {number}: {step:?}"
        );
        if number % 50 == 0 {
            assert_eq!(
                machine.desk.ledger.check_invariants().await.expect("the checks run"),
                [],
                "step {number}"
            );
        }
    }
}

impl Machine {
    async fn take(&mut self, step: &Step) {
        match step {
            Step::Credit { amount } => self.credit(*amount).await,
            Step::Hold { key, amount } => self.hold(*key, *amount).await,
            Step::HoldAgain { call } => self.hold_again(call).await,
            Step::Settle { call, amount } => self.settle(call, *amount).await,
            Step::Release { call } => self.release(call).await,
            Step::Abandon { call } => self.abandon(call),
            Step::SettleEnded { call } => self.settle_ended(call).await,
            Step::ReleaseEnded { call } => self.release_ended(call).await,
            Step::Limit { node, window, amount } => self.limit(*node, *window, *amount).await,
            Step::Freeze(frozen) => {
                self.auditor.frozen = *frozen;
                self.desk.ledger.set_frozen(ORG, *frozen).await.expect("is set");
            }
            Step::Wait { ms } => self.desk.clock.advance(*ms),
            Step::Tick => {
                let expected = self.auditor.tick(self.now_ms());
                assert_eq!(self.desk.ledger.tick().await.expect("ticks").expired, expected);
            }
            Step::Crash => self.crash().await,
        }
    }

    async fn credit(&mut self, amount: i64) {
        self.credits += 1;
        let key = self.credits.to_string();
        self.desk.credit(amount, &key).await;
        // The payment provider says it twice.
        self.desk.credit(amount, &key).await;
        self.auditor.credited += amount;
    }

    async fn hold(&mut self, key: usize, amount: i64) {
        let mut request = self.desk.request(amount);
        request.payer = payer(key);
        let (id, nodes) = (request.reservation_id.clone(), request.payer.nodes());
        let expected = self.auditor.hold(&id, &nodes, amount, self.now_ms());
        let said = match self.desk.ledger.hold(request).await {
            Ok(held) => {
                let available = held.wallet_available.0;
                self.owned.insert(id, held);
                Expected::Held { available }
            }
            Err(HoldError::Refused(Refusal::Frozen)) => Expected::Frozen,
            Err(HoldError::Refused(Refusal::InsufficientCredits { available, .. })) => {
                Expected::Insufficient { available: available.0 }
            }
            Err(HoldError::Refused(Refusal::LimitExceeded { limit, .. })) => {
                Expected::Limited { remaining: limit.remaining().0 }
            }
            Err(other) => panic!("{other}"),
        };
        assert_eq!(said, expected);
    }

    async fn hold_again(&mut self, call: &Index) {
        let Some(position) = self.pick(call, |call| call.charged.is_none() && call.owned) else { return };
        let call = self.auditor.calls[position].clone();
        let mut request = self.desk.request(call.amount);
        request.reservation_id.clone_from(&call.id);
        request.payer = payer((0..3).find(|key| payer(*key).nodes() == call.nodes).expect("one of ours"));
        let again = self.desk.ledger.hold(request.clone()).await.expect("is answered like the first time");
        assert_eq!((again.held.0, again.held_at_ms), (call.amount, call.held_at_ms));
        request.amount = NanoUsd(call.amount + 1);
        let other = self.desk.ledger.hold(request).await;
        assert!(matches!(other, Err(HoldError::Refused(Refusal::IdReused))), "{other:?}");
    }

    async fn settle(&mut self, call: &Index, amount: i64) {
        let Some(position) = self.pick(call, |call| call.charged.is_none() && call.owned) else { return };
        let call = &mut self.auditor.calls[position];
        let charged = amount.min(call.amount);
        (call.charged, call.settled) = (Some(charged), true);
        let held = self.owned.remove(&call.id).expect("is owned");
        let settled = self.desk.settle(&held, amount).await;
        assert_eq!((settled.charged.0, settled.outcome), (charged, Outcome::Settled));
    }

    async fn release(&mut self, call: &Index) {
        let Some(position) = self.pick(call, |call| call.charged.is_none() && call.owned) else { return };
        let call = &mut self.auditor.calls[position];
        call.charged = Some(0);
        let held = self.owned.remove(&call.id).expect("is owned");
        assert_eq!(self.desk.release(&held).await.charged.0, 0);
    }

    fn abandon(&mut self, call: &Index) {
        let Some(position) = self.pick(call, |call| call.charged.is_none() && call.owned) else { return };
        let call = &mut self.auditor.calls[position];
        call.owned = false;
        self.owned.remove(&call.id);
    }

    /// A late or repeated settlement changes nothing and says how the call ended.
    async fn settle_ended(&mut self, call: &Index) {
        let Some(position) = self.pick(call, |call| call.charged.is_some()) else { return };
        let call = self.auditor.calls[position].clone();
        let said = self.desk.ledger.settle(settlement_of(&call.id, 1)).await;
        match said {
            Ok(settled) => assert_eq!((Some(settled.charged.0), call.settled), (call.charged, true)),
            Err(ResolveError::AlreadyResolved(outcome)) => {
                assert_eq!((outcome == Outcome::Settled, call.settled), (false, false));
            }
            Err(other) => panic!("{other}"),
        }
    }

    async fn release_ended(&mut self, call: &Index) {
        let Some(position) = self.pick(call, |call| call.settled) else { return };
        let id = self.auditor.calls[position].id.clone();
        let said = self.desk.ledger.release(release_of(&id)).await;
        assert_eq!(said, Err(ResolveError::AlreadyResolved(Outcome::Settled)));
    }

    async fn limit(&mut self, node: usize, window: usize, amount: Option<i64>) {
        let nodes = [
            NodeId::org(ORG),
            NodeId::deployment("dep_0"),
            NodeId::deployment("dep_1"),
            NodeId::member("mem_1"),
            NodeId::key("root"),
            NodeId::key("key_1"),
            NodeId::key("key_2"),
        ];
        let window = [Window::Lifetime, Window::FiveHours, Window::Day, Window::Week][window];
        self.auditor.set_limit(&nodes[node], window, amount, self.now_ms());
        let limit = amount.map(NanoUsd);
        let change = SetLimit { org_id: ORG.to_owned(), node: nodes[node].clone(), window, limit };
        self.desk.ledger.set_limit(change).await.expect("is set");
    }

    async fn crash(&mut self) {
        self.owned.clear();
        self.desk.clock.advance(LEASE_MS);
        for call in self.auditor.calls.iter_mut().filter(|call| call.charged.is_none()) {
            (call.charged, call.owned) = (Some(0), false);
        }
        let (store, world) = (self.desk.store.clone(), self.desk.world.clone());
        self.desk.ledger = Ledger::open(store, world).await.expect("another ledger");
        self.desk.ledger.recover().await.expect("recovers");
    }

    fn pick(&self, call: &Index, fits: impl Fn(&crate::auditor::Call) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = self
            .auditor
            .calls
            .iter()
            .enumerate()
            .filter(|(_, call)| fits(call))
            .map(|(position, _)| position)
            .collect();
        (!fitting.is_empty()).then(|| *call.get(&fitting))
    }

    fn now_ms(&self) -> i64 {
        self.desk.world.now_ms()
    }
}

/// Three keys: two below the same one, in different deployments, and one of its own.
fn payer(key: usize) -> Payer {
    let path: &[&str] = if key == 2 { &["key_2"] } else { &["root", ["key_0", "key_1"][key]] };
    Payer {
        org_id: ORG.to_owned(),
        deployment_id: format!("dep_{}", key % 2),
        member_id: format!("mem_{}", key / 2),
        key_path: path.iter().map(|id| (*id).to_owned()).collect(),
    }
}
