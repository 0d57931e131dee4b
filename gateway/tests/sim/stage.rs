//! A gateway with everything under it, on one thread: a copy of a prepared database, a provider in memory, and a clock
//! that stands still. Statements are answered on the spot, by connections that live on another runtime.
use crate::log::Log;
use crate::provider::{Provider, SECRET};
use crate::time::{START_MS, SimClock, world};
use crate::trouble::Trouble;
use axum::Router;
use bytespike_accounts::keys::NewKey;
use bytespike_accounts::orgs::Language;
use bytespike_accounts::people::NewOwner;
use bytespike_accounts::secrets::{MasterKey, SealPurpose};
use bytespike_accounts::{Accounts, Origin};
use bytespike_catalog::extra::ExtraModel;
use bytespike_catalog::{BookOptions, Catalog, Markup, NanoUsd, Overrides, PriceBook};
use bytespike_dialects::Dialect;
use bytespike_gateway::{Channel, ChannelParts, Gateway, GatewayOptions, GatewayParts, Prices, http};
use bytespike_ledger::{Credit, CreditKind, Draft, Ledger, NodeId, SetLimit, Window};
use bytespike_store::world::World;
use bytespike_store::{Store, on_database, sqlx};
use ed25519_dalek::SigningKey;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// Behind a provider that speaks Anthropic Messages, behind one that speaks OpenAI Chat, and behind both in turn.
pub const CLAUDE: &str = "sim-claude";
pub const GPT: &str = "sim-gpt";
pub const BOTH: &str = "sim-both";

/// Nano-USD per token.
pub const INPUT_NANO: i64 = 1_000;
pub const CACHE_READ_NANO: i64 = 100;
pub const OUTPUT_NANO: i64 = 5_000;

/// What the wallet begins with.
pub const WALLET_NANO: i64 = 40_000_000_000;
/// What the second key may spend in its life, and in a day.
pub const NARROW_LIFE_NANO: i64 = 3_000_000;
pub const NARROW_DAY_NANO: i64 = 2_000_000;

/// Answers that are read on at once when their clients have gone.
pub const MAX_DRAINS: usize = 4;

const RIGHTS_EVERY: Duration = Duration::from_millis(500);
const TICK_EVERY: Duration = Duration::from_secs(5);

/// Who calls: a key without limits, and one with narrow ones.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: String,
    pub secret: String,
}

pub struct Stage {
    pub gateway: Gateway,
    pub router: Router,
    pub ledger: Ledger,
    pub store: Store,
    pub clock: Arc<SimClock>,
    pub log: Log,
    pub provider: Arc<Provider>,
    pub trouble: Arc<Trouble>,
    pub prepared: &'static Prepared,
    jobs: JoinHandle<()>,
    _folder: TempDir,
}

/// What every run begins from: made once, copied for each.
pub struct Prepared {
    folder: TempDir,
    pub org_id: String,
    pub keys: Vec<Key>,
    book: PriceBook,
}

/// Plays on a stage of its own, on a thread of its own time.
pub fn on_stage<T>(seed: u64, play: impl AsyncFnOnce(Arc<Stage>) -> T) -> T {
    let prepared = prepared();
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let stage = Arc::new(Stage::new(seed, prepared).await);
        let done = play(stage.clone()).await;
        stage.jobs.abort();
        stage.store.close().await;
        done
    })
}

/// Where the connections live: they have threads of their own, whose work is waited for.
fn connections() -> &'static Runtime {
    static CONNECTIONS: OnceLock<Runtime> = OnceLock::new();
    CONNECTIONS.get_or_init(|| {
        Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime for connections")
    })
}

fn prepared() -> &'static Prepared {
    static PREPARED: OnceLock<Prepared> = OnceLock::new();
    PREPARED.get_or_init(|| connections().block_on(prepare()))
}

