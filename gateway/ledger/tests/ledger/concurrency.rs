//! Many callers at once never spend more than there is.
use crate::support::{ORG, desk, release_of, settlement_of, with_wallet};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{
    Fault, Faults, HoldError, Ledger, Moment, NodeId, Outcome, Refusal, ResolveError, SetLimit, Window,
};
use bytespike_store::testing::on_each_database;
use std::sync::{Arc, Condvar, Mutex};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Every caller holds before any settles; answers how many holds were taken.
async fn stampede(desk: &crate::support::Desk, callers: usize, nano: i64) -> usize {
    let mut holds = JoinSet::new();
    for _ in 0..callers {
        let (ledger, request) = (desk.ledger.clone(), desk.request(nano));
        holds.spawn(async move { ledger.hold(request).await });
    }
    let mut taken = Vec::new();
    while let Some(done) = holds.join_next().await {
        match done.expect("no caller panics") {
            Ok(held) => taken.push(held),
            Err(HoldError::Refused(Refusal::InsufficientCredits { .. } | Refusal::LimitExceeded { .. })) => {}
            Err(other) => panic!("{other}"),
        }
    }
    for held in &taken {
        desk.settle(held, nano).await;
    }
    taken.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s105_a_wallet_worth_ten_holds_gives_exactly_ten_to_sixty_four_callers() {
    with_wallet(10 * 333, async |desk| {
        assert_eq!(stampede(desk, 64, 333).await, 10);
        assert_eq!(desk.available().await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i06_a_limit_at_any_node_is_exact() {
    for node in [
        NodeId::org(ORG),
        NodeId::deployment("dep_1"),
        NodeId::member("mem_1"),
        NodeId::key("key_root"),
        NodeId::key("key_leaf"),
    ] {
        with_wallet(1_000_000, async |desk| {
            let limit = Some(NanoUsd(7 * 111));
            let set = SetLimit { org_id: ORG.to_owned(), node: node.clone(), window: Window::Day, limit };
            desk.ledger.set_limit(set).await.expect("is set");
            assert_eq!(stampede(desk, 32, 111).await, 7, "{node}");
        })
        .await;
    }
}

/// A writer that can be made to wait before its next transaction.
#[derive(Default)]
struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
    waits: Notify,
}

impl Gate {
    fn close(&self, closed: bool) {
        *self.closed.lock().expect("not poisoned") = closed;
        self.opened.notify_all();
    }
}

impl Faults for Gate {
    fn at(&self, moment: Moment) -> Option<Fault> {
        let closed = self.closed.lock().expect("not poisoned");
        if moment == Moment::Begin && *closed {
            self.waits.notify_one();
            drop(self.opened.wait_while(closed, |closed| *closed).expect("not poisoned"));
        }
        None
    }
}

/// Whoever is told that the ledger did not answer may say that nothing is charged: what was not begun never is, and what
/// was begun is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_settlement_that_was_given_up_is_never_committed() {
    on_each_database(async |store| {
        let desk = desk(store.clone()).await;
        desk.credit(1_000, "first").await;
        let gate = Arc::new(Gate::default());
        let ledger = Ledger::open_with(store, desk.world.clone(), gate.clone()).await.expect("a ledger");
        let begun = ledger.hold(desk.request(100)).await.expect("holds");
        let queued = ledger.hold(desk.request(200)).await.expect("holds");
        gate.close(true);
        let settles = {
            let (ledger, settlement) = (ledger.clone(), settlement_of(&begun.reservation_id, 100));
            tokio::spawn(async move { ledger.settle(settlement).await })
        };
        gate.waits.notified().await;
        let given_up = ledger.settle(settlement_of(&queued.reservation_id, 200)).await;
        assert!(matches!(given_up, Err(ResolveError::Unavailable(_))), "{given_up:?}");
        gate.close(false);
        assert_eq!(settles.await.expect("does not panic").expect("settles").charged, NanoUsd(100));
        let released = ledger.release(release_of(&queued.reservation_id)).await.expect("is still held");
        assert_eq!((released.outcome, released.charged), (Outcome::Released, NanoUsd(0)));
        assert_eq!(desk.available().await, 900);
    })
    .await;
}
