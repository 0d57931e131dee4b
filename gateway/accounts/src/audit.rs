//! The log of changes and security events: a chain of HMACs, so that a row cannot be changed or taken out unnoticed.
//!
//! A function that changes something makes an [`Entry`] of an [`Event`] and hands it to the store, which appends it in
//! the change's own transaction. [`Audit::record`] is for what changes nothing of ours, such as a failed sign-in.
use crate::secrets::{MacKey, MacPurpose};
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::audit_event;
pub use bytespike_store::audit_event::{AuditFilter, AuditRow, Entry};
use bytespike_store::world::World;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

const PAGE: i64 = 500;
const MOST_USER_AGENT_CHARS: usize = 256;

#[derive(Clone)]
pub struct Audit {
    store: Store,
    world: World,
    key: MacKey,
}

/// Who did it.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    Person(&'a str),
    Operator(&'a str),
    /// A program, by the public id of its token.
    OperatorToken(&'a str),
    Key(&'a str),
    /// A command on the machine, or a job.
    Host,
    Anonymous,
}

/// What happened. `name` is `thing.verb`, for example `key.created`; `detail` holds no secret.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    pub name: &'static str,
    pub actor: Actor<'a>,
    pub org_id: Option<&'a str>,
    pub target: Option<&'a str>,
    pub detail: Value,
}

impl<'a> Event<'a> {
    pub fn new(name: &'static str, actor: Actor<'a>) -> Self {
        Self { name, actor, org_id: None, target: None, detail: json!({}) }
    }

    pub fn org(self, org_id: &'a str) -> Self {
        Self { org_id: Some(org_id), ..self }
    }

    pub fn target(self, target: &'a str) -> Self {
        Self { target: Some(target), ..self }
    }

    pub fn detail(self, detail: Value) -> Self {
        Self { detail, ..self }
    }

    /// What was so, and what is so now: two objects with the same fields, or null where there was or is nothing.
    #[expect(clippy::needless_pass_by_value, reason = "made for the call")]
    pub fn changed(self, before: Value, after: Value) -> Self {
        Self { detail: json!({ "before": before, "after": after }), ..self }
    }
}

/// Where the chain breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("audit event {0} is missing")]
    Missing(i64),
    #[error("audit event {0} was changed")]
    Changed(i64),
}

impl Audit {
    pub(crate) fn new(basis: &Basis<'_>) -> Self {
        let key = basis.keyring.mac(MacPurpose::AuditChain);
        Self { store: basis.store.clone(), world: basis.world.clone(), key }
    }

    /// Appends the event. What it tells of has happened already, so a failure to write it is logged, not returned.
    pub async fn record(&self, origin: &Origin, event: Event<'_>) {
        let name = event.name;
        if let Err(error) = audit_event::append(&self.store, &self.entry(origin, event)).await {
            tracing::error!(%error, event = name, request_id = %origin.request_id, "a security event was not recorded");
        }
    }

    /// The event as the store appends it with its change.
    #[must_use]
    pub fn entry(&self, origin: &Origin, event: Event<'_>) -> Entry {
        let Event { name, actor, org_id, target, detail } = event;
        let visible = origin.user_agent.chars().filter(|c| !c.is_control());
        let row = AuditRow {
            seq: 0,
            at_ms: self.world.now_ms(),
            event: name.to_owned(),
            actor: actor.to_string(),
            org_id: org_id.map(str::to_owned),
            target: target.map(str::to_owned),
            ip: origin.ip.to_string(),
            user_agent: visible.take(MOST_USER_AGENT_CHARS).collect(),
            request_id: origin.request_id.clone(),
            detail_json: String::new(),
            hash: String::new(),
        };
        let detail = if let Value::Object(detail) = detail { detail } else { serde_json::Map::new() };
        let audit = self.clone();
        Entry { row, detail, link: Arc::new(move |previous, row| audit.hash(previous, row)) }
    }

    /// A page of the org's events, the newest first. At most `limit`.
    pub async fn of_org(
        &self,
        org_id: &str,
        filter: &AuditFilter,
        limit: i64,
    ) -> sqlx::Result<Vec<AuditRow>> {
        audit_event::of_org(&self.store, org_id, filter, limit).await
    }

    /// A page of the events of the whole installation, or of one org; the newest first. For operators.
    pub async fn of_all(
        &self,
        org_id: Option<&str>,
        filter: &AuditFilter,
        limit: i64,
    ) -> sqlx::Result<Vec<AuditRow>> {
        audit_event::matching(&self.store, org_id, filter, limit).await
    }

