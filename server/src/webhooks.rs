//! Wires webhooks as the configuration says, and does their work beside the requests.

use std::sync::Arc;
use std::time::Duration;

use bytespike_accounts::secrets::SealPurpose;
use bytespike_gateway::webhooks::{WebhookOptions, WebhookParts, Webhooks};
use bytespike_gateway::{Allowed, HttpUpstream};

use crate::Failure;
use crate::config;
use crate::core::Core;

/// What is to be told is turned into messages this often.
const SPREAD_EVERY: Duration = Duration::from_secs(1);
const HOUR_MS: i64 = 3_600_000;

/// # Errors
/// A target that is not `host:port`.
pub fn wire(config: &config::Webhooks, core: &Core) -> Result<Webhooks, Failure> {
    let entries = config.private_targets.iter().map(String::as_str);
    let allowed = Allowed::new(entries).map_err(|entry| {
        format!("webhooks.private_targets: `{entry}` is not host:port, such as 127.0.0.1:9000")
    })?;
    let timeout = Duration::from_millis(config.timeout_ms);
    let pauses = config.retry_after_ms.iter().map(|pause_ms| i64::try_from(*pause_ms).unwrap_or(i64::MAX));
    Ok(Webhooks::new(WebhookParts {
        store: core.store.clone(),
        world: core.world.clone(),
        audit: core.accounts.audit.clone(),
        seal: core.keyring.seal(SealPurpose::WebhookSecret),
        upstream: Arc::new(HttpUpstream::new(timeout, allowed.clone())),
        allowed,
        options: WebhookOptions {
            most_endpoints: config.max_endpoints,
            timeout,
            retry_after_ms: pauses.collect(),
            switch_off_after_ms: i64::from(config.switch_off_after_hours) * HOUR_MS,
        },
    }))
}

/// Makes messages of what is to be told, for ever.
pub async fn spread(webhooks: Webhooks) {
    let mut due = tokio::time::interval(SPREAD_EVERY);
    loop {
        due.tick().await;
        if let Err(error) = webhooks.spread().await {
            tracing::warn!(%error, "messages for webhooks could not be made; it is tried again");
        }
    }
}
