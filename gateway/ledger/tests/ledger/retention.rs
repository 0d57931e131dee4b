//! What is forgotten after how long, and what never is.
use crate::support::{Desk, settlement, with_wallet};
use bytespike_ledger::{Attempt, Dimension, Reason, Release, Retention, UsageFilter, UsageKey, UsageSums};
use bytespike_store::on_database;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

const DAY_MS: i64 = 86_400_000;
const RETENTION: Retention = Retention {
    free_calls_ms: 30 * DAY_MS,
    attempts_ms: 400 * DAY_MS,
    invariant_runs_ms: 90 * DAY_MS,
    cost_reports_ms: 400 * DAY_MS,
    processes_ms: 7 * DAY_MS,
};

async fn free_call(desk: &Desk) -> String {
    let held = desk.hold(5).await.expect("a hold");
    let release = Release {
        reservation_id: held.reservation_id.clone(),
        org_id: crate::support::ORG.to_owned(),
        reason: Reason::UpstreamError,
        attempts: vec![Attempt::default(), Attempt::default()],
    };
    desk.ledger.release(release).await.expect("releases");
    held.reservation_id
}

async fn charged_call(desk: &Desk) -> String {
    let held = desk.hold(5).await.expect("a hold");
    desk.ledger.settle(settlement(&held, 3)).await.expect("settles");
    held.reservation_id
}

/// Sums of everything that ended, by outcome.
async fn usage(desk: &Desk) -> BTreeMap<UsageKey, UsageSums> {
    let filter = UsageFilter { to_ms: i64::MAX / 2, ..UsageFilter::default() };
    let by = (&[Dimension::Outcome][..], &TimeZone::UTC);
    desk.ledger.usage(crate::support::ORG, &filter, by).await.expect("reads")
}

async fn count(desk: &Desk, sql: &'static str) -> i64 {
    on_database!(read &desk.store, db => sqlx::query_scalar(sql).fetch_one(db).await).expect(sql)
}

#[tokio::test]
async fn receipts_of_free_calls_go_with_their_attempts_and_those_of_charged_calls_stay() {
    with_wallet(1_000_000, async |desk| {
        let charged = charged_call(desk).await;
        // More than one batch.
        futures_util::future::join_all((0..205).map(|_| free_call(desk))).await;
        let forgotten = async || desk.ledger.forget_old(&RETENTION).await.expect("swept");
        desk.ledger.close_months().await.expect("the running month is known");
        desk.clock.advance(30 * DAY_MS);
        assert_eq!(forgotten().await.free_calls, 0, "not yet");
        desk.clock.advance(1);
        let fresh = free_call(desk).await;
        assert_eq!(forgotten().await.free_calls, 0, "not before they are part of the sums");
        desk.ledger.roll_up().await.expect("summed");
        let sums = usage(desk).await;
        let forgotten = forgotten().await;
        assert_eq!((forgotten.free_calls, forgotten.attempts), (205, 0));
        assert_eq!(usage(desk).await, sums, "the sums still have them");
        assert_eq!(count(desk, "select count(*) from receipt").await, 2);
        assert_eq!(count(desk, "select count(*) from upstream_attempt").await, 3, "one charged, two fresh");
        assert_eq!(count(desk, "select count(*) from reservation").await, 2, "one charged, one fresh");
        assert_eq!(count(desk, "select count(*) from reservation_lot").await, 2);
        for id in [&charged, &fresh] {
            assert!(desk.ledger.receipt(id).await.expect("reads").is_some(), "{id}");
        }
        desk.clock.advance(400 * DAY_MS);
        desk.ledger.close_months().await.expect("closed");
        let later = desk.ledger.forget_old(&RETENTION).await.expect("swept");
        assert_eq!((later.free_calls, later.attempts), (1, 1));
        assert!(
            desk.ledger.receipt(&charged).await.expect("reads").is_some(),
            "a charged call's receipt stays"
        );
        assert_eq!(desk.ledger.forget_old(&RETENTION).await.expect("swept").total(), 0);
    })
    .await;
}

/// A month's statement says what was held when it ended, from the rows of calls that were open then.
#[tokio::test]
async fn a_free_call_stays_until_the_months_it_was_open_in_are_closed() {
    with_wallet(1_000_000, async |desk| {
        desk.ledger.close_months().await.expect("the running month is known");
        let month_ends_ms = count(desk, "select month_ends_ms from usage_mark").await;
        desk.clock.advance(month_ends_ms - desk.world.now_ms() - 1_000);
        let held = desk.hold(5).await.expect("a hold");
        desk.clock.advance(2_000);
        desk.release(&held).await;
        desk.ledger.roll_up().await.expect("summed");
        desk.clock.advance(30 * DAY_MS + 1);
        assert_eq!(desk.ledger.forget_old(&RETENTION).await.expect("swept").free_calls, 0);
        assert!(desk.ledger.close_months().await.expect("closed") >= 1);
        let closed =
            desk.ledger.statement(crate::support::ORG, "2026-11").await.expect("reads").expect("closed");
        let body: serde_json::Value = serde_json::from_str(&closed.json()).expect("JSON");
        assert_eq!(body["open_holds"]["calls"], 1, "{body}");
        assert_eq!(desk.ledger.forget_old(&RETENTION).await.expect("swept").free_calls, 1);
    })
    .await;
}

#[tokio::test]
async fn old_checks_go_but_never_the_last_one_and_a_dead_process_with_a_hold_is_kept() {
    with_wallet(1_000_000, async |desk| {
        desk.ledger.check_invariants().await.expect("checked");
        desk.clock.advance(DAY_MS);
        desk.ledger.check_invariants().await.expect("checked");
        desk.clock.advance(1_000 * DAY_MS);
        desk.ledger.check_what_is_new().await.expect("checked");
        let held = desk.hold(5).await.expect("a hold");
        let forgotten = desk.ledger.forget_old(&RETENTION).await.expect("swept");
        assert_eq!(forgotten.invariant_runs, 1, "the last over the whole history stays, and the newest");
        assert_eq!(forgotten.processes, 0, "it holds something");
        desk.release(&held).await;
        assert_eq!(desk.ledger.forget_old(&RETENTION).await.expect("swept").processes, 1);
    })
    .await;
}
