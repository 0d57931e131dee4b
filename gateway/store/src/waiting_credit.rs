//! Credit, debits and vouchers that wait for a second operator. That each is confirmed once, by somebody else and in time, is
//! decided here.
use crate::audit_event::{Appends as _, Entry};
use crate::voucher::VoucherRow;
use crate::voucher_batch::{self, BatchRow};
use crate::{Store, on_database};

/// `amount_nano` is in nano-USD; of vouchers it is what all of them are worth together.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WaitingCreditRow {
    pub id: String,
    pub once: String,
    /// None of vouchers.
    pub org_id: Option<String>,
    pub amount_nano: i64,
    /// `top_up`, `grant`, `debit_top_up`, `debit_grant` or `vouchers`
    pub kind: String,
    pub reason: String,
    pub credit_expires_at_ms: Option<i64>,
    /// What the vouchers are to be.
    pub vouchers_json: Option<String>,
    /// As the audit log names them.
    pub asked_by: String,
    pub asked_at_ms: i64,
    pub waits_until_ms: i64,
    /// `waiting`, `confirmed`, `refused`, or `failed` where there was not enough left to be taken
    pub state: String,
    pub decided_by: Option<String>,
    pub decided_at_ms: Option<i64>,
    pub booked_at_ms: Option<i64>,
}

/// False, and nothing written, when the same booking was asked for before.
pub async fn insert(store: &Store, row: &WaitingCreditRow, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let inserted = sqlx::query(
            "insert into waiting_credit (id, once, org_id, amount_nano, kind, reason, credit_expires_at_ms, asked_by,
                                         asked_at_ms, waits_until_ms, vouchers_json)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (once) do nothing")
            .bind(&row.id).bind(&row.once).bind(&row.org_id).bind(row.amount_nano).bind(&row.kind).bind(&row.reason)
            .bind(row.credit_expires_at_ms).bind(&row.asked_by).bind(row.asked_at_ms).bind(row.waits_until_ms)
            .bind(&row.vouchers_json)
            .execute(&mut *tx).await?.rows_affected();
        if inserted == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<WaitingCreditRow>> {
    on_database!(read store, db => sqlx::query_as("select * from waiting_credit where id = $1")
        .bind(id).fetch_optional(db).await)
}

pub async fn by_once(store: &Store, once: &str) -> sqlx::Result<Option<WaitingCreditRow>> {
    on_database!(read store, db => sqlx::query_as("select * from waiting_credit where once = $1")
        .bind(once).fetch_optional(db).await)
}

/// Those that can still be decided, the oldest first.
pub async fn waiting(store: &Store, now_ms: i64, limit: u32) -> sqlx::Result<Vec<WaitingCreditRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from waiting_credit where state = 'waiting' and waits_until_ms > $1 order by asked_at_ms, id limit $2")
        .bind(now_ms).bind(i64::from(limit)).fetch_all(db).await)
}

/// Those that were decided, or not in time; the newest first.
pub async fn over(store: &Store, now_ms: i64, limit: u32) -> sqlx::Result<Vec<WaitingCreditRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from waiting_credit where state <> 'waiting' or waits_until_ms <= $1
         order by coalesce(decided_at_ms, waits_until_ms) desc, id desc limit $2")
        .bind(now_ms).bind(i64::from(limit)).fetch_all(db).await)
}

/// Confirms it, in time and not by who asked, and writes that down. Of any number at once one does.
macro_rules! confirm {
    ($tx:expr, ($id:expr, $by:expr, $now_ms:expr), $vouchers:expr, $entry:expr) => {{
        let row: Option<WaitingCreditRow> = sqlx::query_as(
            "update waiting_credit set state = 'confirmed', decided_by = $2, decided_at_ms = $3
             where id = $1 and state = 'waiting' and waits_until_ms > $3 and asked_by <> 'operator:' || $2
               and (kind = 'vouchers') = $4 returning *",
        )
        .bind($id)
        .bind($by)
        .bind($now_ms)
        .bind($vouchers)
        .fetch_optional(&mut *$tx)
        .await?;
        if let Some(row) = &row {
            let mut entry = $entry.about(&row.id);
            entry.row.org_id.clone_from(&row.org_id);
            $tx.append(&entry).await?;
        }
        row
    }};
}

/// Confirms credit or a debit; nothing for who was not first, who asked, or who comes late.
pub async fn confirm(
    store: &Store,
    (id, by, now_ms): (&str, &str, i64),
    entry: &Entry,
) -> sqlx::Result<Option<WaitingCreditRow>> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let row = confirm!(tx, (id, by, now_ms), false, entry);
        if row.is_some() {
            tx.commit().await?;
        }
        Ok(row)
    })
}

/// Vouchers as they are made once they are confirmed.
pub struct ConfirmedVouchers<'a> {
    pub batch: &'a BatchRow,
    pub vouchers: &'a [VoucherRow],
    /// The codes, for the one download.
    pub codes_sealed: &'a str,
    /// The event of the batch.
    pub entry: &'a Entry,
}

/// Confirms vouchers and makes them in the same transaction. False for who was not first, who asked, or who comes late.
pub async fn confirm_vouchers(
    store: &Store,
    (id, by, now_ms): (&str, &str, i64),
    entry: &Entry,
    made: ConfirmedVouchers<'_>,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        if confirm!(tx, (id, by, now_ms), true, entry).is_none() {
            return Ok(false);
        }
        sqlx::query("update waiting_credit set booked_at_ms = $2 where id = $1")
            .bind(id).bind(now_ms).execute(&mut *tx).await?;
        voucher_batch::put!(tx, made.batch, made.vouchers, Some(made.codes_sealed));
        tx.append(made.entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// What was confirmed cannot be done: there is not enough left. False when it is done, or was not confirmed.
pub async fn fail(store: &Store, id: &str, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let org: Option<(Option<String>,)> = sqlx::query_as(
            "update waiting_credit set state = 'failed'
             where id = $1 and state = 'confirmed' and booked_at_ms is null returning org_id")
            .bind(id).fetch_optional(&mut *tx).await?;
        let Some((org_id,)) = org else { return Ok(false) };
        let mut entry = entry.about(id);
        entry.row.org_id = org_id;
        tx.append(&entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Refuses it, or takes it back. False when it was decided, or its time is over.
pub async fn refuse(store: &Store, (id, by, now_ms): (&str, &str, i64), entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let org: Option<(Option<String>,)> = sqlx::query_as(
            "update waiting_credit set state = 'refused', decided_by = $2, decided_at_ms = $3
             where id = $1 and state = 'waiting' and waits_until_ms > $3 returning org_id")
            .bind(id).bind(by).bind(now_ms).fetch_optional(&mut *tx).await?;
        let Some((org_id,)) = org else { return Ok(false) };
        let mut entry = entry.about(id);
        entry.row.org_id = org_id;
        tx.append(&entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Confirmed, and not in the ledger yet.
pub async fn owed(store: &Store, limit: u32) -> sqlx::Result<Vec<WaitingCreditRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from waiting_credit where state = 'confirmed' and booked_at_ms is null order by decided_at_ms, id limit $1")
        .bind(i64::from(limit)).fetch_all(db).await)
}

/// The ledger has it.
pub async fn booked(store: &Store, (id, now_ms): (&str, i64)) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update waiting_credit set booked_at_ms = $2 where id = $1 and booked_at_ms is null")
        .bind(id).bind(now_ms).execute(db).await.map(drop))
}
