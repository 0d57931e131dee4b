//! Vouchers that are together worth more than one operator gives alone: put aside as what they are to be, and made, with their
//! codes, in the transaction of the confirmation. So nobody has a code before a second operator has agreed.
use super::batches::Batch;
use super::{NewBatch, NewVoucher, VoucherError, Vouchers, checked};
use crate::Origin;
use crate::audit::Actor;
use crate::secrets::SecretText;
use crate::waiting_credits::{Asked, ConfirmCreditError, WaitingCreditRow, WantedCredit};
use bytespike_store::waiting_credit::{self, ConfirmedVouchers};
use serde::{Deserialize, Serialize};

/// Vouchers that were made, or wait for another operator.
#[derive(Clone, Debug)]
pub enum Made<T> {
    Now(T),
    Waits(Box<WaitingCreditRow>),
}

#[cfg(test)]
impl<T: std::fmt::Debug> Made<T> {
    /// What was made.
    pub(crate) fn now(self) -> T {
        match self {
            Self::Now(made) => made,
            Self::Waits(row) => panic!("nothing was to wait: {row:?}"),
        }
    }
}

/// What vouchers are to be; what they are for is the row's reason.
#[derive(Serialize, Deserialize)]
struct Terms {
    amount_nano: i64,
    uses: i64,
    codes: i64,
    per_org: i64,
    expires_at_ms: Option<i64>,
    credit_lasts_ms: Option<i64>,
}

impl Vouchers {
    /// Puts them aside when all their uses together are worth more than one operator gives alone.
    pub(super) async fn wait(
        &self,
        by: (&Origin, Actor<'_>),
        new: &NewBatch<'_>,
        note: &str,
    ) -> sqlx::Result<Option<Box<WaitingCreditRow>>> {
        let each = &new.each;
        let worth_nano = each.amount_nano.saturating_mul(each.uses).saturating_mul(new.codes);
        if !self.second.is_above(worth_nano) {
            return Ok(None);
        }
        // Integers alone: this always serialises.
        let terms = serde_json::to_string(&Terms::of(new)).unwrap_or_default();
        let wanted = WantedCredit {
            once: &self.world.id("vouchers"),
            org_id: None,
            amount_nano: worth_nano,
            kind: "vouchers",
            reason: note,
            credit_expires_at_ms: None,
            vouchers_json: Some(&terms),
        };
        match self.second.ask(by, wanted).await? {
            Asked::Waits(row) | Asked::Decided(row) => Ok(Some(Box::new(row))),
            Asked::Mismatch => Err(sqlx::Error::RowNotFound),
        }
    }

    /// Confirms vouchers that wait, and makes them as one batch. `seal` keeps the codes for the one download.
    pub async fn confirm(
        &self,
        by: (&Origin, &str),
        row: &WaitingCreditRow,
        seal: impl Fn(&str, &[SecretText]) -> String,
    ) -> Result<Batch, ConfirmCreditError> {
        let terms = row.vouchers_json.as_deref().and_then(|json| serde_json::from_str::<Terms>(json).ok());
        let terms = terms.ok_or(ConfirmCreditError::Over)?;
        let new = terms.borrowed(&row.reason);
        let note = match checked(&new.each, self.world.now_ms()) {
            Ok(note) => note,
            Err(VoucherError::Unavailable(error)) => return Err(error.into()),
            Err(_) => return Err(ConfirmCreditError::Past),
        };
        let (batch, vouchers, codes) = self.made_batch(&new, note);
        let entry = self.batch_entry((by.0, Actor::Operator(by.1)), &batch);
        let made = ConfirmedVouchers {
            batch: &batch,
            vouchers: &vouchers,
            codes_sealed: &seal(&batch.id, &codes),
            entry: &entry,
        };
        let decided = (row.id.as_str(), by.1, self.world.now_ms());
        if waiting_credit::confirm_vouchers(&self.store, decided, &self.second.confirmed(by), made).await? {
            return Ok(batch.into());
        }
        Err(self.second.why_not(by.1, &row.id).await?)
    }
}

impl Terms {
    fn of(new: &NewBatch<'_>) -> Self {
        Self {
            amount_nano: new.each.amount_nano,
            uses: new.each.uses,
            codes: new.codes,
            per_org: new.per_org,
            expires_at_ms: new.each.expires_at_ms,
            credit_lasts_ms: new.each.credit_lasts_ms,
        }
    }

