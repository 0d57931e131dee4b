//! Batches: as many codes as wanted, each worth the same, of which one org redeems only so many. The codes are handed out once.
use super::{Made, NewVoucher, VoucherError, Vouchers, checked};
use crate::Origin;
use crate::audit::{Actor, Entry, Event};
use crate::secrets::SecretText;
use bytespike_store::voucher::VoucherRow;
use bytespike_store::voucher_batch::{self, BatchRow};
use serde_json::json;

pub const MOST_CODES: i64 = 1_000;
/// So long codes wait to be downloaded.
const KEPT_MS: i64 = 3_600_000;

/// What a batch is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBatch<'a> {
    /// What each of its codes is.
    pub each: NewVoucher<'a>,
    /// How many codes.
    pub codes: i64,
    /// How many of them one org may redeem.
    pub per_org: i64,
}

/// A batch as lists show it. Amounts are in nano-USD, of each code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub id: String,
    pub note: String,
    pub amount_nano: i64,
    pub codes: i64,
    /// Of each code.
    pub uses: i64,
    pub per_org: i64,
    /// Of all codes together.
    pub used: i64,
    pub expires_at_ms: Option<i64>,
    pub credit_lasts_ms: Option<i64>,
    pub created_at_ms: i64,
    pub ended_at_ms: Option<i64>,
}

