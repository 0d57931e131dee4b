//! A stand-in for Stripe's Checkout: its API for sessions, the page on which somebody pays, and signed events. Bodies
//! follow the types that the official `stripe` package (23.1.0) publishes for a Checkout Session and an Event.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::canary;
use crate::http::{Answer, Call};
use crate::product::{Product, Setup};
use crate::upstream::{Reply, Request, Upstream};

/// Unix seconds far ahead: no session of a test closes by itself.
const CLOSES_AT_S: i64 = 4_000_000_000;

/// Who sells in tests.
pub const SELLER: &str = r#"
[payments.seller]
name = "Tokens & Söhne GmbH"
address = ["Lange Gasse 1", "80331 München", "Germany"]
tax_ids = ["VAT DE136695976"]
email = "billing@example.com"
note_en = "The recipient owes the tax (reverse charge)."
note_zh = "税款由收受方缴纳。"
"#;

#[derive(Default)]
struct Inner {
    sessions: BTreeMap<String, Value>,
    /// Session by idempotency key.
    by_key: BTreeMap<String, String>,
    /// Where events go: the product's address, known once it runs.
    product: Option<String>,
    events: u64,
    /// Answers the next calls with this status instead.
    failing: Option<u16>,
    /// Payments by saved cards, and what becomes of new ones.
    intents: BTreeMap<String, Value>,
    charging: Charging,
}

/// What becomes of a payment by a saved card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charging {
    #[default]
    Succeeds,
    /// The answer is 402 with this code.
    Refused(&'static str),
    /// Its outcome comes later.
    Waits,
    /// It wants its holder, which is said in the payment.
    WantsHolder,
}

/// The stand-in. It stops when dropped.
pub struct Stripe {
    upstream: Upstream,
    inner: Arc<Mutex<Inner>>,
}

impl Stripe {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let upstream = Upstream::start(|_| Reply::silence()).await;
        let (shared, url) = (inner.clone(), upstream.url());
        upstream.answer_with(move |request| answer(&shared, &url, request));
        Self { upstream, inner }
    }

    /// A product that takes payments here, and whose operator said who sells.
    #[must_use]
    pub fn wire(&self, setup: Setup) -> Setup {
        self.wire_without_seller(setup).settings(SELLER)
    }

    /// A product that takes payments here.
    #[must_use]
    pub fn wire_without_seller(&self, setup: Setup) -> Setup {
        setup.settings(&format!(
            "[payments]\nstripe_secret_key = \"{}\"\nstripe_webhook_secrets = [\"{}\", \"{}\"]\nstripe_api_url = \"{}\"\n\
             bonus = [{{ from_usd = 50, percent = 3 }}, {{ from_usd = 100, percent = 5 }}]",
            canary::STRIPE_KEY,
            canary::WEBHOOK_SECRET,
            canary::NEXT_WEBHOOK_SECRET,
            self.upstream.url()
        ))
    }

    /// Events and payers go to this product from now on.
    pub fn serve(&self, product: &Product) {
        self.lock().product = Some(product.url.clone());
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.upstream.requests()
    }

    /// Refuses everything with this status from now on; `None` ends that.
    pub fn fail_with(&self, status: Option<u16>) {
        self.lock().failing = status;
    }

    /// The newest session.
    #[must_use]
    pub fn newest(&self) -> Value {
        self.lock().sessions.values().next_back().cloned().expect("a session was made")
    }

    /// Changes a session, as paying does.
    pub fn change(&self, id: &str, fields: &Value) -> Value {
        let mut inner = self.lock();
        let session = inner.sessions.get_mut(id).expect("a session of this id");
        merge(session, fields);
        session.clone()
    }

    /// What becomes of payments by saved cards from now on.
    pub fn charge_with(&self, charging: Charging) {
        self.lock().charging = charging;
    }

    /// Every payment by a saved card, the oldest first.
    #[must_use]
    pub fn intents(&self) -> Vec<Value> {
        self.lock().intents.values().cloned().collect()
    }

    /// Changes a payment by a saved card.
    pub fn change_intent(&self, id: &str, fields: &Value) -> Value {
        let mut inner = self.lock();
        let intent = inner.intents.get_mut(id).expect("a payment of this id");
        merge(intent, fields);
        intent.clone()
    }

    /// Somebody saves a card on a page; no event is sent.
    pub fn save_card(&self, id: &str) -> Value {
        self.change(id, &card_saved(id))
    }

    /// Somebody pays; no event is sent.
    pub fn pay(&self, id: &str) -> Value {
        self.change(id, &paid(id))
    }

    /// An event about this object.
    pub fn event(&self, kind: &str, object: &Value) -> Value {
        let mut inner = self.lock();
        inner.events += 1;
        event(inner.events, kind, object)
    }

    /// Sends an event, signed now.
    pub async fn send(&self, event: &Value) -> Answer {
        let product = self.lock().product.clone().expect("`serve` says where events go");
        send_to(&product, event).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("no answer panicked")
    }
}

