//! What this crate's tests stand on: accounts on a fresh database, a clock that moves when told, and a signed-up owner.
use crate::mail::{Mail, MailKind};
use crate::orgs::Language;
use crate::people::{FirstStep, Membership, SignUp};
use crate::secrets::{MasterKey, SecretText};
use crate::{Accounts, Origin};
use bytespike_store::Store;
use bytespike_store::testing::on_each_database;
use bytespike_store::world::{ManualClock, World};
use std::sync::Arc;

pub const EMAIL: &str = "ada@example.com";
pub const PASSWORD: &str = "a quiet engine of brass";
const START_MS: i64 = 1_790_000_000_000;

pub struct Bench {
    pub accounts: Accounts,
    pub clock: Arc<ManualClock>,
    pub world: World,
    pub store: Store,
}

/// Runs the test on SQLite and on PostgreSQL.
pub async fn on_each(test: impl AsyncFn(Bench)) {
    on_each_database(async |store| {
        let (world, clock) = World::manual(START_MS, 42);
        let accounts = Accounts::new(store.clone(), world.clone(), &MasterKey::of_the_vectors().into(), 2);
        // On the heap: a bench holds all of accounts, and each test would otherwise carry it twice.
        Box::pin(test(Bench { accounts, clock, world, store })).await;
    })
    .await;
}

impl Bench {
    pub fn clock_ms(&self) -> i64 {
        self.world.now_ms()
    }

    /// A second process on the same database.
    pub fn other_instance(&self) -> Box<Accounts> {
        Box::new(Accounts::new(
            self.store.clone(),
            self.world.clone(),
            &MasterKey::of_the_vectors().into(),
            2,
        ))
    }

    /// Someone who signed up and confirmed their address.
    pub async fn owner(&self, email: &str) -> Membership {
        let mail = self.sign_up(email, PASSWORD).await.expect("a mail");
        self.accounts.people.verify_email(&origin(), token(&mail).expose()).await.expect("confirmed");
        match self.accounts.people.sign_in(&origin(), email, PASSWORD).await.expect("signed in") {
            FirstStep::Done(member) => member,
            FirstStep::SecondFactor { .. } => panic!("a new account has no second factor"),
        }
    }

    pub async fn sign_up(&self, email: &str, password: &str) -> Option<Mail> {
        let form = SignUp { email, password, name: None, language: Language::En, next: None };
        self.accounts.people.sign_up(&origin(), form).await.expect("accepted")
    }
}

pub fn origin() -> Origin {
    Origin::host()
}

pub fn origin_at(ip: &str) -> Origin {
    Origin { ip: ip.parse().expect("an address"), ..Origin::host() }
}

/// The token in a mail's link.
pub fn token(mail: &Mail) -> SecretText {
    match &mail.kind {
        MailKind::VerifyEmail { token, .. }
        | MailKind::Invitation { token, .. }
        | MailKind::ResetPassword { token } => token.clone(),
        other => panic!("a mail without a link: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::NewKey;
    use crate::sessions::Session;
    use bytespike_store::testing::on_sqlite;

    /// Reads the database's own files, so that no table can be forgotten.
    #[tokio::test]
    async fn s119_no_secret_that_was_handed_out_can_be_read_from_the_database() {
        on_sqlite(async |store| {
            let (world, clock) = World::manual(START_MS, 43);
            let accounts =
                Accounts::new(store.clone(), world.clone(), &MasterKey::of_the_vectors().into(), 1);
            let bench = Bench { accounts, clock, world, store };
            let owner = bench.owner(EMAIL).await;
            let key = bench
                .accounts
                .keys
                .create(&origin(), &owner, NewKey::named("laptop"))
                .await
                .expect("created");
            let reset = bench
                .accounts
                .people
                .request_reset(&origin(), EMAIL)
                .await
                .expect("accepted")
                .expect("a mail");
            let operator =
                bench.accounts.operators.first_run_token().await.expect("issued").expect("none before");
            let session = Session::new(None, Arc::new(bench.accounts.sessions.clone()), None);
            bench.accounts.sessions.start(&session, &origin(), owner.person_id()).await.expect("started");
            session.save().await.expect("saved");
            let handed_out = [
                PASSWORD.to_owned(),
                key.secret.expose()[20..52].to_owned(),
                token(&reset).expose().to_owned(),
                operator.expose().to_owned(),
                session.id().expect("saved").to_string(),
            ];
            let files = database_files(&bench.store);
            assert!(files.contains(EMAIL), "the files were not read");
            for secret in handed_out {
                assert!(!files.contains(&secret), "a secret is in the database");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn s10_no_credential_passes_for_one_of_another_kind() {
        on_each(async |bench| {
            let accounts = &bench.accounts;
            let owner = bench.owner(EMAIL).await;
            let key = accounts
                .keys
                .create(&origin(), &owner, NewKey::named("laptop"))
                .await
                .expect("created")
                .secret;
            let reset = token(
                &accounts.people.request_reset(&origin(), EMAIL).await.expect("accepted").expect("a mail"),
            );
            let operator = accounts.operators.first_run_token().await.expect("issued").expect("none before");
            let session = Session::new(None, Arc::new(accounts.sessions.clone()), None);
            accounts.sessions.start(&session, &origin(), owner.person_id()).await.expect("started");
            session.save().await.expect("saved");
            let session = SecretText::new(session.id().expect("saved").to_string());
            let each = [("key", &key), ("reset", &reset), ("operator", &operator), ("session", &session)];
            for (kind, secret) in each {
                let text = secret.expose();
                let cookie = Session::new(text.parse().ok(), Arc::new(accounts.sessions.clone()), None);
                let accepted = [
                    ("key", accounts.keys.identify(text).await.is_ok()),
                    ("reset", accounts.people.reset_is_for(text).await.expect("read").is_some()),
                    ("verify", accounts.people.can_verify(text).await.expect("read")),
                    ("operator", accounts.operators.first_run_open(text).await.expect("read")),
                    ("session", accounts.sessions.current(&cookie).await.expect("read").is_some()),
                ];
                for (place, accepted) in accepted {
                    assert_eq!(accepted, place == kind, "a {kind} where a {place} belongs");
                }
            }
        })
        .await;
    }

    fn database_files(store: &Store) -> String {
        let path = store.sqlite_path().expect("a file");
        let beside = path.with_extension("db-wal");
        let read = |path| std::fs::read(path).expect("readable");
        [&path, &beside].map(|path| String::from_utf8_lossy(&read(path)).into_owned()).concat()
    }
}