impl Vouchers {
    /// Makes the batch with all its codes, which are shown this once. Above what one operator gives alone it waits for another.
    pub async fn create_batch(
        &self,
        by: (&Origin, Actor<'_>),
        new: &NewBatch<'_>,
    ) -> Result<Made<(Batch, Vec<SecretText>)>, VoucherError> {
        if !(1..=MOST_CODES).contains(&new.codes) {
            return Err(VoucherError::Codes);
        }
        if !(1..=new.codes).contains(&new.per_org) {
            return Err(VoucherError::PerOrg);
        }
        let note = checked(&new.each, self.world.now_ms())?;
        if let Some(waits) = self.wait(by, new, &note).await? {
            return Ok(Made::Waits(waits));
        }
        let (batch, rows, codes) = self.made_batch(new, note);
        voucher_batch::insert(&self.store, (&batch, &rows), &self.batch_entry(by, &batch)).await?;
        Ok(Made::Now((batch.into(), codes)))
    }

    /// A batch to be kept, its vouchers, and their codes.
    pub(super) fn made_batch(
        &self,
        new: &NewBatch<'_>,
        note: String,
    ) -> (BatchRow, Vec<VoucherRow>, Vec<SecretText>) {
        let id = self.world.id("vcb");
        let made = (0..new.codes).map(|_| self.made(&new.each, &note, Some(&id)));
        let (rows, codes): (Vec<VoucherRow>, Vec<SecretText>) = made.unzip();
        let batch = BatchRow {
            id,
            note,
            amount_nano: new.each.amount_nano,
            codes: new.codes,
            uses: new.each.uses,
            per_org: new.per_org,
            expires_at_ms: new.each.expires_at_ms,
            credit_lasts_ms: new.each.credit_lasts_ms,
            created_at_ms: self.world.now_ms(),
            ended_at_ms: None,
            used: 0,
        };
        (batch, rows, codes)
    }

    /// The event of a batch that is made.
    pub(super) fn batch_entry(&self, (origin, actor): (&Origin, Actor<'_>), batch: &BatchRow) -> Entry {
        let after = json!({
            "amount_nano": batch.amount_nano, "codes": batch.codes, "uses": batch.uses, "per_org": batch.per_org,
            "note": batch.note,
        });
        let event = Event::new("voucher_batch.created", actor).target(&batch.id).changed(json!(null), after);
        self.audit.entry(origin, event)
    }

    /// The newest first; `after` is the last id of the page before.
    pub async fn batches(&self, after: Option<&str>, limit: u32) -> sqlx::Result<Vec<Batch>> {
        Ok(voucher_batch::page(&self.store, after, limit).await?.into_iter().map(Batch::from).collect())
    }

    pub async fn batch(&self, id: &str) -> sqlx::Result<Option<Batch>> {
        Ok(voucher_batch::find(&self.store, id).await?.map(Batch::from))
    }

    /// Nobody redeems any of its codes from now on; what was redeemed stays. False when there was nothing to end.
    pub async fn end_batch(
        &self,
        (origin, actor): (&Origin, Actor<'_>),
        id: &str,
        reason: Option<&str>,
    ) -> sqlx::Result<bool> {
        let event = Event::new("voucher_batch.ended", actor).target(id).detail(json!({ "reason": reason }));
        voucher_batch::end(&self.store, (id, self.world.now_ms()), &self.audit.entry(origin, event)).await
    }

    /// Keeps the codes, sealed by the caller, for the one download.
    pub async fn keep_codes(&self, id: &str, sealed: &str) -> sqlx::Result<()> {
        voucher_batch::keep_codes(&self.store, id, sealed).await
    }

    /// Whether its codes wait to be downloaded.
    pub async fn has_codes(&self, id: &str) -> sqlx::Result<bool> {
        voucher_batch::has_codes(&self.store, id, self.world.now_ms() - KEPT_MS).await
    }

    /// The codes as they were kept, once.
    pub async fn take_codes(
        &self,
        (origin, actor): (&Origin, Actor<'_>),
        id: &str,
    ) -> sqlx::Result<Option<String>> {
        let entry = self.audit.entry(origin, Event::new("voucher_batch.downloaded", actor).target(id));
        voucher_batch::take_codes(&self.store, (id, self.world.now_ms() - KEPT_MS), &entry).await
    }

    /// Codes that nobody downloaded within an hour are gone.
    pub(crate) async fn forget_codes(&self) -> sqlx::Result<()> {
        voucher_batch::forget_codes(&self.store, self.world.now_ms() - KEPT_MS).await
    }
}

impl From<BatchRow> for Batch {
    fn from(row: BatchRow) -> Self {
        Self {
            id: row.id,
            note: row.note,
            amount_nano: row.amount_nano,
            codes: row.codes,
            uses: row.uses,
            per_org: row.per_org,
            used: row.used,
            expires_at_ms: row.expires_at_ms,
            credit_lasts_ms: row.credit_lasts_ms,
            created_at_ms: row.created_at_ms,
            ended_at_ms: row.ended_at_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Membership;
    use crate::testing::{Bench, on_each, origin, origin_at};
    use crate::vouchers::RedeemError;
    use bytespike_store::{on_database, sqlx};

    const EACH: NewVoucher<'_> = NewVoucher {
        amount_nano: 1_000,
        uses: 1,
        expires_at_ms: None,
        credit_lasts_ms: None,
        note: "a fair",
    };
    const THREE: NewBatch<'_> = NewBatch { each: EACH, codes: 3, per_org: 1 };

    async fn org(bench: &Bench, email: &str) -> Membership {
        let member = bench.owner(email).await;
        let sql = "insert into wallet (org_id, created_at_ms) values ($1, 0) on conflict do nothing";
        on_database!(&bench.store, db => sqlx::query(sql).bind(member.org_id()).execute(db).await.map(drop))
            .expect("a wallet");
        member
    }

    #[tokio::test]
    async fn s107_an_org_redeems_only_so_many_codes_of_a_batch_even_all_at_once() {
        on_each(async |bench| {
            let vouchers = &bench.accounts.vouchers;
            let by = (&origin(), Actor::Operator("opr_1"));
            let (batch, codes) = vouchers
                .create_batch(by, &NewBatch { codes: 8, per_org: 2, ..THREE })
                .await
                .expect("made")
                .now();
            let member = org(&bench, "ada@example.com").await;
            let tries = codes.iter().enumerate().map(|(n, code)| {
                let (vouchers, member, code) = (vouchers.clone(), member.clone(), code.clone());
                let from = origin_at(&format!("192.0.2.{n}"));
                tokio::spawn(async move { vouchers.redeem(&from, &member, code.expose()).await })
            });
            let mut given = 0;
            for tried in futures_util::future::join_all(tries.collect::<Vec<_>>()).await {
                match tried.expect("no panic") {
                    Ok(_) => given += 1,
                    Err(RedeemError::BatchLimit) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            assert_eq!(given, 2);
            let other = org(&bench, "bob@example.com").await;
            let mut left = 0;
            for code in &codes {
                left += i32::from(vouchers.redeem(&origin(), &other, code.expose()).await.is_ok());
            }
            assert_eq!(left, 2, "what one org left is there for the others");
            let now = vouchers.batch(&batch.id).await.expect("read").expect("there");
            assert_eq!((now.used, now.codes), (4, 8));
            bench.accounts.audit.verify().await.expect("read").expect("the log holds");
        })
        .await;
    }

    #[tokio::test]
    async fn a_batch_ends_whole_and_its_codes_are_handed_out_once_within_an_hour() {
        on_each(async |bench| {
            let vouchers = &bench.accounts.vouchers;
            let by = (&origin(), Actor::Operator("opr_1"));
            let (batch, codes) = vouchers.create_batch(by, &THREE).await.expect("made").now();
            vouchers.keep_codes(&batch.id, "sealed").await.expect("kept");
            assert!(vouchers.has_codes(&batch.id).await.expect("read"));
            assert_eq!(vouchers.take_codes(by, &batch.id).await.expect("taken").as_deref(), Some("sealed"));
            assert_eq!(vouchers.take_codes(by, &batch.id).await.expect("asked"), None, "once");
            assert!(vouchers.end_batch(by, &batch.id, Some("over")).await.expect("ended"));
            assert!(!vouchers.end_batch(by, &batch.id, None).await.expect("asked"));
            let member = org(&bench, "ada@example.com").await;
            for code in &codes {
                let refused = vouchers.redeem(&origin(), &member, code.expose()).await;
                assert!(matches!(refused, Err(RedeemError::Over)), "{refused:?}");
            }
            let (late, _) = vouchers.create_batch(by, &THREE).await.expect("made").now();
            vouchers.keep_codes(&late.id, "sealed").await.expect("kept");
            bench.clock.advance(KEPT_MS + 1);
            assert!(!vouchers.has_codes(&late.id).await.expect("read"));
            vouchers.forget_codes().await.expect("swept");
            let left: Vec<(Option<String>,)> = on_database!(&bench.store, db => sqlx::query_as(
                "select codes_sealed from voucher_batch").fetch_all(db).await)
            .expect("read");
            assert!(left.iter().all(|(codes,)| codes.is_none()), "nothing of them is kept");
            assert_eq!(vouchers.batches(None, 9).await.expect("read").len(), 2);
        })
        .await;
    }

    #[tokio::test]
    async fn s112_vouchers_worth_more_than_one_operator_gives_alone_wait() {
        on_each(async |bench| {
            let vouchers = &bench.accounts.vouchers;
            let by = (&origin(), Actor::Operator("opr_1"));
            bench.accounts.waiting_credits.configure(3_000);
            vouchers.create_batch(by, &THREE).await.expect("three thousand in all").now();
            let more = NewBatch { codes: 4, ..THREE };
            assert!(matches!(vouchers.create_batch(by, &more).await, Ok(Made::Waits(_))));
            let often = NewVoucher { uses: 4, ..EACH };
            assert!(matches!(vouchers.create(by, &often).await, Ok(Made::Waits(_))));
            for (wrong, is_codes) in
                [(NewBatch { codes: 0, ..THREE }, true), (NewBatch { per_org: 4, ..THREE }, false)]
            {
                let refused = vouchers.create_batch(by, &wrong).await.expect_err("refused");
                assert_eq!(matches!(refused, VoucherError::Codes), is_codes, "{refused}");
            }
        })
        .await;
    }
}
