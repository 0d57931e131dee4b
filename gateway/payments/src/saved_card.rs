//! Stripe's API for cards that are saved and charged later: customers, the page on which one is saved, and payments without
//! anybody there.
use crate::offer::Currency;
use crate::stripe::{Reference, Session, Stripe, StripeError};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A payment.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Intent {
    pub id: String,
    pub status: String,
    pub amount: i64,
    pub currency: String,
    pub livemode: bool,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    pub last_payment_error: Option<IntentError>,
}

/// Why a payment did not go through, in Stripe's words for programs.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct IntentError {
    pub code: Option<String>,
}

/// A card that was saved.
#[derive(Clone, Debug)]
pub(crate) struct SavedCard {
    pub payment_method_id: String,
    /// Such as `visa 4242`.
    pub label: String,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct SetupIntent {
    status: String,
    payment_method: Option<Reference>,
}

#[derive(Deserialize)]
struct PaymentMethod {
    id: String,
    card: Option<Card>,
}

#[derive(Deserialize)]
struct Card {
    #[serde(default)]
    brand: String,
    #[serde(default)]
    last4: String,
}

/// What a page to save a card on is made from.
pub(crate) struct NewSetup<'a> {
    pub customer_id: &'a str,
    pub org_id: &'a str,
    /// Our own random value: the same form opens the same page.
    pub form_key: &'a str,
    pub language: &'a str,
    pub return_url: &'a str,
}

/// A payment by a saved card, nobody being there.
pub(crate) struct NewCharge<'a> {
    pub order_id: &'a str,
    pub customer_id: &'a str,
    pub payment_method_id: &'a str,
    pub currency: Currency,
    pub amount_minor: i64,
}

impl Stripe {
    /// Stripe's name for an org.
    pub(crate) async fn create_customer(&self, org_id: &str, email: &str) -> Result<String, StripeError> {
        let fields = [("email", email), ("metadata[org_id]", org_id)];
        let customer: Named = self.post("/v1/customers", &format!("{org_id}:customer"), &fields).await?;
        Ok(customer.id)
    }

    pub(crate) async fn create_setup(&self, new: &NewSetup<'_>) -> Result<Session, StripeError> {
        let fields = [
            ("mode", "setup"),
            ("payment_method_types[0]", "card"),
            ("customer", new.customer_id),
            ("client_reference_id", new.org_id),
            ("metadata[org_id]", new.org_id),
            ("locale", new.language),
            ("success_url", new.return_url),
            ("cancel_url", new.return_url),
        ];
        self.post("/v1/checkout/sessions", new.form_key, &fields).await
    }

    /// The card that was saved on that page; `None` as long as none was.
    pub(crate) async fn card_of(&self, setup_intent_id: &str) -> Result<Option<SavedCard>, StripeError> {
        let setup: SetupIntent = self.get("/v1/setup_intents", setup_intent_id).await?;
        let Some(method) = setup.payment_method.filter(|_| setup.status == "succeeded") else {
            return Ok(None);
        };
        let method: PaymentMethod = self.get("/v1/payment_methods", method.id()).await?;
        let label = method.card.map_or_else(String::new, |card| format!("{} {}", card.brand, card.last4));
        Ok(Some(SavedCard { payment_method_id: method.id, label }))
    }

    /// Charges the card at once. However often it is asked, an order is charged once.
    pub(crate) async fn charge(&self, new: &NewCharge<'_>) -> Result<Intent, StripeError> {
        let amount = new.amount_minor.to_string();
        let fields = [
            ("amount", amount.as_str()),
            ("currency", new.currency.code()),
            ("customer", new.customer_id),
            ("payment_method", new.payment_method_id),
            ("payment_method_types[0]", "card"),
            ("confirm", "true"),
            ("off_session", "true"),
            ("metadata[order_id]", new.order_id),
        ];
        self.post("/v1/payment_intents", new.order_id, &fields).await
    }

    pub(crate) async fn intent(&self, id: &str) -> Result<Intent, StripeError> {
        self.get("/v1/payment_intents", id).await
    }

    /// Nobody can pay it any more.
    pub(crate) async fn cancel(&self, intent_id: &str) -> Result<Intent, StripeError> {
        let id: String = form_urlencoded::byte_serialize(intent_id.as_bytes()).collect();
        self.post(&format!("/v1/payment_intents/{id}/cancel"), &format!("{intent_id}:cancel"), &[]).await
    }

    /// Forgets a card.
    pub(crate) async fn forget_card(&self, payment_method_id: &str) -> Result<(), StripeError> {
        let id: String = form_urlencoded::byte_serialize(payment_method_id.as_bytes()).collect();
        let key = format!("{payment_method_id}:detach");
        let _: Named = self.post(&format!("/v1/payment_methods/{id}/detach"), &key, &[]).await?;
        Ok(())
    }
}
