//! Invoices and credit notes as they were issued, and what still lacks one.
use crate::outbox;
use crate::payment_order::OrderRow;
use crate::payment_reversal::ReversalRow;
use crate::{Store, on_database};

/// A document. `amount_minor` in cents or fen.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct InvoiceRow {
    pub id: String,
    pub org_id: String,
    pub order_id: String,
    pub subject: String,
    /// `invoice` or `credit_note`.
    pub kind: String,
    pub series: String,
    pub number: i64,
    pub currency: String,
    pub amount_minor: i64,
    pub content_json: String,
    pub issued_at_ms: i64,
}

impl InvoiceRow {
    /// Such as `INV-000042`.
    #[must_use]
    pub fn printed_number(&self) -> String {
        numbered(&self.series, self.number)
    }
}

/// A number as it is printed.
#[must_use]
pub fn numbered(series: &str, number: i64) -> String {
    format!("{series}{number:06}")
}

/// Issues a document under the series' next number; `row.number` is not looked at. `None` when its subject has one: then no
/// number is taken. `told` makes of the number what somebody should be told.
pub async fn issue(
    store: &Store,
    row: &InvoiceRow,
    told: impl Fn(i64) -> Option<outbox::Event>,
) -> sqlx::Result<Option<i64>> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let (number,): (i64,) = sqlx::query_as(
            "insert into invoice_series (series, last_number) values ($1, 1)
             on conflict (series) do update set last_number = invoice_series.last_number + 1 returning last_number")
            .bind(&row.series).fetch_one(&mut *tx).await?;
        let issued = sqlx::query(
            "insert into invoice (id, org_id, order_id, subject, kind, series, number, currency, amount_minor, content_json,
                                  issued_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (subject) do nothing")
            .bind(&row.id).bind(&row.org_id).bind(&row.order_id).bind(&row.subject).bind(&row.kind).bind(&row.series)
            .bind(number).bind(&row.currency).bind(row.amount_minor).bind(&row.content_json).bind(row.issued_at_ms)
            .execute(&mut *tx).await?.rows_affected();
        if issued == 0 {
            return Ok(None);
        }
        if row.subject.starts_with("order:") {
            sqlx::query("update payment_order set invoiced = true where id = $1")
                .bind(&row.order_id).execute(&mut *tx).await?;
        }
        if let Some(event) = told(number) {
            sqlx::query("insert into outbox (id, org_id, kind, subject, payload_json, created_at_ms) values ($1, $2, $3, $4, $5, $6)")
                .bind(&event.id).bind(&event.org_id).bind(&event.kind).bind(&event.subject).bind(&event.payload_json)
                .bind(event.created_at_ms).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(Some(number))
    })
}

/// One of the org's.
pub async fn find(store: &Store, org_id: &str, id: &str) -> sqlx::Result<Option<InvoiceRow>> {
    on_database!(read store, db => sqlx::query_as("select * from invoice where org_id = $1 and id = $2")
        .bind(org_id).bind(id).fetch_optional(db).await)
}

pub async fn about(store: &Store, subject: &str) -> sqlx::Result<Option<InvoiceRow>> {
    on_database!(read store, db => sqlx::query_as("select * from invoice where subject = $1")
        .bind(subject).fetch_optional(db).await)
}

/// The org's, the newest first; with `order_id`, only those of that order.
pub async fn of_org(
    store: &Store,
    (org_id, order_id): (&str, Option<&str>),
    limit: u32,
) -> sqlx::Result<Vec<InvoiceRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from invoice where org_id = $1 and (cast($2 as text) is null or order_id = $2)
         order by issued_at_ms desc, number desc limit $3")
        .bind(org_id).bind(order_id).bind(i64::from(limit)).fetch_all(db).await)
}

/// Paid orders without an invoice, in the order in which they were paid.
pub async fn orders_without(store: &Store, limit: u32) -> sqlx::Result<Vec<OrderRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from payment_order where not invoiced and state in ('paid', 'credited')
         order by paid_at_ms, id limit $1")
        .bind(i64::from(limit)).fetch_all(db).await)
}

/// What was undone of invoiced orders, or undone in turn, and lacks its document.
pub async fn reversals_without(store: &Store, limit: u32) -> sqlx::Result<Vec<ReversalRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select r.id, r.order_id, r.kind, r.amount_minor, r.left_at_ms, r.back_at_ms
         from payment_reversal r join payment_order o on o.id = r.order_id and o.invoiced
         left join invoice l on l.subject = 'left:' || r.id left join invoice b on b.subject = 'back:' || r.id
         where (r.left_at_ms is not null and l.id is null) or (r.back_at_ms is not null and b.id is null and l.id is not null)
         order by coalesce(r.left_at_ms, r.back_at_ms), r.id limit $1")
        .bind(i64::from(limit)).fetch_all(db).await)
}
