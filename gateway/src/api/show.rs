//! Limit nodes and their limits as the management API shows them.

use bytespike_accounts::call_limits::CallLimit;
use bytespike_accounts::keys::Caller;
use bytespike_accounts::limit_nodes::{LimitNode, Reach};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::LimitState;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::time;
use crate::quota::{OrgLimits, Which};

/// A page of nodes.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeList {
    #[schema(pattern = "^list$")]
    pub object: &'static str,
    /// In the order of their ids.
    pub data: Vec<Node>,
    pub has_more: bool,
    /// Send it as `after` for the next page.
    pub next_after: Option<String>,
}

/// An organisation, deployment, member or key that limits can sit on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Node {
    /// `org:…`, `dep:…`, `mem:…` or `key:…`
    pub node: String,
    pub name: String,
    /// The node above. Of a key: the key it was derived from, else its holder.
    pub parent: Option<String>,
    /// Of a key: its deployment, whose limits bind it too.
    pub deployment: Option<String>,
    /// Whether the asking key may set limits here.
    pub can_set: bool,
    pub limits: Vec<Limit>,
}

/// One limit. A spend limit has all amounts, the others only what they are set to.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Limit {
    /// `lifetime`, `month`, `5h`, `1d`, `7d`, `requests_per_minute`, `concurrent_calls` or `credits_per_call`
    pub limit: &'static str,
    /// Requests or calls, for limits that count them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_count: Option<i64>,
    /// Credits with three decimals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_credits: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_credits: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_credits: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_credits: Option<String>,
    /// When the window ends, RFC 3339 in UTC; absent when it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
}

/// The limits set on a node.
pub fn limits_of(all: &OrgLimits, node: &str) -> Vec<Limit> {
    let spend = all.spend.iter().filter(|limit| limit.node.as_str() == node).map(spend_limit);
    let calls = all.calls.iter().filter(|limit| &*limit.node == node).map(call_limit);
    spend.chain(calls).collect()
}

/// The node as the asking key sees it.
pub fn node(all: &OrgLimits, caller: &Caller, node: &LimitNode) -> Node {
    Node {
        node: node.id.clone(),
        name: node.name.clone(),
        parent: node.parent.clone(),
        deployment: node.deployment.clone(),
        can_set: all.tree.reach(caller, &node.id) == Reach::Set,
        limits: limits_of(all, &node.id),
    }
}

pub fn spend_limit(state: &LimitState) -> Limit {
    Limit {
        limit: state.window.name(),
        limit_credits: Some(state.limit.credits()),
        used_credits: Some(state.used.credits()),
        held_credits: Some(state.held.credits()),
        remaining_credits: Some(state.remaining().credits()),
        resets_at: state.resets_at_ms.map(time::rfc3339),
        ..Limit::default()
    }
}

fn call_limit(limit: &CallLimit) -> Limit {
    let is_credits = Which::Calls(limit.kind).is_credits();
    Limit {
        limit: limit.kind.name(),
        limit_count: (!is_credits).then_some(limit.value),
        limit_credits: is_credits.then(|| NanoUsd(limit.value).credits()),
        ..Limit::default()
    }
}