/// The payer's bank takes money back. As the `stripe` package types a Dispute.
#[must_use]
pub fn dispute(id: &str, session: &Value, amount: i64) -> Value {
    json!({
        "id": id, "object": "dispute", "amount": amount, "currency": session["currency"], "balance_transactions": [],
        "charge": "ch_1", "created": now_s(), "is_charge_refundable": false, "livemode": false, "metadata": {},
        "payment_intent": session["payment_intent"], "reason": "fraudulent", "status": "needs_response",
    })
}

/// Money is given back at Stripe. As the `stripe` package types a Refund.
#[must_use]
pub fn given_back(id: &str, session: &Value, (amount, status): (i64, &str)) -> Value {
    json!({
        "id": id, "object": "refund", "amount": amount, "currency": session["currency"], "balance_transaction": null,
        "charge": "ch_1", "created": now_s(), "metadata": {}, "payment_intent": session["payment_intent"],
        "reason": "requested_by_customer", "receipt_number": null, "status": status,
    })
}

/// What paying changes.
fn paid(id: &str) -> Value {
    json!({"status": "complete", "payment_status": "paid", "payment_intent": format!("pi_{}", &id[8..]), "url": null})
}

/// What saving a card changes.
fn card_saved(id: &str) -> Value {
    json!({"status": "complete", "payment_status": "no_payment_required", "setup_intent": format!("seti_{}", &id[8..]), "url": null})
}

/// Sends an event to a product, signed now with the current secret.
pub async fn send_to(product: &str, event: &Value) -> Answer {
    let body = event.to_string();
    let header = signature(canary::WEBHOOK_SECRET, now_s(), &body);
    post(product, &header, body).await
}

/// Sends a body as it is under a signature as it is.
pub async fn post(product: &str, signature: &str, body: impl Into<Vec<u8>>) -> Answer {
    let call =
        Call::new("POST", format!("{product}/webhooks/stripe")).header("content-type", "application/json");
    call.header("stripe-signature", signature).body(body).send().await
}

/// A `Stripe-Signature` header.
#[must_use]
pub fn signature(secret: &str, at_s: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(format!("{at_s}.{body}").as_bytes());
    format!("t={at_s},v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// Unix seconds.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the product under test reads the real clock, so its events carry it"
)]
pub fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

