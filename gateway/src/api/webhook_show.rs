//! Webhooks and their messages as the management API shows them. Never a secret, but in the one answer to whoever made it.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::http::time;
use crate::webhooks::{AttemptRow, DeliveryRow, Endpoint, ValidSecret};

/// Every webhook of the organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookList {
    #[schema(pattern = "^list$")]
    pub object: &'static str,
    pub data: Vec<Webhook>,
}

/// An endpoint that is told of events.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhook {
    #[schema(pattern = "^webhook$")]
    object: &'static str,
    id: String,
    url: String,
    description: String,
    /// Types of events; null for every type.
    events: Option<Vec<&'static str>>,
    /// `on`, `off`, or `failed`: it took nothing for days and was switched off.
    state: &'static str,
    /// Since when it has taken nothing. RFC 3339 in UTC.
    failing_since: Option<String>,
    created_at: String,
    /// The secrets that sign now, the newest first; only when one webhook is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<Vec<WebhookSigningSecret>>,
}

/// A secret that signs, without the secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookSigningSecret {
    created_at: String,
    /// Null for the newest one.
    ends_at: Option<String>,
}

/// A webhook with the secret that was just made. It is shown this once.
#[derive(Serialize, ToSchema)]
pub struct WebhookWithSecret {
    /// `whsec_` and base64, as libraries of Standard Webhooks take it.
    pub secret: String,
    #[serde(flatten)]
    pub of: Webhook,
}

/// A secret that was just made. It is shown this once.
#[derive(Serialize, ToSchema)]
pub struct WebhookSecret {
    pub secret: String,
}

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookMessageList {
    #[schema(pattern = "^list$")]
    pub object: &'static str,
    /// The newest first.
    pub data: Vec<WebhookMessage>,
    pub has_more: bool,
    /// Send it as `after` for the next page.
    pub next_after: Option<String>,
}

/// A message for one webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookMessage {
    #[schema(pattern = "^webhook_message$")]
    object: &'static str,
    id: String,
    /// What its receiver knows it by.
    webhook_id: String,
    /// The type of the event, or `webhook.test`.
    #[serde(rename = "type")]
    kind: String,
    /// `waiting`, `delivered` or `given_up`
    state: String,
    tries: i64,
    /// The status of the last answer; null when there was none.
    last_status: Option<i64>,
    created_at: String,
    /// When it is sent next, while it waits.
    next_try_at: Option<String>,
    ended_at: Option<String>,
    /// What is sent; only when one message is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    body: Option<Box<RawValue>>,
    /// The last first; only when one message is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Vec<WebhookAttempt>>,
}

/// One try.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookAttempt {
    number: i64,
    at: String,
    /// Until the answer; null when nothing answered.
    duration_ms: Option<i64>,
    /// Null when nothing answered.
    status: Option<i64>,
    /// The first bytes of the answer.
    answer: String,
}

impl Webhook {
    pub fn of(endpoint: &Endpoint) -> Self {
        Self {
            object: "webhook",
            id: endpoint.id.clone(),
            url: endpoint.url.clone(),
            description: endpoint.description.clone(),
            events: endpoint.events.names(),
            state: endpoint.state.name(),
            failing_since: endpoint.failing_since_ms.map(time::rfc3339),
            created_at: time::rfc3339(endpoint.created_at_ms),
            secrets: None,
        }
    }

    pub fn with_secrets(self, secrets: &[ValidSecret]) -> Self {
        let shown = secrets.iter().map(|secret| WebhookSigningSecret {
            created_at: time::rfc3339(secret.created_at_ms),
            ends_at: secret.ends_at_ms.map(time::rfc3339),
        });
        Self { secrets: Some(shown.collect()), ..self }
    }
}

impl WebhookMessage {
    pub fn of(row: &DeliveryRow) -> Self {
        Self {
            object: "webhook_message",
            id: row.id.clone(),
            webhook_id: row.event_id.clone(),
            kind: row.event_type.clone(),
            state: row.state.clone(),
            tries: row.tries,
            last_status: row.last_status,
            created_at: time::rfc3339(row.created_at_ms),
            next_try_at: (row.state == "waiting").then(|| time::rfc3339(row.due_at_ms)),
            ended_at: row.ended_at_ms.map(time::rfc3339),
            body: None,
            attempts: None,
        }
    }

    pub fn with_tries(self, body: &str, attempts: &[AttemptRow]) -> Self {
        let body = RawValue::from_string(body.to_owned()).ok();
        Self { body, attempts: Some(attempts.iter().map(WebhookAttempt::of).collect()), ..self }
    }
}

impl WebhookAttempt {
    fn of(row: &AttemptRow) -> Self {
        Self {
            number: row.number,
            at: time::rfc3339_ms(row.at_ms),
            duration_ms: row.status.map(|_| row.duration_ms),
            status: row.status,
            answer: row.excerpt.clone(),
        }
    }
}
