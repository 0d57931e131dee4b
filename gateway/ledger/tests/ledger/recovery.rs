//! Holds whose owner is gone, and credit whose time is up.
use crate::support::{ORG, START_MS, desk, with_wallet};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Credit, CreditKind, Ledger, Outcome, ResolveError};
use bytespike_store::testing::on_postgres;

const MINUTE_MS: i64 = 60_000;

#[tokio::test]
async fn a_hold_that_nobody_renews_expires_and_costs_nothing() {
    with_wallet(1_000, async |desk| {
        let kept = desk.hold(100).await.expect("holds");
        let dropped = desk.hold(200).await.expect("holds");
        let lost = dropped.reservation_id.clone();
        drop(dropped);
        for _ in 0..6 {
            desk.clock.advance(MINUTE_MS / 4);
            desk.ledger.tick().await.expect("ticks");
        }
        assert_eq!(desk.available().await, 900);
        let receipt = desk.ledger.receipt(&lost).await.expect("reads").expect("a receipt");
        assert!(receipt.body.contains(r#""outcome":"expired""#), "{}", receipt.body);
        assert_eq!(desk.settle(&kept, 100).await.outcome, Outcome::Settled, "the live one was renewed");
    })
    .await;
}

#[tokio::test]
async fn a_start_expires_the_holds_of_dead_processes_once_they_are_known_to_be_dead() {
    with_wallet(1_000, async |desk| {
        let held = desk.hold(300).await.expect("holds");
        desk.clock.advance(MINUTE_MS / 2);
        let next = Ledger::open(desk.store.clone(), desk.world.clone()).await.expect("a second ledger");
        assert_eq!(next.recover().await.expect("recovers").expired, 1);
        assert_eq!(desk.available().await, 1_000);
        let late = desk.ledger.settle(crate::support::settlement(&held, 10)).await;
        assert_eq!(late, Err(ResolveError::AlreadyResolved(Outcome::Expired)), "a late settlement is free");
    })
    .await;
}

#[tokio::test]
async fn given_credit_lapses_but_not_what_is_held_of_it() {
    with_wallet(1_000, async |desk| {
        let credit = Credit {
            org_id: ORG.to_owned(),
            amount: NanoUsd(500),
            kind: CreditKind::Grant,
            idempotency_key: "short".to_owned(),
            note: "for a minute".to_owned(),
            expires_at_ms: Some(START_MS + MINUTE_MS),
        };
        desk.ledger.credit(credit).await.expect("books");
        let held = desk.hold(200).await.expect("holds of what lapses first");
        desk.clock.advance(2 * MINUTE_MS);
        assert_eq!(desk.ledger.tick().await.expect("ticks").lapsed, 1);
        assert_eq!(desk.available().await, 1_000, "300 of 500 lapsed, 200 are held");
        desk.settle(&held, 200).await;
        assert_eq!(desk.available().await, 1_000);
    })
    .await;
}

/// Several processes share a PostgreSQL; an embedded database has one, so that whoever starts is alone.
#[tokio::test]
async fn a_start_leaves_the_holds_of_living_processes_alone() {
    on_postgres(async |store| {
        let desk = desk(store.clone()).await;
        desk.credit(1_000, "first").await;
        let held = desk.hold(300).await.expect("holds");
        desk.clock.advance(15_000);
        let next = Ledger::open(store, desk.world.clone()).await.expect("a second ledger");
        assert_eq!(next.recover().await.expect("recovers").expired, 0, "its process was seen 15 s ago");
        assert_eq!(desk.settle(&held, 10).await.outcome, Outcome::Settled);
    })
    .await;
}
