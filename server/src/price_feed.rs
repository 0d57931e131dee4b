//! Brings the verified price export to the public pages: from the gateway in this process, or over HTTP from another.

use std::sync::Arc;
use std::time::Duration;

use bytespike_catalog::{PriceExport, SignedExport};
use ed25519_dalek::VerifyingKey;
use http::{StatusCode, header};
use tokio::sync::watch;

use crate::Failure;
use crate::config::{Config, PublicUrls};

/// How often another process's export is asked for; unchanged ones cost a 304.
const EVERY: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(10);
/// Larger exports are not ours.
const MAX_BYTES: usize = 8 << 20;

pub type Exports = watch::Sender<Option<Arc<PriceExport>>>;

/// Where exports are fetched from and whose signature they must carry.
pub struct Remote {
    url: String,
    key: VerifyingKey,
    client: reqwest::Client,
}

impl Remote {
    /// # Errors
    /// `prices.export_key` is missing or not a key.
    pub fn new(config: &Config, urls: &PublicUrls) -> Result<Self, Failure> {
        let url = match config.prices.export_url.as_str() {
            "" => format!("{}/v1/prices", urls.gateway),
            url => url.to_owned(),
        };
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { url, key: verifying_key(&config.prices.export_key)?, client })
    }

    /// Fetches for ever. What cannot be fetched or verified leaves the last export to grow old in plain sight.
    pub async fn run(self, exports: Exports) {
        let mut etag = None;
        let mut due = tokio::time::interval(EVERY);
        loop {
            due.tick().await;
            match self.fetch(&mut etag).await {
                Ok(Some(export)) => drop(exports.send_replace(Some(Arc::new(export)))),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "the price export could not be fetched"),
            }
        }
    }

    /// A new export, or none since the one with this tag.
    async fn fetch(&self, etag: &mut Option<header::HeaderValue>) -> Result<Option<PriceExport>, Failure> {
        let mut request = self.client.get(&self.url);
        if let Some(etag) = &*etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let mut answer = request.send().await?.error_for_status()?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let new_etag = answer.headers().get(header::ETAG).cloned();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                return Err("it is larger than any export of ours".into());
            }
        }
        let export = serde_json::from_slice::<SignedExport>(&body)?.verify(&self.key)?;
        *etag = new_etag;
        Ok(Some(export))
    }
}

fn verifying_key(text: &str) -> Result<VerifyingKey, Failure> {
    let wanted = "prices.export_key: this surface reads prices from another process and needs that process's public key; \
                  it prints the key when it starts";
    let bytes: [u8; 32] =
        hex::decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(wanted)?;
    Ok(VerifyingKey::from_bytes(&bytes).map_err(|_| wanted)?)
}
