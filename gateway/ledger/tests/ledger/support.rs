//! A ledger with a wallet, and calls in few words.
use bytespike_catalog::money::{Exact, NanoUsd};
use bytespike_catalog::{Charge, Usage};
use bytespike_ledger::{
    Attempt, Credit, CreditKind, Held, HoldError, HoldRequest, Ledger, NodeId, Payer, Reason, Release,
    RequestFacts, Resolution, SetLimit, Settlement, UsageSource, Window,
};
use bytespike_store::Store;
use bytespike_store::testing::on_each_database;
use bytespike_store::world::{ManualClock, World};
use std::sync::Arc;

pub const ORG: &str = "org_1";
pub const START_MS: i64 = 1_795_500_000_000;

pub struct Desk {
    pub ledger: Ledger,
    pub store: Store,
    pub world: World,
    pub clock: Arc<ManualClock>,
}

/// Runs a test against a wallet of `nano` on each database, and checks the invariants afterwards.
pub async fn with_wallet(nano: i64, test: impl AsyncFn(&Desk)) {
    on_each_database(async |store| {
        let desk = desk(store).await;
        desk.credit(nano, "first").await;
        test(&desk).await;
        assert_eq!(desk.ledger.check_invariants().await.expect("the checks run"), []);
    })
    .await;
}

/// A ledger with an empty wallet.
pub async fn desk(store: Store) -> Desk {
    desk_of(store, 7).await
}

/// One of several on one database.
pub async fn desk_of(store: Store, seed: u64) -> Desk {
    let (world, clock) = World::manual(START_MS, seed);
    let ledger = Ledger::open(store.clone(), world.clone()).await.expect("a ledger");
    ledger.open_wallet(ORG, "UTC").await.expect("a wallet");
    Desk { ledger, store, world, clock }
}

impl Desk {
    pub async fn credit(&self, nano: i64, key: &str) {
        self.ledger.credit(self.grant(nano, key)).await.expect("credit is booked");
    }

    pub fn grant(&self, nano: i64, key: &str) -> Credit {
        Credit {
            org_id: ORG.to_owned(),
            amount: NanoUsd(nano),
            kind: CreditKind::Grant,
            idempotency_key: key.to_owned(),
            note: "for the test".to_owned(),
            expires_at_ms: None,
        }
    }

    pub async fn limit(&self, node: NodeId, window: Window, nano: i64) {
        let set = SetLimit { org_id: ORG.to_owned(), node, window, limit: Some(NanoUsd(nano)) };
        self.ledger.set_limit(set).await.expect("is set");
    }

    pub fn request(&self, nano: i64) -> HoldRequest {
        request_of(self.world.id("rcp"), payer(), nano)
    }

    pub async fn hold(&self, nano: i64) -> Result<Held, HoldError> {
        self.ledger.hold(self.request(nano)).await
    }

    pub async fn settle(&self, held: &Held, nano: i64) -> Resolution {
        self.ledger.settle(settlement(held, nano)).await.expect("settles")
    }

    pub async fn release(&self, held: &Held) -> Resolution {
        self.ledger.release(release(held)).await.expect("releases")
    }

    pub async fn available(&self) -> i64 {
        self.ledger.wallet(ORG).await.expect("reads").expect("a wallet").available().0
    }
}

/// A key below another one.
pub fn payer() -> Payer {
    Payer {
        org_id: ORG.to_owned(),
        deployment_id: "dep_1".to_owned(),
        member_id: "mem_1".to_owned(),
        key_path: vec!["key_root".to_owned(), "key_leaf".to_owned()],
    }
}

pub fn request_of(reservation_id: String, payer: Payer, nano: i64) -> HoldRequest {
    HoldRequest {
        reservation_id,
        payer,
        amount: NanoUsd(nano),
        price_version: 1,
        model_requested: "m".to_owned(),
        facts: RequestFacts { protocol: "anthropic".to_owned(), ..RequestFacts::default() },
    }
}

pub fn settlement(held: &Held, nano: i64) -> Settlement {
    settlement_of(&held.reservation_id, nano)
}

pub fn settlement_of(reservation_id: &str, nano: i64) -> Settlement {
    Settlement {
        reservation_id: reservation_id.to_owned(),
        org_id: ORG.to_owned(),
        charge: Charge {
            nano: NanoUsd(nano),
            exact: Exact::ZERO,
            priced_as: "m".to_owned(),
            lines: Vec::new(),
        },
        usage: Usage { input_tokens: 1, ..Usage::default() },
        usage_source: UsageSource::Provider,
        reason: "stop".to_owned(),
        attempts: vec![Attempt { landed: true, outcome: "ok".to_owned(), ..Attempt::default() }],
    }
}

pub fn release(held: &Held) -> Release {
    release_of(&held.reservation_id)
}

pub fn release_of(reservation_id: &str) -> Release {
    Release {
        reservation_id: reservation_id.to_owned(),
        org_id: ORG.to_owned(),
        reason: Reason::UpstreamError,
        attempts: Vec::new(),
    }
}
