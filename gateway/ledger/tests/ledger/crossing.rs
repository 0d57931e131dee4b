//! Rows of the table of who pays that no call of today can show from outside: they are proven at the ledger.
use crate::support::{Desk, desk, settlement_of, with_wallet};
use crate::trouble::{Trouble, Troubles};
use bytespike_ledger::{
    Attempt, Fault, ItemsDecision, ItemsEnded, ItemsFate, Ledger, Moment, Outcome, Reason, Release,
    ResolveError, decide_items,
};
use bytespike_store::testing::on_each_database;
use bytespike_store::{on_database, sqlx};
use std::sync::Arc;

/// What one image, clip or item of a batch costs in these tests.
const ITEM_NANO: i64 = 100;
const COST_PICO: i64 = 55_000;

/// Holds for everything that was asked for and ends as the rule says. Answers what was charged and why it ended.
async fn end_items(desk: &Desk, ended: ItemsEnded, asked: u32, landed: u32) -> (i64, String) {
    let before = desk.available().await;
    let held = desk.hold(ITEM_NANO * i64::from(asked)).await.expect("holds");
    let id = &held.reservation_id;
    let attempt = Attempt { outcome: "ok".to_owned(), cost_pico: Some(COST_PICO), ..Attempt::default() };
    let resolution = match decide_items(ItemsFate { ended, asked, landed }) {
        ItemsDecision::Settle { items } => {
            let mut settlement = settlement_of(id, ITEM_NANO * i64::from(items));
            settlement.attempts = vec![Attempt { landed: true, ..attempt }];
            desk.ledger.settle(settlement).await.expect("settles")
        }
        ItemsDecision::Release(reason) => {
            let attempts = vec![Attempt { outcome: reason.name().to_owned(), ..attempt }];
            let release = Release {
                reservation_id: id.clone(),
                org_id: crate::support::ORG.to_owned(),
                reason,
                attempts,
            };
            desk.ledger.release(release).await.expect("releases")
        }
    };
    assert_eq!(desk.available().await, before - resolution.charged.0);
    let free = resolution.charged.0 == 0;
    assert_eq!(
        absorbed(desk, id).await,
        if free { vec![(resolution.reason.clone(), COST_PICO)] } else { Vec::new() }
    );
    (resolution.charged.0, resolution.reason)
}

/// What a call cost us and nobody else, by cause.
async fn absorbed(desk: &Desk, id: &str) -> Vec<(String, i64)> {
    on_database!(&desk.store, db => sqlx::query_as(
        "select cause, amount_pico from absorbed_cost where reservation_id = $1 order by cause")
        .bind(id).fetch_all(db).await)
    .expect("reads")
}

#[tokio::test]
async fn crossing_image_three_of_four() {
    with_wallet(10_000, async |desk| {
        assert_eq!(end_items(desk, ItemsEnded::Finished, 4, 3).await.0, 300);
        assert_eq!(end_items(desk, ItemsEnded::Finished, 4, 5).await.0, 400, "never more than was asked for");
    })
    .await;
}

#[tokio::test]
async fn crossing_asset_not_deliverable() {
    with_wallet(10_000, async |desk| {
        let ended = end_items(desk, ItemsEnded::Finished, 1, 0).await;
        assert_eq!(ended, (0, Reason::AssetUndeliverable.name().to_owned()));
    })
    .await;
}

#[tokio::test]
async fn crossing_video_failed() {
    with_wallet(10_000, async |desk| {
        for (ended, reason) in [
            (ItemsEnded::Failed, Reason::JobFailed),
            (ItemsEnded::Blocked, Reason::ModerationRejected),
            (ItemsEnded::TimedOut, Reason::JobTimedOut),
        ] {
            assert_eq!(end_items(desk, ended, 1, 0).await, (0, reason.name().to_owned()));
        }
    })
    .await;
}

#[tokio::test]
async fn crossing_video_cancelled_while_queued() {
    with_wallet(10_000, async |desk| {
        let ended = end_items(desk, ItemsEnded::CancelledQueued, 1, 0).await;
        assert_eq!(ended, (0, Reason::CancelledQueued.name().to_owned()));
    })
    .await;
}

/// Even if something was there already.
#[tokio::test]
async fn crossing_video_cancelled_while_running() {
    with_wallet(10_000, async |desk| {
        for landed in [0, 1] {
            let ended = end_items(desk, ItemsEnded::CancelledRunning, 1, landed).await;
            assert_eq!(ended, (0, Reason::CancelledRunning.name().to_owned()));
        }
    })
    .await;
}

#[tokio::test]
async fn crossing_batch_partly_failed() {
    with_wallet(10_000, async |desk| {
        assert_eq!(end_items(desk, ItemsEnded::Finished, 20, 17).await.0, 1_700);
        assert_eq!(end_items(desk, ItemsEnded::Failed, 20, 1).await.0, 100);
        assert_eq!(end_items(desk, ItemsEnded::TimedOut, 20, 0).await.0, 0);
    })
    .await;
}

#[tokio::test]
async fn crossing_late_usage() {
    with_wallet(1_000, async |desk| {
        let held = desk.hold(400).await.expect("holds");
        let id = held.reservation_id.clone();
        drop(held);
        desk.clock.advance(120_000);
        assert_eq!(desk.ledger.tick().await.expect("ticks").expired, 1);
        let mut late = settlement_of(&id, 150);
        late.attempts = vec![Attempt { landed: true, cost_pico: Some(COST_PICO), ..Attempt::default() }];
        for _ in 0..2 {
            let said = desk.ledger.settle(late.clone()).await;
            assert_eq!(said, Err(ResolveError::AlreadyResolved(Outcome::Expired)));
            assert_eq!(desk.available().await, 1_000);
            assert_eq!(absorbed(desk, &id).await, [("late_usage".to_owned(), COST_PICO)], "absorbed, once");
        }
    })
    .await;
}

#[tokio::test]
async fn crossing_ledger_unavailable() {
    on_each_database(async |store| {
        let desk = desk(store.clone()).await;
        desk.credit(1_000, "first").await;
        let troubles = Arc::new(Troubles::default());
        let failing = Ledger::open_with(store, desk.world.clone(), troubles.clone()).await.expect("a ledger");
        let held = failing.hold(desk.request(400)).await.expect("holds");
        troubles.arm(Some(Trouble { moment: Moment::Stored, fault: Fault::Refuse, times: u32::MAX }));
        let said = failing.settle(settlement_of(&held.reservation_id, 150)).await;
        assert!(matches!(said, Err(ResolveError::Unavailable(_))), "{said:?}");
        let id = held.reservation_id.clone();
        drop(held);
        desk.clock.advance(120_000);
        assert_eq!(desk.ledger.tick().await.expect("ticks").expired, 1);
        assert_eq!(desk.available().await, 1_000, "the call is free");
        assert_eq!(
            desk.ledger.settle(settlement_of(&id, 150)).await,
            Err(ResolveError::AlreadyResolved(Outcome::Expired))
        );
    })
    .await;
}
