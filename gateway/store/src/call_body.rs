//! What calls were asked and answered, sealed, for as long as their org chose; and the periods in which it chose so.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};
use serde_json::json;

const DAY_MS: i64 = 86_400_000;
/// What of a row is shown beside its text.
const SELECT: &str =
    "select b.receipt_id, b.org_id, b.member_id, b.period_id, b.status, b.request_bytes, b.request_cut,
        b.response_bytes, b.response_cut, b.kept_at_ms, b.expires_at_ms, t.request_sealed, t.response_sealed
     from call_body b
     join call_body_text t on t.receipt_id = b.receipt_id
     join body_period p on p.id = b.period_id and p.ended_at_ms is null
     where b.receipt_id = $1 and b.org_id = $2";

/// Since when an org has what its calls say kept, and for how many days each.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PeriodRow {
    pub id: String,
    pub days: i64,
    pub began_at_ms: i64,
}

/// A choice of an org.
#[derive(Clone, Copy)]
pub struct Choice<'a> {
    /// Of the period that begins, if none is open.
    pub id: &'a str,
    pub org_id: &'a str,
    pub days: i64,
    pub now_ms: i64,
}

/// What one call was asked and answered.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct BodyRow {
    pub receipt_id: String,
    pub org_id: String,
    pub member_id: String,
    pub period_id: String,
    pub status: Option<i64>,
    pub request_bytes: i64,
    pub request_cut: bool,
    pub response_bytes: i64,
    pub response_cut: bool,
    pub kept_at_ms: i64,
    pub expires_at_ms: i64,
    pub request_sealed: String,
    pub response_sealed: String,
}

/// The org's open period.
pub async fn period(store: &Store, org_id: &str) -> sqlx::Result<Option<PeriodRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, days, began_at_ms from body_period where org_id = $1 and ended_at_ms is null")
        .bind(org_id).fetch_optional(db).await)
}

/// Keeps from now on, or for another number of days. Fewer days count for what is kept already, more do not. Writes
/// nothing when it was so before. Cached callers carry the period, so a new one counts as a change of rights.
pub async fn choose(store: &Store, choice: Choice<'_>, entry: &Entry) -> sqlx::Result<()> {
    let Choice { id, org_id, days, now_ms } = choice;
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // A write that changes nothing takes the row, so that what it answers stays so until the end.
        let open: Option<(String, i64)> = sqlx::query_as(
            "update body_period set days = days where org_id = $1 and ended_at_ms is null returning id, days")
            .bind(org_id).fetch_optional(&mut *tx).await?;
        if let Some((open, before)) = open {
            if before == days {
                return Ok(());
            }
            sqlx::query("update body_period set days = $2 where id = $1").bind(&open).bind(days).execute(&mut *tx).await?;
            sqlx::query(
                "update call_body set expires_at_ms = kept_at_ms + $2 where period_id = $1 and expires_at_ms > kept_at_ms + $2")
                .bind(&open).bind(days * DAY_MS).execute(&mut *tx).await?;
            tx.append(&entry.before(json!({ "body_days": before }))).await?;
            return tx.commit().await;
        }
        let began = sqlx::query(
            "insert into body_period (id, org_id, days, began_at_ms) values ($1, $2, $3, $4) on conflict do nothing")
            .bind(id).bind(org_id).bind(days).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if began == 1 {
            sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
            tx.append(entry).await?;
        }
        tx.commit().await
    })
}

