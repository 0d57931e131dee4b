//! Paying in by itself. That a dip of the balance is filled once is decided here: an org has one such payment at a time, and it
//! begins in the statement that still finds the balance low.
use crate::audit_event::{Appends as _, Entry};
use crate::outbox;
use crate::payment_order::OrderRow;
use crate::{Store, on_database};

/// As the table has it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RechargeRow {
    pub org_id: String,
    pub customer_id: String,
    pub payment_method_id: Option<String>,
    pub card: Option<String>,
    pub setup_session_id: Option<String>,
    pub setup_url: Option<String>,
    pub setup_closes_at_ms: Option<i64>,
    pub is_on: bool,
    pub threshold_nano: i64,
    pub currency: String,
    pub amount_minor: i64,
    pub month_most_minor: i64,
    pub person_id: Option<String>,
    pub agreed_at_ms: Option<i64>,
    pub agreed_text: Option<String>,
    pub order_id: Option<String>,
    pub taken_until_ms: i64,
    pub failures: i64,
    pub next_try_at_ms: i64,
    pub off_reason: Option<String>,
}

/// What somebody agreed to.
#[derive(Clone, Debug)]
pub struct Agreed<'a> {
    pub threshold_nano: i64,
    pub currency: &'a str,
    pub amount_minor: i64,
    pub month_most_minor: i64,
    pub person_id: &'a str,
    pub text: &'a str,
    pub now_ms: i64,
}

pub async fn find(store: &Store, org_id: &str) -> sqlx::Result<Option<RechargeRow>> {
    on_database!(read store, db => sqlx::query_as("select * from recharge where org_id = $1")
        .bind(org_id).fetch_optional(db).await)
}

pub async fn by_setup(store: &Store, session_id: &str) -> sqlx::Result<Option<RechargeRow>> {
    on_database!(read store, db => sqlx::query_as("select * from recharge where setup_session_id = $1")
        .bind(session_id).fetch_optional(db).await)
}

/// Says where a card is being saved; a page opened before counts no more.
pub async fn begin_setup(
    store: &Store,
    (org_id, customer_id): (&str, &str),
    (session_id, url, closes_at_ms): (&str, &str, i64),
    entry: &Entry,
) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into recharge (org_id, customer_id, setup_session_id, setup_url, setup_closes_at_ms) values ($1, $2, $3, $4, $5)
             on conflict (org_id) do update set customer_id = excluded.customer_id, setup_session_id = excluded.setup_session_id,
                 setup_url = excluded.setup_url, setup_closes_at_ms = excluded.setup_closes_at_ms")
            .bind(org_id).bind(customer_id).bind(session_id).bind(url).bind(closes_at_ms).execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// A card was saved on that page. False when that is known.
pub async fn saved(
    store: &Store,
    (org_id, session_id): (&str, &str),
    (payment_method_id, card): (&str, &str),
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let saved = sqlx::query(
            "update recharge set payment_method_id = $3, card = $4, setup_session_id = null, setup_url = null,
                    setup_closes_at_ms = null, failures = 0, next_try_at_ms = 0, off_reason = null
             where org_id = $1 and setup_session_id = $2")
            .bind(org_id).bind(session_id).bind(payment_method_id).bind(card).execute(&mut *tx).await?.rows_affected();
        if saved == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Turns it on, or changes it. False without a card.
pub async fn turn_on(store: &Store, org_id: &str, agreed: &Agreed<'_>, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let on = sqlx::query(
            "update recharge set is_on = true, threshold_nano = $2, currency = $3, amount_minor = $4, month_most_minor = $5,
                    person_id = $6, agreed_text = $7, agreed_at_ms = $8, failures = 0, next_try_at_ms = 0, off_reason = null
             where org_id = $1 and payment_method_id is not null")
            .bind(org_id).bind(agreed.threshold_nano).bind(agreed.currency).bind(agreed.amount_minor)
            .bind(agreed.month_most_minor).bind(agreed.person_id).bind(agreed.text).bind(agreed.now_ms)
            .execute(&mut *tx).await?.rows_affected();
        if on == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Turns it off, and forgets the card if that is wanted. A payment that runs goes on.
pub async fn turn_off(store: &Store, org_id: &str, forgets_card: bool, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let off = sqlx::query(
            "update recharge set is_on = false, off_reason = null,
                    payment_method_id = case when $2 then null else payment_method_id end,
                    card = case when $2 then null else card end
             where org_id = $1 and (is_on or ($2 and payment_method_id is not null))")
            .bind(org_id).bind(forgets_card).execute(&mut *tx).await?.rows_affected();
        if off == 0 {
            return Ok(());
        }
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// Orgs whose balance is below what they said, and which have no payment running.
pub async fn low(store: &Store, now_ms: i64, limit: u32) -> sqlx::Result<Vec<RechargeRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select recharge.* from recharge join wallet on wallet.org_id = recharge.org_id
         where is_on and order_id is null and next_try_at_ms <= $1 and not frozen and owed_nano = 0
           and posted_nano - held_nano < threshold_nano
           and exists (select 1 from org where org.id = recharge.org_id and org.state = 'active')
         order by recharge.org_id limit $2")
        .bind(now_ms).bind(i64::from(limit)).fetch_all(db).await)
}

/// Payments that nobody is at.
pub async fn running(store: &Store, now_ms: i64, limit: u32) -> sqlx::Result<Vec<RechargeRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from recharge where order_id is not null and taken_until_ms <= $1 order by order_id limit $2")
        .bind(now_ms).bind(i64::from(limit)).fetch_all(db).await)
}

/// When something is done, and how long whoever does it may take.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub now_ms: i64,
    pub until_ms: i64,
}

