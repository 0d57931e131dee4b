//! What a process with a database runs: the shared parts, the gateway, mail, the demo provider and the jobs.

use std::sync::Arc;
use std::time::Duration;

use bytespike_accounts::secrets::{SealKey, SealPurpose, SecretText, SignPurpose};
use bytespike_console::{ClientDocuments, Providers};
use bytespike_gateway::price_desk::Around;
use bytespike_gateway::stored_channels::StoredChannels;
use bytespike_gateway::webhooks::Webhooks;
use bytespike_gateway::{Allowed, Gateway, GatewayOptions, GatewayParts, HttpUpstream, PriceDesk, Prices};
use bytespike_payments::Payments;
use bytespike_store::world::World;
use bytespike_ui::Board;
use ed25519_dalek::SigningKey;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::client_documents::client_documents;
use crate::config::{Config, DemoMode, PublicUrls};
use crate::core::{Core, OnlyServer, master_keys, only_server};
use crate::demo::{self, DemoProvider};
use crate::follow::ChannelSources;
use crate::mail::{Carrier, Outbox};
use crate::price_feed::Exports;
use crate::sign_in_providers::providers;
use crate::surfaces::ui_urls;
use crate::{Failure, demo_org, jobs, payments, prices, signing_keys, trials, webhooks};

/// How long mail that waits may take to be sent at the end.
const LAST_MAIL: Duration = Duration::from_secs(5);

/// What a process is given from outside, besides its configuration.
pub struct Outside {
    pub world: World,
    /// Where the public pages wait for prices.
    pub exports: Exports,
    /// What the public pages announce.
    pub board: Board,
    pub stop: CancellationToken,
}

/// Everything that runs on a database.
pub struct Product {
    pub core: Core,
    pub gateway: Gateway,
    pub outbox: Option<Outbox>,
    /// Who else people can sign in with.
    pub providers: Providers,
    /// Programs that nobody registered, where they may ask.
    pub client_documents: Option<ClientDocuments>,
    /// Seals a new key on its way to the page that shows it.
    pub shown_key: SealKey,
    /// Where operators change prices and channels.
    pub desk: PriceDesk,
    /// Where people can pay in by themselves.
    pub payments: Option<Payments>,
    /// Where orgs are told of what happens.
    pub webhooks: Webhooks,
    /// The demo provider, and a key that can call it.
    pub demo: Option<Demo>,
    mail_worker: Option<JoinHandle<()>>,
    jobs: TaskTracker,
    _only_server: Option<OnlyServer>,
}

/// The demo provider and the demo organisation's key.
pub struct Demo {
    pub provider: DemoProvider,
    /// Only where nobody but this machine can connect.
    pub key: Option<SecretText>,
}

impl Product {
    /// Opens the database, recovers what a crash left, wires the channels and starts the jobs.
    ///
    /// # Errors
    /// What is missing or does not work, in words for the operator.
    pub async fn start(config: &Config, urls: &PublicUrls, outside: Outside) -> Result<Self, Failure> {
        let Outside { world, exports, board, stop } = outside;
        let masters = master_keys(config, &world)?;
        let _only_server = only_server(config)?;
        let core = Core::open(config, world, masters).await?;
        core.accounts.switches.read_again().await?;
        let recovered = core.ledger.recover().await?;
        tracing::info!(expired_holds = recovered.expired, "the ledger is recovered and its invariants hold");
        let demo = start_demo(config, &core).await?;
        let sources = channel_sources(config, &core, demo.as_ref())?;
        let gateway = gateway(config, urls, (&core, &sources)).await?;
        let outbox =
            Outbox::new(core.store.clone(), core.world.clone(), core.keyring.seal(SealPurpose::Letter));
        let carrier = Carrier::new(&config.mail, outbox.clone())?;
        let mail = carrier.map(|carrier| (outbox, tokio::spawn(carrier.run(stop.clone()))));
        let (outbox, mail_worker) = mail.unzip();
        let desk = prices::desk(&core, sources.clone());
        let payments = payments::wire(&config.payments, urls, &core)?;
        let webhooks = webhooks::wire(&config.webhooks, &core)?;
        let work = jobs::Work {
            core: core.clone(),
            gateway: gateway.clone(),
            exports,
            board,
            trial_grant: trials::amount(config.accounts.trial_grant_credits),
            sources,
            payments: payments.clone(),
            webhooks: webhooks.clone(),
            letters: outbox.clone().map(|outbox| (outbox, ui_urls(urls))),
        };
        let jobs = jobs::start(&work, &stop);
        Ok(Self {
            shown_key: core.keyring.seal(SealPurpose::ShownKey),
            providers: providers(config, urls)?,
            client_documents: client_documents(config),
            payments,
            webhooks,
            desk,
            core,
            gateway,
            outbox,
            demo,
            mail_worker,
            jobs,
            _only_server,
        })
    }

    /// Ends what still runs once no request does: settlements first, then everything that only saves work.
    pub async fn end(self) {
        self.gateway.drain().await;
        self.jobs.wait().await;
        if let Err(error) = self.core.accounts.keys.write_last_used().await {
            tracing::warn!(%error, "when keys were last used could not be written");
        }
        if let Some(worker) = self.mail_worker
            && tokio::time::timeout(LAST_MAIL, worker).await.is_err()
        {
            tracing::warn!("some mail was not sent");
        }
        self.core.store.close().await;
    }
}

