//! The life of a call, and the API around it. Knows no HTML.

mod admission;
pub mod api;
pub mod channel;
pub mod channel_test;
mod costs;
pub mod data_export;
pub mod egress;
pub mod export;
pub mod factors;
mod health;
pub mod http;
mod key_set;
pub mod model_list;
pub mod operations;
mod options;
pub mod place_list;
pub mod price_desk;
pub mod prices;
pub mod quota;
pub mod quota_requests;
mod serve;
pub mod stored_channels;
mod telemetry;
mod tokens;
pub mod upstream;
pub mod webhooks;

use std::sync::Arc;

use admission::Admission;
use bytespike_accounts::Accounts;
use bytespike_accounts::secrets::SealKey;
use bytespike_catalog::export::ExportError;
use bytespike_dialects::Seal;
use bytespike_ledger::Ledger;
use bytespike_store::Store;
use bytespike_store::world::World;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

pub use channel::{Channel, ChannelError, ChannelParts, Channels};
pub use costs::Costs;
pub use egress::Allowed;
use factors::Factors;
use health::Health;
pub use key_set::{Jwk, KeySet};
pub use options::GatewayOptions;
pub use price_desk::PriceDesk;
pub use prices::{Prices, Published};
pub use quota::Quotas;
pub use serve::allowed::in_catalogue as preset_in_catalogue;
pub use serve::quote;
pub use upstream::{HttpUpstream, Upstream};

/// The gateway of one process. Clones share it.
#[derive(Clone)]
pub struct Gateway(Arc<Parts>);

/// Everything a call needs, given by whoever starts the gateway.
pub struct GatewayParts {
    pub world: World,
    pub store: Store,
    pub accounts: Accounts,
    pub ledger: Ledger,
    pub prices: Prices,
    pub channels: Vec<Channel>,
    pub upstream: Arc<dyn Upstream>,
    pub options: GatewayOptions,
    /// Seals the reasoning state that clients carry from turn to turn.
    pub seal_key: Zeroizing<[u8; 32]>,
    /// Seals answers that are kept for their Idempotency-Key.
    pub answer_key: SealKey,
    /// Signs receipts.
    pub receipt_key: ed25519_dalek::SigningKey,
    /// The public side of this key and of every other that signed something.
    pub signing_keys: KeySet,
}

/// What every part of the gateway reads.
pub struct Parts {
    pub world: World,
    store: Store,
    pub accounts: Accounts,
    pub ledger: Ledger,
    pub prices: Prices,
    pub channels: Channels,
    /// What channels pay.
    pub costs: Costs,
    pub upstream: Arc<dyn Upstream>,
    pub options: Arc<GatewayOptions>,
    pub receipt_key: ed25519_dalek::SigningKey,
    pub signing_keys: KeySet,
    /// How far input is from its estimate, by model.
    pub factors: Factors,
    seal_key: Zeroizing<[u8; 32]>,
    answer_key: SealKey,
    /// What calls say on its way to being kept.
    shelf: serve::Shelf,
    admission: Admission,
    health: Health,
    /// Settlements that outlive their request.
    tasks: TaskTracker,
    /// Cancelled when running streams must end now.
    cut: CancellationToken,
    /// One for each answer that may be read on when its client has gone.
    drains: Arc<Semaphore>,
}

impl std::ops::Deref for Gateway {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Gateway {
    /// The channels in use now, in order of preference.
    #[must_use]
    pub fn channel_statuses(&self) -> Vec<channel_test::ChannelStatus> {
        let now_ms = self.world.now_ms();
        let status = |channel: &Arc<Channel>| channel_test::ChannelStatus {
            id: channel.id.clone(),
            provider: channel.provider.clone(),
            region: channel.region.clone(),
            dialect: channel.dialect.name(),
            base_url: channel.base_url.clone(),
            models: channel.models.keys().cloned().collect(),
            is_resting: self.health.is_open(&channel.id, now_ms),
            weight: channel.weight,
        };
        self.channels.current().iter().map(status).collect()
    }

    /// Tries channels, in use or not.
    #[must_use]
    pub fn channel_tester(&self) -> channel_test::ChannelTester {
        channel_test::ChannelTester { upstream: self.upstream.clone(), world: self.world.clone() }
    }

    /// What operators do.
    #[must_use]
    pub fn operations(&self) -> operations::Operations {
        operations::Operations { accounts: self.accounts.clone(), ledger: self.ledger.clone() }
    }

    /// The limits of orgs.
    #[must_use]
    pub fn quotas(&self) -> Quotas {
        Quotas { accounts: self.accounts.clone(), ledger: self.ledger.clone() }
    }

    #[must_use]
    pub fn new(parts: GatewayParts) -> Self {
        let drains = Arc::new(Semaphore::new(parts.options.max_drains));
        Self(Arc::new(Parts {
            world: parts.world,
            store: parts.store,
            accounts: parts.accounts,
            ledger: parts.ledger,
            prices: parts.prices,
            channels: Channels::new(parts.channels),
            costs: Costs::default(),
            upstream: parts.upstream,
            options: Arc::new(parts.options),
            receipt_key: parts.receipt_key,
            signing_keys: parts.signing_keys,
            factors: Factors::default(),
            seal_key: parts.seal_key,
            answer_key: parts.answer_key,
            shelf: serve::Shelf::default(),
            admission: Admission::new(),
            health: Health::default(),
            tasks: TaskTracker::new(),
            cut: CancellationToken::new(),
            drains,
        }))
    }

    /// Uses these channels from now on, and shows which models can be called. Running calls keep theirs.
    ///
    /// # Errors
    /// When the price export cannot be written; its badges stay as they were.
    pub fn set_channels(&self, channels: Vec<Channel>) -> Result<(), ExportError> {
        let wired = Self::wired(&channels);
        self.channels.replace(channels);
        self.prices.rewire(wired, self.world.now_ms())
    }

    /// The slugs that some channel carries, for the price export's badges.
    #[must_use]
    pub fn wired(channels: &[Channel]) -> std::collections::BTreeSet<String> {
        channels.iter().flat_map(|channel| channel.models.keys().cloned()).collect()
    }

    /// Ends every running stream with an error in its dialect and nothing charged, then waits for the last settlement.
    pub async fn cut_and_drain(&self) {
        self.cut.cancel();
        self.drain().await;
    }

    /// Waits until the settlements of finished calls are written. New ones may still come while streams run.
    pub async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Says that this process admits calls, and learns how many share the request limits with it. Every second.
    ///
    /// # Errors
    /// The database does not answer; the share stays as it is.
    pub async fn share_limits(&self) -> Result<(), bytespike_store::sqlx::Error> {
        self.admission.share_among(self.ledger.admits_calls().await?);
        Ok(())
    }

    /// Forgets idempotency keys whose time is over; how many.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget_idempotency_keys(&self) -> Result<u64, bytespike_store::sqlx::Error> {
        serve::forget_idempotency_keys(self).await
    }

    /// Seals reasoning state for one org: another's never opens.
    fn seal_for(&self, org_id: &str) -> Seal {
        Seal::new(*self.seal_key, org_id)
    }
}