/// Ends the org's period: nobody reads what was kept in it any more. False, and nothing written, when none is open.
pub async fn end(store: &Store, (org_id, now_ms): (&str, i64), entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let ended: Option<(i64,)> = sqlx::query_as(
            "update body_period set ended_at_ms = $2 where org_id = $1 and ended_at_ms is null returning days")
            .bind(org_id).bind(now_ms).fetch_optional(&mut *tx).await?;
        let Some((before,)) = ended else { return Ok(false) };
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(&entry.before(json!({ "body_days": before }))).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Keeps what a call said for the days of its period, `most_days` at most; the row's own `expires_at_ms` is not looked at.
/// False, and nothing written, when the period has ended meanwhile or the call's is there already.
pub async fn put(store: &Store, row: &BodyRow, most_days: i64) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // Takes the period, so that it cannot end in between.
        let open: Option<(i64,)> = sqlx::query_as(
            "update body_period set days = days where id = $1 and org_id = $2 and ended_at_ms is null returning days")
            .bind(&row.period_id).bind(&row.org_id).fetch_optional(&mut *tx).await?;
        let Some((days,)) = open else { return Ok(false) };
        let expires_at_ms = row.kept_at_ms + days.min(most_days) * DAY_MS;
        let put = sqlx::query(
            "insert into call_body (receipt_id, org_id, member_id, period_id, status, request_bytes, request_cut,
                 response_bytes, response_cut, kept_at_ms, expires_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (receipt_id) do nothing")
            .bind(&row.receipt_id).bind(&row.org_id).bind(&row.member_id).bind(&row.period_id).bind(row.status)
            .bind(row.request_bytes).bind(row.request_cut).bind(row.response_bytes).bind(row.response_cut)
            .bind(row.kept_at_ms).bind(expires_at_ms).execute(&mut *tx).await?.rows_affected();
        if put == 0 {
            return Ok(false);
        }
        sqlx::query("insert into call_body_text (receipt_id, request_sealed, response_sealed) values ($1, $2, $3)")
            .bind(&row.receipt_id).bind(&row.request_sealed).bind(&row.response_sealed).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// What the org's call said; nothing once its period has ended.
pub async fn find(store: &Store, org_id: &str, receipt_id: &str) -> sqlx::Result<Option<BodyRow>> {
    on_database!(read store, db => sqlx::query_as(SELECT).bind(receipt_id).bind(org_id).fetch_optional(db).await)
}

/// Deletes what the org's call said. False, and nothing written, when nothing was kept.
pub async fn delete(store: &Store, (org_id, receipt_id): (&str, &str), entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let gone = sqlx::query(
            "delete from call_body_text where receipt_id in (select receipt_id from call_body where receipt_id = $1 and org_id = $2)")
            .bind(receipt_id).bind(org_id).execute(&mut *tx).await?.rows_affected();
        if gone == 0 {
            return Ok(false);
        }
        sqlx::query("delete from call_body where receipt_id = $1").bind(receipt_id).execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Deletes up to `limit` whose time is over, or that were kept by `kept_by_ms`; how many went.
pub async fn delete_due(store: &Store, (now_ms, kept_by_ms): (i64, i64), limit: i64) -> sqlx::Result<u64> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let gone: Vec<String> = sqlx::query_scalar(
            "delete from call_body_text where receipt_id in (
                 select receipt_id from call_body where expires_at_ms <= $1 or kept_at_ms <= $2 limit $3)
             returning receipt_id")
            .bind(now_ms).bind(kept_by_ms).bind(limit).fetch_all(&mut *tx).await?;
        for id in &gone {
            sqlx::query("delete from call_body where receipt_id = $1").bind(id).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(gone.len() as u64)
    })
}

/// Deletes up to `limit` of periods that have ended, and those periods once they are empty; how many went.
pub async fn delete_ended(store: &Store, limit: i64) -> sqlx::Result<u64> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let gone: Vec<String> = sqlx::query_scalar(
            "delete from call_body_text where receipt_id in (
                 select b.receipt_id from body_period p join call_body b on b.period_id = p.id
                 where p.ended_at_ms is not null limit $1)
             returning receipt_id")
            .bind(limit).fetch_all(&mut *tx).await?;
        for id in &gone {
            sqlx::query("delete from call_body where receipt_id = $1").bind(id).execute(&mut *tx).await?;
        }
        if gone.is_empty() {
            sqlx::query(
                "delete from body_period where ended_at_ms is not null
                   and not exists (select 1 from call_body b where b.period_id = body_period.id)")
                .execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(gone.len() as u64)
    })
}
