//! Vouchers that were made together, and their codes until somebody downloaded them.
use crate::audit_event::{Appends as _, Entry};
use crate::voucher::VoucherRow;
use crate::{Store, on_database};

/// `amount_nano` is in nano-USD, of each code.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct BatchRow {
    pub id: String,
    pub note: String,
    pub amount_nano: i64,
    pub codes: i64,
    pub uses: i64,
    pub per_org: i64,
    pub expires_at_ms: Option<i64>,
    pub credit_lasts_ms: Option<i64>,
    pub created_at_ms: i64,
    pub ended_at_ms: Option<i64>,
    /// Of all its codes together.
    pub used: i64,
}

/// Writes the batch with all its vouchers, and its codes where they wait for their download.
macro_rules! put {
    ($tx:expr, $batch:expr, $vouchers:expr, $codes_sealed:expr) => {{
        let batch: &$crate::voucher_batch::BatchRow = $batch;
        let codes_sealed: Option<&str> = $codes_sealed;
        sqlx::query(
            "insert into voucher_batch (id, note, amount_nano, codes, uses, per_org, expires_at_ms, credit_lasts_ms, created_at_ms,
                                        codes_sealed)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
            .bind(&batch.id).bind(&batch.note).bind(batch.amount_nano).bind(batch.codes).bind(batch.uses)
            .bind(batch.per_org).bind(batch.expires_at_ms).bind(batch.credit_lasts_ms).bind(batch.created_at_ms)
            .bind(codes_sealed)
            .execute(&mut *$tx).await?;
        for row in $vouchers {
            sqlx::query(
                "insert into voucher (id, verifier, last_four, amount_nano, uses, expires_at_ms, credit_lasts_ms, note, created_at_ms, batch_id)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
                .bind(&row.id).bind(&row.verifier).bind(&row.last_four).bind(row.amount_nano).bind(row.uses)
                .bind(row.expires_at_ms).bind(row.credit_lasts_ms).bind(&row.note).bind(row.created_at_ms).bind(&batch.id)
                .execute(&mut *$tx).await?;
        }
    }};
}
pub(crate) use put;

/// Writes the batch with all its vouchers, or nothing.
pub async fn insert(
    store: &Store,
    (batch, vouchers): (&BatchRow, &[VoucherRow]),
    entry: &Entry,
) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        put!(tx, batch, vouchers, None);
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// The newest first; `after` is the last id of the page before.
pub async fn page(store: &Store, after: Option<&str>, limit: u32) -> sqlx::Result<Vec<BatchRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select b.id, b.note, b.amount_nano, b.codes, b.uses, b.per_org, b.expires_at_ms, b.credit_lasts_ms,
                b.created_at_ms, b.ended_at_ms,
                (select cast(coalesce(sum(v.used), 0) as bigint) from voucher v where v.batch_id = b.id) as used
         from voucher_batch b
         where cast($1 as text) is null
            or (b.created_at_ms, b.id) < (select created_at_ms, id from voucher_batch where id = $1)
         order by b.created_at_ms desc, b.id desc limit $2")
        .bind(after).bind(i64::from(limit)).fetch_all(db).await)
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<BatchRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select b.id, b.note, b.amount_nano, b.codes, b.uses, b.per_org, b.expires_at_ms, b.credit_lasts_ms,
                b.created_at_ms, b.ended_at_ms,
                (select cast(coalesce(sum(v.used), 0) as bigint) from voucher v where v.batch_id = b.id) as used
         from voucher_batch b where b.id = $1")
        .bind(id).fetch_optional(db).await)
}

/// Nobody redeems any of its codes any more. False when it had ended, or there is none.
pub async fn end(store: &Store, (id, now_ms): (&str, i64), entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let ended = sqlx::query(
            "update voucher_batch set ended_at_ms = $2, codes_sealed = null where id = $1 and ended_at_ms is null")
            .bind(id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if ended == 0 {
            return Ok(false);
        }
        sqlx::query("update voucher set ended_at_ms = $2 where batch_id = $1 and ended_at_ms is null")
            .bind(id).bind(now_ms).execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Keeps the sealed codes of a batch that was just made.
pub async fn keep_codes(store: &Store, id: &str, sealed: &str) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query("update voucher_batch set codes_sealed = $2 where id = $1 and ended_at_ms is null")
        .bind(id).bind(sealed).execute(db).await.map(drop))
}

/// Whether its codes wait to be downloaded, of a batch that was made at `since_ms` or later.
pub async fn has_codes(store: &Store, id: &str, since_ms: i64) -> sqlx::Result<bool> {
    let row: Option<(String,)> = on_database!(read store, db => sqlx::query_as(
        "select id from voucher_batch where id = $1 and codes_sealed is not null and created_at_ms >= $2")
        .bind(id).bind(since_ms).fetch_optional(db).await)?;
    Ok(row.is_some())
}

/// Takes the sealed codes, once.
pub async fn take_codes(
    store: &Store,
    (id, since_ms): (&str, i64),
    entry: &Entry,
) -> sqlx::Result<Option<String>> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // A write that changes nothing takes the row, so that of two who ask at once one gets them.
        let found: Option<(Option<String>,)> = sqlx::query_as(
            "update voucher_batch set note = note where id = $1 and created_at_ms >= $2 returning codes_sealed")
            .bind(id).bind(since_ms).fetch_optional(&mut *tx).await?;
        let Some((Some(sealed),)) = found else { return Ok(None) };
        sqlx::query("update voucher_batch set codes_sealed = null where id = $1").bind(id).execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(Some(sealed))
    })
}

/// Forgets codes that nobody downloaded in time.
pub async fn forget_codes(store: &Store, before_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update voucher_batch set codes_sealed = null where codes_sealed is not null and created_at_ms < $1")
        .bind(before_ms).execute(db).await.map(drop))
}
