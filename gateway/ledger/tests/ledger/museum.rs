//! Mistakes that others made with money, each as a test by its name: they cannot happen here.
use crate::request::{Request, Said};
use crate::support::{ORG, desk, payer, release_of, request_of, settlement_of, with_wallet};
use crate::trouble::{Trouble, Troubles};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Fault, HoldError, Ledger, Moment, NodeId, Outcome, Refusal, ResolveError, Window};
use bytespike_store::testing::on_each_database;
use bytespike_store::{on_database, sqlx};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Checked first and taken later: many pass the check before any takes. Here two instances share one wallet.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn museum_check_then_act_overspend() {
    with_wallet(5 * 100, async |desk| {
        let other = Ledger::open(desk.store.clone(), desk.world.clone()).await.expect("another instance");
        let mut holds = JoinSet::new();
        for number in 0..32 {
            let ledger = if number % 2 == 0 { desk.ledger.clone() } else { other.clone() };
            let request = desk.request(100);
            holds.spawn(async move { ledger.hold(request).await.ok() });
        }
        let taken: Vec<_> = holds.join_all().await.into_iter().flatten().collect();
        assert_eq!(taken.len(), 5);
        for held in &taken {
            desk.settle(held, 100).await;
        }
        assert_eq!(desk.available().await, 0);
    })
    .await;
}

/// A call that panics, is cancelled or is refused later leaves its hold behind for good.
#[tokio::test]
async fn museum_leaked_holds() {
    with_wallet(1_000, async |desk| {
        for _ in 0..10 {
            drop(desk.hold(100).await.expect("holds"));
        }
        assert_eq!(desk.available().await, 0);
        desk.clock.advance(60_001);
        assert_eq!(desk.ledger.tick().await.expect("ticks").expired, 10);
        assert_eq!(desk.available().await, 1_000);
    })
    .await;
}

/// A clock that is an hour ahead for a moment leaves a hold behind for an hour.
#[tokio::test]
async fn museum_hold_of_a_clock_gone_ahead() {
    with_wallet(1_000, async |desk| {
        desk.clock.advance(3_600_000);
        drop(desk.hold(100).await.expect("holds"));
        desk.clock.advance(-3_600_000);
        assert_eq!(desk.ledger.tick().await.expect("ticks").expired, 0);
        desk.clock.advance(60_001);
        assert_eq!(desk.ledger.tick().await.expect("ticks").expired, 1);
        assert_eq!(desk.available().await, 1_000);
    })
    .await;
}

/// A cleanup that failed is done again by somebody else, and both give the room back.
#[tokio::test]
async fn museum_failed_cleanup_counted_twice() {
    on_each_database(async |store| {
        let desk = desk(store.clone()).await;
        desk.credit(1_000, "first").await;
        desk.limit(NodeId::org(ORG), Window::Day, 900).await;
        let troubles = Arc::new(Troubles::default());
        let failing = Ledger::open_with(store, desk.world.clone(), troubles.clone()).await.expect("a ledger");
        let held = failing.hold(desk.request(400)).await.expect("holds");
        troubles.arm(Some(Trouble { moment: Moment::Committed, fault: Fault::Refuse, times: 2 }));
        let said = failing.release(release_of(&held.reservation_id)).await;
        assert!(matches!(said, Err(ResolveError::Unavailable(_))), "{said:?}");
        for _ in 0..3 {
            desk.ledger
                .release(release_of(&held.reservation_id))
                .await
                .expect("is answered like the first time");
        }
        drop(held);
        desk.clock.advance(120_000);
        assert_eq!(desk.ledger.tick().await.expect("ticks").expired, 0);
        let limits = desk.ledger.limits(ORG).await.expect("reads");
        assert_eq!((desk.available().await, limits[0].held.0, limits[0].used.0), (1_000, 0, 0));
        assert_eq!(desk.ledger.check_invariants().await.expect("the checks run"), []);
    })
    .await;
}

/// Two instances settle the same call, or one settles what the other releases.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn museum_double_settle_across_instances() {
    with_wallet(1_000, async |desk| {
        let other = Ledger::open(desk.store.clone(), desk.world.clone()).await.expect("another instance");
        for _ in 0..8 {
            let held = desk.hold(100).await.expect("holds");
            let id = &held.reservation_id;
            let (settle, again, release) = tokio::join!(
                desk.ledger.settle(settlement_of(id, 10)),
                other.settle(settlement_of(id, 10)),
                other.release(release_of(id)),
            );
            let settled = usize::from(settle.is_ok()) + usize::from(again.is_ok());
            assert!((settled == 2) != release.is_ok(), "{settle:?} {again:?} {release:?}");
        }
        let charged: i64 = on_database!(&desk.store, db => sqlx::query_scalar(
            "select cast(coalesce(sum(charged_nano), 0) as bigint) from reservation").fetch_one(db).await)
        .expect("reads");
        assert_eq!(desk.available().await, 1_000 - charged);
    })
    .await;
}

/// A state between held and settled that only a worker can leave, and the worker is gone.
#[tokio::test]
async fn museum_settling_state_with_no_worker() {
    with_wallet(1_000, async |desk| {
        let held = desk.hold(100).await.expect("holds");
        for state in ["settling", "pending", "refunded"] {
            let forced = on_database!(&desk.store, db => sqlx::query("update reservation set state = $2 where id = $1")
                .bind(&held.reservation_id).bind(state).execute(db).await.map(drop));
            assert!(forced.is_err(), "the database knows no {state}");
        }
    })
    .await;
}