async fn prepare() -> Prepared {
    let folder = folder();
    let store = Store::connect(&url(&folder)).await.expect("a database");
    store.migrate().await.expect("migrations");
    let (world, _) = World::manual(START_MS - 60_000, 1);
    let accounts = Accounts::new(store.clone(), world.clone(), &master().into(), 1);
    let owner = NewOwner { email: "sim@example.com", name: "Sim", org_name: "Sim", language: Language::En };
    let owner = accounts.people.create_owner(owner).await.expect("an owner");
    let mut keys = Vec::new();
    for name in ["wide", "narrow", "other"] {
        let key = accounts.keys.create(&Origin::host(), &owner, NewKey::named(name)).await.expect("a key");
        keys.push(Key { id: key.id, secret: key.secret.expose().to_owned() });
    }
    let ledger = Ledger::open(store.clone(), world.clone()).await.expect("a ledger");
    let book = ledger.publish(draft()).await.expect("a published book");
    let org_id = owner.org_id().to_owned();
    ledger.open_wallet(&org_id, "UTC").await.expect("a wallet");
    ledger.credit(credit(&org_id)).await.expect("credit");
    for (window, nano) in [(Window::Lifetime, NARROW_LIFE_NANO), (Window::Day, NARROW_DAY_NANO)] {
        let node = NodeId::key(&keys[1].id);
        let limit = SetLimit { org_id: org_id.clone(), node, window, limit: Some(NanoUsd(nano)) };
        ledger.set_limit(limit).await.expect("a limit");
    }
    // Everything into the one file that is copied.
    let folded = on_database!(&store, db => sqlx::query("pragma wal_checkpoint(truncate)").execute(db).await.map(drop));
    folded.expect("a checkpoint");
    store.close().await;
    Prepared { folder, org_id, keys, book }
}

fn credit(org_id: &str) -> Credit {
    Credit {
        org_id: org_id.to_owned(),
        amount: NanoUsd(WALLET_NANO),
        kind: CreditKind::TopUp,
        idempotency_key: "first".to_owned(),
        note: "for the run".to_owned(),
        expires_at_ms: None,
    }
}

fn draft() -> Draft {
    let (overrides, note) = (Overrides::default(), "a simulation".to_owned());
    Draft { book: book(), overrides, note, observed: Vec::new() }
}

fn book() -> PriceBook {
    let mut catalog = Catalog::embedded().expect("the catalogue reads");
    catalog.models.clear();
    let extra = [CLAUDE, GPT, BOTH].map(|id| {
        let json = serde_json::json!({
            "id": id, "provider": "sim", "protocols": ["anthropic", "openai-chat"],
            "context_window_tokens": 100_000, "max_output_tokens": 4_000,
            "capabilities": {"tools": true, "vision": true, "thinking": true, "caching": true},
            "usd_per_million_tokens": {"input": "1.00", "output": "5.00", "cache_read": "0.10", "cache_write_5m": "1.25"},
        });
        let model: ExtraModel = serde_json::from_value(json).expect("a model");
        model.listing("2026-11-24").expect("a listing")
    });
    let fx = catalog.fx_observations[0].clone();
    let options = BookOptions {
        markup: Markup::LIST_PRICE,
        fx,
        extra: extra.into(),
        overrides: Overrides::default(),
        at_ms: START_MS,
    };
    PriceBook::build(&catalog, &options).expect("a book")
}

