//! The operators' side of the bench: drafts of the scene's book, no channel, and a provider that never answers.
use super::scene;
use bytes::Bytes;
use bytespike_accounts::secrets::{Keyring, SealPurpose};
use bytespike_catalog::{Overrides, PriceBook};
use bytespike_console::Operating;
use bytespike_gateway::channel_test::ChannelTester;
use bytespike_gateway::price_desk::{Drafts, Failure};
use bytespike_gateway::stored_channels::StoredChannels;
use bytespike_gateway::upstream::{SendError, Upstream, UpstreamBody};
use bytespike_gateway::{Allowed, Channel, PriceDesk};
use bytespike_ledger::{Draft, Ledger};
use bytespike_store::Store;
use bytespike_store::world::World;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::Full;
use std::sync::Arc;

struct SceneDrafts;

impl Drafts for SceneDrafts {
    fn draft(&self, overrides: Overrides, _now_ms: i64) -> Result<Draft, Failure> {
        let note = "of the scene".to_owned();
        Ok(Draft { book: scene::book(), overrides, note, observed: Vec::new() })
    }

    fn channels<'a>(&'a self, _book: &'a PriceBook) -> BoxFuture<'a, Result<Vec<Channel>, Failure>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

struct NoProvider;

impl Upstream for NoProvider {
    fn send(
        &self,
        _request: Request<Full<Bytes>>,
    ) -> BoxFuture<'_, Result<Response<UpstreamBody>, SendError>> {
        Box::pin(async { Err(SendError::Connect) })
    }
}

pub fn operating(store: &Store, world: &World, (ledger, keyring): (&Ledger, &Keyring)) -> Operating {
    let stored = StoredChannels {
        store: store.clone(),
        world: world.clone(),
        seal: keyring.seal(SealPurpose::ChannelSecret),
        allowed: Allowed::default(),
    };
    Operating {
        desk: PriceDesk {
            ledger: ledger.clone(),
            world: world.clone(),
            store: store.clone(),
            stored,
            drafts: Arc::new(SceneDrafts),
        },
        tester: ChannelTester { upstream: Arc::new(NoProvider), world: world.clone() },
        channels: Arc::new(Vec::new),
    }
}