/// Begins the payment, with its order and its event, if the balance is still low, nothing runs, and the month since `since_ms`
/// has room. Of any number of processes one succeeds.
pub async fn begin(
    store: &Store,
    order: &OrderRow,
    (turn, since_ms): (Turn, i64),
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into payment_order (id, org_id, person_id, form_key, currency, amount_minor, fx_rate_id, usd_cny_micro,
                                        paid_nano, bonus_nano, bonus_expires_at_ms, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
            .bind(&order.id).bind(&order.org_id).bind(&order.person_id).bind(&order.form_key).bind(&order.currency)
            .bind(order.amount_minor).bind(&order.fx_rate_id).bind(order.usd_cny_micro).bind(order.paid_nano)
            .bind(order.bonus_nano).bind(order.bonus_expires_at_ms).bind(order.created_at_ms)
            .execute(&mut *tx).await?;
        let began = sqlx::query(
            "update recharge set order_id = $2, taken_until_ms = $3
             where org_id = $1 and is_on and order_id is null and next_try_at_ms <= $4
               and currency = $5 and amount_minor = $6
               and exists (select 1 from org where org.id = $1 and org.state = 'active')
               and exists (select 1 from wallet where wallet.org_id = $1 and not frozen and owed_nano = 0
                             and posted_nano - held_nano < recharge.threshold_nano)
               and month_most_minor >= (select cast(coalesce(sum(payment_order.amount_minor), 0) as bigint) from payment_order
                             where payment_order.org_id = $1 and form_key like 'recharge:%' and created_at_ms >= $7
                               and payment_order.currency = $5 and state not in ('failed', 'expired'))")
            .bind(&order.org_id).bind(&order.id).bind(turn.until_ms).bind(turn.now_ms).bind(&order.currency)
            .bind(order.amount_minor).bind(since_ms).execute(&mut *tx).await?.rows_affected();
        if began == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Goes on with a payment that another process left. Of any number one does.
pub async fn take(store: &Store, (org_id, order_id): (&str, &str), turn: Turn) -> sqlx::Result<bool> {
    let taken = on_database!(store, db => sqlx::query(
        "update recharge set taken_until_ms = $3 where org_id = $1 and order_id = $2 and taken_until_ms <= $4")
        .bind(org_id).bind(order_id).bind(turn.until_ms).bind(turn.now_ms)
        .execute(db).await.map(|done| done.rows_affected()))?;
    Ok(taken == 1)
}

/// The payment arrived: the next dip may be filled.
pub async fn succeeded(store: &Store, (org_id, order_id): (&str, &str)) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update recharge set order_id = null, taken_until_ms = 0, failures = 0, next_try_at_ms = 0
         where org_id = $1 and order_id = $2")
        .bind(org_id).bind(order_id).execute(db).await.map(drop))
}

/// What a payment that failed leads to.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    pub reason: &'a str,
    /// So many in a row turn it off.
    pub most: i64,
    pub next_try_at_ms: i64,
}

/// The payment failed, which counts once. The failure that turns it off tells so, with its event; answers whether it did.
pub async fn failed(
    store: &Store,
    (org_id, order_id): (&str, &str),
    failure: Failure<'_>,
    (told, entry): (&outbox::Event, &Entry),
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let counted: Option<(i64, bool)> = sqlx::query_as(
            "update recharge set order_id = null, taken_until_ms = 0, failures = failures + 1, next_try_at_ms = $3
             where org_id = $1 and order_id = $2 returning failures, is_on")
            .bind(org_id).bind(order_id).bind(failure.next_try_at_ms).fetch_optional(&mut *tx).await?;
        let Some((failures, is_on)) = counted else { return Ok(false) };
        let turns_off = is_on && failures >= failure.most;
        if turns_off {
            sqlx::query("update recharge set is_on = false, off_reason = $2 where org_id = $1")
                .bind(org_id).bind(failure.reason).execute(&mut *tx).await?;
            sqlx::query("insert into outbox (id, org_id, kind, subject, payload_json, created_at_ms) values ($1, $2, $3, $4, $5, $6)")
                .bind(&told.id).bind(&told.org_id).bind(&told.kind).bind(&told.subject).bind(&told.payload_json)
                .bind(told.created_at_ms).execute(&mut *tx).await?;
            tx.append(entry).await?;
        }
        tx.commit().await?;
        Ok(turns_off)
    })
}
