//! What an org is told over HTTP, as [Standard Webhooks](https://www.standardwebhooks.com) says: endpoints and their
//! secrets, the messages made from the ledger's outbox, and sending them until they are taken.
//!
//! A message is made once for each endpoint that wants it, in the transaction that marks its event. From then on it is
//! leased by one process at a time and sent at least once, always with the same id and the same bytes.

mod deliver;
mod endpoints;
mod event;
mod message;
mod signature;
mod switch_off;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytespike_accounts::audit::Audit;
use bytespike_accounts::secrets::SealKey;
use bytespike_store::Store;
use bytespike_store::world::World;
use tokio::sync::Notify;

pub use bytespike_store::webhook_delivery::{AttemptRow, Cursor, DeliveryRow};
pub use endpoints::{
    Created, Endpoint, EndpointChange, Manager, NewEndpoint, State, ValidSecret, WebhookError,
};
pub use event::{EventType, Events};
pub use message::TEST_EVENT;

use crate::egress::Allowed;
use crate::upstream::Upstream;

/// What an operator decides about webhooks.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// Endpoints of one org.
    pub most_endpoints: usize,
    /// How long a receiver may take for its whole answer.
    pub timeout: Duration,
    /// Waits before the second and every later try of one message; after the last it is given up.
    pub retry_after_ms: Vec<i64>,
    /// An endpoint that has taken nothing for this long is switched off.
    pub switch_off_after_ms: i64,
}

/// What webhooks stand on.
pub struct WebhookParts {
    pub store: Store,
    pub world: World,
    pub audit: Audit,
    /// Seals signing secrets.
    pub seal: SealKey,
    /// Where an endpoint may lead.
    pub allowed: Allowed,
    /// Connects to what is allowed, and follows no redirect.
    pub upstream: Arc<dyn Upstream>,
    pub options: WebhookOptions,
}

/// The webhooks of every org. Clones share it.
#[derive(Clone)]
pub struct Webhooks {
    parts: Arc<WebhookParts>,
    /// Says that a message was just made.
    wake: Arc<Notify>,
}

impl Webhooks {
    #[must_use]
    pub fn new(parts: WebhookParts) -> Self {
        Self { parts: Arc::new(parts), wake: Arc::new(Notify::new()) }
    }

    /// What an operator decided.
    #[must_use]
    pub fn options(&self) -> &WebhookOptions {
        &self.parts.options
    }
}
