//! Paying in by itself: a card that was saved is charged when the balance falls below a threshold. An org has one such payment
//! at a time, and its order's id is its key at Stripe, so a dip is filled once however many processes look at it.
use crate::Payments;
use crate::apply::{Applied, ApplyError};
use crate::offer::{Currency, worth};
use crate::order::Whose;
use crate::saved_card::{Intent, NewCharge, NewSetup};
use crate::stripe::{Reference, Session, StripeError};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Window, time_zone};
use bytespike_store::audit_event::Entry;
use bytespike_store::outbox::Event;
use bytespike_store::payment_order::{self, OrderRow};
use bytespike_store::recharge::{self, Agreed, Failure, Turn};
use serde_json::json;

pub use bytespike_store::recharge::RechargeRow;

/// Begins the `form_key` of such an order.
const FORM: &str = "recharge:";
/// What the outbox calls a recharge that turned itself off.
pub const RECHARGE_OFF: &str = "recharge_off";
/// A process that took longer has died, or Stripe did not answer it.
const TURN_MS: i64 = 60_000;
const AT_ONCE: u32 = 50;

/// How failures are met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RechargeRule {
    /// So many in a row turn it off.
    pub most_failures: i64,
    /// How long it waits after one.
    pub wait_ms: i64,
}

/// What somebody wants.
#[derive(Clone, Copy, Debug)]
pub struct NewRecharge<'a> {
    pub threshold: NanoUsd,
    pub currency: Currency,
    pub amount_minor: i64,
    pub month_most_minor: i64,
    pub person_id: &'a str,
    /// The words they agreed to.
    pub text: &'a str,
}

/// Why it was not turned on.
#[derive(Debug, thiserror::Error)]
pub enum RechargeError {
    #[error("no card is saved")]
    NoCard,
    #[error("this currency is not offered here")]
    NotOffered,
    #[error("the amount must be from {least_minor} to {most_minor}")]
    Amount { least_minor: i64, most_minor: i64 },
    /// What is paid in would leave the balance below the threshold, and be followed by more.
    #[error("the threshold must be more than nothing, and not above what is paid in")]
    Threshold,
    #[error("a month has room for at least one payment")]
    Month,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A page to save a card on.
pub struct CardPage<'a> {
    pub org_id: &'a str,
    pub email: &'a str,
    pub form_key: &'a str,
    /// `en` or `zh`.
    pub language: &'a str,
    /// The path of the language's console, such as `/zh/console`.
    pub console_path: &'a str,
}

impl Payments {
    /// What the org set up; nothing before the first card.
    pub async fn recharge(&self, org_id: &str) -> sqlx::Result<Option<RechargeRow>> {
        recharge::find(&self.store, org_id).await
    }

    /// Makes the page on which a card is saved.
    pub async fn card_page(&self, new: &CardPage<'_>, entry: &Entry) -> Result<(), ApplyError> {
        let known = self.recharge(new.org_id).await?.map(|row| row.customer_id);
        let customer_id = match known {
            Some(id) => id,
            None => self.stripe.create_customer(new.org_id, new.email).await?,
        };
        let return_url = format!("{}{}/wallet/recharge?returned=1", self.console_url, new.console_path);
        let setup = NewSetup {
            customer_id: &customer_id,
            org_id: new.org_id,
            form_key: new.form_key,
            language: new.language,
            return_url: &return_url,
        };
        let session = self.stripe.create_setup(&setup).await?;
        let url = session.url.as_deref().filter(|url| crate::order::is_web(url));
        let url = url.ok_or_else(|| StripeError::Unreadable("the session has no page".to_owned()))?;
        let closes_at_ms = session.expires_at.saturating_mul(1_000);
        let page = (session.id.as_str(), url, closes_at_ms);
        Ok(recharge::begin_setup(&self.store, (new.org_id, &customer_id), page, entry).await?)
    }

    /// Asks whether a card was saved on the page that is open.
    pub async fn ask_card(&self, row: &RechargeRow) -> Result<Applied, ApplyError> {
        let Some(session_id) = &row.setup_session_id else { return Ok(Applied::Known) };
        let session = self.stripe.session(session_id).await?;
        self.card_saved(&session).await
    }

