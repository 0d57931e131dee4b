//! The real console on a fresh SQLite database: its router, and the state behind it to set a scene with.
pub mod browser;
pub mod desk;
pub mod scene;

use bytespike_accounts::Accounts;
use bytespike_accounts::secrets::{Keyring, MasterKey, SealPurpose};
use bytespike_accounts::sessions::Transport;
use bytespike_catalog::NanoUsd;
use bytespike_console::{ConsoleOptions, ConsoleState, Delivery, DevelopmentOutbox, LocalGateway, Providers};
use bytespike_gateway::quota_requests::QuotaRequests;
use bytespike_gateway::webhooks::{WebhookOptions, WebhookParts, Webhooks};
use bytespike_gateway::{Allowed, HttpUpstream};
use bytespike_ledger::Ledger;
use bytespike_store::Store;
use bytespike_store::world::{ManualClock, World};
use bytespike_ui::Urls;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// 2026-11-24T09:30:00Z
pub const START_MS: i64 = 1_795_512_600_000;
pub const BASE: &str = "http://127.0.0.1:41500";

pub struct Bench {
    pub state: ConsoleState,
    pub clock: Arc<ManualClock>,
    /// Removed with the bench.
    _folder: TempDir,
    pub store: Store,
}

impl Bench {
    pub async fn new() -> Self {
        let (world, clock) = World::manual(START_MS, 11);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("console.db").display());
        let store = Store::connect(&url).await.expect("a fresh database");
        store.migrate().await.expect("the migrations run");
        let keyring = Keyring::from(MasterKey::random(&world));
        let accounts = Accounts::new(store.clone(), world.clone(), &keyring, 1);
        let ledger = Ledger::open(store.clone(), world.clone()).await.expect("the ledger opens");
        let quota_requests = QuotaRequests {
            store: store.clone(),
            world: world.clone(),
            accounts: accounts.clone(),
            ledger: ledger.clone(),
        };
        let timeout = Duration::from_secs(1);
        let webhooks = Webhooks::new(WebhookParts {
            store: store.clone(),
            world: world.clone(),
            audit: accounts.audit.clone(),
            seal: keyring.seal(SealPurpose::WebhookSecret),
            allowed: Allowed::default(),
            upstream: Arc::new(HttpUpstream::new(timeout, Allowed::default())),
            options: WebhookOptions {
                most_endpoints: 2,
                timeout,
                retry_after_ms: Vec::new(),
                switch_off_after_ms: i64::MAX,
            },
        });
        let operating = desk::operating(&store, &world, (&ledger, &keyring));
        let state = ConsoleState {
            webhooks,
            operating,
            accounts,
            ledger,
            quota_requests,
            gateway: LocalGateway {
                api: axum::Router::new(),
                book: Arc::new(|| Arc::new(scene::book())),
                prices: Arc::new(scene::prices),
            },
            urls: Urls::single(BASE),
            providers: Providers::default(),
            client_documents: None,
            mail: Delivery::Show(DevelopmentOutbox::default()),
            shown_key: keyring.seal(SealPurpose::ShownKey),
            payments: None,
            options: ConsoleOptions {
                trial_grant: NanoUsd(1_000_000_000),
                transport: Transport::LoopbackHttp,
                sample_model: "claude-sonnet-5-5".to_owned(),
            },
            world,
        };
        Self { state, clock, _folder: folder, store }
    }

    pub fn browser(&self) -> browser::Browser {
        browser::Browser::new(bytespike_console::router(self.state.clone()))
    }
}

impl Bench {
    /// Every row of a table as text, a column at a time; empty when there is none.
    pub async fn dump(&self, table: &'static str) -> String {
        use sqlx::Row as _;
        let Store::Sqlite { read, .. } = &self.store else { panic!("the bench is on SQLite") };
        let columns: Vec<(String,)> = sqlx::query_as("select name from pragma_table_info($1)")
            .bind(table)
            .fetch_all(read)
            .await
            .expect("columns");
        let texts: Vec<String> =
            columns.iter().map(|(name,)| format!("coalesce(cast({name} as text), '')")).collect();
        let sql = format!("select {} from {table}", texts.join(" || ' ' || "));
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(read).await.expect("rows");
        rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
    }
}