impl Stage {
    async fn new(seed: u64, prepared: &'static Prepared) -> Self {
        let folder = folder();
        std::fs::copy(file(&prepared.folder), file(&folder)).expect("a copy of the database");
        let store = open_inline(&folder);
        let (world, clock) = world(seed);
        let log = Log::new(clock.clone());
        let (provider, trouble) = (Arc::new(Provider::new(log.clone())), Arc::new(Trouble::default()));
        let accounts = Accounts::new(store.clone(), world.clone(), &master().into(), 1);
        let ledger =
            Ledger::open_with(store.clone(), world.clone(), trouble.clone()).await.expect("a ledger");
        ledger.recover().await.expect("a sound ledger");
        let gateway = Gateway::new(GatewayParts {
            world: world.clone(),
            store: store.clone(),
            accounts: accounts.clone(),
            ledger: ledger.clone(),
            prices: prices(&prepared.book, &world),
            channels: channels(),
            upstream: provider.clone(),
            options: options(),
            seal_key: Zeroizing::new([3; 32]),
            answer_key: master().seal(SealPurpose::IdempotentAnswer),
            receipt_key: SigningKey::from_bytes(&[5; 32]),
            signing_keys: bytespike_gateway::KeySet::default(),
        });
        let jobs = tokio::spawn(jobs(accounts.clone(), ledger.clone(), log.clone()));
        let router = http::router(gateway.clone());
        Self {
            gateway,
            router,
            ledger,
            store,
            clock,
            log,
            provider,
            trouble,
            prepared,
            jobs,
            _folder: folder,
        }
    }

    /// Everything that can still happen has happened, and every lease that nobody renews has run out.
    pub async fn settle_down(&self) {
        self.gateway.drain().await;
        tokio::time::sleep(Duration::from_secs(90)).await;
    }
}

/// What a process does beside answering.
async fn jobs(accounts: Accounts, ledger: Ledger, log: Log) {
    let mut tick_at = tokio::time::Instant::now() + TICK_EVERY;
    loop {
        tokio::time::sleep(RIGHTS_EVERY).await;
        accounts.keys.refresh_rights().await.expect("the database answers");
        if tokio::time::Instant::now() >= tick_at {
            tick_at += TICK_EVERY;
            match ledger.tick().await {
                Ok(swept) if swept.expired > 0 => {
                    log.note("ledger", format_args!("expires {}", swept.expired));
                }
                Ok(_) => {}
                Err(error) => log.note("ledger", error),
            }
        }
    }
}

fn open_inline(folder: &TempDir) -> Store {
    let connections = connections();
    let url = url(folder);
    let _entered = connections.enter();
    let opened = connections.spawn(async move { Store::connect(&url).await });
    futures_executor::block_on(opened)
        .expect("the connecting task")
        .expect("a database")
        .inline(connections.handle().clone())
}

fn channels() -> Vec<Channel> {
    let channel = |id: &str, dialect, models: &[&str]| {
        let models = models.iter().map(|model| ((*model).to_owned(), format!("up-{model}"))).collect();
        let base_url = format!("http://{id}.invalid/v1");
        let parts = ChannelParts {
            id: id.to_owned(),
            provider: "sim".to_owned(),
            region: String::new(),
            dialect,
            base_url,
            models,
        };
        Channel::new(parts, &[SECRET.to_owned()]).expect("a channel")
    };
    vec![
        channel("one", Dialect::Anthropic, &[CLAUDE, BOTH]),
        channel("two", Dialect::OpenAiChat, &[GPT, BOTH]),
    ]
}

fn prices(book: &PriceBook, world: &World) -> Prices {
    let wired = Gateway::wired(&channels());
    Prices::new(book.clone(), wired, SigningKey::from_bytes(&[7; 32]), world.now_ms()).expect("prices")
}

/// As in production but for waits that a run should not have to sit out.
fn options() -> GatewayOptions {
    GatewayOptions {
        first_byte_timeout: Duration::from_secs(20),
        whole_answer_timeout: Duration::from_secs(40),
        total_timeout: Duration::from_secs(120),
        idle_timeout: Duration::from_secs(10),
        status_wait: Duration::from_secs(4),
        ping_interval: Duration::from_secs(3),
        max_drains: MAX_DRAINS,
        ..GatewayOptions::default()
    }
}

fn master() -> MasterKey {
    MasterKey::from_text("8f1d6b0c7a3e52949be07d14c6a85f3e2d90b7461c5fa8e3079d4b62f1ce8a57").expect("a key")
}

/// In memory where the machine has such a place: a run is not about how fast a disk is.
fn folder() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.expect("a folder")
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("sim.db")
}

fn url(folder: &TempDir) -> String {
    format!("sqlite:{}", file(folder).display())
}