    fn borrowed<'a>(&self, note: &'a str) -> NewBatch<'a> {
        let each = NewVoucher {
            amount_nano: self.amount_nano,
            uses: self.uses,
            expires_at_ms: self.expires_at_ms,
            credit_lasts_ms: self.credit_lasts_ms,
            note,
        };
        NewBatch { each, codes: self.codes, per_org: self.per_org }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{on_each, origin};
    use crate::waiting_credits::WAITS_MS;

    const DEAR: NewBatch<'_> = NewBatch {
        each: NewVoucher {
            amount_nano: 1_000,
            uses: 1,
            expires_at_ms: None,
            credit_lasts_ms: Some(9),
            note: "a fair",
        },
        codes: 4,
        per_org: 2,
    };

    fn seal(batch_id: &str, codes: &[SecretText]) -> String {
        format!("{batch_id} {}", codes.len())
    }

    #[tokio::test]
    async fn s112_vouchers_above_the_threshold_are_made_once_by_somebody_else_with_their_codes() {
        on_each(async |bench| {
            let (vouchers, second) = (&bench.accounts.vouchers, &bench.accounts.waiting_credits);
            second.configure(3_000);
            let by = origin();
            let made = vouchers.create_batch((&by, Actor::Operator("opr_1")), &DEAR).await.expect("asked");
            let Made::Waits(row) = made else { panic!("it waits: {made:?}") };
            assert_eq!(
                (row.amount_nano, row.kind.as_str(), row.org_id.as_deref()),
                (4_000, "vouchers", None)
            );
            assert!(vouchers.batches(None, 9).await.expect("read").is_empty(), "nothing is made yet");
            let own = vouchers.confirm((&by, "opr_1"), &row, seal).await;
            assert!(matches!(own, Err(ConfirmCreditError::Own)), "{own:?}");
            let credit = second.confirm((&by, "opr_2"), &row.id).await;
            assert!(
                matches!(credit, Err(ConfirmCreditError::Over)),
                "no voucher is booked as credit: {credit:?}"
            );
            let both = futures_util::future::join_all(
                ["opr_2", "opr_3"].map(|operator| vouchers.confirm((&by, operator), &row, seal)),
            );
            let mut both: Vec<_> = both.await.into_iter().flatten().collect();
            let batch = both.pop().expect("one confirmed it");
            assert!(both.is_empty(), "and one alone");
            assert_eq!(
                (batch.codes, batch.per_org, batch.amount_nano, batch.note.as_str()),
                (4, 2, 1_000, "a fair")
            );
            assert_eq!(batch.credit_lasts_ms, Some(9));
            let kept = vouchers.take_codes((&by, Actor::Operator("opr_2")), &batch.id).await.expect("read");
            assert_eq!(kept, Some(format!("{} 4", batch.id)));
            assert!(second.owed(9).await.expect("read").is_empty(), "the ledger has nothing to do with it");
            bench.accounts.audit.verify().await.expect("read").expect("the log holds");
        })
        .await;
    }

    #[tokio::test]
    async fn s112_vouchers_that_nobody_confirms_or_that_would_be_too_late_are_never_made() {
        on_each(async |bench| {
            let (vouchers, second) = (&bench.accounts.vouchers, &bench.accounts.waiting_credits);
            second.configure(1);
            let by = origin();
            let soon = NewVoucher { expires_at_ms: Some(bench.clock_ms() + 1_000), ..DEAR.each };
            let made = vouchers.create((&by, Actor::OperatorToken("tok")), &soon).await.expect("asked");
            let Made::Waits(soon) = made else { panic!("it waits") };
            let Made::Waits(late) = vouchers.create((&by, Actor::Host), &DEAR.each).await.expect("asked")
            else {
                panic!("it waits")
            };
            bench.clock.advance(1_000);
            let past = vouchers.confirm((&by, "opr_1"), &soon, seal).await;
            assert!(matches!(past, Err(ConfirmCreditError::Past)), "{past:?}");
            bench.clock.advance(WAITS_MS);
            let over = vouchers.confirm((&by, "opr_1"), &late, seal).await;
            assert!(matches!(over, Err(ConfirmCreditError::Over)), "{over:?}");
            assert!(vouchers.batches(None, 9).await.expect("read").is_empty());
        })
        .await;
    }
}
