//! Making an order, and the page on which it is paid.
use crate::Payments;
use crate::offer::{Currency, worth};
use crate::stripe::{NewSession, StripeError};
use bytespike_catalog::NanoUsd;
use bytespike_catalog::fx::FxRate;
use bytespike_store::audit_event::Entry;
use bytespike_store::payment_order::{self, Checkout, OrderRow};

const HOUR_MS: i64 = 3_600_000;
/// More in an hour is no one's wish.
const MOST_IN_AN_HOUR: i64 = 30;
/// `form_key` is our own random value; a longer one is somebody else's.
const MOST_KEY_CHARS: usize = 64;

/// What somebody asked for.
#[derive(Clone, Copy, Debug)]
pub struct NewOrder<'a> {
    pub org_id: &'a str,
    pub person_id: &'a str,
    pub email: &'a str,
    pub currency: Currency,
    pub amount_minor: i64,
    /// The form's own random value, so that sending it twice orders once.
    pub form_key: &'a str,
    /// `en` or `zh`.
    pub language: &'a str,
    /// What is bought, in that language.
    pub product: &'a str,
    /// The path of the language's console, such as `/zh/console`.
    pub console_path: &'a str,
}

/// Why there is no page to pay on.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error("this currency is not offered here")]
    NotOffered,
    #[error("at least {least_minor}")]
    TooSmall { least_minor: i64 },
    #[error("at most {most_minor}")]
    TooLarge { most_minor: i64 },
    #[error("too many orders within an hour")]
    TooMany,
    /// The order is kept; the same form tried again goes on with it.
    #[error(transparent)]
    Provider(#[from] StripeError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Who pays in, and what made the order; the same making makes none a second time.
pub(crate) struct Whose<'a> {
    pub org_id: &'a str,
    pub person_id: &'a str,
    pub form_key: String,
}

impl Payments {
    /// The rate that CNY is converted at now, if CNY is offered and a rate is known.
    pub async fn rate(&self) -> sqlx::Result<Option<FxRate>> {
        if self.offer.of(Currency::Cny).is_none() { Ok(None) } else { self.ledger.newest_rate().await }
    }

    /// Makes an order with its page, or goes on with the one that the same form made. What it is worth is fixed now.
    /// The entry is audited with it.
    pub async fn order(&self, new: &NewOrder<'_>, entry: &Entry) -> Result<OrderRow, OrderError> {
        let form_key = form_key(new).ok_or(OrderError::NotOffered)?;
        let order = match payment_order::by_form(&self.store, new.org_id, &form_key).await? {
            Some(order) => order,
            None => self.keep(new, form_key, entry).await?,
        };
        if order.state == "made" { self.open(new, &order).await } else { Ok(order) }
    }

    async fn keep(
        &self,
        new: &NewOrder<'_>,
        form_key: String,
        entry: &Entry,
    ) -> Result<OrderRow, OrderError> {
        let offer = self.offer.of(new.currency).ok_or(OrderError::NotOffered)?;
        if new.amount_minor < offer.least_minor {
            return Err(OrderError::TooSmall { least_minor: offer.least_minor });
        }
        if new.amount_minor > offer.most_minor {
            return Err(OrderError::TooLarge { most_minor: offer.most_minor });
        }
        let now_ms = self.world.now_ms();
        if payment_order::count_since(&self.store, new.org_id, now_ms - HOUR_MS).await? >= MOST_IN_AN_HOUR {
            return Err(OrderError::TooMany);
        }
        let rate = if new.currency == Currency::Cny { self.rate().await? } else { None };
        let paid = worth(new.currency, new.amount_minor, rate.as_ref()).ok_or(OrderError::NotOffered)?;
        let amount = (new.currency, new.amount_minor);
        let whose = Whose { org_id: new.org_id, person_id: new.person_id, form_key: form_key.clone() };
        let order = self.made((self.world.id("ord"), whose), amount, (rate.as_ref(), paid), now_ms);
        payment_order::insert(&self.store, &order, &entry.about(&order.id)).await?;
        // Of two that came at the same moment one was kept; both go on with it.
        let kept = payment_order::by_form(&self.store, new.org_id, &form_key).await?;
        Ok(kept.unwrap_or(order))
    }

    /// An order as it begins, with what it is worth now.
    pub(crate) fn made(
        &self,
        (id, whose): (String, Whose<'_>),
        (currency, amount_minor): (Currency, i64),
        (rate, paid): (Option<&FxRate>, NanoUsd),
        now_ms: i64,
    ) -> OrderRow {
        let bonus = self.offer.bonus(paid);
        OrderRow {
            id,
            org_id: whose.org_id.to_owned(),
            person_id: whose.person_id.to_owned(),
            form_key: whose.form_key,
            state: "made".to_owned(),
            currency: currency.code().to_owned(),
            amount_minor,
            fx_rate_id: rate.map(|rate| rate.id.clone()),
            usd_cny_micro: rate.map(|rate| rate.usd_cny_micro),
            paid_nano: paid.0,
            bonus_nano: bonus.0,
            bonus_expires_at_ms: self.bonus_ends(bonus, now_ms),
            session_id: None,
            payment_intent_id: None,
            checkout_url: None,
            created_at_ms: now_ms,
            closes_at_ms: None,
            paid_at_ms: None,
            credited_at_ms: None,
        }
    }

    fn bonus_ends(&self, bonus: NanoUsd, now_ms: i64) -> Option<i64> {
        let lasts_ms = self.offer.bonus_lasts_ms.filter(|_| bonus > NanoUsd::ZERO)?;
        Some(now_ms.saturating_add(lasts_ms))
    }

    /// Asks for the page. A crash between the two steps leaves an order that opens the same page when it is tried again.
    async fn open(&self, new: &NewOrder<'_>, order: &OrderRow) -> Result<OrderRow, OrderError> {
        let return_url =
            format!("{}{}/wallet/orders/{}?returned=1", self.console_url, new.console_path, order.id);
        let session = self
            .stripe
            .create_session(&NewSession {
                order_id: &order.id,
                currency: new.currency,
                amount_minor: order.amount_minor,
                product: new.product,
                email: new.email,
                language: new.language,
                return_url: &return_url,
            })
            .await?;
        let url = session.url.as_deref().filter(|url| is_web(url));
        let url = url.ok_or_else(|| StripeError::Unreadable("the session has no page".to_owned()))?;
        let closes_at_ms = session.expires_at.saturating_mul(1_000);
        payment_order::opened(
            &self.store,
            &order.id,
            &Checkout { session_id: &session.id, url, closes_at_ms },
        )
        .await?;
        let opened = payment_order::find(&self.store, &order.id).await?;
        opened.ok_or(OrderError::Database(sqlx::Error::RowNotFound))
    }
}

/// One form is one order for one amount; who goes back and changes the amount wants another one.
fn form_key(new: &NewOrder<'_>) -> Option<String> {
    let is_ours = (16..=MOST_KEY_CHARS).contains(&new.form_key.len())
        && new.form_key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_ours.then(|| format!("{}:{}:{}", new.form_key, new.currency.code(), new.amount_minor))
}

/// A page is led to from our own, so it is one of the web.
pub(crate) fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
