//! The limits of an org's nodes as one thing, whoever keeps them: money over time is the ledger's, calls are the accounts'.
//! The API and the console read, check and set them through this.

use bytespike_accounts::audit::{Actor, Entry, Event};
use bytespike_accounts::call_limits::{CallLimit, CallLimitKind};
use bytespike_accounts::keys::{CreatedKey, KeyError, Manager, NewKey};
use bytespike_accounts::limit_nodes::{LimitNode, NodeTree};
use bytespike_accounts::switches::Feature;
use bytespike_accounts::{Accounts, Origin};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{BookingError, GrantEnd, Ledger, LimitState, NodeId, SetLimit, Window};
use bytespike_store::sqlx;
use serde_json::json;

/// What a limit limits, from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    Spend(Window),
    Calls(CallLimitKind),
}

/// Reads and sets limits. Clones share everything.
#[derive(Clone)]
pub struct Quotas {
    pub accounts: Accounts,
    pub ledger: Ledger,
}

/// Every node of an org and every limit, as set now.
pub struct OrgLimits {
    pub tree: NodeTree,
    pub spend: Vec<LimitState>,
    pub calls: Vec<CallLimit>,
}

/// A limit above that of a node above it. It would bind anyway; refusing says so before somebody relies on the larger one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AboveParent {
    pub which: Which,
    /// Nano-USD, requests or calls.
    pub wanted: i64,
    pub node: String,
    pub most: i64,
}

/// One limit that is to be set, changed or removed.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// `org:…`, `dep:…`, `mem:…` or `key:…`
    pub node: &'a str,
    pub which: Which,
    pub before: Option<i64>,
    pub after: Option<i64>,
}

/// Who changes limits of which org, and from where.
#[derive(Clone, Copy)]
pub struct By<'a> {
    pub org_id: &'a str,
    pub actor: Actor<'a>,
    pub origin: &'a Origin,
}

/// Why a limit was not set.
#[derive(Debug, thiserror::Error)]
pub enum QuotaError {
    #[error("there is no such node")]
    NoNode,
    #[error(transparent)]
    Booking(#[from] BookingError),
    #[error(transparent)]
    Unavailable(#[from] sqlx::Error),
}

/// Why a key was not made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("a limit is above that of a node above")]
    Above(AboveParent),
    #[error(transparent)]
    Limits(#[from] QuotaError),
    #[error("no new keys are made at the moment")]
    SwitchedOff,
}

impl Which {
    /// The shortest time first.
    pub const ALL: [Self; 8] = [
        Self::Spend(Window::FiveHours),
        Self::Spend(Window::Day),
        Self::Spend(Window::Week),
        Self::Spend(Window::Month),
        Self::Spend(Window::Lifetime),
        Self::Calls(CallLimitKind::CreditsPerCall),
        Self::Calls(CallLimitKind::RequestsPerMinute),
        Self::Calls(CallLimitKind::ConcurrentCalls),
    ];

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let spend = Window::parse(name).map(Self::Spend);
        spend.or_else(|| CallLimitKind::parse(name).map(Self::Calls))
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spend(window) => window.name(),
            Self::Calls(kind) => kind.name(),
        }
    }

    /// Money, not a number of things.
    #[must_use]
    pub fn is_credits(self) -> bool {
        !matches!(self, Self::Calls(CallLimitKind::RequestsPerMinute | CallLimitKind::ConcurrentCalls))
    }

    /// A value as people read it.
    #[must_use]
    pub fn amount(self, value: i64) -> String {
        if self.is_credits() { format!("{} credits", NanoUsd(value).credits()) } else { value.to_string() }
    }
}

