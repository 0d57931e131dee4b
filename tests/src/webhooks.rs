//! Webhooks over the management API, and what a receiver knows of them: the headers and how a signature is checked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::http::{Answer, Call};
use crate::product::Setup;
use crate::stage::Stage;
use crate::upstream::{Reply, Request, Upstream};

/// A webhook that leads to a receiver.
pub struct Hook {
    pub id: String,
    pub secret: String,
    /// A key that manages it.
    pub key: String,
}

/// A receiver that takes everything.
pub async fn receiver() -> Upstream {
    Upstream::start(|_| Reply::json(200, &json!({ "taken": true }))).await
}

/// A product that may reach the receiver, tries twice more at short distances, and waits little for an answer.
#[must_use]
pub fn reaching(setup: Setup, receiver: &Upstream, more: &str) -> Setup {
    let place = receiver.url().replace("http://", "");
    setup.settings(&format!(
        "[webhooks]\nprivate_targets = [\"{place}\"]\nretry_after_ms = [20, 40]\ntimeout_ms = 1500\n{more}"
    ))
}

/// Asks the management API.
pub async fn ask(stage: &Stage, key: &str, (method, path): (&str, &str), body: &Value) -> Answer {
    let call =
        Call::new(method, stage.product.at(&format!("/api/v1/webhooks{path}"))).header("x-api-key", key);
    match body {
        Value::Null => call.send().await,
        body => call.header("content-type", "application/json").body(body.to_string()).send().await,
    }
}

impl Hook {
    /// Adds one that wants every event.
    pub async fn add(stage: &mut Stage, receiver: &Upstream) -> Self {
        let key = stage.person.create_key("hooks", &[("webhooks_manage", "on")]).await;
        let body = json!({ "url": format!("{}/hook", receiver.url()), "description": "ours" });
        let made = ask(stage, &key, ("POST", ""), &body).await.expect_status(201).json();
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        Self { id: text("id"), secret: text("secret"), key }
    }

    /// Asks about it.
    pub async fn ask(&self, stage: &Stage, (method, path): (&str, &str), body: &Value) -> Answer {
        ask(stage, &self.key, (method, &format!("/{}{path}", self.id)), body).await
    }

    /// Sends a test message; answers its id.
    pub async fn test(&self, stage: &Stage) -> String {
        let sent = self.ask(stage, ("POST", "/test"), &Value::Null).await.expect_status(202).json();
        sent["id"].as_str().expect("an id").to_owned()
    }

    /// The message once it does not wait any more.
    pub async fn ended(&self, stage: &Stage, message: &str) -> Value {
        let started = std::time::Instant::now();
        loop {
            let answer = self.ask(stage, ("GET", &format!("/messages/{message}")), &Value::Null).await;
            let shown = answer.expect_status(200).json();
            if shown["state"] != "waiting" {
                return shown;
            }
            assert!(started.elapsed() < crate::PATIENCE, "the message still waits: {shown}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// Whether the request carries a signature of this secret over its id, its timestamp and its body.
#[must_use]
pub fn is_signed_with(request: &Request, secret: &str) -> bool {
    let header = |name: &str| request.header(name).unwrap_or_default();
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length");
    mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    mac.update(&request.body);
    let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    header("webhook-signature").split(' ').any(|signature| signature == wanted)
}
