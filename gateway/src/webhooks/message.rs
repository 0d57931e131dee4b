//! Messages: made from what is to be told for every endpoint that wants it, made to try an endpoint, sent again.

use bytespike_store::webhook::{self, EndpointRow};
use bytespike_store::webhook_delivery::{self, NewDelivery};
use bytespike_store::{outbox, sqlx};
use serde_json::{Value, json};

use super::{Cursor, DeliveryRow, Events, Manager, WebhookError, Webhooks, event};
use crate::http::time;

/// The type of a message that tries an endpoint; nothing happened.
pub const TEST_EVENT: &str = "webhook.test";
/// Events that are spread at once.
const AT_ONCE: u32 = 50;

impl Webhooks {
    /// Makes the messages of every event that has none yet; answers how many events there were.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn spread(&self) -> sqlx::Result<usize> {
        let parts = &self.parts;
        let events = webhook_delivery::events(&parts.store, AT_ONCE).await?;
        for event in &events {
            let messages = self.messages(event).await?;
            webhook_delivery::spread(&parts.store, &event.id, &messages, parts.world.now_ms()).await?;
            if !messages.is_empty() {
                self.wake.notify_one();
            }
        }
        Ok(events.len())
    }

    async fn messages(&self, event: &outbox::Event) -> sqlx::Result<Vec<NewDelivery>> {
        let Some((kind, data)) = event::read(event) else { return Ok(Vec::new()) };
        let endpoints = webhook::of_org(&self.parts.store, &event.org_id).await?;
        let wants = |endpoint: &&EndpointRow| {
            endpoint.state == "on" && Events::from_stored(endpoint.events_json.as_deref()).contains(kind)
        };
        let body = body(event.id.as_str(), (kind.name(), event.created_at_ms), (&event.org_id, &data));
        let made = endpoints.iter().filter(wants).map(|endpoint| NewDelivery {
            id: self.parts.world.id("whd"),
            endpoint_id: endpoint.id.clone(),
            org_id: event.org_id.clone(),
            event_id: event.id.clone(),
            event_type: kind.name().to_owned(),
            body: body.clone(),
            created_at_ms: self.parts.world.now_ms(),
        });
        Ok(made.collect())
    }

    /// Sends a message that says nothing, to see whether the endpoint takes it; answers its id.
    ///
    /// # Errors
    /// There is no such endpoint.
    pub async fn send_test(&self, by: &Manager<'_>, endpoint_id: &str) -> Result<String, WebhookError> {
        let endpoint = self.find(by, endpoint_id).await?;
        let world = &self.parts.world;
        let (id, now_ms) = (world.id("evt"), world.now_ms());
        let data = json!({ "webhook": endpoint.id });
        let message = NewDelivery {
            id: world.id("whd"),
            endpoint_id: endpoint.id,
            org_id: by.org_id().to_owned(),
            body: body(&id, (TEST_EVENT, now_ms), (by.org_id(), &data)),
            event_id: id,
            event_type: TEST_EVENT.to_owned(),
            created_at_ms: now_ms,
        };
        webhook_delivery::insert(&self.parts.store, &message).await?;
        self.wake.notify_one();
        Ok(message.id)
    }

    /// Sends a message again under the id it had; its receiver knows what it has seen.
    ///
    /// # Errors
    /// There is no such message.
    pub async fn send_again(
        &self,
        by: &Manager<'_>,
        (endpoint_id, id): (&str, &str),
    ) -> Result<(), WebhookError> {
        let endpoint = self.find(by, endpoint_id).await?;
        let now_ms = self.parts.world.now_ms();
        let place = (by.org_id(), endpoint.id.as_str());
        if !webhook_delivery::again(&self.parts.store, place, (id, now_ms)).await? {
            return Err(WebhookError::NotFound);
        }
        self.wake.notify_one();
        Ok(())
    }

    /// A page of an endpoint's messages, the newest first. At most `limit`.
    ///
    /// # Errors
    /// There is no such endpoint.
    pub async fn messages_of(
        &self,
        by: &Manager<'_>,
        endpoint_id: &str,
        (after, limit): (Option<&Cursor>, i64),
    ) -> Result<Vec<DeliveryRow>, WebhookError> {
        let endpoint = self.find(by, endpoint_id).await?;
        let place = (by.org_id(), endpoint.id.as_str());
        Ok(webhook_delivery::of_endpoint(&self.parts.store, place, (after, limit)).await?)
    }

    /// One of them, with every try, the last first.
    ///
    /// # Errors
    /// There is no such message.
    pub async fn message(
        &self,
        by: &Manager<'_>,
        (endpoint_id, id): (&str, &str),
    ) -> Result<(DeliveryRow, Vec<super::AttemptRow>), WebhookError> {
        let endpoint = self.find(by, endpoint_id).await?;
        let found = webhook_delivery::find(&self.parts.store, (by.org_id(), &endpoint.id), id).await?;
        let row = found.ok_or(WebhookError::NotFound)?;
        let attempts = webhook_delivery::attempts(&self.parts.store, &row.id).await?;
        Ok((row, attempts))
    }

    /// Forgets messages that ended before `before_ms`; how many.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget(&self, before_ms: i64) -> sqlx::Result<u64> {
        const BATCH: i64 = 200;
        let mut gone = 0;
        while let more @ 1.. = webhook_delivery::delete_ended(&self.parts.store, before_ms, BATCH).await? {
            gone += more;
        }
        Ok(gone)
    }
}

/// The same five fields for every type; only `data` differs.
fn body(id: &str, (kind, at_ms): (&str, i64), (org_id, data): (&str, &Value)) -> String {
    json!({ "id": id, "type": kind, "timestamp": time::rfc3339_ms(at_ms), "org": org_id, "data": data })
        .to_string()
}
