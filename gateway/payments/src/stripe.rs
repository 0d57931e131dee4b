//! Stripe's API, as far as it is needed: a few calls with typed answers over plain HTTP. The client libraries bring
//! hundreds of generated types and their own HTTP stack for the two calls that are made here.
use crate::offer::Currency;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The version of the API whose answers are read here. (The `stripe` package 23.1.0 was made from it.)
const VERSION: HeaderValue = HeaderValue::from_static("2026-10-28.endive");
const TIMEOUT: Duration = Duration::from_secs(20);
/// Larger answers are not read.
const MAX_BYTES: usize = 1 << 20;

/// A Stripe account, by its secret key.
#[derive(Clone)]
pub struct Stripe {
    client: reqwest::Client,
    base_url: String,
    secret_key: String,
}

/// Why Stripe did not do what was asked. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    #[error("Stripe could not be reached: {0}")]
    Unreachable(String),
    /// With its own words for programs.
    #[error("Stripe answered {status}: {kind} {code}")]
    Refused { status: u16, kind: String, code: String },
    #[error("Stripe's answer could not be read: {0}")]
    Unreadable(String),
}

/// A page on which an order is paid.
#[derive(Clone, Debug, Deserialize)]
pub struct Session {
    pub id: String,
    /// `payment`, or `setup` for a card that is saved.
    #[serde(default)]
    pub mode: String,
    pub url: Option<String>,
    pub status: Option<String>,
    pub payment_status: String,
    pub amount_total: Option<i64>,
    pub currency: Option<String>,
    pub client_reference_id: Option<String>,
    pub livemode: bool,
    /// Unix seconds.
    pub expires_at: i64,
    pub payment_intent: Option<Reference>,
    #[serde(default)]
    pub setup_intent: Option<Reference>,
}

/// An object that is named, or sent whole when that was asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Reference {
    Id(String),
    Whole { id: String },
}

impl Reference {
    pub fn id(&self) -> &str {
        match self {
            Self::Id(id) | Self::Whole { id } => id,
        }
    }
}

/// What a page to pay on is made from.
pub struct NewSession<'a> {
    pub order_id: &'a str,
    pub currency: Currency,
    pub amount_minor: i64,
    /// What is bought, in the payer's language.
    pub product: &'a str,
    pub email: &'a str,
    /// `en` or `zh`.
    pub language: &'a str,
    /// Where people come back to, whether they have paid or not.
    pub return_url: &'a str,
}

impl Stripe {
    /// `base_url` is `https://api.stripe.com`, or where a test answers.
    ///
    /// # Errors
    /// The TLS stack cannot be started.
    pub fn new(base_url: &str, secret_key: &str) -> Result<Self, StripeError> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| StripeError::Unreachable(error.to_string()))?;
        Ok(Self {
            client,
            base_url: base_url.trim_end_matches('/').to_owned(),
            secret_key: secret_key.to_owned(),
        })
    }

    /// Whether real money moves.
    pub fn is_live(&self) -> bool {
        self.secret_key.contains("_live_")
    }

    /// Makes the page for an order. Asked again for the same order, Stripe answers with the same page for a day.
    pub async fn create_session(&self, new: &NewSession<'_>) -> Result<Session, StripeError> {
        let amount = new.amount_minor.to_string();
        let fields = [
            ("mode", "payment"),
            ("client_reference_id", new.order_id),
            ("metadata[order_id]", new.order_id),
            ("payment_intent_data[metadata][order_id]", new.order_id),
            ("customer_email", new.email),
            ("locale", new.language),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", new.currency.code()),
            ("line_items[0][price_data][unit_amount]", &amount),
            ("line_items[0][price_data][product_data][name]", new.product),
            // What is charged is what the order says, in its currency.
            ("adaptive_pricing[enabled]", "false"),
            ("success_url", new.return_url),
            ("cancel_url", new.return_url),
        ];
        self.post("/v1/checkout/sessions", new.order_id, &fields).await
    }

    pub async fn session(&self, id: &str) -> Result<Session, StripeError> {
        self.get("/v1/checkout/sessions", id).await
    }

    /// One object by its id.
    pub(crate) async fn get<T: DeserializeOwned>(&self, folder: &str, id: &str) -> Result<T, StripeError> {
        let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
        self.send(self.client.get(format!("{}{folder}/{id}", self.base_url))).await
    }

    /// Asks for something to be done. Asked again under the same key, Stripe answers as before for a day.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        fields: &[(&str, &str)],
    ) -> Result<T, StripeError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .client
            .post(format!("{}{path}", self.base_url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("idempotency-key", key)
            .body(body);
        self.send(request).await
    }

    /// The page on which this payment was made.
    pub async fn session_of(&self, payment_intent_id: &str) -> Result<Option<Session>, StripeError> {
        #[derive(Deserialize)]
        struct List {
            data: Vec<Session>,
        }
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("payment_intent", payment_intent_id)
            .finish();
        let list: List =
            self.send(self.client.get(format!("{}/v1/checkout/sessions?{query}", self.base_url))).await?;
        Ok(list.data.into_iter().next())
    }

    async fn send<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, StripeError> {
        let unreachable = |error: reqwest::Error| StripeError::Unreachable(error.without_url().to_string());
        let request = request.bearer_auth(&self.secret_key).header("stripe-version", VERSION);
        let mut answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                return Err(StripeError::Unreadable("it is too long".to_owned()));
            }
        }
        if !status.is_success() {
            return Err(refusal(status.as_u16(), &body));
        }
        serde_json::from_slice(&body).map_err(|error| StripeError::Unreadable(error.to_string()))
    }
}

/// Type and code only: Stripe's sentences may name the payer.
fn refusal(status: u16, body: &[u8]) -> StripeError {
    #[derive(Default, Deserialize)]
    struct Refusal {
        #[serde(default)]
        error: Error,
    }
    #[derive(Default, Deserialize)]
    struct Error {
        #[serde(default, rename = "type")]
        kind: String,
        #[serde(default)]
        code: String,
    }
    let Refusal { error } = serde_json::from_slice(body).unwrap_or_default();
    StripeError::Refused { status, kind: error.kind, code: error.code }
}
