//! Who is asking, and may they: people, orgs, members, keys, browser sessions, operators and the secrets under them.
//! Knows no HTML, no HTTP beyond the session cookie, and no money: the ledger keeps limits
//! and wallets. What is owed (a trial, a voucher) is a right, and stands here until the ledger has booked it.
pub mod announcements;
pub mod audit;
mod base62;
pub mod bodies;
pub mod call_limits;
pub mod csrf;
pub mod data_exports;
pub mod email;
pub mod factors;
pub mod identities;
pub mod keys;
pub mod limit_nodes;
pub mod mail;
pub mod names;
pub mod node_rules;
pub mod notices;
pub mod oauth;
pub mod operator_tokens;
pub mod operators;
pub mod orgs;
pub mod passkeys;
mod password_gate;
pub mod passwords;
pub mod people;
pub mod retention;
pub mod role;
pub mod secrets;
pub mod sessions;
pub mod switches;
#[cfg(test)]
mod testing;
mod throttle;
mod tokens;
pub mod vouchers;
pub mod waiting_credits;

use announcements::Announcements;
use audit::Audit;
use bodies::Bodies;
use bytespike_store::Store;
use bytespike_store::world::World;
use call_limits::CallLimits;
use csrf::Csrf;
use data_exports::DataExports;
use factors::Factors;
use identities::Identities;
use keys::{Keys, RightsWatch};
use node_rules::NodeRules;
use notices::Notices;
use oauth::Oauth;
use operator_tokens::OperatorTokens;
use operators::{OperatorSessions, Operators};
use passkeys::Passkeys;
use passwords::Hasher;
use people::People;
use retention::Retention;
use secrets::{Keyring, MacPurpose};
use sessions::Sessions;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use switches::Switches;
use throttle::Throttle;
use tokens::Tokens;
use vouchers::Vouchers;
use waiting_credits::WaitingCredits;

const RIGHTS_EVERY: Duration = Duration::from_millis(250);
const LAST_USED_EVERY: Duration = Duration::from_secs(10);
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// A browser that nobody signed in with for so long is a new one again; its cookie is gone by then too.
const BROWSERS_KEPT_MS: i64 = 400 * 24 * 3_600_000;
/// Rows that go in one statement, so that nobody waits long behind it.
const SWEPT_AT_ONCE: i64 = 500;

/// Everything about identity. Clones are cheap and share their caches.
#[derive(Clone)]
pub struct Accounts {
    pub keys: Keys,
    pub people: People,
    pub sessions: Sessions,
    pub csrf: Csrf,
    pub factors: Factors,
    pub identities: Identities,
    pub oauth: Oauth,
    pub operators: Operators,
    pub operator_tokens: OperatorTokens,
    pub call_limits: CallLimits,
    pub node_rules: NodeRules,
    pub notices: Notices,
    pub vouchers: Vouchers,
    pub announcements: Announcements,
    pub switches: Switches,
    pub retention: Retention,
    pub waiting_credits: WaitingCredits,
    pub passkeys: Passkeys,
    pub data_exports: DataExports,
    pub bodies: Bodies,
    pub audit: Audit,
    store: Store,
    world: World,
}

/// What every part stands on.
pub(crate) struct Basis<'a> {
    pub store: &'a Store,
    pub world: &'a World,
    pub keyring: &'a Keyring,
}

/// Where a request came from, for throttles, session lists and the audit log.
#[derive(Clone, Debug)]
pub struct Origin {
    pub ip: IpAddr,
    pub user_agent: String,
    pub request_id: String,
}

impl Origin {
    /// The host itself: a command on the command line, a job.
    pub fn host() -> Self {
        Self {
            ip: IpAddr::from([127, 0, 0, 1]),
            user_agent: "bytespike".to_owned(),
            request_id: String::new(),
        }
    }
}

