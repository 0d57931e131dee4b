//! Many callers at once never spend more than there is.
use crate::support::{ORG, with_wallet};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{HoldError, NodeId, Refusal, SetLimit, Window};
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
async fn a_wallet_worth_ten_holds_gives_exactly_ten_to_sixty_four_callers() {
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
