//! Hold, settle, release: what each does to the wallet, the journal and the receipt.
use crate::support::{ORG, release, settlement, with_wallet};
use bytespike_ledger::{CallFilter, HoldError, Outcome, Page, Refusal, ResolveError, verify_receipt};
use bytespike_store::testing::entry;
use bytespike_store::{audit_event, on_database, sqlx};

#[tokio::test]
async fn a_settled_call_moves_its_charge_and_returns_the_rest() {
    with_wallet(1_000, async |desk| {
        let held = desk.hold(400).await.expect("holds");
        assert_eq!((held.held.0, held.wallet_available.0, desk.available().await), (400, 600, 600));
        let settled = desk.settle(&held, 150).await;
        assert_eq!((settled.outcome, settled.charged.0, settled.returned().0), (Outcome::Settled, 150, 250));
        assert_eq!(desk.available().await, 850);
        let money = desk.ledger.transactions(ORG, 10).await.expect("reads");
        let moved: Vec<_> = money.iter().map(|t| (t.kind.as_str(), t.amount_nano)).collect();
        assert_eq!(moved, [("settle", -150), ("grant", 1_000)]);
    })
    .await;
}

#[tokio::test]
async fn a_released_call_leaves_no_trace_in_the_journal() {
    with_wallet(1_000, async |desk| {
        let held = desk.hold(400).await.expect("holds");
        let released = desk.release(&held).await;
        assert_eq!((released.charged.0, released.reason.as_str()), (0, "upstream_error"));
        assert_eq!(desk.available().await, 1_000);
        assert_eq!(desk.ledger.transactions(ORG, 10).await.expect("reads").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_first_ending_stands_and_saying_it_again_changes_nothing() {
    with_wallet(1_000, async |desk| {
        let held = desk.hold(400).await.expect("holds");
        let first = desk.settle(&held, 150).await;
        let again =
            desk.ledger.settle(settlement(&held, 399)).await.expect("is answered like the first time");
        assert_eq!((again.charged, desk.available().await), (first.charged, 850));
        let other = desk.ledger.release(release(&held)).await;
        assert_eq!(other, Err(ResolveError::AlreadyResolved(Outcome::Settled)));
    })
    .await;
}

#[tokio::test]
async fn a_charge_never_exceeds_its_hold_and_the_excess_is_ours() {
    with_wallet(1_000, async |desk| {
        let held = desk.hold(400).await.expect("holds");
        assert_eq!(desk.settle(&held, 401).await.charged.0, 400);
        let receipt = desk.ledger.receipt(&held.reservation_id).await.expect("reads").expect("a receipt");
        assert!(receipt.body.contains(r#""over_hold_credits":"0.001""#), "{}", receipt.body);
    })
    .await;
}

#[tokio::test]
async fn more_than_the_wallet_has_is_refused_with_both_figures() {
    with_wallet(1_000, async |desk| {
        let refused = desk.hold(1_001).await.expect_err("too much");
        let HoldError::Refused(Refusal::InsufficientCredits { required, available }) = refused else {
            panic!("{refused}");
        };
        assert_eq!((required.0, available.0), (1_001, 1_000));
        desk.ledger.set_frozen(ORG, true).await.expect("freezes");
        assert!(matches!(desk.hold(1).await, Err(HoldError::Refused(Refusal::Frozen))));
    })
    .await;
}

#[tokio::test]
async fn credit_books_once_per_key() {
    with_wallet(1_000, async |desk| {
        desk.credit(1_000, "first").await;
        assert_eq!(desk.available().await, 1_000);
        desk.credit(5, "second").await;
        assert_eq!(desk.available().await, 1_005);
    })
    .await;
}

#[tokio::test]
async fn s131_credit_that_somebody_decided_is_booked_with_its_event_or_not_at_all() {
    with_wallet(1_000, async |desk| {
        let give = async |key| desk.ledger.credit_decided(desk.grant(50, key), &entry()).await;
        give("given").await.expect("is booked");
        give("given").await.expect("is booked once");
        let (last, _) = audit_event::head(&desk.store).await.expect("reads");
        let told = audit_event::after(&desk.store, 0, 10).await.expect("reads");
        assert_eq!((desk.available().await, last, told.len()), (1_050, 1, 1));
        assert_eq!((told[0].event.as_str(), told[0].hash.as_str()), ("test.changed", "1"));
        on_database!(&desk.store, db => sqlx::query("delete from audit_head").execute(db).await.map(drop))
            .expect("gone");
        assert!(give("unrecorded").await.is_err());
        assert_eq!(desk.available().await, 1_050);
    })
    .await;
}

#[tokio::test]
async fn every_call_has_a_receipt_whose_equation_holds_and_whose_signature_fits() {
    with_wallet(1_000_000, async |desk| {
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let (landed, failed) =
            (desk.hold(400_000).await.expect("holds"), desk.hold(400_000).await.expect("holds"));
        desk.settle(&landed, 150_000).await;
        desk.release(&failed).await;
        for (held, charged, returned) in [(landed, "150.000", "250.000"), (failed, "0.000", "400.000")] {
            let receipt = desk.ledger.receipt(&held.reservation_id).await.expect("reads").expect("a receipt");
            let signed = receipt.signed(&key);
            assert_eq!(verify_receipt(&signed, &key.verifying_key()), Some(true));
            let forged = signed.replacen(returned, "999.000", 1);
            assert_eq!(verify_receipt(&forged, &key.verifying_key()), Some(false));
            let json: serde_json::Value = serde_json::from_str(&signed).expect("JSON");
            assert_eq!(json["held"]["credits"], "400.000");
            assert_eq!(json["charged"]["credits"], charged);
            assert_eq!(json["returned"]["credits"], returned);
        }
    })
    .await;
}

#[tokio::test]
async fn calls_are_listed_newest_first_in_pages() {
    with_wallet(1_000, async |desk| {
        let mut made = Vec::new();
        for _ in 0..5 {
            let held = desk.hold(10).await.expect("holds");
            desk.settle(&held, 1).await;
            made.push(held.reservation_id);
            desk.clock.advance(1);
        }
        made.reverse();
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let page = Page { after: after.clone(), limit: 2 };
            let rows = desk.ledger.calls(ORG, &CallFilter::default(), &page).await.expect("reads");
            let Some(last) = rows.last() else { break };
            after = Some((last.held_at_ms, last.id.clone()));
            listed.extend(rows.into_iter().map(|row| row.id));
        }
        assert_eq!(listed, made);
        let none = CallFilter { state: Some("released".to_owned()), ..CallFilter::default() };
        assert!(
            desk.ledger.calls(ORG, &none, &Page { after: None, limit: 9 }).await.expect("reads").is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn another_orgs_call_cannot_be_ended() {
    with_wallet(1_000, async |desk| {
        let held = desk.hold(400).await.expect("holds");
        desk.ledger.open_wallet("org_other", "UTC").await.expect("a wallet");
        let mut foreign = settlement(&held, 150);
        "org_other".clone_into(&mut foreign.org_id);
        let unknown = Err(ResolveError::Unknown(held.reservation_id.clone()));
        assert_eq!(desk.ledger.settle(foreign).await, unknown);
        let mut foreign = release(&held);
        "org_other".clone_into(&mut foreign.org_id);
        assert_eq!(desk.ledger.release(foreign).await, unknown);
        assert_eq!(desk.available().await, 600, "it is held still");
    })
    .await;
}
