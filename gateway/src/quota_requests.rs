//! Asking for more than a limit allows, granting it for a time or for good, or declining. The end of a grant stands in the
//! limit itself: calls find the limit as it was from that moment on, and the job here only writes down that it came.

use bytespike_accounts::audit::{Actor, Entry, Event};
use bytespike_accounts::people::Membership;
use bytespike_accounts::role::Permission;
use bytespike_accounts::{Accounts, Origin, names};
use bytespike_ledger::Ledger;
use bytespike_store::outbox;
pub use bytespike_store::quota_request::QuotaRequestRow;
use bytespike_store::quota_request::{self, Decision};
use bytespike_store::world::World;
use bytespike_store::{Store, sqlx};
use serde_json::json;

use crate::quota::{AboveParent, By, Change, QuotaError, Quotas, Which};

/// Requests on a page, at most.
const MOST_LISTED: i64 = 200;
/// Requests of one member that wait, at most.
const MOST_WAITING: usize = 20;
const MOST_CHARACTERS: usize = 500;
/// Grants that are ended at once.
const ENDED_AT_ONCE: i64 = 100;

/// Requests of orgs. Clones share everything.
#[derive(Clone)]
pub struct QuotaRequests {
    pub store: Store,
    pub world: World,
    pub accounts: Accounts,
    pub ledger: Ledger,
}

/// What a member asks for.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// `org:…`, `dep:…`, `mem:…` or `key:…`
    pub node: String,
    pub which: Which,
    /// Nano-USD, requests or calls.
    pub wanted: i64,
    pub reason: String,
    /// Until when it is needed; `None` for good.
    pub ends_at_ms: Option<i64>,
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the limit is set to; `None` declines.
    pub granted: Option<i64>,
    pub ends_at_ms: Option<i64>,
    pub words: String,
}

