//! Time passes as the test says: the schedule, leases, one at a time for an endpoint, and the end of one that fails.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use bytespike_accounts::Accounts;
use bytespike_accounts::secrets::{Keyring, MasterKey, SealPurpose};
use bytespike_store::testing::on_each_database;
use bytespike_store::webhook::{EndpointRow, SecretRow};
use bytespike_store::webhook_delivery;
use bytespike_store::world::ManualClock;
use bytespike_store::{on_database, outbox, sqlx, webhook};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};

use super::*;
use crate::upstream::{SendError, UpstreamBody};

const START_MS: i64 = 1_795_512_600_000;
const DAY_MS: i64 = 24 * 3_600_000;

/// Answers 200 or 500, and remembers the id of each request.
#[derive(Default)]
struct Receiver {
    takes: AtomicBool,
    ids: Mutex<Vec<String>>,
}

impl Upstream for Receiver {
    fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> BoxFuture<'_, Result<Response<UpstreamBody>, SendError>> {
        let id = request.headers()["webhook-id"].to_str().expect("an id").to_owned();
        self.ids.lock().expect("no test panicked").push(id);
        let status = if self.takes.load(Ordering::SeqCst) { 200 } else { 500 };
        let body = Full::new(Bytes::from_static(b"said")).map_err(|never| match never {}).boxed_unsync();
        Box::pin(async move { Ok(Response::builder().status(status).body(body).expect("an answer")) })
    }
}

struct Bench {
    webhooks: Webhooks,
    receiver: Arc<Receiver>,
    clock: Arc<ManualClock>,
    store: Store,
}

impl Bench {
    async fn new(store: &Store) -> Self {
        let (world, clock) = World::manual(START_MS, 7);
        let keyring = Keyring::from(MasterKey::random(&world));
        let accounts = Accounts::new(store.clone(), world.clone(), &keyring, 1);
        let receiver = Arc::new(Receiver::default());
        let webhooks = Webhooks::new(WebhookParts {
            store: store.clone(),
            world,
            audit: accounts.audit.clone(),
            seal: keyring.seal(SealPurpose::WebhookSecret),
            allowed: Allowed::default(),
            upstream: receiver.clone(),
            options: WebhookOptions {
                most_endpoints: 3,
                timeout: Duration::from_secs(15),
                retry_after_ms: vec![5_000, DAY_MS],
                switch_off_after_ms: 3 * DAY_MS,
            },
        });
        run(store, "insert into org (id, name, preset, created_at_ms) values ('org_1', 'Loom', 'global', 0)")
            .await;
        let bench = Self { webhooks, receiver, clock, store: store.clone() };
        bench.add("whe_1").await;
        bench
    }

    /// As an admin would: the rows are what counts here.
    async fn add(&self, id: &str) {
        let parts = &self.webhooks.parts;
        let row = EndpointRow {
            id: id.to_owned(),
            org_id: "org_1".to_owned(),
            url: format!("https://{id}.example/"),
            description: String::new(),
            events_json: None,
            state: "on".to_owned(),
            creation_key: None,
            creation_hash: None,
            failing_since_ms: None,
            created_at_ms: START_MS,
            updated_at_ms: START_MS,
        };
        let secret = signature::new_secret(&parts.world);
        let secret_id = format!("whs_{id}");
        let place =
            bytespike_accounts::secrets::Place { table: "webhook_secret", row: &secret_id, column: "sealed" };
        let sealed = parts.seal.seal(&parts.world, place, secret.expose().as_bytes());
        let secret = SecretRow {
            sealed,
            id: secret_id.clone(),
            endpoint_id: id.to_owned(),
            created_at_ms: START_MS,
            ends_at_ms: None,
        };
        let event =
            bytespike_accounts::audit::Event::new("webhook.created", bytespike_accounts::audit::Actor::Host);
        let entry = parts.audit.entry(&bytespike_accounts::Origin::host(), event);
        let kept = webhook::insert(&parts.store, (&row, &secret), 3, &entry).await.expect("kept");
        assert_eq!(kept, webhook::Inserted::New);
    }

    async fn happens(&self, id: &str) {
        let event = outbox::Event {
            id: id.to_owned(),
            org_id: "org_1".to_owned(),
            kind: "low_balance".to_owned(),
            subject: "org:org_1".to_owned(),
            payload_json: r#"{"balance_credits":"1.000","threshold_credits":"2.000"}"#.to_owned(),
            created_at_ms: self.webhooks.parts.world.now_ms(),
        };
        bytespike_store::testing::tell(&self.store, &event).await.expect("kept");
        self.webhooks.spread().await.expect("spread");
    }

