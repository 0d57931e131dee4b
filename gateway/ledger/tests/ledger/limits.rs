//! Spend limits over time: what they count, and when they open anew.
use crate::support::{Desk, ORG, START_MS, with_wallet};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{GrantEnd, HoldError, LimitState, NodeId, Refusal, SetLimit, Window};

const HOUR_MS: i64 = 3_600_000;

async fn limit(desk: &Desk, window: Window, nano: Option<i64>) {
    let set =
        SetLimit { org_id: ORG.to_owned(), node: NodeId::key("key_root"), window, limit: nano.map(NanoUsd) };
    desk.ledger.set_limit(set).await.expect("is set");
}

async fn refused_limit(desk: &Desk, nano: i64) -> LimitState {
    match desk.hold(nano).await.expect_err("the limit binds") {
        HoldError::Refused(Refusal::LimitExceeded { limit, .. }) => limit,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_window_opens_with_its_first_hold_and_ends_when_it_says() {
    with_wallet(1_000, async |desk| {
        limit(desk, Window::FiveHours, Some(100)).await;
        desk.clock.advance(HOUR_MS);
        let held = desk.hold(80).await.expect("fits");
        desk.settle(&held, 80).await;
        let full = refused_limit(desk, 21).await;
        assert_eq!((full.remaining().0, full.resets_at_ms), (20, Some(START_MS + 6 * HOUR_MS)));
        assert_eq!(full.node, NodeId::key("key_root"));
        desk.clock.advance(5 * HOUR_MS);
        desk.hold(100).await.expect("a new window");
    })
    .await;
}

#[tokio::test]
async fn a_call_counts_in_the_window_it_was_held_in() {
    with_wallet(1_000, async |desk| {
        limit(desk, Window::Day, Some(100)).await;
        desk.clock.advance(10);
        let early = desk.hold(100).await.expect("fits");
        desk.clock.advance(25 * HOUR_MS);
        let late = desk.hold(100).await.expect("fits the next day");
        desk.settle(&early, 100).await;
        desk.settle(&late, 40).await;
        desk.hold(60).await.expect("the early call does not count here");
        refused_limit(desk, 1).await;
    })
    .await;
}

#[tokio::test]
async fn a_lifetime_limit_counts_what_came_before_it_and_can_be_taken_away() {
    with_wallet(1_000, async |desk| {
        let before = desk.hold(70).await.expect("holds");
        desk.settle(&before, 70).await;
        let open = desk.hold(20).await.expect("holds");
        limit(desk, Window::Lifetime, Some(100)).await;
        assert_eq!(refused_limit(desk, 11).await.remaining().0, 10);
        desk.release(&open).await;
        let last = desk.hold(30).await.expect("what was held is free again");
        desk.settle(&last, 0).await;
        limit(desk, Window::Lifetime, None).await;
        desk.hold(500).await.expect("nothing limits it");
    })
    .await;
}

#[tokio::test]
async fn a_limit_may_be_lowered_below_what_is_used() {
    with_wallet(1_000, async |desk| {
        limit(desk, Window::Month, Some(500)).await;
        let held = desk.hold(400).await.expect("fits");
        limit(desk, Window::Month, Some(100)).await;
        assert_eq!(refused_limit(desk, 1).await.remaining().0, 0);
        assert_eq!(desk.settle(&held, 400).await.charged.0, 400, "what was held may settle");
    })
    .await;
}

/// Nothing but the clock ends it: no job runs here.
#[tokio::test]
async fn a_limit_raised_for_a_time_is_what_it_was_from_the_moment_the_time_is_over() {
    with_wallet(1_000, async |desk| {
        limit(desk, Window::Month, Some(100)).await;
        let end = GrantEnd { at_ms: START_MS + HOUR_MS, then: NanoUsd(100) };
        let node = NodeId::key("key_root");
        let raised = SetLimit {
            org_id: ORG.to_owned(),
            node: node.clone(),
            window: Window::Month,
            limit: Some(NanoUsd(500)),
        };
        desk.ledger.grant_limit(raised.clone(), end, None).await.expect("is raised");
        let early = desk.hold(300).await.expect("fits while it lasts");
        desk.clock.advance(HOUR_MS - 1);
        assert_eq!(refused_limit(desk, 201).await.limit.0, 500);
        desk.clock.advance(1);
        let refused = refused_limit(desk, 1).await;
        assert_eq!((refused.limit.0, refused.remaining().0), (100, 0));
        assert_eq!(desk.ledger.limits(ORG).await.expect("reads")[0].limit.0, 100);
        assert_eq!(desk.settle(&early, 60).await.charged.0, 60, "what was held may settle");
        let rest = desk.hold(40).await.expect("what is left of what it was");
        refused_limit(desk, 1).await;
        desk.ledger.end_grant(ORG, (&node, Window::Month)).await.expect("is written down");
        assert_eq!(refused_limit(desk, 1).await.limit.0, 100, "which changes nothing");
        desk.settle(&rest, 40).await;

        // Whoever sets the limit meanwhile ends the grant with it.
        let later = GrantEnd { at_ms: START_MS + 3 * HOUR_MS, ..end };
        desk.ledger.grant_limit(raised, later, None).await.expect("is raised again");
        limit(desk, Window::Month, Some(450)).await;
        desk.clock.advance(5 * HOUR_MS);
        desk.hold(350).await.expect("the limit is what was set last");
    })
    .await;
}