    /// A page to save a card on, as it is now.
    pub(crate) async fn card_saved(&self, session: &Session) -> Result<Applied, ApplyError> {
        let Some(row) = recharge::by_setup(&self.store, &session.id).await? else {
            return Ok(Applied::Unknown);
        };
        if session.client_reference_id.as_ref() != Some(&row.org_id)
            || session.livemode != self.stripe.is_live()
        {
            return Ok(Applied::Refused("it names another organisation, or another mode".to_owned()));
        }
        let Some(setup) = session.setup_intent.as_ref().map(Reference::id) else { return Ok(Applied::Known) };
        let Some(card) = self.stripe.card_of(setup).await? else { return Ok(Applied::Known) };
        let entry = (self.audited)("recharge.card_saved", &row.org_id, &card.label);
        let saved = (card.payment_method_id.as_str(), card.label.as_str());
        let saved = recharge::saved(&self.store, (&row.org_id, &session.id), saved, &entry).await?;
        if saved
            && let Some(before) = row.payment_method_id.filter(|before| *before != card.payment_method_id)
        {
            self.forget_card(&before).await;
        }
        Ok(if saved { Applied::Changed } else { Applied::Known })
    }

    /// At Stripe too, as far as Stripe can be reached; we never charge it again either way.
    async fn forget_card(&self, payment_method_id: &str) {
        if let Err(error) = self.stripe.forget_card(payment_method_id).await {
            tracing::warn!(%error, "a saved card could not be removed at Stripe");
        }
    }

    /// Turns it on, or changes what was agreed to.
    pub async fn turn_recharge_on(
        &self,
        org_id: &str,
        new: &NewRecharge<'_>,
        entry: &Entry,
    ) -> Result<(), RechargeError> {
        let offer = self.offer.of(new.currency).ok_or(RechargeError::NotOffered)?;
        if !(offer.least_minor..=offer.most_minor).contains(&new.amount_minor) {
            let (least_minor, most_minor) = (offer.least_minor, offer.most_minor);
            return Err(RechargeError::Amount { least_minor, most_minor });
        }
        let rate = if new.currency == Currency::Cny { self.rate().await? } else { None };
        let paid = worth(new.currency, new.amount_minor, rate.as_ref()).ok_or(RechargeError::NotOffered)?;
        if new.threshold <= NanoUsd::ZERO || new.threshold > paid {
            return Err(RechargeError::Threshold);
        }
        if new.month_most_minor < new.amount_minor {
            return Err(RechargeError::Month);
        }
        let agreed = Agreed {
            threshold_nano: new.threshold.0,
            currency: new.currency.code(),
            amount_minor: new.amount_minor,
            month_most_minor: new.month_most_minor,
            person_id: new.person_id,
            text: new.text,
            now_ms: self.world.now_ms(),
        };
        let is_on = recharge::turn_on(&self.store, org_id, &agreed, entry).await?;
        if is_on { Ok(()) } else { Err(RechargeError::NoCard) }
    }

    /// Turns it off; with `forgets_card`, the card goes too.
    pub async fn turn_recharge_off(
        &self,
        org_id: &str,
        forgets_card: bool,
        entry: &Entry,
    ) -> sqlx::Result<()> {
        let before = self.recharge(org_id).await?;
        recharge::turn_off(&self.store, org_id, forgets_card, entry).await?;
        if forgets_card && let Some(card) = before.and_then(|row| row.payment_method_id) {
            self.forget_card(&card).await;
        }
        Ok(())
    }

