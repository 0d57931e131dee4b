//! What the console writes while calls run: sign-ins, keys and audit events, through the store's own functions.

use bytespike_store::api_key::{self, NewKey, Terms};
use bytespike_store::api_key_credential::NewCredential;
use bytespike_store::audit_event::{AuditRow, Entry};
use bytespike_store::person::{self, NewAccount, Person};
use bytespike_store::session::{self, SessionRow};
use bytespike_store::world::World;
use bytespike_store::{Store, sqlx};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// A session, a key and an audit event, each in a transaction of its own, this often.
pub const EVERY: Duration = Duration::from_millis(10);

/// Someone in the console. Dropping it ends their writing.
pub struct Console(tokio::task::JoinHandle<()>);

impl Drop for Console {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub async fn start(store: &Store) -> Console {
    let (store, world) = (store.clone(), World::system());
    let account = Account {
        person: world.id("usr"),
        org: world.id("org"),
        deployment: world.id("dep"),
        member: world.id("mem"),
    };
    account.open(&store, &world).await;
    Console(tokio::spawn(async move {
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            account.write(&store, &world).await.expect("the console writes");
        }
    }))
}

struct Account {
    person: String,
    org: String,
    deployment: String,
    member: String,
}

impl Account {
    async fn open(&self, store: &Store, world: &World) {
        let person = Person {
            id: self.person.clone(),
            email: format!("{}@example.com", self.person),
            name: "Someone".to_owned(),
            language: "en".to_owned(),
            time_zone: "UTC".to_owned(),
            number_format: "language".to_owned(),
            password_hash: None,
            state: "active".to_owned(),
            email_verified_at_ms: None,
            created_at_ms: world.now_ms(),
        };
        let account = NewAccount {
            waits: false,
            email_key: &person.email.clone(),
            person,
            org_id: &self.org,
            org_name: "Someone's",
            preset: "global",
            deployment_id: &self.deployment,
            member_id: &self.member,
            identity: None,
        };
        person::insert_account(store, &account, &self.entry(world)).await.expect("an account");
    }

    async fn write(&self, store: &Store, world: &World) -> sqlx::Result<()> {
        let now_ms = world.now_ms();
        let session = SessionRow {
            id_hash: world.id("ses"),
            public_id: world.id("pub"),
            person_id: Some(self.person.clone()),
            data_json: "{}".to_owned(),
            user_agent: "a benchmark".to_owned(),
            ip: "127.0.0.1".to_owned(),
            idle_ms: 3_600_000,
            last_seen_at_ms: now_ms,
            ends_at_ms: now_ms + 3_600_000,
            created_at_ms: now_ms,
        };
        session::insert(store, &session, 20).await?;
        let id = world.id("key");
        let terms = Terms {
            name: "a key",
            note: "",
            tags: String::new(),
            models_json: None,
            ips_json: None,
            providers_json: None,
            regions_json: None,
            scopes_json: "[]".to_owned(),
            strict: false,
            expires_at_ms: None,
        };
        let credential = NewCredential {
            id: &world.id("crd"),
            verifier: "a verifier".to_owned(),
            pepper_version: 1,
            last_four: "9f2a",
            now_ms,
        };
        let key = NewKey {
            id: &id,
            org_id: &self.org,
            deployment_id: &self.deployment,
            member_id: &self.member,
            parent_key_id: None,
            depth: 0,
            path: &format!("/{id}/"),
            kind: "live",
            terms,
            created_by_person_id: Some(&self.person),
            created_by_key_id: None,
            credential,
        };
        api_key::insert(store, &key, &self.entry(world)).await
    }

    fn entry(&self, world: &World) -> Entry {
        let row = AuditRow {
            seq: 0,
            at_ms: world.now_ms(),
            event: "key.created".to_owned(),
            actor: format!("person:{}", self.person),
            org_id: Some(self.org.clone()),
            target: None,
            ip: "127.0.0.1".to_owned(),
            user_agent: "a benchmark".to_owned(),
            request_id: world.id("req"),
            detail_json: String::new(),
            hash: String::new(),
        };
        let link = Arc::new(|previous: &str, row: &AuditRow| format!("{previous:.32}{}", row.seq));
        Entry { row, detail: serde_json::Map::new(), link }
    }
}