fn answer(inner: &Arc<Mutex<Inner>>, base: &str, request: &Request) -> Reply {
    let mut inner = inner.lock().expect("no answer panicked");
    let path = request.path.split('?').next().unwrap_or_default().to_owned();
    if let Some(id) = path.strip_prefix("/pay/") {
        return pay_page(&mut inner, id, request);
    }
    if let Some(status) = inner.failing {
        return Reply::json(
            status,
            &json!({"error": {"type": "api_error", "code": "down", "message": "down"}}),
        );
    }
    let key = format!("Bearer {}", canary::STRIPE_KEY);
    if request.header("authorization") != Some(&*key) {
        return Reply::json(
            401,
            &json!({"error": {"type": "invalid_request_error", "message": "Invalid API Key"}}),
        );
    }
    if !path.starts_with("/v1/checkout/sessions") {
        return saved_card(&mut inner, &path, request);
    }
    match (request.method.as_str(), path.strip_prefix("/v1/checkout/sessions")) {
        ("POST", Some("")) => create(&mut inner, base, request),
        ("GET", Some("")) => {
            let query = request.path.split('?').nth(1).unwrap_or_default();
            let intent = query.strip_prefix("payment_intent=").expect("sessions are listed by their payment");
            let found: Vec<&Value> =
                inner.sessions.values().filter(|session| session["payment_intent"] == intent).collect();
            Reply::json(
                200,
                &json!({"object": "list", "data": found, "has_more": false, "url": "/v1/checkout/sessions"}),
            )
        }
        ("GET", Some(id)) => match inner.sessions.get(id.trim_start_matches('/')) {
            Some(session) => Reply::json(200, session),
            None => Reply::json(
                404,
                &json!({"error": {"type": "invalid_request_error", "code": "resource_missing"}}),
            ),
        },
        _ => Reply::json(404, &json!({"error": {"type": "invalid_request_error", "code": "url_invalid"}})),
    }
}

fn create(inner: &mut Inner, base: &str, request: &Request) -> Reply {
    let fields: BTreeMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
    let key =
        request.header("idempotency-key").expect("sessions are made with an idempotency key").to_owned();
    if let Some(id) = inner.by_key.get(&key) {
        return Reply::json(200, &inner.sessions[id]);
    }
    let id = format!("cs_test_{:08}", inner.sessions.len() + 1);
    let session = session(base, &id, &fields);
    inner.by_key.insert(key, id.clone());
    inner.sessions.insert(id, session.clone());
    Reply::json(200, &session)
}

/// Customers, saved cards and payments by them.
fn saved_card(inner: &mut Inner, path: &str, request: &Request) -> Reply {
    let fields: BTreeMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("POST", ["customers"]) => {
            Reply::json(200, &json!({"id": "cus_1", "object": "customer", "email": fields["email"]}))
        }
        ("GET", ["setup_intents", id]) => {
            let method = id.replace("seti_", "pm_");
            Reply::json(
                200,
                &json!({"id": id, "object": "setup_intent", "status": "succeeded", "payment_method": method}),
            )
        }
        ("GET", ["payment_methods", id]) => Reply::json(200, &method(id)),
        ("POST", ["payment_methods", id, "detach"]) => Reply::json(200, &method(id)),
        ("POST", ["payment_intents"]) => charge(inner, &fields, request),
        ("GET", ["payment_intents", id]) => Reply::json(200, &inner.intents[*id]),
        ("POST", ["payment_intents", id, "cancel"]) => {
            let intent = inner.intents.get_mut(*id).expect("a payment of this id");
            intent["status"] = json!("canceled");
            Reply::json(200, intent)
        }
        _ => Reply::json(404, &json!({"error": {"type": "invalid_request_error", "code": "url_invalid"}})),
    }
}

fn method(id: &str) -> Value {
    json!({"id": id, "object": "payment_method", "type": "card", "card": {"brand": "visa", "last4": "4242"}})
}

fn charge(inner: &mut Inner, fields: &BTreeMap<String, String>, request: &Request) -> Reply {
    for wanted in ["customer", "payment_method", "metadata[order_id]"] {
        assert!(fields.contains_key(wanted), "{wanted} is missing");
    }
    assert_eq!((&*fields["off_session"], &*fields["confirm"]), ("true", "true"));
    let key = request.header("idempotency-key").expect("a payment has an idempotency key").to_owned();
    let id = match inner.by_key.get(&key) {
        Some(id) => id.clone(),
        None => format!("pi_off_{:08}", inner.intents.len() + 1),
    };
    inner.by_key.insert(key, id.clone());
    let status = match inner.charging {
        Charging::Succeeds => "succeeded",
        Charging::Refused(_) => "requires_payment_method",
        Charging::Waits => "processing",
        Charging::WantsHolder => "requires_action",
    };
    let amount: i64 = fields["amount"].parse().expect("an amount");
    let intent = json!({
        "id": id, "object": "payment_intent", "amount": amount, "currency": fields["currency"], "status": status,
        "customer": fields["customer"], "payment_method": fields["payment_method"], "livemode": false,
        "metadata": {"order_id": fields["metadata[order_id]"]}, "last_payment_error": null, "next_action": null,
    });
    let intent = inner.intents.entry(id).or_insert(intent).clone();
    match inner.charging {
        Charging::Refused(code) => Reply::json(
            402,
            &json!({"error": {"type": "card_error", "code": code, "message": "refused", "payment_intent": intent}}),
        ),
        _ => Reply::json(200, &intent),
    }
}