impl OrgLimits {
    /// What the limit is set to: nano-USD, requests or calls.
    #[must_use]
    pub fn value(&self, node: &str, which: Which) -> Option<i64> {
        match which {
            Which::Spend(window) => {
                let mut spend = self.spend.iter();
                spend.find(|limit| limit.node.as_str() == node && limit.window == window).map(|l| l.limit.0)
            }
            Which::Calls(kind) => {
                let mut calls = self.calls.iter();
                calls.find(|limit| &*limit.node == node && limit.kind == kind).map(|limit| limit.value)
            }
        }
    }

    /// The same once no grant for a time is on top of it.
    #[must_use]
    pub fn lasting(&self, node: &str, which: Which) -> Option<i64> {
        let now = self.value(node, which)?;
        let then = match which {
            Which::Spend(window) => {
                let here = |limit: &&LimitState| limit.node.as_str() == node && limit.window == window;
                self.spend.iter().find(here).and_then(|limit| Some(limit.grant_end?.then.0))
            }
            Which::Calls(kind) => {
                let here = |limit: &&CallLimit| &*limit.node == node && limit.kind == kind;
                self.calls.iter().find(here).and_then(|limit| Some(limit.grant_end?.1))
            }
        };
        Some(then.unwrap_or(now))
    }

    /// The nodes that bind a call of this one: itself, and every node above it, the nearest first.
    #[must_use]
    pub fn chain(&self, node: &str) -> Vec<&LimitNode> {
        self.tree.get(node).into_iter().chain(self.tree.above(node)).collect()
    }

    /// The spend limit that leaves a node the least, wherever on the way to the org it is set.
    #[must_use]
    pub fn binding(&self, node: &str) -> Option<&LimitState> {
        let chain = self.chain(node);
        let on_the_way = |limit: &&LimitState| chain.iter().any(|node| node.id == limit.node.as_str());
        self.spend.iter().filter(on_the_way).min_by_key(|limit| limit.remaining())
    }

    /// Nodes above a key that is still to be made: its parent's way, or its holder, its deployment and the org.
    #[must_use]
    pub fn above_new_key(&self, parent: Option<&str>, (member, deployment): (&str, &str)) -> Vec<&LimitNode> {
        if let Some(parent) = parent {
            return self.chain(&format!("key:{parent}"));
        }
        let own = [format!("mem:{member}"), format!("dep:{deployment}")];
        let own = own.iter().filter_map(|id| self.tree.get(id));
        own.chain(self.tree.nodes().filter(|node| node.id.starts_with("org:"))).collect()
    }

    /// # Errors
    /// One of the nodes has a lower limit of the same kind.
    pub fn check(&self, above: &[&LimitNode], (which, wanted): (Which, i64)) -> Result<(), AboveParent> {
        let lower = above.iter().filter_map(|node| Some((node, self.value(&node.id, which)?)));
        match lower.min_by_key(|(_, most)| *most) {
            Some((node, most)) if most < wanted => {
                Err(AboveParent { which, wanted, node: node.id.clone(), most })
            }
            _ => Ok(()),
        }
    }
}

impl Quotas {
    /// # Errors
    /// The database does not answer.
    pub async fn of_org(&self, org_id: &str) -> sqlx::Result<OrgLimits> {
        Ok(OrgLimits {
            tree: self.accounts.limit_nodes(org_id).await?,
            spend: self.ledger.limits(org_id).await?,
            calls: self.accounts.call_limits.of_org(org_id).await?,
        })
    }