    /// Goes on with payments that nobody is at; how many moved.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn go_on_with_recharges(&self) -> sqlx::Result<usize> {
        let mut moved = 0;
        for row in recharge::running(&self.store, self.world.now_ms(), AT_ONCE).await? {
            moved += self.noted(&row, self.go_on(&row).await);
        }
        Ok(moved)
    }

    /// Goes on with payments that nobody is at, and begins those that are due; how many moved. One that cannot is said in the
    /// log, and keeps no other waiting.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn recharge_due(&self) -> sqlx::Result<usize> {
        let mut moved = self.go_on_with_recharges().await?;
        for row in recharge::low(&self.store, self.world.now_ms(), AT_ONCE).await? {
            moved += self.noted(&row, self.begin(&row).await);
        }
        Ok(moved)
    }

    fn noted(&self, row: &RechargeRow, done: Result<bool, ApplyError>) -> usize {
        let org_id = &row.org_id;
        let done = done.inspect_err(
            |error| tracing::error!(%error, org_id, "a saved card could not be charged yet; it is tried again"),
        );
        usize::from(done.unwrap_or(false))
    }

    fn turn(&self) -> Turn {
        let now_ms = self.world.now_ms();
        Turn { now_ms, until_ms: now_ms + TURN_MS }
    }

    async fn begin(&self, row: &RechargeRow) -> Result<bool, ApplyError> {
        let turn = self.turn();
        let Some(order) = self.recharge_order(row, turn.now_ms).await? else { return Ok(false) };
        let since_ms = self.month_began_at_ms(&row.org_id, turn.now_ms).await?;
        let entry = (self.audited)("recharge.begun", &row.org_id, &order.id);
        if !recharge::begin(&self.store, &order, (turn, since_ms), &entry).await? {
            return Ok(false);
        }
        self.charge_card(row, &order).await?;
        Ok(true)
    }

    /// `None` when nobody can say what the amount is worth.
    async fn recharge_order(&self, row: &RechargeRow, now_ms: i64) -> sqlx::Result<Option<OrderRow>> {
        let Some(currency) = Currency::parse(&row.currency) else { return Ok(None) };
        let rate = if currency == Currency::Cny { self.rate().await? } else { None };
        let Some(paid) = worth(currency, row.amount_minor, rate.as_ref()) else { return Ok(None) };
        let id = self.world.id("ord");
        let person_id = row.person_id.as_deref().unwrap_or_default();
        let whose = Whose { org_id: &row.org_id, person_id, form_key: format!("{FORM}{id}") };
        let amount = (currency, row.amount_minor);
        Ok(Some(self.made((id, whose), amount, (rate.as_ref(), paid), now_ms)))
    }

    async fn month_began_at_ms(&self, org_id: &str, now_ms: i64) -> sqlx::Result<i64> {
        let wallet = self.ledger.wallet(org_id).await?;
        let zone = wallet.and_then(|wallet| time_zone(&wallet.time_zone));
        Ok(zone.map_or(now_ms, |zone| Window::Month.opening_at(now_ms, &zone).0))
    }

    /// What another process began, or what Stripe had not decided.
    async fn go_on(&self, row: &RechargeRow) -> Result<bool, ApplyError> {
        let Some(order_id) = &row.order_id else { return Ok(false) };
        if !recharge::take(&self.store, (&row.org_id, order_id), self.turn()).await? {
            return Ok(false);
        }
        let Some(order) = payment_order::find(&self.store, order_id).await? else { return Ok(false) };
        match (order.state.as_str(), &order.payment_intent_id) {
            ("made", _) => self.charge_card(row, &order).await?,
            ("processing", Some(intent_id)) => {
                let intent = self.stripe.intent(intent_id).await?;
                self.charged(&intent).await?;
            }
            ("paid", _) => self.book(&order).await?,
            _ => {}
        }
        self.end(&order.id, "failed").await?;
        Ok(true)
    }

    async fn charge_card(&self, row: &RechargeRow, order: &OrderRow) -> Result<(), ApplyError> {
        let (Some(card), Some(currency)) = (&row.payment_method_id, Currency::parse(&order.currency)) else {
            return self.card_refused(order, "no_card").await;
        };
        let new = NewCharge {
            order_id: &order.id,
            customer_id: &row.customer_id,
            payment_method_id: card,
            currency,
            amount_minor: order.amount_minor,
        };
        match self.stripe.charge(&new).await {
            Ok(intent) => {
                payment_order::charging(&self.store, &order.id, &intent.id).await?;
                self.charged(&intent).await.map(drop)
            }
            // 409 is the same request on its way, 429 too many of them: both end.
            Err(StripeError::Refused { status, code, .. })
                if status < 500 && ![401, 403, 409, 429].contains(&status) =>
            {
                self.card_refused(order, if code.is_empty() { "refused" } else { &code }).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What Stripe says about a payment by a saved card. Payments made on a page are none of these.
    pub(crate) async fn charged(&self, intent: &Intent) -> Result<Applied, ApplyError> {
        let Some(order_id) = intent.metadata.get("order_id") else { return Ok(Applied::Unknown) };
        let found = payment_order::find(&self.store, order_id).await?;
        let Some(order) = found.filter(|order| order.form_key.starts_with(FORM)) else {
            return Ok(Applied::Unknown);
        };
        if let Some(reason) = self.contradicts(intent, &order) {
            return Ok(Applied::Refused(reason));
        }
        payment_order::charging(&self.store, &order.id, &intent.id).await?;
        let reason = intent.last_payment_error.as_ref().and_then(|error| error.code.as_deref());
        match intent.status.as_str() {
            "succeeded" => {
                let now_ms = self.world.now_ms();
                let changed = payment_order::paid(&self.store, &order.id, Some(&intent.id), now_ms).await?;
                self.book(&order).await?;
                recharge::succeeded(&self.store, (&order.org_id, &order.id)).await?;
                self.invoice_now().await;
                Ok(if changed { Applied::Changed } else { Applied::Known })
            }
            "processing" => Ok(Applied::Known),
            "requires_action" | "requires_confirmation" => {
                self.stripe.cancel(&intent.id).await?;
                self.card_refused(&order, "authentication_required").await?;
                Ok(Applied::Changed)
            }
            "requires_payment_method" | "canceled" => {
                self.card_refused(&order, reason.unwrap_or("declined")).await?;
                Ok(Applied::Changed)
            }
            other => Ok(Applied::Refused(format!("status {other}"))),
        }
    }

    fn contradicts(&self, intent: &Intent, order: &OrderRow) -> Option<String> {
        if intent.amount != order.amount_minor || intent.currency != order.currency {
            return Some(format!("amount: {} {}", intent.amount, intent.currency));
        }
        if order.payment_intent_id.as_ref().is_some_and(|ours| *ours != intent.id) {
            return Some(format!("payment: {}", intent.id));
        }
        (intent.livemode != self.stripe.is_live()).then(|| format!("livemode is {}", intent.livemode))
    }

    async fn card_refused(&self, order: &OrderRow, reason: &str) -> Result<(), ApplyError> {
        payment_order::refused(&self.store, &order.id).await?;
        Ok(self.end(&order.id, reason).await?)
    }

    /// Ends the org's payment as its order ended, once.
    async fn end(&self, order_id: &str, reason: &str) -> sqlx::Result<()> {
        let Some(order) = payment_order::find(&self.store, order_id).await? else { return Ok(()) };
        match order.state.as_str() {
            "credited" => recharge::succeeded(&self.store, (&order.org_id, &order.id)).await,
            "failed" | "expired" => self.count_failure(&order, reason).await,
            _ => Ok(()),
        }
    }

    async fn count_failure(&self, order: &OrderRow, reason: &str) -> sqlx::Result<()> {
        let now_ms = self.world.now_ms();
        let failure = Failure {
            reason,
            most: self.recharge_rule.most_failures,
            next_try_at_ms: now_ms + self.recharge_rule.wait_ms,
        };
        let told = Event {
            id: self.world.id("evt"),
            org_id: order.org_id.clone(),
            kind: RECHARGE_OFF.to_owned(),
            subject: format!("org:{}", order.org_id),
            payload_json: json!({
                "reason": reason, "order": order.id, "currency": order.currency, "amount_minor": order.amount_minor,
            })
            .to_string(),
            created_at_ms: now_ms,
        };
        let entry = (self.audited)("recharge.turned_itself_off", &order.org_id, &order.id);
        let went_off =
            recharge::failed(&self.store, (&order.org_id, &order.id), failure, (&told, &entry)).await?;
        tracing::warn!(order_id = order.id, reason, went_off, "a saved card was refused");
        Ok(())
    }
}
