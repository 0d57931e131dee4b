//! Credit that is taken by decision, because it was given by mistake or got by abuse: the mirror of the credit that it undoes.
//! What calls hold is not touched, and what lapses first goes first, so that no wallet is ever overdrawn.
use crate::batch::Batch;
use crate::call::{BookingError, CreditKind, Credited, Debit, FreeCredit};
use crate::claims::Taking;
use crate::journal::Account;
use crate::ledger::Ledger;
use crate::lots;
use bytespike_catalog::NanoUsd;
use bytespike_store::on_database;

impl Batch<'_> {
    pub(crate) fn debit(&mut self, debit: &Debit) -> Result<Credited, BookingError> {
        let key = (debit.org_id.clone(), debit.idempotency_key.clone());
        if let Some(before) = self.booked_before(&key, -debit.amount.0) {
            return before;
        }
        if !self.loaded.wallets.contains_key(&debit.org_id) {
            return Err(BookingError::NoWallet);
        }
        if debit.amount <= NanoUsd::ZERO {
            return Err(BookingError::NotPositive);
        }
        self.lapse(&debit.org_id);
        let (account, against) = accounts(debit.kind);
        let org_lots = self.loaded.lots.get(&debit.org_id);
        let free = NanoUsd(org_lots.map_or(0, |org_lots| lots::free(org_lots, account)));
        if debit.amount > free {
            return Err(BookingError::NotEnough { free });
        }
        self.loaded.credited.insert(key, -debit.amount.0);
        let taking = Taking {
            kind: "debit",
            account,
            at_most_nano: debit.amount.0,
            against,
            idem_key: Some(&debit.idempotency_key),
            note: Some(&debit.note),
        };
        self.take_out(&debit.org_id, taking);
        Ok(Credited::Booked { available: self.available(&debit.org_id) })
    }
}

/// The org's account, and ours that the credit came from.
fn accounts(kind: CreditKind) -> (Account, Account) {
    match kind {
        CreditKind::TopUp => (Account::Principal, Account::PspClearing),
        CreditKind::Grant => (Account::Bonus, Account::BonusExpense),
    }
}

impl Ledger {
    /// What a debit could take now; `None` when there is no such wallet.
    pub async fn free_credit(&self, org_id: &str) -> sqlx::Result<Option<FreeCredit>> {
        let now_ms = self.world.now_ms();
        let found: Option<(i64, i64)> = on_database!(read &self.store, db => sqlx::query_as(
            "select cast(coalesce(sum(case when lot.kind = 'principal' then remaining_nano - pinned_nano end), 0) as bigint),
                    cast(coalesce(sum(case when lot.kind <> 'principal' then remaining_nano - pinned_nano end), 0) as bigint)
             from wallet left join lot on lot.org_id = wallet.org_id and lot.remaining_nano > 0
                  and (lot.expires_at_ms is null or lot.expires_at_ms > $2)
             where wallet.org_id = $1 group by wallet.org_id")
            .bind(org_id).bind(now_ms).fetch_optional(db).await)?;
        Ok(found.map(|(paid, given)| FreeCredit { paid: NanoUsd(paid), given: NanoUsd(given) }))
    }
}
