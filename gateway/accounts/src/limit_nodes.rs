//! The tree of an org's limit nodes, and which of them a key may see and set limits on.
use crate::Accounts;
use crate::keys::{Caller, Scope};
pub use bytespike_store::deployment::OpenDeployment as Deployment;
use bytespike_store::limit_node::{self, NodeRow};
use std::collections::{BTreeMap, BTreeSet};

/// An org, deployment, member or key that limits can sit on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitNode {
    /// `org:…`, `dep:…`, `mem:…` or `key:…`, as the ledger names nodes.
    pub id: String,
    pub name: String,
    /// Of a key: the key it was derived from, else its holder. Of a deployment and a member: the org.
    pub parent: Option<String>,
    /// Of a key: the deployment it belongs to.
    pub deployment: Option<String>,
}

/// Every node of one org, by id.
#[derive(Clone, Debug, Default)]
pub struct NodeTree(BTreeMap<String, LimitNode>);

/// What a caller may do with a node's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// To this caller the node does not exist.
    Hidden,
    Read,
    Set,
}

impl Accounts {
    /// The org's deployments that are not archived, the oldest first.
    pub async fn deployments(&self, org_id: &str) -> sqlx::Result<Vec<Deployment>> {
        bytespike_store::deployment::open(&self.store, org_id).await
    }

    /// The org's nodes as they are now. A key below one that has ended makes no calls any more, so it is none.
    pub async fn limit_nodes(&self, org_id: &str) -> sqlx::Result<NodeTree> {
        let rows = limit_node::of_org(&self.store, org_id).await?;
        let mut tree = NodeTree(rows.into_iter().map(|row| (row.node_id.clone(), row.into())).collect());
        while tree.drop_orphans() {}
        Ok(tree)
    }
}

impl NodeTree {
    /// In the order of their ids.
    pub fn nodes(&self) -> impl Iterator<Item = &LimitNode> {
        self.0.values()
    }

    pub fn get(&self, id: &str) -> Option<&LimitNode> {
        self.0.get(id)
    }

    /// Drops what hangs on a node that is not there; whether anything did.
    fn drop_orphans(&mut self) -> bool {
        let known: BTreeSet<String> = self.0.keys().cloned().collect();
        self.0.retain(|_, node| node.parent.as_ref().is_none_or(|parent| known.contains(parent)));
        self.0.len() < known.len()
    }

    /// Every node above this one, the nearest first: a call counts in all of them. Keys lead to the keys they were
    /// derived from, then to their holder, their deployment and the org.
    pub fn above(&self, id: &str) -> Vec<&LimitNode> {
        let mut above = Vec::new();
        let mut deployment = None;
        let mut at = self.get(id);
        while let Some(node) = at {
            deployment = deployment.or(node.deployment.as_deref());
            at = node.parent.as_deref().and_then(|parent| self.get(parent));
            above.extend(at);
        }
        let org = above.len().saturating_sub(1);
        above.splice(org..org, deployment.and_then(|deployment| self.get(deployment)));
        above
    }

    /// A key reads the nodes on its own way and every key derived from it. It sets limits below itself with
    /// `limits:manage`, everywhere with `org:admin`, and on itself and the keys above it never: nobody widens what
    /// binds them.
    pub fn reach(&self, caller: &Caller, id: &str) -> Reach {
        if self.get(id).is_none() {
            return Reach::Hidden;
        }
        let own = format!("key:{}", caller.key_id);
        let is_on_key_path =
            id.strip_prefix("key:").is_some_and(|key| caller.key_path.iter().any(|k| k == key));
        if is_on_key_path {
            return Reach::Read;
        }
        if caller.scopes.contains(&Scope::OrgAdmin) {
            return Reach::Set;
        }
        if self.above(id).iter().any(|node| node.id == own) {
            return if caller.scopes.contains(&Scope::LimitsManage) { Reach::Set } else { Reach::Read };
        }
        let around = [
            format!("org:{}", caller.org_id),
            format!("dep:{}", caller.deployment_id),
            format!("mem:{}", caller.member_id),
        ];
        if around.iter().any(|node| node == id) { Reach::Read } else { Reach::Hidden }
    }
}

