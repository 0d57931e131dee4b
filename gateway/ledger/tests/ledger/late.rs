//! Usage that is learned when its call is over: kept once, absorbed once, and nothing that was resolved changes.
use crate::support::with_wallet;
use bytespike_catalog::Usage;
use bytespike_ledger::LateUsage;
use bytespike_store::{on_database, sqlx};

#[tokio::test]
async fn late_usage_is_kept_once_and_only_of_a_call_that_is_over() {
    with_wallet(1_000, async |desk| {
        let held = desk.hold(100).await.expect("holds");
        let late = LateUsage {
            reservation_id: held.reservation_id.clone(),
            attempt: 1,
            usage: Usage { output_tokens: 7, ..Usage::default() },
            cost_pico: Some(9_000),
            absorbed_pico: 4_000,
        };
        assert!(!desk.ledger.note_late_usage(&late).await.expect("answers"), "it is not over");
        desk.settle(&held, 60).await;
        let receipt = desk.ledger.receipt(&held.reservation_id).await.expect("reads");
        assert!(desk.ledger.note_late_usage(&late).await.expect("answers"));
        let more = LateUsage { cost_pico: Some(99_000), absorbed_pico: 99_000, ..late };
        assert!(!desk.ledger.note_late_usage(&more).await.expect("answers"), "the first one stands");
        assert_eq!(desk.ledger.receipt(&held.reservation_id).await.expect("reads"), receipt);
        assert_eq!(desk.available().await, 940, "the customer pays nothing more");
        let absorbed: Vec<(String, i64)> = on_database!(read &desk.store, db => sqlx::query_as(
            "select cause, amount_pico from absorbed_cost").fetch_all(db).await)
        .expect("reads");
        assert_eq!(absorbed, [("late_usage".to_owned(), 4_000)]);
        let changed = on_database!(&desk.store, db => sqlx::query("update late_usage set cost_pico = 1")
            .execute(db).await.is_err());
        assert!(changed, "late usage is written once");
    })
    .await;
}
