//! What the provider says about an order, checked against the order, and the credit that follows. Said by an event or
//! answered to a question of ours, it is the same object and the same rules; nothing is believed of a browser.
use crate::Payments;
use crate::offer::{Currency, amount_text};
use crate::stripe::{Session, StripeError};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{BookingError, Credit, CreditKind};
use bytespike_store::payment_order::{self, Checkout, OrderRow};

/// A page that was just made is not asked about: its event comes by itself.
const ASK_AFTER_MS: i64 = 120_000;
const MOST_AT_ONCE: u32 = 50;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The order moved on.
    Changed,
    /// It was there already, or further.
    Known,
    /// No order of ours.
    Unknown,
    /// It contradicts the order; somebody has to look at it.
    Refused(String),
}

/// Why it could not be said yet; trying again helps.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Ledger(#[from] BookingError),
    #[error(transparent)]
    Provider(#[from] StripeError),
}

/// What happened to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing yet.
    Open,
    Processing,
    Paid,
    Failed,
    Expired,
}

impl Session {
    /// As the object itself says it. Complete is not paid: a bank transfer completes before its money comes.
    pub(crate) fn fate(&self) -> Result<Fate, String> {
        match (self.status.as_deref(), self.payment_status.as_str()) {
            (Some("complete"), "paid") => Ok(Fate::Paid),
            (Some("complete"), "unpaid") => Ok(Fate::Processing),
            (Some("expired"), "unpaid") => Ok(Fate::Expired),
            (Some("open"), "unpaid") => Ok(Fate::Open),
            (status, payment) => Err(format!("status {} with payment {payment}", status.unwrap_or("none"))),
        }
    }
}

impl Payments {
    /// Moves the order that this page belongs to, after everything about it agrees.
    pub(crate) async fn apply(&self, session: &Session, fate: Fate) -> Result<Applied, ApplyError> {
        let Some(order_id) = &session.client_reference_id else { return Ok(Applied::Unknown) };
        let Some(order) = payment_order::find(&self.store, order_id).await? else {
            return Ok(Applied::Unknown);
        };
        if let Some(reason) = self.contradiction(session, &order) {
            return Ok(Applied::Refused(reason));
        }
        // Its page was made, and we ended before that was noted.
        let checkout = Checkout {
            session_id: &session.id,
            url: session.url.as_deref().unwrap_or_default(),
            closes_at_ms: session.expires_at.saturating_mul(1_000),
        };
        payment_order::opened(&self.store, &order.id, &checkout).await?;
        let changed = match fate {
            Fate::Open => false,
            Fate::Processing => payment_order::processing(&self.store, &order.id).await?,
            Fate::Failed => payment_order::failed(&self.store, &order.id).await?,
            Fate::Expired => payment_order::expired(&self.store, &order.id).await?,
            Fate::Paid => {
                let intent = session.payment_intent.as_ref().map(crate::stripe::Reference::id);
                let now_ms = self.world.now_ms();
                let changed = payment_order::paid(&self.store, &order.id, intent, now_ms).await?;
                self.book(&order).await?;
                changed
            }
        };
        Ok(if changed { Applied::Changed } else { Applied::Known })
    }

    /// What does not agree between the order and what is said about it.
    fn contradiction(&self, session: &Session, order: &OrderRow) -> Option<String> {
        let wrong = |what: &str, theirs: String, ours: String| {
            Some(format!("{what}: {theirs}, the order has {ours}"))
        };
        let currency = session.currency.as_deref().unwrap_or("none");
        if let Some(ours) = &order.session_id
            && *ours != session.id
        {
            return wrong("session", session.id.clone(), ours.clone());
        }
        if currency != order.currency {
            return wrong("currency", currency.to_owned(), order.currency.clone());
        }
        if session.amount_total != Some(order.amount_minor) {
            let theirs = session.amount_total.map_or("none".to_owned(), |amount| amount.to_string());
            return wrong("amount", theirs, order.amount_minor.to_string());
        }
        if session.livemode != self.stripe.is_live() {
            return Some(format!("livemode is {}", session.livemode));
        }
        None
    }

