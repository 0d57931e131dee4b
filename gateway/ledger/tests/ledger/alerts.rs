//! Alerts: written with the settlement that makes them true, once, and not at all when nobody wants them.
use crate::support::{Desk, ORG, with_wallet};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Alerts, NodeId, SetLimit, Window};
use bytespike_store::{on_database, sqlx};

async fn told(desk: &Desk) -> Vec<(String, String, serde_json::Value)> {
    let rows: Vec<(String, String, String)> = on_database!(read &desk.store, db => sqlx::query_as(
        "select kind, subject, payload_json from outbox where org_id = $1 order by created_at_ms, id")
        .bind(ORG).fetch_all(db).await)
    .expect("reads");
    rows.into_iter()
        .map(|(kind, subject, json)| (kind, subject, serde_json::from_str(&json).expect("JSON")))
        .collect()
}

async fn spend(desk: &Desk, nano: i64) {
    let held = desk.hold(nano).await.expect("holds");
    desk.settle(&held, nano).await;
    desk.clock.advance(1);
}

async fn limit(desk: &Desk, nano: i64) {
    let set = SetLimit {
        org_id: ORG.to_owned(),
        node: NodeId::key("key_root"),
        window: Window::Day,
        limit: Some(NanoUsd(nano)),
    };
    desk.ledger.set_limit(set).await.expect("is set");
    desk.clock.advance(10);
}

#[tokio::test]
async fn a_balance_that_falls_below_its_threshold_is_told_of_once_for_each_fall() {
    with_wallet(1_000, async |desk| {
        spend(desk, 10).await;
        let alerts = Alerts { low_balance: Some(NanoUsd(500)), limits: true };
        desk.ledger.set_alerts(ORG, alerts).await.expect("is set");
        spend(desk, 400).await;
        assert_eq!(told(desk).await, []);
        spend(desk, 100).await;
        spend(desk, 100).await;
        let all = told(desk).await;
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!((all[0].0.as_str(), &all[0].2["balance_credits"]), ("low_balance", &"0.490".into()));
        desk.credit(500, "more").await;
        spend(desk, 500).await;
        assert_eq!(told(desk).await.len(), 2, "it fell again");
        assert_eq!(desk.ledger.wallet(ORG).await.expect("reads").expect("a wallet").alerts, alerts);
    })
    .await;
}

#[tokio::test]
async fn a_limit_is_told_of_at_80_percent_and_when_it_refuses_once_in_each_window() {
    with_wallet(100_000, async |desk| {
        limit(desk, 100).await;
        assert!(desk.hold(150).await.is_err(), "too large for the limit");
        spend(desk, 79).await;
        assert!(desk.hold(22).await.is_err(), "too large for the rest");
        assert_eq!(told(desk).await, [], "most of it is left or nearly so");
        spend(desk, 6).await;
        for _ in 0..3 {
            assert!(desk.hold(20).await.is_err(), "the limit is all but used up");
        }
        let all = told(desk).await;
        let percents: Vec<i64> = all.iter().filter_map(|alert| alert.2["percent"].as_i64()).collect();
        assert_eq!(percents, [80, 100], "{all:?}");
        assert!(
            all.iter().all(|alert| (alert.0.as_str(), alert.1.as_str()) == ("limit_share", "key:key_root"))
        );
        desk.clock.advance(25 * 3_600_000);
        spend(desk, 100).await;
        assert_eq!(told(desk).await.len(), 3, "a new window, all of it at once");
        limit(desk, 110).await;
        spend(desk, 5).await;
        assert_eq!(told(desk).await.len(), 4, "a changed limit is a new one");
    })
    .await;
}

#[tokio::test]
async fn who_does_not_want_to_be_told_is_not() {
    with_wallet(1_000, async |desk| {
        desk.ledger.set_alerts(ORG, Alerts { low_balance: None, limits: false }).await.expect("is set");
        limit(desk, 100).await;
        spend(desk, 100).await;
        assert_eq!(told(desk).await, []);
        let negative = Alerts { low_balance: Some(NanoUsd(0)), limits: true };
        assert!(desk.ledger.set_alerts(ORG, negative).await.is_err());
    })
    .await;
}
