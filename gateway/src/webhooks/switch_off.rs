//! An endpoint that takes nothing for days is switched off, and those who answer for the org are told.

use bytespike_accounts::Origin;
use bytespike_accounts::audit::{Actor, Event};
use bytespike_store::outbox;
use bytespike_store::sqlx;
use bytespike_store::webhook::{self, EndpointRow};
use serde_json::json;

use super::Webhooks;

impl Webhooks {
    pub(super) async fn switch_off(&self, endpoint: &EndpointRow, since_ms: i64) -> sqlx::Result<()> {
        let parts = &self.parts;
        let after = EndpointRow { state: "failed".to_owned(), ..endpoint.clone() };
        let event =
            Event::new("webhook.switched_off", Actor::Host).org(&endpoint.org_id).target(&endpoint.id);
        let entry = parts.audit.entry(&Origin::host(), event.changed(endpoint.said(), after.said()));
        let told = outbox::Event {
            id: parts.world.id("evt"),
            org_id: endpoint.org_id.clone(),
            kind: "webhook_failed".to_owned(),
            subject: format!("webhook:{}", endpoint.id),
            payload_json: json!({ "url": endpoint.url, "failing_since_ms": since_ms }).to_string(),
            created_at_ms: parts.world.now_ms(),
        };
        if webhook::fail(&parts.store, &endpoint.id, &told, &entry).await? {
            tracing::warn!(webhook = endpoint.id, "a webhook took nothing for days and was switched off");
        }
        Ok(())
    }
}