    /// Credits a paid order. The ledger books each part once per order, so it can be done again after a crash.
    pub(crate) async fn book(&self, order: &OrderRow) -> Result<(), ApplyError> {
        if order.state == "credited" {
            return Ok(());
        }
        let note = note(order);
        self.credit(order, (CreditKind::TopUp, order.paid_nano), ("", None), &note).await?;
        if order.bonus_nano > 0 {
            let ends = order.bonus_expires_at_ms;
            self.credit(order, (CreditKind::Grant, order.bonus_nano), (":bonus", ends), &note).await?;
        }
        payment_order::credited(&self.store, &order.id, self.world.now_ms()).await?;
        Ok(())
    }

    async fn credit(
        &self,
        order: &OrderRow,
        (kind, nano): (CreditKind, i64),
        (part, expires_at_ms): (&str, Option<i64>),
        note: &str,
    ) -> Result<(), BookingError> {
        let credit = Credit {
            org_id: order.org_id.clone(),
            amount: NanoUsd(nano),
            kind,
            idempotency_key: format!("order:{}{part}", order.id),
            note: note.to_owned(),
            expires_at_ms,
        };
        self.ledger.credit(credit).await.map(drop)
    }

    /// Asks the provider about an order whose event may not have come, and answers with the order as it is then.
    pub async fn ask(&self, order: OrderRow) -> Result<OrderRow, ApplyError> {
        if order.state == "paid" {
            // Its event is being applied at this moment, or was broken off.
            self.book(&order).await?;
            return Ok(payment_order::find(&self.store, &order.id).await?.unwrap_or(order));
        }
        let waits = matches!(order.state.as_str(), "open" | "processing");
        let Some(session_id) = order.session_id.as_deref().filter(|_| waits) else { return Ok(order) };
        let session = self.stripe.session(session_id).await?;
        match session.fate() {
            // Only an event tells a transfer that failed from one that is on its way.
            Ok(fate) => {
                if let Applied::Refused(reason) = self.apply(&session, fate).await? {
                    tracing::error!(order_id = order.id, reason, "a payment contradicts its order");
                }
            }
            Err(reason) => tracing::error!(order_id = order.id, reason, "a payment cannot be understood"),
        }
        self.invoice_now().await;
        Ok(payment_order::find(&self.store, &order.id).await?.unwrap_or(order))
    }

    /// Finishes what events did not: books what is paid, and asks about what has waited for a while. How many orders moved
    /// on; one that cannot is said in the log, and keeps no other waiting.
    pub async fn finish(&self) -> sqlx::Result<usize> {
        let mut finished = 0;
        for order in payment_order::uncredited(&self.store, MOST_AT_ONCE).await? {
            finished += usize::from(is_done(&order.id, self.book(&order).await).is_some());
        }
        let before_ms = self.world.now_ms() - ASK_AFTER_MS;
        for order in payment_order::waiting(&self.store, before_ms, MOST_AT_ONCE).await? {
            let (id, before) = (order.id.clone(), order.state.clone());
            let asked = is_done(&id, self.ask(order).await);
            finished += usize::from(asked.is_some_and(|asked| asked.state != before));
        }
        self.issue_invoices().await?;
        Ok(finished)
    }
}

fn is_done<T>(order_id: &str, done: Result<T, ApplyError>) -> Option<T> {
    done.inspect_err(
        |error| tracing::error!(%error, order_id, "an order could not be finished; it is tried again"),
    )
    .ok()
}

/// What the journal says of it in either language: what was paid, and for CNY the rate and its day.
fn note(order: &OrderRow) -> String {
    let currency = Currency::parse(&order.currency).unwrap_or(Currency::Usd);
    let amount = amount_text(currency, order.amount_minor);
    match (order.usd_cny_micro, &order.fx_rate_id) {
        (Some(micro), Some(id)) => {
            let day = id.strip_prefix("fx_").unwrap_or(id);
            format!("{amount}, 1 USD = {}.{:04} CNY ({day})", micro / 1_000_000, micro % 1_000_000 / 100)
        }
        _ => amount,
    }
}
