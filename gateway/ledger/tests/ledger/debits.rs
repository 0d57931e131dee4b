//! Credit that is taken by decision: of one kind, all of it or nothing, once for each key, and never what a call holds.
use crate::support::{Desk, ORG, with_wallet};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{BookingError, Credit, CreditKind, Credited, Debit};
use bytespike_store::testing::entry;
use bytespike_store::{on_database, sqlx};

fn debit(nano: i64, kind: CreditKind, key: &str) -> Debit {
    Debit {
        org_id: ORG.to_owned(),
        amount: NanoUsd(nano),
        kind,
        idempotency_key: key.to_owned(),
        note: "given twice".to_owned(),
    }
}

async fn taken(desk: &Desk, nano: i64, kind: CreditKind, key: &str) -> Result<i64, BookingError> {
    let booked = desk.ledger.debit(debit(nano, kind, key), None).await?;
    Ok(match booked {
        Credited::Booked { available } | Credited::Already { available } => available.0,
    })
}

/// What is free of paid and of given credit.
async fn free(desk: &Desk) -> (i64, i64) {
    let free = desk.ledger.free_credit(ORG).await.expect("reads").expect("a wallet");
    (free.paid.0, free.given.0)
}

#[tokio::test]
async fn a_debit_takes_one_kind_of_credit_and_never_what_a_call_holds() {
    with_wallet(300, async |desk| {
        let paid = Credit { kind: CreditKind::TopUp, ..desk.grant(1_000, "order:1") };
        desk.ledger.credit(paid).await.expect("is booked");
        let running = desk.hold(500).await.expect("holds");
        assert_eq!(free(desk).await, (800, 0), "given credit burns first, so the call holds all of it");
        assert_eq!(
            taken(desk, 1, CreditKind::Grant, "a").await,
            Err(BookingError::NotEnough { free: NanoUsd::ZERO })
        );
        assert_eq!(
            taken(desk, 801, CreditKind::TopUp, "a").await,
            Err(BookingError::NotEnough { free: NanoUsd(800) })
        );
        assert_eq!(taken(desk, 800, CreditKind::TopUp, "a").await, Ok(0), "a refused key is free");
        desk.settle(&running, 400).await;
        assert_eq!(free(desk).await, (100, 0), "what ran was paid out of what it held");
        desk.credit(50, "more").await;
        assert_eq!(taken(desk, 20, CreditKind::Grant, "b").await, Ok(130));
        assert_eq!(free(desk).await, (100, 30));
        for (nano, key) in [(0, "c"), (-5, "d")] {
            assert_eq!(taken(desk, nano, CreditKind::Grant, key).await, Err(BookingError::NotPositive));
        }
        let other = Debit { org_id: "org_2".to_owned(), ..debit(1, CreditKind::Grant, "e") };
        assert_eq!(desk.ledger.debit(other, None).await, Err(BookingError::NoWallet));
    })
    .await;
}

#[tokio::test]
async fn the_same_key_takes_once_from_many_at_once_and_no_credit_has_the_key_of_a_debit() {
    with_wallet(1_000, async |desk| {
        let debits = (0..16).map(|_| desk.ledger.debit(debit(300, CreditKind::Grant, "a"), None));
        let booked = futures_util::future::join_all(debits).await;
        let now = |one: &&Result<Credited, BookingError>| matches!(one, Ok(Credited::Booked { .. }));
        assert_eq!(booked.iter().filter(now).count(), 1, "{booked:?}");
        assert!(booked.iter().all(Result::is_ok));
        assert_eq!(desk.available().await, 700);
        for other in [debit(301, CreditKind::Grant, "a"), debit(300, CreditKind::Grant, "first")] {
            assert_eq!(desk.ledger.debit(other, None).await, Err(BookingError::IdempotencyMismatch));
        }
        assert_eq!(
            desk.ledger.credit(desk.grant(300, "a")).await,
            Err(BookingError::IdempotencyMismatch),
            "what the key did was the opposite"
        );
    })
    .await;
}

#[tokio::test]
async fn of_debits_and_holds_at_once_no_more_is_taken_than_is_there() {
    with_wallet(1_000, async |desk| {
        let keys: Vec<String> = (0..20).map(|n| format!("debit {n}")).collect();
        let debits = keys.iter().map(|key| taken(desk, 90, CreditKind::Grant, key));
        let holds = (0..20).map(|_| desk.hold(60));
        let (debits, holds) =
            tokio::join!(futures_util::future::join_all(debits), futures_util::future::join_all(holds));
        let (debits, holds): (Vec<_>, Vec<_>) =
            (debits.into_iter().flatten().collect(), holds.into_iter().flatten().collect());
        let left = 1_000
            - 90 * i64::try_from(debits.len()).expect("few")
            - 60 * i64::try_from(holds.len()).expect("few");
        assert_eq!(desk.available().await, left);
        assert!((0..90).contains(&left), "{left}");
        for held in &holds {
            desk.settle(held, 60).await;
        }
        assert_eq!(desk.available().await, left, "every call that ran was paid for");
    })
    .await;
}

#[tokio::test]
async fn credit_whose_time_is_up_lapses_and_is_not_taken() {
    with_wallet(10, async |desk| {
        let lapsing = Credit { expires_at_ms: Some(desk.world.now_ms() + 1_000), ..desk.grant(500, "soon") };
        desk.ledger.credit(lapsing).await.expect("is booked");
        assert_eq!(taken(desk, 100, CreditKind::Grant, "a").await, Ok(410), "what lapses first goes first");
        desk.clock.advance(1_000);
        assert_eq!(free(desk).await, (0, 10));
        assert_eq!(
            taken(desk, 11, CreditKind::Grant, "b").await,
            Err(BookingError::NotEnough { free: NanoUsd(10) })
        );
        let statement = desk.ledger.statement_preview(ORG).await.expect("reads").expect("a month");
        let (taken, lapsed) = (statement.debits.taken, statement.expired);
        assert_eq!(
            (taken.bonus_credits.nano(), taken.paid_credits.nano(), lapsed.total_credits.nano()),
            (100, 0, 400)
        );
        assert_eq!(statement.debits.lines[0].note.as_deref(), Some("given twice"));
    })
    .await;
}

#[tokio::test]
async fn the_journal_balances_and_the_event_is_there_exactly_when_the_debit_is() {
    with_wallet(100, async |desk| {
        let entry = entry();
        for (nano, key) in [(40, "a"), (40, "a"), (61, "b")] {
            drop(desk.ledger.debit(debit(nano, CreditKind::Grant, key), Some(&entry)).await);
        }
        let rows: Vec<(String, Option<String>, i64)> = on_database!(&desk.store, db => sqlx::query_as(
            "select e.account, t.note, e.amount_nano from journal_tx t join journal_entry e on e.tx_id = t.id
             where t.kind = 'debit' order by e.seq").fetch_all(db).await)
        .expect("reads");
        let note = Some("given twice".to_owned());
        assert_eq!(rows, [("bonus".to_owned(), note.clone(), -40), ("bonus_expense".to_owned(), note, 40)]);
        let events: i64 = on_database!(&desk.store, db => sqlx::query_scalar(
            "select count(*) from audit_event where event = 'test.changed'").fetch_one(db).await)
        .expect("reads");
        assert_eq!(events, 1);
    })
    .await;
}