impl From<NodeRow> for LimitNode {
    fn from(row: NodeRow) -> Self {
        Self {
            id: row.node_id,
            name: row.name,
            parent: row.parent_node_id,
            deployment: row.deployment_node_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{NewKey, Terms};
    use crate::people::Membership;
    use crate::testing::{Bench, on_each, origin};
    use bytespike_store::{on_database, sqlx};

    /// A key derived from `parent`, with the same holder and deployment.
    async fn derive(bench: &Bench, owner: &Membership, parent: &str) -> String {
        let terms = Terms { scopes: BTreeSet::from([Scope::UsageRead]), ..Terms::named("derived") };
        let new = NewKey { parent_key_id: Some(parent.to_owned()), ..NewKey::with(terms) };
        bench.accounts.keys.create(&origin(), owner, new).await.expect("derived").id
    }

    fn ids<'a>(nodes: impl IntoIterator<Item = &'a LimitNode>) -> Vec<&'a str> {
        nodes.into_iter().map(|node| node.id.as_str()).collect()
    }

    #[tokio::test]
    async fn a_key_reaches_its_way_up_and_all_below_it_and_sets_only_what_its_scopes_say() {
        on_each(async |bench| {
            let owner = bench.owner("ada@example.com").await;
            bench.owner("eve@example.com").await;
            let keys = &bench.accounts.keys;
            let scopes = BTreeSet::from([Scope::UsageRead, Scope::LimitsManage]);
            let new = NewKey::with(Terms { scopes, ..Terms::named("parent") });
            let key = keys.create(&origin(), &owner, new).await.expect("created");
            let other = keys.create(&origin(), &owner, NewKey::named("other")).await.expect("created");
            let child = derive(&bench, &owner, &key.id).await;
            let (child, grandchild) =
                (format!("key:{child}"), format!("key:{}", derive(&bench, &owner, &child).await));
            let tree = bench.accounts.limit_nodes(owner.org_id()).await.expect("read");
            assert_eq!(tree.nodes().count(), 7, "the org, its deployment, its member and four keys");
            let (org, dep) = (format!("org:{}", owner.org_id()), format!("dep:{}", owner.deployment_id()));
            let (mem, own) = (format!("mem:{}", owner.member_id()), format!("key:{}", key.id));
            assert_eq!(ids(tree.above(&grandchild)), [&child, &own, &mem, &dep, &org]);
            assert_eq!(ids(tree.above(&mem)), [&org]);
            assert_eq!(ids(tree.above(&org)), [""; 0]);

            let caller = keys.identify(key.secret.expose()).await.expect("known");
            for id in [&child, &grandchild] {
                assert_eq!(tree.reach(&caller, id), Reach::Set, "{id}");
            }
            for id in [&org, &dep, &mem, &own] {
                assert_eq!(tree.reach(&caller, id), Reach::Read, "{id}");
            }
            for id in [&format!("key:{}", other.id), "org:another", "key:none", ""] {
                assert_eq!(tree.reach(&caller, id), Reach::Hidden, "{id}");
            }

            let reader = Caller { scopes: Scope::DEFAULT.into(), ..(*caller).clone() };
            assert_eq!(tree.reach(&reader, &child), Reach::Read);
            let admin = Caller { scopes: BTreeSet::from([Scope::OrgAdmin]), ..(*caller).clone() };
            for id in [&org, &dep, &mem, &child, &format!("key:{}", other.id)] {
                assert_eq!(tree.reach(&admin, id), Reach::Set, "{id}");
            }
            assert_eq!(tree.reach(&admin, &own), Reach::Read, "nobody sets what binds themselves");

            keys.revoke(&origin(), &owner, &key.id).await.expect("revoked");
            let tree = bench.accounts.limit_nodes(owner.org_id()).await.expect("read");
            let left: Vec<_> = tree.nodes().filter(|node| node.id.starts_with("key:")).collect();
            assert_eq!(ids(left), [&format!("key:{}", other.id)], "what hung on the ended key went with it");
        })
        .await;
    }

    #[tokio::test]
    async fn an_admin_scope_is_worth_what_the_holders_role_is() {
        on_each(async |bench| {
            let owner = bench.owner("ada@example.com").await;
            let scopes = BTreeSet::from([Scope::OrgAdmin, Scope::UsageRead]);
            let new = NewKey::with(Terms { scopes: scopes.clone(), ..Terms::named("admin") });
            let key = bench.accounts.keys.create(&origin(), &owner, new).await.expect("created");
            let before = bench.accounts.keys.identify(key.secret.expose()).await.expect("known");
            assert_eq!(before.scopes, scopes);
            let demote = "update member set role = 'developer' where id = $1";
            on_database!(&bench.store, db => sqlx::query(demote).bind(owner.member_id()).execute(db).await.map(drop))
                .expect("demoted");
            let after = bench.other_instance().keys.identify(key.secret.expose()).await.expect("known");
            assert_eq!(after.scopes, BTreeSet::from([Scope::UsageRead]));
        })
        .await;
    }
}