    /// Walks the whole chain; answers how many events it holds, or where it first breaks.
    pub async fn verify(&self) -> sqlx::Result<Result<i64, Broken>> {
        let (last, last_hash) = audit_event::head(&self.store).await?;
        let (mut seq, mut previous) = (0, String::new());
        loop {
            let page = audit_event::after(&self.store, seq, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for row in page.iter().take_while(|row| row.seq <= last) {
                if row.seq != seq + 1 {
                    return Ok(Err(Broken::Missing(seq + 1)));
                }
                if row.hash != self.hash(&previous, row) {
                    return Ok(Err(Broken::Changed(row.seq)));
                }
                (seq, previous) = (row.seq, row.hash.clone());
            }
            if seq >= last {
                break;
            }
        }
        Ok(if seq < last {
            Err(Broken::Missing(seq + 1))
        } else if previous != last_hash {
            Err(Broken::Changed(last))
        } else {
            Ok(seq)
        })
    }

    /// A JSON array, so that no field can be shifted into its neighbour.
    fn hash(&self, previous: &str, row: &AuditRow) -> String {
        let message = json!([
            previous,
            row.seq,
            row.at_ms,
            row.event,
            row.actor,
            row.org_id,
            row.target,
            row.ip,
            row.user_agent,
            row.request_id,
            row.detail_json
        ]);
        self.key.mac_hex(message.to_string().as_bytes())
    }
}

impl fmt::Display for Actor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Person(id) => write!(f, "person:{id}"),
            Actor::Operator(id) => write!(f, "operator:{id}"),
            Actor::OperatorToken(id) => write!(f, "operator-token:{id}"),
            Actor::Key(id) => write!(f, "key:{id}"),
            Actor::Host => f.write_str("host"),
            Actor::Anonymous => f.write_str("anonymous"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identities::Verified;
    use crate::people::PasswordChange;
    use crate::sessions::Session;
    use crate::testing::{Bench, PASSWORD, on_each, origin, token};
    use bytespike_store::{on_database, sqlx};

    async fn written(bench: &Bench, count: i64) {
        for _ in 0..count {
            let event = Event::new("key.created", Actor::Person("usr_1"))
                .org("org_1")
                .detail(json!({ "name": "laptop" }));
            bench.accounts.audit.record(&origin(), event).await;
        }
    }

    /// As someone would who has the whole database in their hands, triggers included.
    async fn tamper(bench: &Bench, sql: &'static str) {
        let triggers: &[&str] = match &bench.store {
            Store::Sqlite { .. } => &[
                "drop trigger if exists audit_event_no_update",
                "drop trigger if exists audit_event_no_delete",
            ],
            Store::Postgres(_) => &["drop trigger if exists audit_event_append_only on audit_event"],
        };
        for trigger in triggers {
            on_database!(&bench.store, db => sqlx::query(*trigger).execute(db).await.map(drop))
                .expect("gone");
        }
        on_database!(&bench.store, db => sqlx::query(sql).execute(db).await.map(drop)).expect("tampered");
    }

    #[tokio::test]
    async fn an_untouched_chain_holds_even_when_written_by_many_at_once() {
        on_each(async |bench| {
            futures_util::future::join_all((0..8).map(|_| written(&bench, 5))).await;
            assert_eq!(bench.accounts.audit.verify().await.expect("read"), Ok(40));
        })
        .await;
    }

    #[tokio::test]
    async fn the_database_itself_refuses_to_change_or_delete_a_row() {
        on_each(async |bench| {
            written(&bench, 1).await;
            for sql in ["update audit_event set actor = 'host'", "delete from audit_event"] {
                let refused = on_database!(&bench.store, db => sqlx::query(sql).execute(db).await.map(drop));
                assert!(refused.expect_err("refused").to_string().contains("append-only"), "{sql}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn s130_changing_or_deleting_a_row_is_noticed() {
        on_each(async |bench| {
            written(&bench, 4).await;
            let audit = &bench.accounts.audit;
            tamper(&bench, "update audit_event set actor = 'host' where seq = 2").await;
            assert_eq!(audit.verify().await.expect("read"), Err(Broken::Changed(2)));
            tamper(&bench, "delete from audit_event where seq = 2").await;
            assert_eq!(audit.verify().await.expect("read"), Err(Broken::Missing(2)));
        })
        .await;
    }

    /// Without its event a change does not happen: both are one transaction.
    #[tokio::test]
    async fn s131_a_change_that_cannot_be_recorded_does_not_happen() {
        on_each(async |bench| {
            let owner = bench.owner("ada@example.com").await;
            tamper(&bench, "delete from audit_head").await;
            let people = &bench.accounts.people;
            assert!(people.rename_org(&origin(), &owner, "Another name").await.is_err());
            let now = people.membership(owner.person_id(), None).await.expect("read").expect("a member");
            assert_eq!(now.org_name(), owner.org_name());
        })
        .await;
    }

    /// The same for what guards an account: none of it changes without its event.
    #[tokio::test]
    async fn s131_nothing_that_guards_an_account_changes_unrecorded() {
        on_each(async |bench| {
            let owner = bench.owner("ada@example.com").await;
            let (accounts, from) = (&bench.accounts, origin());
            let session = Session::new(None, Arc::new(accounts.sessions.clone()), None);
            accounts.sessions.start(&session, &from, owner.person_id()).await.expect("started");
            session.save().await.expect("saved");
            let current = accounts.sessions.current(&session).await.expect("read").expect("signed in");
            let reset = accounts.people.request_reset(&from, "ada@example.com").await.expect("asked");
            let reset = token(&reset.expect("a letter"));
            let before = everything(&bench).await;
            tamper(&bench, "delete from audit_head").await;
            let new =
                PasswordChange { session: &current, current: PASSWORD, new: "another long sentence 12" };
            assert!(accounts.people.change_password(&from, &owner, new).await.is_err());
            assert!(accounts.people.reset_password(&from, reset.expose(), new.new).await.is_err());
            assert!(accounts.people.request_email_change(&from, &owner, "new@example.com").await.is_err());
            assert!(accounts.people.ask_for_end(&from, &owner).await.is_err());
            assert!(accounts.data_exports.ask(&from, &owner).await.is_err());
            let github =
                Verified { provider: "github".to_owned(), subject: "1".to_owned(), email: None, name: None };
            assert!(accounts.identities.link(&from, &owner, (&github, "GitHub")).await.is_err());
            assert_eq!(everything(&bench).await, before);
        })
        .await;
    }

    /// What those changes would have changed.
    async fn everything(bench: &Bench) -> (String, i64) {
        on_database!(read &bench.store, db => sqlx::query_as(
            "select p.password_hash || p.email,
                 (select count(*) from identity) + (select count(*) from email_change) + (select count(*) from account_end)
                     + (select count(*) from data_export) * 10 + (select count(*) from session) * 100
                     + (select count(*) from one_time_token) * 10000
             from person p").fetch_one(db).await)
        .expect("read")
    }

    #[tokio::test]
    async fn s131_a_change_tells_what_was_and_what_is() {
        on_each(async |bench| {
            let owner = bench.owner("ada@example.com").await;
            let people = &bench.accounts.people;
            people.rename_org(&origin(), &owner, "Analytical Engines").await.expect("renamed");
            people.rename_org(&origin(), &owner, "Analytical Engines").await.expect("nothing to do");
            let filter = AuditFilter { event: Some("org.".to_owned()), ..AuditFilter::default() };
            let events = bench.accounts.audit.of_org(owner.org_id(), &filter, 10).await.expect("read");
            let [renamed] = events.as_slice() else { panic!("{events:?}") };
            let detail: Value = serde_json::from_str(&renamed.detail_json).expect("JSON");
            let (before, after) = (json!({ "name": "ada" }), json!({ "name": "Analytical Engines" }));
            assert_eq!(detail, json!({ "before": before, "after": after }));
            assert_eq!(renamed.actor, format!("person:{}", owner.person_id()));
        })
        .await;
    }

    #[tokio::test]
    async fn an_orgs_log_is_read_from_the_end_a_page_at_a_time() {
        on_each(async |bench| {
            written(&bench, 5).await;
            let other = Event::new("key.revoked", Actor::Key("key_1")).org("org_1").target("key_2");
            bench.accounts.audit.record(&origin(), other).await;
            bench.accounts.audit.record(&origin(), Event::new("key.created", Actor::Host).org("org_2")).await;
            let audit = &bench.accounts.audit;
            let seqs = async |filter: AuditFilter| {
                let rows = audit.of_org("org_1", &filter, 2).await.expect("read");
                rows.iter().map(|row| row.seq).collect::<Vec<_>>()
            };
            assert_eq!(seqs(AuditFilter::default()).await, [6, 5]);
            assert_eq!(seqs(AuditFilter { before_seq: Some(5), ..AuditFilter::default() }).await, [4, 3]);
            let named = |event: &str| AuditFilter { event: Some(event.to_owned()), ..AuditFilter::default() };
            assert_eq!(seqs(named("key.created")).await, [5, 4]);
            assert_eq!(seqs(named("key.")).await, [6, 5]);
            assert_eq!(seqs(named("key")).await, [0; 0], "neither a name nor a thing");
            let by = AuditFilter { actor: Some("key:key_1".to_owned()), ..AuditFilter::default() };
            assert_eq!(seqs(by).await, [6]);
            let about = AuditFilter { target: Some("key_2".to_owned()), ..AuditFilter::default() };
            assert_eq!(seqs(about).await, [6]);
        })
        .await;
    }

    #[tokio::test]
    async fn s130_cutting_the_end_off_is_noticed() {
        on_each(async |bench| {
            written(&bench, 3).await;
            tamper(&bench, "delete from audit_event where seq = 3").await;
            assert_eq!(bench.accounts.audit.verify().await.expect("read"), Err(Broken::Missing(3)));
        })
        .await;
    }
}
