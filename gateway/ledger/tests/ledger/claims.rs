//! Payments that were undone: what is left is taken, the rest is owed outside the wallet, and nothing is held until it is paid.
use crate::support::{Desk, ORG, desk, with_wallet};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{BookingError, Claim, Claimed, Credit, CreditKind, HoldError, Refusal};
use bytespike_store::testing::on_each_database;

fn claim(nano: i64, bonus_nano: i64, key: &str) -> Claim {
    Claim {
        org_id: ORG.to_owned(),
        amount: NanoUsd(nano),
        bonus: NanoUsd(bonus_nano),
        idempotency_key: key.to_owned(),
        note: "ord_1".to_owned(),
    }
}

impl Desk {
    async fn pay_in(&self, nano: i64, key: &str) {
        let paid = Credit { kind: CreditKind::TopUp, ..self.grant(nano, key) };
        self.ledger.credit(paid).await.expect("credit is booked");
    }

    async fn claim(&self, nano: i64, bonus_nano: i64, key: &str) -> (i64, i64) {
        let Claimed { taken, owed } =
            self.ledger.claim(claim(nano, bonus_nano, key)).await.expect("is claimed");
        (taken.0, owed.0)
    }

    async fn is_frozen(&self) -> bool {
        matches!(self.hold(1).await, Err(HoldError::Refused(Refusal::Frozen)))
    }

    /// Posted, given, and owed.
    async fn stands(&self) -> (i64, i64, i64) {
        let wallet = self.ledger.wallet(ORG).await.expect("reads").expect("a wallet");
        (wallet.posted.0, wallet.bonus.0, wallet.owed.0)
    }
}

#[tokio::test]
async fn what_is_there_is_taken_and_nothing_is_owed() {
    with_wallet(30, async |desk| {
        desk.pay_in(1_000, "order:1").await;
        assert_eq!(desk.claim(400, 20, "dispute:1").await, (400, 0));
        assert_eq!(desk.stands().await, (610, 10, 0), "and what was given for it lapses");
        assert!(desk.hold(1).await.is_ok());
        // What was given on top is gone already: nobody owes a present.
        assert_eq!(desk.claim(100, 50, "dispute:2").await, (100, 0));
        assert_eq!(desk.stands().await, (500 + 1, 1, 0), "the call that runs keeps what it holds");
    })
    .await;
}

#[tokio::test]
async fn i27_what_is_missing_is_owed_and_every_payment_goes_to_it_first() {
    with_wallet(50, async |desk| {
        desk.pay_in(1_000, "order:1").await;
        let running = desk.hold(300).await.expect("holds");
        let other = desk.hold(200).await.expect("holds");
        assert_eq!(desk.claim(900, 0, "dispute:1").await, (550, 350));
        assert_eq!(desk.stands().await, (500, 50, 350), "what runs keeps its hold, and is paid out of it");
        assert!(desk.is_frozen().await);
        desk.release(&other).await;
        assert_eq!(desk.stands().await, (300, 50, 150), "what a call gives back goes to what is owed");
        desk.settle(&running, 260).await;
        assert_eq!(desk.stands().await, (0, 0, 110));
        desk.credit(500, "a present").await;
        assert_eq!(desk.stands().await, (500, 500, 110), "given credit pays no debts");
        assert!(desk.is_frozen().await);
        desk.pay_in(100, "order:2").await;
        assert_eq!(desk.stands().await, (500, 500, 10));
        desk.pay_in(100, "order:3").await;
        assert_eq!(desk.stands().await, (590, 500, 0));
        assert!(desk.hold(1).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn i28_nobody_owes_beside_free_paid_credit_and_the_checks_find_who_does() {
    on_each_database(async |store| {
        let desk = desk(store).await;
        desk.pay_in(100, "order:1").await;
        assert_eq!(desk.ledger.check_invariants().await.expect("the checks run"), []);
        let planted = "update wallet set owed_nano = 5";
        bytespike_store::on_database!(&desk.store, db => sqlx::query(planted).execute(db).await.map(drop))
            .expect("is planted");
        let found = desk.ledger.check_invariants().await.expect("the checks run");
        for rule in ["I27 ", "I28 "] {
            assert!(found.iter().any(|found| found.invariant.starts_with(rule)), "{rule}: {found:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_key_claims_once_also_from_many_at_once() {
    with_wallet(10, async |desk| {
        desk.pay_in(1_000, "order:1").await;
        let claims = (0..16).map(|_| desk.ledger.claim(claim(300, 5, "dispute:1")));
        let claimed = futures_util::future::join_all(claims).await;
        let taken: i64 = claimed.iter().map(|claimed| claimed.as_ref().expect("is claimed").taken.0).sum();
        assert_eq!(taken, 300);
        assert_eq!(desk.stands().await, (705, 5, 0));
        assert_eq!(
            desk.ledger.claim(claim(301, 5, "dispute:1")).await,
            Err(BookingError::IdempotencyMismatch)
        );
        assert_eq!(desk.ledger.claim(claim(0, 0, "dispute:2")).await, Err(BookingError::NotPositive));
    })
    .await;
}

#[tokio::test]
async fn a_claim_is_never_changed_and_a_statement_with_one_adds_up() {
    with_wallet(10, async |desk| {
        desk.pay_in(1_000, "order:1").await;
        desk.claim(1_200, 10, "dispute:1").await;
        for sql in ["update claim set amount_nano = 1", "delete from claim"] {
            let changed: sqlx::Result<()> =
                bytespike_store::on_database!(&desk.store, db => sqlx::query(sql).execute(db).await.map(drop));
            assert!(changed.is_err(), "{sql}");
        }
        let statement = desk.ledger.statement_preview(ORG).await.expect("reads").expect("a month");
        assert_eq!(statement.withdrawals.credits.nano(), 1_000);
        assert_eq!(statement.withdrawals.lines[0].note.as_deref(), Some("ord_1"));
        assert_eq!((statement.closing.total_credits.nano(), statement.expired.total_credits.nano()), (0, 10));
    })
    .await;
}
