//! What somebody wants to pay, and how far it has come. A state only moves towards the money: whatever arrives late or
//! twice, an order that was paid stays paid.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

/// An order. Amounts as in the table: `amount_minor` in cents or fen, `_nano` in nano-USD.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OrderRow {
    pub id: String,
    pub org_id: String,
    pub person_id: String,
    pub form_key: String,
    /// `made`, `open`, `processing`, `paid`, `credited`, `failed` or `expired`.
    pub state: String,
    /// `usd` or `cny`.
    pub currency: String,
    pub amount_minor: i64,
    pub fx_rate_id: Option<String>,
    pub usd_cny_micro: Option<i64>,
    pub paid_nano: i64,
    pub bonus_nano: i64,
    pub bonus_expires_at_ms: Option<i64>,
    pub session_id: Option<String>,
    pub payment_intent_id: Option<String>,
    pub checkout_url: Option<String>,
    pub created_at_ms: i64,
    pub closes_at_ms: Option<i64>,
    pub paid_at_ms: Option<i64>,
    pub credited_at_ms: Option<i64>,
}

/// Where an order is paid.
#[derive(Clone, Debug)]
pub struct Checkout<'a> {
    pub session_id: &'a str,
    pub url: &'a str,
    pub closes_at_ms: i64,
}

/// Keeps a new order and its entry, unless the same form has made it before.
pub async fn insert(store: &Store, row: &OrderRow, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let made = sqlx::query(
            "insert into payment_order (id, org_id, person_id, form_key, currency, amount_minor, fx_rate_id, usd_cny_micro,
                                        paid_nano, bonus_nano, bonus_expires_at_ms, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (org_id, form_key) do nothing")
            .bind(&row.id).bind(&row.org_id).bind(&row.person_id).bind(&row.form_key).bind(&row.currency)
            .bind(row.amount_minor).bind(&row.fx_rate_id).bind(row.usd_cny_micro).bind(row.paid_nano)
            .bind(row.bonus_nano).bind(row.bonus_expires_at_ms).bind(row.created_at_ms)
            .execute(&mut *tx).await?.rows_affected();
        if made == 1 {
            tx.append(entry).await?;
        }
        tx.commit().await?;
        Ok::<_, sqlx::Error>(())
    })
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<OrderRow>> {
    on_database!(read store, db => sqlx::query_as("select * from payment_order where id = $1")
        .bind(id).fetch_optional(db).await)
}

/// The order that this form made.
pub async fn by_form(store: &Store, org_id: &str, form_key: &str) -> sqlx::Result<Option<OrderRow>> {
    on_database!(read store, db => sqlx::query_as("select * from payment_order where org_id = $1 and form_key = $2")
        .bind(org_id).bind(form_key).fetch_optional(db).await)
}

/// The order that was paid with this payment.
pub async fn by_intent(store: &Store, payment_intent_id: &str) -> sqlx::Result<Option<OrderRow>> {
    on_database!(read store, db => sqlx::query_as("select * from payment_order where payment_intent_id = $1")
        .bind(payment_intent_id).fetch_optional(db).await)
}

/// The org's orders, the newest first.
pub async fn of_org(store: &Store, org_id: &str, limit: u32) -> sqlx::Result<Vec<OrderRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from payment_order where org_id = $1 order by created_at_ms desc, id desc limit $2")
        .bind(org_id).bind(i64::from(limit)).fetch_all(db).await)
}

/// How many orders the org has made since then.
pub async fn count_since(store: &Store, org_id: &str, since_ms: i64) -> sqlx::Result<i64> {
    on_database!(read store, db => sqlx::query_scalar(
        "select count(*) from payment_order where org_id = $1 and created_at_ms >= $2")
        .bind(org_id).bind(since_ms).fetch_one(db).await)
}

/// Orders that can still be paid and were made before this, the oldest first.
pub async fn waiting(store: &Store, before_ms: i64, limit: u32) -> sqlx::Result<Vec<OrderRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from payment_order
         where state in ('open', 'processing') and created_at_ms < $1 order by created_at_ms, id limit $2")
        .bind(before_ms).bind(i64::from(limit)).fetch_all(db).await)
}

/// Orders whose money is here and whose credit is not.
pub async fn uncredited(store: &Store, limit: u32) -> sqlx::Result<Vec<OrderRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from payment_order where state = 'paid' order by created_at_ms, id limit $1")
        .bind(i64::from(limit)).fetch_all(db).await)
}

/// Says where it is paid. An order that already knows stays as it is.
pub async fn opened(store: &Store, id: &str, checkout: &Checkout<'_>) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update payment_order set state = 'open', session_id = $2, checkout_url = $3, closes_at_ms = $4
         where id = $1 and state = 'made'")
        .bind(id).bind(checkout.session_id).bind(checkout.url).bind(checkout.closes_at_ms).execute(db).await.map(drop))
}

/// The payment is on its way, as with a bank transfer.
pub async fn processing(store: &Store, id: &str) -> sqlx::Result<bool> {
    change(store, id, "update payment_order set state = 'processing' where id = $1 and state = 'open'").await
}

/// It did not go through.
pub async fn failed(store: &Store, id: &str) -> sqlx::Result<bool> {
    change(
        store,
        id,
        "update payment_order set state = 'failed' where id = $1 and state in ('open', 'processing')",
    )
    .await
}

/// It is paid by a card that was saved before: no page, and the provider's name of the payment at once.
pub async fn charging(store: &Store, id: &str, payment_intent_id: &str) -> sqlx::Result<bool> {
    let changed: u64 = on_database!(store, db => sqlx::query(
        "update payment_order set state = 'processing', payment_intent_id = $2 where id = $1 and state = 'made'")
        .bind(id).bind(payment_intent_id).execute(db).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// The saved card was refused.
pub async fn refused(store: &Store, id: &str) -> sqlx::Result<bool> {
    change(
        store,
        id,
        "update payment_order set state = 'failed' where id = $1 and state in ('made', 'processing')",
    )
    .await
}

/// Nobody paid while it was open.
pub async fn expired(store: &Store, id: &str) -> sqlx::Result<bool> {
    change(store, id, "update payment_order set state = 'expired' where id = $1 and state = 'open'").await
}

/// The money is here. It may have been given up before: money that came counts.
pub async fn paid(
    store: &Store,
    id: &str,
    payment_intent_id: Option<&str>,
    now_ms: i64,
) -> sqlx::Result<bool> {
    let changed: u64 = on_database!(store, db => sqlx::query(
        "update payment_order set state = 'paid', paid_at_ms = $2, payment_intent_id = coalesce($3, payment_intent_id)
         where id = $1 and state not in ('paid', 'credited')")
        .bind(id).bind(now_ms).bind(payment_intent_id).execute(db).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// Its credit is in the ledger.
pub async fn credited(store: &Store, id: &str, now_ms: i64) -> sqlx::Result<bool> {
    let changed: u64 = on_database!(store, db => sqlx::query(
        "update payment_order set state = 'credited', credited_at_ms = $2 where id = $1 and state = 'paid'")
        .bind(id).bind(now_ms).execute(db).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

async fn change(store: &Store, id: &str, sql: &'static str) -> sqlx::Result<bool> {
    let changed: u64 = on_database!(store, db => sqlx::query(sql).bind(id).execute(db).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}