#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("your role does not allow this")]
    Forbidden,
    #[error("there is no such request, or it was answered")]
    NotFound,
    #[error("there is no such limit")]
    NoLimit,
    #[error("ask for more than the limit allows now")]
    NotMore,
    #[error("say in a sentence what it is for")]
    NoReason,
    #[error("too many requests wait for an answer")]
    TooMany,
    #[error("a limit above is lower")]
    Above(AboveParent),
    #[error(transparent)]
    Limits(#[from] QuotaError),
    #[error(transparent)]
    Unavailable(#[from] sqlx::Error),
}

impl QuotaRequests {
    /// The requests that a member may see: their own, or all of the org's, those that wait first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn list(&self, member: &Membership) -> sqlx::Result<Vec<QuotaRequestRow>> {
        let own = (!member.role().may(Permission::SetLimits)).then(|| member.member_id());
        quota_request::list(&self.store, (member.org_id(), own), MOST_LISTED).await
    }

    /// One of them.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn find(&self, member: &Membership, id: &str) -> sqlx::Result<Option<QuotaRequestRow>> {
        let found = quota_request::find(&self.store, member.org_id(), id).await?;
        let sees = |row: &QuotaRequestRow| {
            row.member_id == member.member_id() || member.role().may(Permission::SetLimits)
        };
        Ok(found.filter(sees))
    }

    /// Asks those who set limits for more. They are told by mail.
    ///
    /// # Errors
    /// There is no such limit on the member's way, or nothing to ask for.
    pub async fn ask(
        &self,
        origin: &Origin,
        member: &Membership,
        new: NewRequest,
    ) -> Result<(), RequestError> {
        let reason = names::visible(&new.reason);
        if !(1..=MOST_CHARACTERS).contains(&reason.chars().count()) {
            return Err(RequestError::NoReason);
        }
        let limits = self.quotas().of_org(member.org_id()).await?;
        let now = limits.value(&new.node, new.which).ok_or(RequestError::NoLimit)?;
        if !self.is_on_way(member, &new.node).await? {
            return Err(RequestError::NoLimit);
        }
        if new.wanted <= now {
            return Err(RequestError::NotMore);
        }
        let waiting = self.list(member).await?;
        let own = waiting.iter().filter(|row| row.state == "waiting" && row.member_id == member.member_id());
        if own.count() >= MOST_WAITING {
            return Err(RequestError::TooMany);
        }
        let row = QuotaRequestRow {
            id: self.world.id("qrq"),
            org_id: member.org_id().to_owned(),
            member_id: member.member_id().to_owned(),
            node_id: new.node,
            limit_name: new.which.name().to_owned(),
            wanted: new.wanted,
            reason,
            state: String::new(),
            granted: None,
            former: None,
            ends_at_ms: new.ends_at_ms,
            answer: String::new(),
            decided_by_person_id: None,
            created_at_ms: self.world.now_ms(),
            decided_at_ms: None,
        };
        let entry = self.entry(origin, member.did("quota.requested"), &row);
        Ok(quota_request::insert(&self.store, &row, (&entry, &self.told("quota_requested", &row))).await?)
    }

    /// Takes one's own request back.
    ///
    /// # Errors
    /// It does not wait any more.
    pub async fn withdraw(&self, origin: &Origin, member: &Membership, id: &str) -> Result<(), RequestError> {
        let row = self.find(member, id).await?.ok_or(RequestError::NotFound)?;
        let entry = self.entry(origin, member.did("quota.withdrawn"), &row);
        let whose = (member.org_id(), member.member_id());
        match quota_request::withdraw(&self.store, whose, (id, self.world.now_ms()), &entry).await? {
            true => Ok(()),
            false => Err(RequestError::NotFound),
        }
    }

    /// Grants or declines. Two who answer at once are one answer: the first. The member is told by mail.
    ///
    /// # Errors
    /// The role does not allow it, the request was answered, or a limit above is lower.
    pub async fn answer(
        &self,
        origin: &Origin,
        member: &Membership,
        (id, answer): (&str, Answer),
    ) -> Result<(), RequestError> {
        if !member.role().may(Permission::SetLimits) {
            return Err(RequestError::Forbidden);
        }
        let found = self.find(member, id).await?.filter(|row| row.state == "waiting");
        let mut row = found.ok_or(RequestError::NotFound)?;
        let which = Which::parse(&row.limit_name).ok_or(RequestError::NoLimit)?;
        let limits = self.quotas().of_org(member.org_id()).await?;
        let (now, former) = (limits.value(&row.node_id, which), limits.lasting(&row.node_id, which));
        if let Some(granted) = answer.granted {
            // What was removed since does not bind any more: there is nothing to raise, and nothing to set back.
            former.ok_or(RequestError::NoLimit)?;
            let above = limits.tree.above(&row.node_id);
            limits.check(&above, (which, granted)).map_err(RequestError::Above)?;
        }
        let words: String = names::visible(&answer.words).chars().take(MOST_CHARACTERS).collect();
        let decision = Decision {
            state: if answer.granted.is_some() { "granted" } else { "declined" },
            granted: answer.granted,
            former,
            ends_at_ms: answer.ends_at_ms.filter(|_| answer.granted.is_some()),
            answer: &words,
            person_id: member.person_id(),
            now_ms: self.world.now_ms(),
        };
        row.state = decision.state.to_owned();
        row.granted = decision.granted;
        row.ends_at_ms = decision.ends_at_ms;
        row.answer.clone_from(&words);
        let name = if answer.granted.is_some() { "quota.granted" } else { "quota.declined" };
        let entry = self.entry(origin, member.did(name), &row);
        let told = (&entry, &self.told("quota_decided", &row));
        if !quota_request::decide(&self.store, (member.org_id(), id), &decision, told).await? {
            return Err(RequestError::NotFound);
        }
        if let Some(granted) = answer.granted {
            let by = By { org_id: member.org_id(), actor: Actor::Person(member.person_id()), origin };
            let change = Change { node: &row.node_id, which, before: now, after: Some(granted) };
            let end = row.ends_at_ms.zip(former);
            self.quotas().raise(by, change, end).await?;
        }
        Ok(())
    }

    /// Writes down which grants are over; answers how many. A limit that was changed in between stays as it is.
    ///
    /// # Errors
    /// The database does not answer; what was not done is done next time.
    pub async fn end_due(&self) -> Result<usize, RequestError> {
        let due = quota_request::due(&self.store, self.world.now_ms(), ENDED_AT_ONCE).await?;
        for row in &due {
            let Some(which) = Which::parse(&row.limit_name) else { continue };
            // The limit goes first: a process that dies in between does it again, which changes nothing.
            self.quotas().end_grant(&row.org_id, (&row.node_id, which)).await?;
            let event = Event::new("quota.ended", Actor::Host).org(&row.org_id);
            quota_request::end(&self.store, &row.id, &self.entry(&Origin::host(), event, row)).await?;
        }
        Ok(due.len())
    }

    fn quotas(&self) -> Quotas {
        Quotas { accounts: self.accounts.clone(), ledger: self.ledger.clone() }
    }

    /// Whether the node binds the member's calls: the org, their own node, their keys, or a deployment of those.
    async fn is_on_way(&self, member: &Membership, node: &str) -> sqlx::Result<bool> {
        let own = [
            format!("org:{}", member.org_id()),
            format!("mem:{}", member.member_id()),
            format!("dep:{}", member.deployment_id()),
        ];
        if own.iter().any(|one| one == node) {
            return Ok(true);
        }
        let keys = self.accounts.keys.list(member).await?;
        Ok(keys
            .iter()
            .any(|key| format!("key:{}", key.id) == node || format!("dep:{}", key.deployment_id) == node))
    }

    fn entry(&self, origin: &Origin, event: Event<'_>, row: &QuotaRequestRow) -> Entry {
        let detail = json!({
            "request": row.id,
            "limit": row.limit_name,
            "wanted": row.wanted,
            "granted": row.granted,
            "ends_at_ms": row.ends_at_ms,
        });
        self.accounts.audit.entry(origin, event.target(&row.node_id).detail(detail))
    }

    /// What is to be told: to those who answer for the org, and to whoever asked.
    fn told(&self, kind: &str, row: &QuotaRequestRow) -> outbox::Event {
        let payload = json!({
            "request": row.id,
            "node": row.node_id,
            "limit": row.limit_name,
            "wanted": row.wanted,
            "reason": row.reason,
            "state": row.state,
            "granted": row.granted,
            "ends_at_ms": row.ends_at_ms,
            "answer": row.answer,
        });
        outbox::Event {
            id: self.world.id("out"),
            org_id: row.org_id.clone(),
            kind: kind.to_owned(),
            subject: format!("mem:{}", row.member_id),
            payload_json: payload.to_string(),
            created_at_ms: self.world.now_ms(),
        }
    }
}