    /// Sets, changes or removes a limit. It counts here at once, elsewhere within a second.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn change(&self, by: By<'_>, change: Change<'_>) -> Result<(), QuotaError> {
        if change.before == change.after {
            return Ok(());
        }
        self.raise(by, change, None).await
    }

    /// Sets it; with an end, for a time: when that is over, and what it is then. A call after the end finds that.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn raise(
        &self,
        by: By<'_>,
        change: Change<'_>,
        end: Option<(i64, i64)>,
    ) -> Result<(), QuotaError> {
        let Change { node, which, after, .. } = change;
        let (org_id, entry) = (by.org_id, self.entry(by, change, end));
        match (which, after.zip(end)) {
            (Which::Spend(window), granted) => {
                let node = NodeId::parse(node).ok_or(QuotaError::NoNode)?;
                let limit = SetLimit { org_id: org_id.to_owned(), node, window, limit: after.map(NanoUsd) };
                match granted {
                    None => self.ledger.change_limit(limit, &entry).await?,
                    Some((_, (at_ms, then))) => {
                        let end = GrantEnd { at_ms, then: NanoUsd(then) };
                        self.ledger.grant_limit(limit, end, Some(&entry)).await?;
                    }
                }
            }
            (Which::Calls(kind), None) => {
                self.accounts.call_limits.set(org_id, (node, kind), after, &entry).await?;
            }
            (Which::Calls(kind), Some(granted)) => {
                self.accounts.call_limits.grant(org_id, (node, kind), granted, &entry).await?;
            }
        }
        Ok(())
    }

    /// Writes down that a grant is over, if one is.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn end_grant(&self, org_id: &str, (node, which): (&str, Which)) -> Result<(), QuotaError> {
        match which {
            Which::Spend(window) => {
                let node = NodeId::parse(node).ok_or(QuotaError::NoNode)?;
                Ok(self.ledger.end_grant(org_id, (&node, window)).await?)
            }
            Which::Calls(kind) => Ok(self.accounts.call_limits.end_grant(org_id, (node, kind)).await?),
        }
    }

    fn entry(&self, by: By<'_>, change: Change<'_>, end: Option<(i64, i64)>) -> Entry {
        let Change { node, which, before, after } = change;
        let said = |value: Option<i64>| value.map(|value| which.amount(value));
        let mut after_json = json!({ which.name(): said(after) });
        if let Some((at_ms, then)) = end {
            after_json["until_ms"] = at_ms.into();
            after_json["then"] = which.amount(then).into();
        }
        let name = if after.is_some() { "limit.set" } else { "limit.removed" };
        let event = Event::new(name, by.actor).org(by.org_id).target(node);
        self.accounts.audit.entry(by.origin, event.changed(json!({ which.name(): said(before) }), after_json))
    }

    /// Makes a key with its limits, or none at all: nobody gets a key that spends without the limits it was to have.
    ///
    /// # Errors
    /// What is wrong with the key, or with a limit.
    pub async fn make_key(
        &self,
        (origin, manager): (&Origin, Manager<'_>),
        new: NewKey,
        limits: &[(Which, i64)],
    ) -> Result<CreatedKey, MakeError> {
        if !self.accounts.switches.is_on(Feature::NewKeys) {
            return Err(MakeError::SwitchedOff);
        }
        let org_id = manager.org_id();
        if !limits.is_empty() {
            let all = self.of_org(org_id).await.map_err(QuotaError::from)?;
            let implied = manager.implied_parent();
            let parent = new.parent_key_id.as_deref().or(implied);
            let member = new.member_id.as_deref().unwrap_or(manager.member_id());
            let deployment = new.deployment_id.as_deref().unwrap_or(manager.deployment_id());
            let above = all.above_new_key(parent, (member, deployment));
            limits.iter().try_for_each(|limit| all.check(&above, *limit)).map_err(MakeError::Above)?;
        }
        let created = self.accounts.keys.create(origin, manager, new).await?;
        let node = format!("key:{}", created.id);
        let by = By { org_id, actor: manager.actor(), origin };
        for (which, value) in limits {
            let change = Change { node: &node, which: *which, before: None, after: Some(*value) };
            if let Err(error) = self.change(by, change).await {
                // It was never shown, so nobody can use it; it should not stand in lists either.
                if let Err(error) = self.accounts.keys.delete(origin, manager, &created.id).await {
                    tracing::error!(%error, key_id = created.id, "a key without its limits could not be taken back");
                }
                return Err(error.into());
            }
        }
        Ok(created)
    }
}