impl Accounts {
    /// `hash_workers` password hashes run at once, each on 19 MiB; half the cores is a good number.
    pub fn new(store: Store, world: World, keyring: &Keyring, hash_workers: usize) -> Self {
        let basis = Basis { store: &store, world: &world, keyring };
        let audit = Audit::new(&basis);
        let rights = Arc::new(RightsWatch::new(&basis));
        let hasher = Hasher::new(world.clone(), hash_workers);
        let tokens = Tokens::new(&basis);
        let waiting_credits = WaitingCredits::new(&basis, audit.clone());
        let switches = Switches::new(&basis, audit.clone());
        let keys = Keys::new(&basis, rights.clone(), audit.clone());
        let factors = Factors::new(&basis, audit.clone());
        let people = People {
            factors: factors.clone(),
            browsers: keyring.mac(MacPurpose::Browser),
            throttle: Throttle::new(&basis),
            store: store.clone(),
            world: world.clone(),
            audit: audit.clone(),
            hasher: hasher.clone(),
            tokens: tokens.clone(),
            rights: rights.clone(),
            switches: switches.clone(),
        };
        let retention = Retention::new(&basis, switches.clone());
        let identities = Identities::new(&basis, people.clone(), audit.clone());
        Self {
            call_limits: CallLimits { store: store.clone(), world: world.clone(), rights: rights.clone() },
            node_rules: NodeRules { store: store.clone(), rights: rights.clone(), audit: audit.clone() },
            notices: Notices { store: store.clone(), world: world.clone() },
            oauth: Oauth::new(&basis, keys.clone(), people.clone(), audit.clone()),
            keys,
            people,
            sessions: Sessions::new(&basis),
            factors: factors.clone(),
            identities,
            csrf: Csrf::new(keyring, world.clone()),
            operator_tokens: OperatorTokens::new(&basis, audit.clone()),
            vouchers: Vouchers::new(&basis, audit.clone(), waiting_credits.clone()),
            waiting_credits,
            announcements: Announcements::new(&basis, audit.clone()),
            bodies: Bodies::new(&basis, (rights, retention.clone()), audit.clone()),
            retention,
            switches,
            passkeys: Passkeys::new(&basis, audit.clone()),
            data_exports: DataExports::new(&basis, audit.clone()),
            operators: Operators {
                sessions: OperatorSessions::new(&basis),
                factors,
                throttle: Throttle::new(&basis),
                store: store.clone(),
                world: world.clone(),
                hasher,
                tokens,
                audit: audit.clone(),
            },
            audit,
            store,
            world,
        }
    }

    /// The background work, until dropped: learns of rights taken away elsewhere within a second, writes when keys
    /// were last used, and sweeps what has expired. Call [`Keys::write_last_used`] once more before stopping.
    pub async fn run(&self) {
        let mut rights = tokio::time::interval(RIGHTS_EVERY);
        let mut last_used = tokio::time::interval(LAST_USED_EVERY);
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        loop {
            let (what, done) = tokio::select! {
                _ = rights.tick() => ("reading changes of rights", self.keys.refresh_rights().await),
                _ = last_used.tick() => ("writing when keys were last used", self.keys.write_last_used().await),
                _ = sweep.tick() => ("sweeping expired rows", self.sweep().await),
            };
            if let Err(error) = done {
                tracing::warn!(%error, "{what} failed; it is tried again");
            }
        }
    }

    /// Ends accounts that are due, and removes sessions, one-time tokens, attempt counters and what belongs to OAuth once it has expired, some at a time.
    pub async fn sweep(&self) -> sqlx::Result<()> {
        let (store, now_ms) = (&self.store, self.world.now_ms());
        while bytespike_store::session::delete_ended(store, now_ms, SWEPT_AT_ONCE).await? > 0 {}
        while bytespike_store::one_time_token::delete_expired(store, now_ms, SWEPT_AT_ONCE).await? > 0 {}
        while bytespike_store::attempt::delete_ended(store, now_ms, SWEPT_AT_ONCE).await? > 0 {}
        let forgotten_ms = now_ms - BROWSERS_KEPT_MS;
        while bytespike_store::known_browser::delete_unseen(store, forgotten_ms, SWEPT_AT_ONCE).await? > 0 {}
        while bytespike_store::email_change::delete_expired(store, now_ms, SWEPT_AT_ONCE).await? > 0 {}
        while bytespike_store::identity::delete_expired(store, now_ms, SWEPT_AT_ONCE).await? > 0 {}
        while bytespike_store::passkey::delete_expired(store, now_ms, SWEPT_AT_ONCE).await? > 0 {}
        self.data_exports.sweep(SWEPT_AT_ONCE).await?;
        self.operators.sessions.sweep(SWEPT_AT_ONCE).await?;
        self.people.end_due().await?;
        self.vouchers.forget_codes().await?;
        self.oauth.sweep().await?;
        Ok(())
    }
}
