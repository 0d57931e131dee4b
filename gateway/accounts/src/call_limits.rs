//! What a limit node allows of calls beside money over time: requests per minute, calls at once, credits per call.
use crate::audit::Entry;
use crate::keys::RightsWatch;
use bytespike_store::Store;
use bytespike_store::call_limit::{self, CallLimitRef, CallLimitRow};
use bytespike_store::world::World;
use std::sync::Arc;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallLimitKind {
    /// Requests in any 60 seconds.
    RequestsPerMinute,
    /// Calls that run at once.
    ConcurrentCalls,
    /// The most one call may hold, nano-USD.
    CreditsPerCall,
}

/// One limit of one node. A call needs room in those of every node on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLimit {
    /// `org:…`, `dep:…`, `mem:…` or `key:…`, as the ledger names nodes.
    pub node: Arc<str>,
    pub kind: CallLimitKind,
    /// Requests, calls, or nano-USD; not negative. Zero lets nothing through.
    pub value: i64,
    /// Where it was raised for a time: when that is over, and what it is then.
    pub grant_end: Option<(i64, i64)>,
}

/// The call limits of orgs.
#[derive(Clone)]
pub struct CallLimits {
    pub(crate) store: Store,
    pub(crate) world: World,
    pub(crate) rights: Arc<RightsWatch>,
}

impl CallLimitKind {
    pub const ALL: [Self; 3] = [Self::RequestsPerMinute, Self::ConcurrentCalls, Self::CreditsPerCall];

    pub fn name(self) -> &'static str {
        match self {
            Self::RequestsPerMinute => "requests_per_minute",
            Self::ConcurrentCalls => "concurrent_calls",
            Self::CreditsPerCall => "credits_per_call",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl CallLimit {
    /// `None` for a kind that this version does not know: the table admits none.
    pub(crate) fn from_stored(row: CallLimitRow) -> Option<Self> {
        let kind = CallLimitKind::parse(&row.kind)?;
        let grant_end = row.grant_ends_at_ms.zip(row.after_value);
        Some(Self { node: row.node_id.into(), kind, value: row.value, grant_end })
    }

    /// The limit as it is at that moment.
    pub fn at(&self, now_ms: i64) -> Self {
        match self.grant_end {
            Some((ends_at_ms, value)) if ends_at_ms <= now_ms => {
                Self { value, grant_end: None, ..self.clone() }
            }
            _ => self.clone(),
        }
    }
}

impl CallLimits {
    /// Every call limit set in the org, as it is now.
    pub async fn of_org(&self, org_id: &str) -> sqlx::Result<Vec<CallLimit>> {
        let rows = call_limit::of_org(&self.store, org_id).await?;
        let now_ms = self.world.now_ms();
        Ok(rows.into_iter().filter_map(CallLimit::from_stored).map(|limit| limit.at(now_ms)).collect())
    }

    /// Sets, changes or (with `value: None`) removes one. Counts here at once, elsewhere within a second.
    pub async fn set(
        &self,
        org_id: &str,
        (node, kind): (&str, CallLimitKind),
        value: Option<i64>,
        entry: &Entry,
    ) -> sqlx::Result<()> {
        let limit = CallLimitRef { org_id, node_id: node, kind: kind.name() };
        call_limit::set(&self.store, limit, value.map(|value| (value, None)), entry).await?;
        self.rights.refresh().await.map(drop)
    }

    /// Sets one for a time: a call after its end finds the value that it is set to then.
    pub async fn grant(
        &self,
        org_id: &str,
        (node, kind): (&str, CallLimitKind),
        (value, end): (i64, (i64, i64)),
        entry: &Entry,
    ) -> sqlx::Result<()> {
        let limit = CallLimitRef { org_id, node_id: node, kind: kind.name() };
        call_limit::set(&self.store, limit, Some((value, Some(end))), entry).await?;
        self.rights.refresh().await.map(drop)
    }

    /// Writes down that a grant of this limit is over, if one is: no call depends on it.
    pub async fn end_grant(&self, org_id: &str, (node, kind): (&str, CallLimitKind)) -> sqlx::Result<()> {
        let limit = CallLimitRef { org_id, node_id: node, kind: kind.name() };
        call_limit::end_grant(&self.store, limit, self.world.now_ms()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::NewKey;
    use crate::testing::{Bench, on_each, origin};

    async fn carried(bench: &Bench, secret: &str) -> Vec<(CallLimitKind, i64)> {
        let caller = bench.accounts.keys.identify(secret).await.expect("known");
        caller.call_limits.iter().map(|limit| (limit.kind, limit.value)).collect()
    }

    #[tokio::test]
    async fn a_caller_carries_the_limits_of_every_node_on_its_way_and_of_no_other() {
        on_each(async |bench| {
            let owner = bench.owner("ada@example.com").await;
            let keys = &bench.accounts.keys;
            let key = keys.create(&origin(), &owner, NewKey::named("laptop")).await.expect("created");
            let other = keys.create(&origin(), &owner, NewKey::named("other")).await.expect("created");
            assert_eq!(carried(&bench, key.secret.expose()).await, []);
            let nodes = [
                format!("org:{}", owner.org_id()),
                format!("dep:{}", owner.deployment_id()),
                format!("mem:{}", owner.member_id()),
                format!("key:{}", key.id),
            ];
            let limits = &bench.accounts.call_limits;
            let entry = &bench.accounts.audit.entry(&origin(), owner.did("limit.set"));
            for (value, node) in (1..).zip(&nodes) {
                let which = (node.as_str(), CallLimitKind::RequestsPerMinute);
                limits.set(owner.org_id(), which, Some(value), entry).await.expect("set");
            }
            let mut values: Vec<i64> =
                carried(&bench, key.secret.expose()).await.iter().map(|(_, value)| *value).collect();
            values.sort_unstable();
            assert_eq!(values, [1, 2, 3, 4]);
            assert_eq!(carried(&bench, other.secret.expose()).await.len(), 3, "not those of another key");
            let which = (nodes[3].as_str(), CallLimitKind::RequestsPerMinute);
            limits.set(owner.org_id(), which, None, entry).await.expect("removed");
            assert_eq!(carried(&bench, key.secret.expose()).await.len(), 3);
            assert_eq!(limits.of_org(owner.org_id()).await.expect("read").len(), 3);
        })
        .await;
    }

    #[tokio::test]
    async fn another_org_cannot_change_a_limit_by_naming_its_node() {
        on_each(async |bench| {
            let owner = bench.owner("ada@example.com").await;
            let stranger = bench.owner("eve@example.com").await;
            let node = format!("org:{}", owner.org_id());
            let which = (node.as_str(), CallLimitKind::ConcurrentCalls);
            let limits = &bench.accounts.call_limits;
            let entry = &bench.accounts.audit.entry(&origin(), stranger.did("limit.set"));
            limits.set(owner.org_id(), which, Some(3), entry).await.expect("set");
            limits.set(stranger.org_id(), which, None, entry).await.expect("asked");
            limits.set(stranger.org_id(), which, Some(1), entry).await.expect("asked");
            let found = limits.of_org(owner.org_id()).await.expect("read");
            assert_eq!(found.iter().map(|limit| limit.value).collect::<Vec<_>>(), [3]);
        })
        .await;
    }
}