/// Money given back is added to what was used, or to what was paid.
#[tokio::test]
async fn museum_refund_inflates_totals() {
    with_wallet(1_000, async |desk| {
        let (failed, landed) = (desk.hold(300).await.expect("holds"), desk.hold(300).await.expect("holds"));
        desk.release(&failed).await;
        desk.settle(&landed, 120).await;
        let moved = desk.ledger.transactions(ORG, 10).await.expect("reads");
        let kinds: Vec<&str> = moved.iter().map(|transaction| transaction.kind.as_str()).collect();
        assert_eq!(kinds, ["settle", "grant"], "a free call is no line, and nothing comes back");
        let ended: Vec<(String, i64)> = on_database!(&desk.store, db => sqlx::query_as(
            "select state, charged_nano from reservation order by state").fetch_all(db).await)
        .expect("reads");
        assert_eq!(ended, [("released".to_owned(), 0), ("settled".to_owned(), 120)]);
        let refund = on_database!(&desk.store, db => sqlx::query(
            "insert into journal_tx (id, org_id, seq, kind, at_ms, prev_hash, hash)
             select 'jtx', org_id, 9, 'refund', 0, '', '' from wallet").execute(db).await.map(drop));
        assert!(refund.is_err(), "there is no such thing");
    })
    .await;
}

/// Usage that turns out dearer than what is left takes the balance below zero.
#[tokio::test]
async fn museum_negative_balance() {
    with_wallet(100, async |desk| {
        let held = desk.hold(100).await.expect("holds everything");
        assert_eq!(desk.settle(&held, 1_000_000_000).await.charged.0, 100);
        assert_eq!(desk.available().await, 0);
        assert!(matches!(
            desk.hold(1).await,
            Err(HoldError::Refused(Refusal::InsufficientCredits { available: NanoUsd(0), .. }))
        ));
    })
    .await;
}

/// A quantity so large that the amount wraps around, and a negative hold that pays its sender.
#[tokio::test]
async fn museum_quantity_overflow_pays_the_caller() {
    with_wallet(1_000, async |desk| {
        for amount in [-1, i64::MIN, i64::MAX, 10_000_000_000_001] {
            let refused = desk.hold(amount).await;
            assert!(
                matches!(refused, Err(HoldError::Refused(Refusal::InsufficientCredits { .. }))),
                "{amount}"
            );
        }
        let held = desk.hold(500).await.expect("holds");
        assert_eq!(desk.settle(&held, i64::MAX).await.charged.0, 500);
        assert_eq!(desk.available().await, 500);
    })
    .await;
}

/// A job that failed after its hold was charged on submission.
#[tokio::test]
async fn museum_failed_video_still_billed() {
    with_wallet(1_000, async |desk| {
        let held = desk.hold(800).await.expect("holds");
        assert_eq!(desk.ledger.transactions(ORG, 10).await.expect("reads").len(), 1, "a hold debits nothing");
        desk.release(&held).await;
        assert_eq!(desk.available().await, 1_000);
    })
    .await;
}

/// Counters that are updated in any order deadlock, and what a deadlock killed is dropped in silence.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn museum_deadlocks_and_dropped_increments() {
    with_wallet(1_000_000, async |desk| {
        desk.limit(NodeId::key("key_root"), Window::Day, 1_000_000).await;
        desk.limit(NodeId::member("mem_1"), Window::Month, 1_000_000).await;
        let other = Ledger::open(desk.store.clone(), desk.world.clone()).await.expect("another instance");
        let mut calls = JoinSet::new();
        for number in 0..64 {
            let ledger = if number % 2 == 0 { desk.ledger.clone() } else { other.clone() };
            let request = desk.request(100);
            calls.spawn(async move {
                let held = ledger.hold(request).await.expect("there is room");
                ledger.settle(settlement_of(&held.reservation_id, 7)).await.expect("settles").charged.0
            });
        }
        assert_eq!(calls.join_all().await.iter().sum::<i64>(), 64 * 7);
        assert_eq!(desk.available().await, 1_000_000 - 64 * 7);
        for limit in desk.ledger.limits(ORG).await.expect("reads") {
            assert_eq!((limit.used.0, limit.held.0), (64 * 7, 0), "{}", limit.node);
        }
    })
    .await;
}

/// One instance decides by what it remembers of the spend that another one has added to.
#[tokio::test]
async fn museum_stale_spend_cache() {
    with_wallet(1_000, async |desk| {
        desk.limit(NodeId::key("key_leaf"), Window::Day, 500).await;
        let other = Ledger::open(desk.store.clone(), desk.world.clone()).await.expect("another instance");
        for (ledger, fits) in [(&desk.ledger, true), (&other, true), (&desk.ledger, false), (&other, false)] {
            let (said, held) =
                Request::Hold(Box::new(request_of(desk.world.id("rcp"), payer(), 250))).send(ledger).await;
            assert_eq!(held.is_some(), fits, "{said:?}");
            if let Some(held) = held {
                let settled = ledger.settle(settlement_of(&held.reservation_id, 250)).await.expect("settles");
                assert_eq!(settled.outcome, Outcome::Settled);
            } else {
                assert_eq!(said, Said::Limited { remaining: 0 });
            }
        }
    })
    .await;
}
