//! Codes that operators hand out, and which orgs redeemed them. That a code is redeemed at most so often, and once by each
//! org, is decided here, in one transaction.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

/// A voucher. `amount_nano` is in nano-USD.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct VoucherRow {
    pub id: String,
    pub verifier: String,
    pub last_four: String,
    pub amount_nano: i64,
    pub uses: i64,
    pub used: i64,
    pub expires_at_ms: Option<i64>,
    pub credit_lasts_ms: Option<i64>,
    pub note: String,
    pub created_at_ms: i64,
    pub ended_at_ms: Option<i64>,
    /// With which others it was made.
    pub batch_id: Option<String>,
}

/// An org that redeems a voucher.
#[derive(Clone, Debug)]
pub struct VoucherUse<'a> {
    pub voucher_id: &'a str,
    /// Of the voucher.
    pub batch_id: Option<&'a str>,
    pub org_id: &'a str,
    pub person_id: &'a str,
    pub now_ms: i64,
    pub credit_expires_at_ms: Option<i64>,
}

/// Credit that a redeemed voucher owes its org.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OwedRow {
    pub voucher_id: String,
    pub org_id: String,
    pub amount_nano: i64,
    pub note: String,
    pub credit_expires_at_ms: Option<i64>,
}

/// What became of redeeming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Now,
    /// By the same org, now or long ago.
    Before,
    /// It is used up, ended or expired.
    Not,
    /// The org has redeemed as many codes of its batch as one may.
    BatchLimit,
}

pub async fn insert(store: &Store, row: &VoucherRow, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into voucher (id, verifier, last_four, amount_nano, uses, expires_at_ms, credit_lasts_ms, note, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(&row.id).bind(&row.verifier).bind(&row.last_four).bind(row.amount_nano).bind(row.uses)
            .bind(row.expires_at_ms).bind(row.credit_lasts_ms).bind(&row.note).bind(row.created_at_ms)
            .execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// Those that were made by themselves, the newest first.
pub async fn single(store: &Store, limit: u32) -> sqlx::Result<Vec<VoucherRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from voucher where batch_id is null order by created_at_ms desc, id desc limit $1")
        .bind(i64::from(limit)).fetch_all(db).await)
}

/// The newest first; `after` is the last id of the page before.
pub async fn page(store: &Store, after: Option<&str>, limit: u32) -> sqlx::Result<Vec<VoucherRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from voucher
         where cast($1 as text) is null or (created_at_ms, id) < (select created_at_ms, id from voucher where id = $1)
         order by created_at_ms desc, id desc limit $2")
        .bind(after).bind(i64::from(limit)).fetch_all(db).await)
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<VoucherRow>> {
    on_database!(read store, db => sqlx::query_as("select * from voucher where id = $1")
        .bind(id).fetch_optional(db).await)
}

pub async fn by_verifier(store: &Store, verifier: &str) -> sqlx::Result<Option<VoucherRow>> {
    on_database!(read store, db => sqlx::query_as("select * from voucher where verifier = $1")
        .bind(verifier).fetch_optional(db).await)
}

/// Nobody redeems it any more. False when it had ended, or there is none.
pub async fn end(store: &Store, (id, now_ms): (&str, i64), entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let ended = sqlx::query("update voucher set ended_at_ms = $2 where id = $1 and ended_at_ms is null")
            .bind(id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if ended == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Counts one use for the org, with its event. Of any number at once as many succeed as the voucher has uses left.
pub async fn take(store: &Store, wanted: &VoucherUse<'_>, entry: &Entry) -> sqlx::Result<Taken> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let is_first = sqlx::query(
            "insert into voucher_use (voucher_id, org_id, person_id, at_ms, credit_expires_at_ms)
             values ($1, $2, $3, $4, $5) on conflict (voucher_id, org_id) do nothing")
            .bind(wanted.voucher_id).bind(wanted.org_id).bind(wanted.person_id).bind(wanted.now_ms)
            .bind(wanted.credit_expires_at_ms)
            .execute(&mut *tx).await?.rows_affected();
        if is_first == 0 {
            return Ok(Taken::Before);
        }
        let counted = sqlx::query(
            "update voucher set used = used + 1
             where id = $1 and used < uses and ended_at_ms is null and (expires_at_ms is null or expires_at_ms > $2)")
            .bind(wanted.voucher_id).bind(wanted.now_ms).execute(&mut *tx).await?.rows_affected();
        if counted == 0 {
            return Ok(Taken::Not);
        }
        if let Some(batch_id) = wanted.batch_id {
            let within = sqlx::query(
                "insert into voucher_batch_use (batch_id, org_id, used) values ($1, $2, 1)
                 on conflict (batch_id, org_id) do update set used = voucher_batch_use.used + 1
                     where voucher_batch_use.used < (select per_org from voucher_batch where id = $1)")
                .bind(batch_id).bind(wanted.org_id).execute(&mut *tx).await?.rows_affected();
            if within == 0 {
                return Ok(Taken::BatchLimit);
            }
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(Taken::Now)
    })
}

/// What redeemed vouchers still owe, the oldest first.
pub async fn owed(store: &Store, limit: u32) -> sqlx::Result<Vec<OwedRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select used.voucher_id, used.org_id, voucher.amount_nano, voucher.note, used.credit_expires_at_ms
         from voucher_use used join voucher on voucher.id = used.voucher_id
         where used.booked_at_ms is null order by used.at_ms, used.voucher_id, used.org_id limit $1")
        .bind(i64::from(limit)).fetch_all(db).await)
}

/// Its credit is in the ledger.
pub async fn booked(store: &Store, (voucher_id, org_id): (&str, &str), now_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update voucher_use set booked_at_ms = $3 where voucher_id = $1 and org_id = $2 and booked_at_ms is null")
        .bind(voucher_id).bind(org_id).bind(now_ms).execute(db).await.map(drop))
}
