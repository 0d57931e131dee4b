//! What an org, a deployment or a member allows to every key below it, beside money and rates: models, scopes, networks,
//! who answers and where, until when, and for how long.
use crate::Origin;
use crate::audit::{Actor, Audit, Event};
use crate::keys::{AllowList, IpRule, RightsWatch, Scope};
use bytespike_store::Store;
use bytespike_store::node_rule::{self, NodeRuleRow};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The rule of one node. The default narrows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRule {
    pub models: AllowList,
    pub ips: IpRule,
    /// `None`: whatever the keys have.
    pub scopes: Option<BTreeSet<Scope>>,
    pub providers: AllowList,
    pub regions: AllowList,
    pub expires_at_ms: Option<i64>,
    /// From the making of a key to its end; 1 to [`crate::keys::MOST_LIFETIME_DAYS`].
    pub max_lifetime_days: Option<i64>,
}

/// The rules of orgs.
#[derive(Clone)]
pub struct NodeRules {
    pub(crate) store: Store,
    pub(crate) rights: Arc<RightsWatch>,
    pub(crate) audit: Audit,
}

impl Default for NodeRule {
    fn default() -> Self {
        Self {
            models: AllowList::Any,
            ips: IpRule::Any,
            scopes: None,
            providers: AllowList::Any,
            regions: AllowList::Any,
            expires_at_ms: None,
            max_lifetime_days: None,
        }
    }
}

impl NodeRules {
    /// The rule of a node of the org.
    pub async fn of(&self, org_id: &str, node: &str) -> sqlx::Result<NodeRule> {
        let all = node_rule::of_org(&self.store, org_id).await?;
        Ok(all.iter().find(|row| row.node_id == node).map(NodeRule::from_stored).unwrap_or_default())
    }

    /// Sets it. The node is one of the org's that the caller has found. Counts here at once, elsewhere within a second.
    pub async fn set(
        &self,
        (origin, actor): (&Origin, Actor<'_>),
        (org_id, node): (&str, &str),
        rule: &NodeRule,
    ) -> sqlx::Result<()> {
        let before = self.of(org_id, node).await?;
        let event = Event::new("rule.set", actor).org(org_id).target(node);
        let entry = self.audit.entry(origin, event.changed(before.said(), rule.said()));
        node_rule::set(&self.store, org_id, &rule.stored(node), &entry).await?;
        self.rights.refresh().await.map(drop)
    }
}

impl NodeRule {
    fn from_stored(row: &NodeRuleRow) -> Self {
        Self {
            models: AllowList::from_stored(row.models_json.as_deref()),
            ips: IpRule::from_stored(row.ips_json.as_deref()),
            scopes: row.scopes_json.as_deref().map(crate::keys::scopes_from_stored),
            providers: AllowList::from_stored(row.providers_json.as_deref()),
            regions: AllowList::from_stored(row.regions_json.as_deref()),
            expires_at_ms: row.expires_at_ms,
            max_lifetime_days: row.max_lifetime_days,
        }
    }

    fn stored(&self, node: &str) -> NodeRuleRow {
        NodeRuleRow {
            node_id: node.to_owned(),
            models_json: self.models.to_stored(),
            scopes_json: self.scopes.as_ref().map(crate::keys::scopes_to_stored),
            ips_json: self.ips.to_stored(),
            providers_json: self.providers.to_stored(),
            regions_json: self.regions.to_stored(),
            expires_at_ms: self.expires_at_ms,
            max_lifetime_days: self.max_lifetime_days,
        }
    }

    fn said(&self) -> Value {
        let scopes =
            self.scopes.as_ref().map(|scopes| scopes.iter().map(|one| one.as_str()).collect::<Vec<_>>());
        json!({
            "models": self.models.names(),
            "ips": self.ips.texts(),
            "scopes": scopes,
            "providers": self.providers.names(),
            "regions": self.regions.names(),
            "expires_at_ms": self.expires_at_ms,
            "max_lifetime_days": self.max_lifetime_days,
        })
    }
}