/// The demo provider runs when it is wanted, or when nothing else could answer and nobody else is listening.
async fn start_demo(config: &Config, core: &Core) -> Result<Option<Demo>, Failure> {
    if !demo_is_wanted(config) {
        return Ok(None);
    }
    let provider = demo::start(config.demo.listen).await?;
    let key = if config.server.is_loopback() { Some(demo_org::ready(core, config).await?) } else { None };
    Ok(Some(Demo { provider, key }))
}

/// Whether the demo provider runs, and its models are in the price book.
pub fn demo_is_wanted(config: &Config) -> bool {
    let alone = config.channels.is_empty() && config.provider_keys.is_empty();
    match config.demo.provider {
        DemoMode::On => true,
        DemoMode::Off => false,
        DemoMode::Auto => alone && config.server.is_loopback(),
    }
}

/// Where channels come from. Those of the configuration and the demo may be anywhere; others only where the operator
/// said so.
pub fn channel_sources(config: &Config, core: &Core, demo: Option<&Demo>) -> Result<ChannelSources, Failure> {
    let entries = config.gateway.private_upstreams.iter().map(String::as_str);
    let allowed = Allowed::new(entries).map_err(|entry| {
        format!("gateway.private_upstreams: `{entry}` is not host:port, such as 127.0.0.1:11434")
    })?;
    let stored = StoredChannels {
        store: core.store.clone(),
        world: core.world.clone(),
        seal: core.keyring.seal(SealPurpose::ChannelSecret),
        allowed,
    };
    let demo = demo.map(|demo| demo.provider.address);
    Ok(ChannelSources { config: Arc::new(config.clone()), stored, demo })
}

async fn gateway(
    config: &Config,
    urls: &PublicUrls,
    (core, sources): (&Core, &ChannelSources),
) -> Result<Gateway, Failure> {
    let now_ms = core.world.now_ms();
    let in_force = core.ledger.prices_in_force().await?;
    let overrides = in_force.as_ref().map(|in_force| in_force.overrides.clone()).unwrap_or_default();
    let draft = prices::draft(config, sources.demo.is_some(), overrides, now_ms)?;
    let channels = sources.all(&draft.book).await?;
    let costs = sources.stored.costs().await?;
    let around = Around { channels: &channels, costs: &costs, in_force: in_force.as_ref(), now_ms };
    let book = prices::at_start(&core.ledger, draft, &around).await?;
    let demo_url = sources.demo.map(|address| format!("http://{address}"));
    let configured = config.channels.iter().map(|channel| channel.base_url.as_str());
    let allowed = sources.stored.allowed.with_urls(configured.chain(demo_url.as_deref()));
    let export_key = SigningKey::from_bytes(&core.keyring.signing_seed(SignPurpose::PriceExport));
    let options = options(config, urls);
    let gateway = Gateway::new(GatewayParts {
        world: core.world.clone(),
        store: core.store.clone(),
        accounts: core.accounts.clone(),
        ledger: core.ledger.clone(),
        prices: Prices::new(book, Gateway::wired(&channels), export_key, now_ms)?,
        channels,
        upstream: Arc::new(HttpUpstream::new(options.connect_timeout, allowed)),
        options,
        seal_key: core.keyring.reasoning_state_key(),
        answer_key: core.keyring.seal(SealPurpose::IdempotentAnswer),
        receipt_key: SigningKey::from_bytes(&core.keyring.signing_seed(SignPurpose::Receipt)),
        signing_keys: signing_keys::publish(core).await?,
    });
    gateway.costs.replace(costs);
    // Before the first call, so that a process that joins never takes the whole of a limit.
    gateway.share_limits().await?;
    Ok(gateway)
}

fn options(config: &Config, urls: &PublicUrls) -> GatewayOptions {
    let gateway = &config.gateway;
    let ms = Duration::from_millis;
    GatewayOptions {
        public_base_url: urls.gateway.clone(),
        issuer_url: urls.console.clone(),
        connect_timeout: ms(gateway.connect_timeout_ms),
        first_byte_timeout: ms(gateway.first_byte_timeout_ms),
        idle_timeout: ms(gateway.idle_timeout_ms),
        whole_answer_timeout: ms(gateway.whole_answer_timeout_ms),
        total_timeout: ms(gateway.total_timeout_ms),
        status_wait: ms(gateway.status_wait_ms),
        ping_interval: ms(gateway.ping_interval_ms),
        max_body_bytes: gateway.max_body_bytes,
        max_answer_bytes: gateway.max_answer_bytes,
        default_max_output_tokens: gateway.default_max_output_tokens,
        min_clamped_output_tokens: gateway.min_clamped_output_tokens,
        max_attempts: gateway.max_attempts,
        drain_for: ms(gateway.drain_ms),
        drain_bytes: gateway.drain_bytes,
        max_drains: gateway.max_drains,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::config::{Sources, load};

    #[test]
    fn the_documented_defaults_are_the_gateway_s_own() {
        let config = load(&Sources { file: None, environment: Vec::new() }).unwrap();
        let urls = PublicUrls::new(&config, SocketAddr::from(([127, 0, 0, 1], 8080)));
        assert_eq!(format!("{:?}", options(&config, &urls)), format!("{:?}", GatewayOptions::default()));
    }
}