    /// Sends everything that is due now.
    async fn send(&self) -> usize {
        let mut sent = 0;
        while self.webhooks.send_one().await.expect("sends") {
            sent += 1;
        }
        sent
    }

    async fn states(&self) -> Vec<(String, String)> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select endpoint_id, state from webhook_delivery order by endpoint_id, created_at_ms, event_id")
            .fetch_all(db).await)
        .expect("read")
    }

    fn ids(&self) -> Vec<String> {
        self.receiver.ids.lock().expect("no test panicked").clone()
    }
}

async fn run(store: &Store, sql: &'static str) {
    on_database!(store, db => sqlx::query(sql).execute(db).await.map(drop)).expect("done");
}

fn pair(endpoint: &str, state: &str) -> (String, String) {
    (endpoint.to_owned(), state.to_owned())
}

#[tokio::test]
async fn an_event_becomes_one_message_for_each_endpoint_however_often_it_is_looked_at() {
    on_each_database(async |store| {
        let bench = Bench::new(&store).await;
        bench.add("whe_2").await;
        bench.happens("evt_1").await;
        assert_eq!(bench.webhooks.spread().await.expect("spread"), 0);
        assert_eq!(bench.states().await, [pair("whe_1", "waiting"), pair("whe_2", "waiting")]);
        bench.receiver.takes.store(true, Ordering::SeqCst);
        assert_eq!(bench.send().await, 2);
        assert_eq!(bench.ids(), ["evt_1", "evt_1"]);
        assert_eq!(bench.states().await, [pair("whe_1", "delivered"), pair("whe_2", "delivered")]);
    })
    .await;
}

#[tokio::test]
async fn a_message_is_tried_as_the_schedule_says_and_then_given_up() {
    on_each_database(async |store| {
        let bench = Bench::new(&store).await;
        bench.happens("evt_1").await;
        assert_eq!(bench.send().await, 1);
        bench.clock.advance(4_999);
        assert_eq!(bench.send().await, 0, "not before its time");
        bench.clock.advance(1);
        assert_eq!(bench.send().await, 1);
        bench.clock.advance(DAY_MS);
        assert_eq!(bench.send().await, 1);
        assert_eq!(bench.states().await, [pair("whe_1", "given_up")]);
        bench.clock.advance(30 * DAY_MS);
        assert_eq!(bench.send().await, 0);
        assert_eq!(bench.webhooks.forget(bench.webhooks.parts.world.now_ms()).await.expect("swept"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_message_whose_sender_died_is_sent_again_when_its_lease_ends() {
    on_each_database(async |store| {
        let bench = Bench::new(&store).await;
        bench.happens("evt_1").await;
        let now_ms = bench.webhooks.parts.world.now_ms();
        let taken =
            webhook_delivery::take(&store, now_ms, now_ms + 17_000).await.expect("takes").expect("one");
        assert_eq!(bench.send().await, 0, "another process has it");
        bench.clock.advance(17_000);
        bench.receiver.takes.store(true, Ordering::SeqCst);
        assert_eq!(bench.send().await, 1);
        assert_eq!((bench.ids(), taken.event_id.as_str()), (vec!["evt_1".to_owned()], "evt_1"));
        assert_eq!(bench.states().await, [pair("whe_1", "delivered")]);
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_gets_one_message_at_a_time_and_holds_up_no_other() {
    on_each_database(async |store| {
        let bench = Bench::new(&store).await;
        bench.happens("evt_1").await;
        bench.happens("evt_2").await;
        bench.add("whe_2").await;
        bench.happens("evt_3").await;
        let now_ms = bench.webhooks.parts.world.now_ms();
        let take = async || webhook_delivery::take(&store, now_ms, now_ms + 1_000).await.expect("takes");
        let (first, second) = (take().await.expect("one"), take().await.expect("another"));
        assert_ne!(first.endpoint_id, second.endpoint_id);
        assert_eq!(take().await, None, "both endpoints have one on its way");
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_takes_nothing_for_days_is_switched_off_once() {
    on_each_database(async |store| {
        let bench = Bench::new(&store).await;
        for day in 0..4 {
            bench.happens(&format!("evt_{day}")).await;
            bench.send().await;
            bench.clock.advance(DAY_MS);
        }
        let told: Vec<(String,)> = on_database!(read &store, db => sqlx::query_as(
            "select subject from outbox where kind = 'webhook_failed'").fetch_all(db).await)
        .expect("read");
        assert_eq!(told, [("webhook:whe_1".to_owned(),)]);
        assert!(bench.states().await.iter().all(|(_, state)| state == "given_up"));
        bench.happens("evt_later").await;
        assert_eq!(bench.states().await.len(), 4, "it is not told any more");
    })
    .await;
}
