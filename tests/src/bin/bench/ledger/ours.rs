//! The ledger as the product has it: every call holds at four limit nodes and settles with a receipt of a real model.

use super::run::Wallets;
use bytespike_catalog::fx::FxRate;
use bytespike_catalog::{
    BookOptions, Catalog, Charge, Markup, NanoUsd, Overrides, PriceBook, Served, Usage, charge,
};
use bytespike_ledger::{
    Attempt, Credit, CreditKind, HoldRequest, Ledger, Outcome, Payer, RequestFacts, SetLimit, Settlement,
    UsageSource, Window,
};
use bytespike_store::Store;
use bytespike_store::world::World;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MODEL: &str = "claude-haiku-4-5";
const HOLD: NanoUsd = NanoUsd(50_000_000);
const CREDIT: NanoUsd = NanoUsd(100_000_000_000_000_000);
const USAGE: Usage = Usage {
    input_tokens: 1_204,
    cache_read_tokens: 20_480,
    cache_read_explicit_tokens: 0,
    cache_write_tokens: 0,
    cache_write_1h_tokens: 0,
    cache_write_12h_tokens: 0,
    output_tokens: 612,
    reasoning_tokens: 0,
    searches: 0,
    media: None,
};

#[derive(Clone)]
pub struct Ours {
    ledger: Ledger,
    world: World,
    charge: Arc<Charge>,
}

impl Ours {
    /// Migrates the database, and opens the wallets with credit and limits that do not bind.
    pub async fn open(store: &Store) -> Self {
        store.migrate().await.expect("the migrations run");
        let world = World::system();
        let ledger = Ledger::open(store.clone(), world.clone()).await.expect("the ledger starts");
        for wallet in 0..Wallets::ALL {
            fund(&ledger, &payer(wallet)).await;
        }
        let charge = Arc::new(price(world.now_ms()));
        Self { ledger, world, charge }
    }

    pub async fn pair(&self, wallet: usize) -> Duration {
        let request = HoldRequest {
            reservation_id: self.world.id("rcp"),
            payer: payer(wallet),
            amount: HOLD,
            price_version: 1,
            model_requested: MODEL.to_owned(),
            facts: facts(self.world.id("req")),
        };
        let started = Instant::now();
        let held = self.ledger.hold(request).await.expect("holds");
        let took = started.elapsed();
        let settlement = Settlement {
            reservation_id: held.reservation_id.clone(),
            org_id: format!("org_{wallet}"),
            charge: Charge::clone(&self.charge),
            usage: USAGE,
            usage_source: UsageSource::Provider,
            reason: "stop".to_owned(),
            attempts: vec![attempt(held.held_at_ms)],
        };
        let settled = self.ledger.settle(settlement).await.expect("settles");
        assert_eq!(settled.outcome, Outcome::Settled);
        took
    }
}

fn payer(wallet: usize) -> Payer {
    Payer {
        org_id: format!("org_{wallet}"),
        deployment_id: format!("dep_{wallet}"),
        member_id: format!("mem_{wallet}"),
        key_path: vec![format!("key_{wallet}")],
    }
}

async fn fund(ledger: &Ledger, payer: &Payer) {
    ledger.open_wallet(&payer.org_id, "UTC").await.expect("a wallet");
    let credit = Credit {
        org_id: payer.org_id.clone(),
        amount: CREDIT,
        kind: CreditKind::TopUp,
        idempotency_key: "first".to_owned(),
        note: "for the benchmark".to_owned(),
        expires_at_ms: None,
    };
    ledger.credit(credit).await.expect("credit is booked");
    for node in payer.nodes() {
        let limit = SetLimit { org_id: payer.org_id.clone(), node, window: Window::Day, limit: Some(CREDIT) };
        ledger.set_limit(limit).await.expect("a limit is set");
    }
}

/// What the usage costs by the catalogue, lines and all.
fn price(at_ms: i64) -> Charge {
    let options = BookOptions {
        markup: Markup::LIST_PRICE,
        fx: FxRate::new("2026-11-22", "7.1200", "a benchmark").expect("a rate"),
        extra: Vec::new(),
        overrides: Overrides::default(),
        at_ms,
    };
    let book =
        PriceBook::build(&Catalog::embedded().expect("the catalogue reads"), &options).expect("a book");
    charge(&book, &USAGE, Served { requested: MODEL, served: MODEL, held_at_ms: at_ms }).expect("a price")
}

fn facts(request_id: String) -> RequestFacts {
    RequestFacts {
        request_id,
        protocol: "anthropic".to_owned(),
        stream: true,
        idempotency_key: None,
        price_hash: "5f1d7a84db00d2fce00b31a7fc73224f1d7a84db00d2fce00b31a7fc73224f00".to_owned(),
        preset: Some("global".to_owned()),
        org_name: "An organisation".to_owned(),
        deployment_name: "default".to_owned(),
        member_name: "A member".to_owned(),
        key_name: "production".to_owned(),
        key_hint: "sk-byts-…9f2a".to_owned(),
        fx_id: "fx_2026-11-22".to_owned(),
        usd_cny: "7.1200".to_owned(),
        usd_cny_micro: 7_120_000,
    }
}

fn attempt(started_at_ms: i64) -> Attempt {
    Attempt {
        channel_id: "anthropic-direct".to_owned(),
        model_served: MODEL.to_owned(),
        upstream_request_id: Some("req_011CSHoEeqs5C35K2UUqR7Fy".to_owned()),
        http_status: Some(200),
        outcome: "ok".to_owned(),
        started_at_ms,
        duration_ms: 1_840,
        first_content_ms: Some(412),
        landed: true,
        finish: Some("end_turn".to_owned()),
        native_finish: Some("end_turn".to_owned()),
        usage: Some(USAGE),
        cost_pico: Some(6_314_000_000),
    }
}