/// A page on which a card is saved.
fn setup_session(base: &str, id: &str, fields: &BTreeMap<String, String>) -> Value {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    json!({
        "id": id, "object": "checkout.session", "mode": "setup", "status": "open", "payment_status": "no_payment_required",
        "amount_subtotal": null, "amount_total": null, "currency": null, "client_reference_id": field("client_reference_id"),
        "metadata": {}, "customer": field("customer"), "customer_email": null, "customer_details": null,
        "payment_intent": null, "payment_method_types": ["card"], "setup_intent": null, "subscription": null,
        "livemode": false, "created": 1_795_512_600, "expires_at": CLOSES_AT_S, "locale": field("locale"),
        "success_url": field("success_url"), "cancel_url": field("cancel_url"), "url": format!("{base}/pay/{id}"),
    })
}

fn session(base: &str, id: &str, fields: &BTreeMap<String, String>) -> Value {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    if field("mode") == "setup" {
        return setup_session(base, id, fields);
    }
    let amount: i64 = field("line_items[0][price_data][unit_amount]").parse().expect("an amount");
    json!({
        "id": id, "object": "checkout.session", "mode": field("mode"), "status": "open", "payment_status": "unpaid",
        "amount_subtotal": amount, "amount_total": amount,
        "currency": field("line_items[0][price_data][currency]"),
        "client_reference_id": field("client_reference_id"),
        "metadata": {"order_id": field("metadata[order_id]")},
        "customer": null, "customer_email": field("customer_email"), "customer_details": null,
        "payment_intent": null, "payment_method_types": ["card", "alipay"], "setup_intent": null, "subscription": null,
        "livemode": false, "created": 1_795_512_600, "expires_at": CLOSES_AT_S, "locale": field("locale"),
        "success_url": field("success_url"), "cancel_url": field("cancel_url"), "url": format!("{base}/pay/{id}"),
    })
}

/// The page on which somebody pays: a form that pays, has the event sent, and goes back.
fn pay_page(inner: &mut Inner, id: &str, request: &Request) -> Reply {
    let Some(session) = inner.sessions.get_mut(id) else { return Reply::json(404, &json!({})) };
    let back = session["success_url"].as_str().expect("a way back").to_owned();
    if request.method != "POST" {
        let form = format!(
            "<!doctype html><html lang=en><title>Pay</title><form method=post action=/pay/{id}><button name=pay>Pay</button>\
             </form><a id=cancel href=\"{back}\">Back</a></html>"
        );
        return Reply::whole(200, "text/html", form.into_bytes());
    }
    let changes = if session["mode"] == "setup" { card_saved(id) } else { paid(id) };
    merge(session, &changes);
    let session = session.clone();
    inner.events += 1;
    let event = event(inner.events, "checkout.session.completed", &session);
    let product = inner.product.clone().expect("`serve` says where events go");
    tokio::spawn(async move { send_to(&product, &event).await });
    Reply::json(303, &json!({})).header("location", &back)
}

fn event(number: u64, kind: &str, object: &Value) -> Value {
    json!({
        "id": format!("evt_{number:08}"), "object": "event", "api_version": "2026-10-28.endive", "created": now_s(),
        "data": {"object": object}, "livemode": false, "pending_webhooks": 1,
        "request": {"id": null, "idempotency_key": null}, "type": kind,
    })
}

fn merge(object: &mut Value, fields: &Value) {
    for (name, value) in fields.as_object().expect("fields") {
        object[name] = value.clone();
    }
}
