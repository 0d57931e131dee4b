//! Where a spend limit can sit: the org, a deployment, a member, a key, and every key it was derived from.
use serde::{Deserialize, Serialize};
use std::fmt;

/// A limit node: `org:<id>`, `dep:<id>`, `mem:<id>` or `key:<id>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(String);

impl NodeId {
    pub fn org(id: &str) -> Self {
        Self(format!("org:{id}"))
    }

    pub fn deployment(id: &str) -> Self {
        Self(format!("dep:{id}"))
    }

    pub fn member(id: &str) -> Self {
        Self(format!("mem:{id}"))
    }

    pub fn key(id: &str) -> Self {
        Self(format!("key:{id}"))
    }

    /// A node as the database keeps it. `None` when it is of no known kind.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        (["org", "dep", "mem", "key"].contains(&kind) && !id.is_empty()).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `org`, `dep`, `mem` or `key`.
    pub fn kind(&self) -> &str {
        self.0.split_once(':').map_or("", |(kind, _)| kind)
    }

    /// The id without its kind.
    pub fn id(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, id)| id)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who makes a call, as far as money is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payer {
    pub org_id: String,
    pub deployment_id: String,
    pub member_id: String,
    /// From the outermost ancestor to the key itself; never empty.
    pub key_path: Vec<String>,
}

impl Payer {
    /// The key of the call: the last of its path.
    pub fn key_id(&self) -> &str {
        self.key_path.last().map_or("", String::as_str)
    }

    /// Every node that may limit the call.
    pub fn nodes(&self) -> Vec<NodeId> {
        let own = [
            NodeId::org(&self.org_id),
            NodeId::deployment(&self.deployment_id),
            NodeId::member(&self.member_id),
        ];
        own.into_iter().chain(self.key_path.iter().map(|key| NodeId::key(key))).collect()
    }

    pub(crate) fn joined_path(&self) -> String {
        joined_key_path(&self.key_path)
    }
}

/// `/outermost/…/key/`: an ancestor is found by its id between slashes, descendants by this as their beginning.
pub fn joined_key_path(key_path: &[String]) -> String {
    format!("/{}/", key_path.join("/"))
}
