//! Who is calling, and what every key on the way from the root to theirs lets them do.
use super::format::{KeyKind, masked};
use super::ips::IpRule;
use super::terms::Allowed;
use crate::call_limits::CallLimit;
use crate::orgs::Preset;
use crate::role::{Permission, Role};
use bytespike_store::api_key_credential::Found;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The caller behind a valid key. Limits on money over time are the ledger's, under the same ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub org_id: String,
    pub deployment_id: String,
    pub member_id: String,
    pub key_id: String,
    /// Which of the key's credentials was presented; safe to log.
    pub credential_id: String,
    pub key_name: String,
    /// How lists and receipts show the key: its start, its id and its last four characters, never its secret.
    pub key_hint: String,
    pub org_name: String,
    pub deployment_name: String,
    pub member_name: String,
    /// The key and every key it was derived from, the root first, this one last.
    pub key_path: Vec<String>,
    pub kind: KeyKind,
    pub preset: Preset,
    /// What every model list on the path allows; the next two likewise.
    pub models: AllowList,
    pub providers: AllowList,
    pub regions: AllowList,
    /// Whether the org's preset bounds the models too: the outermost key has no list of its own.
    pub preset_binds: bool,
    /// Those of every key on the path that the holder's role covers.
    pub scopes: BTreeSet<Scope>,
    /// Of every node from the org to the key.
    pub call_limits: Vec<CallLimit>,
    /// The network lists on the path; a request has to be admitted by each.
    pub ips: Vec<IpRule>,
    /// What cannot be represented upstream is a 400 instead of a warning.
    pub strict: bool,
    /// The earliest end along the path; for this credential too.
    pub expires_at_ms: Option<i64>,
    /// The choice of the org by which what its calls say is kept; `None` where it is not.
    pub body_period: Option<String>,
}

/// Which models, providers or regions a key's own list allows. Without a list it is whatever the parent allows, and for
/// models the org's preset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowList {
    Any,
    Only(BTreeSet<String>),
}

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Call models.
    Inference,
    /// Read its own usage, balance and receipts.
    UsageRead,
    /// Read the whole org's usage, and its statements.
    OrgUsageRead,
    /// Derive keys from itself.
    KeysDerive,
    /// Manage the org's keys.
    KeysManage,
    /// Set limits on the keys derived from itself.
    LimitsManage,
    /// Manage the endpoints that the org is told at.
    WebhooksManage,
    /// Manage the whole org: set limits on every node.
    OrgAdmin,
}

impl Scope {
    pub const ALL: [Scope; 8] = [
        Scope::Inference,
        Scope::UsageRead,
        Scope::OrgUsageRead,
        Scope::KeysDerive,
        Scope::KeysManage,
        Scope::LimitsManage,
        Scope::WebhooksManage,
        Scope::OrgAdmin,
    ];
    pub const DEFAULT: [Scope; 2] = [Scope::Inference, Scope::UsageRead];

    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Inference => "inference",
            Scope::UsageRead => "usage:read",
            Scope::OrgUsageRead => "usage:read:org",
            Scope::KeysDerive => "keys:derive",
            Scope::KeysManage => "keys:manage",
            Scope::LimitsManage => "limits:manage",
            Scope::WebhooksManage => "webhooks:manage",
            Scope::OrgAdmin => "org:admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }

    /// A key can do no more than its holder: without the role the scope is worth nothing, now or after a demotion.
    pub fn is_covered_by(self, role: Role) -> bool {
        match self {
            Scope::Inference | Scope::UsageRead | Scope::KeysDerive | Scope::LimitsManage => true,
            Scope::OrgUsageRead => role.may(Permission::SeeOrgUsage),
            Scope::KeysManage => role.may(Permission::ManageOrgKeys),
            Scope::WebhooksManage => role.may(Permission::ManageOrg),
            Scope::OrgAdmin => role.may(Permission::ManageOrg) && role.may(Permission::SetLimits),
        }
    }
}

impl AllowList {
    pub fn allows(&self, name: &str) -> bool {
        match self {
            AllowList::Any => true,
            AllowList::Only(names) => names.contains(name),
        }
    }

    /// To what the stored list allows as well.
    pub(super) fn narrow(&mut self, json: Option<&str>) {
        *self = std::mem::replace(self, AllowList::Any).and(Self::from_stored(json));
    }

    /// The names of the list; none without one.
    pub fn names(&self) -> Option<Vec<&str>> {
        match self {
            AllowList::Any => None,
            AllowList::Only(models) => Some(models.iter().map(String::as_str).collect()),
        }
    }

    /// Whether everything this allows is allowed by the other; a list of its own is wanted below one.
    pub fn is_within(&self, above: &Self) -> bool {
        match (self, above) {
            (_, AllowList::Any) | (AllowList::Any, _) => true,
            (AllowList::Only(own), AllowList::Only(above)) => own.is_subset(above),
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (AllowList::Any, rule) | (rule, AllowList::Any) => rule,
            (AllowList::Only(mine), AllowList::Only(theirs)) => AllowList::Only(&mine & &theirs),
        }
    }

    /// A list that cannot be read allows nothing.
    pub(crate) fn from_stored(json: Option<&str>) -> Self {
        json.map_or(AllowList::Any, |json| AllowList::Only(serde_json::from_str(json).unwrap_or_default()))
    }

    pub(crate) fn to_stored(&self) -> Option<String> {
        match self {
            AllowList::Any => None,
            AllowList::Only(models) => Some(serde_json::Value::from_iter(models.iter().cloned()).to_string()),
        }
    }
}

/// Scopes are stored as a JSON list of names; an unknown name grants nothing.
pub(crate) fn scopes_from_stored(json: &str) -> BTreeSet<Scope> {
    let names: Vec<String> = serde_json::from_str(json).unwrap_or_default();
    names.iter().filter_map(|name| Scope::parse(name)).collect()
}

pub(crate) fn scopes_to_stored(scopes: &BTreeSet<Scope>) -> String {
    serde_json::Value::from_iter(scopes.iter().map(|scope| scope.as_str())).to_string()
}

impl Caller {
    /// The caller a found credential stands for: what every key and node on the path allows, and nothing more.
    pub(super) fn of(credential_id: &str, found: Found) -> Self {
        let Found { credential, path, node_rules, call_limits } = found;
        let allowed = Allowed::of(&path, &node_rules, Role::from_stored(&credential.role));
        Self {
            expires_at_ms: allowed.expires_at_ms.into_iter().chain(credential.not_after_ms).min(),
            preset_binds: path.first().is_none_or(|root| root.models_json.is_none()),
            models: allowed.models,
            providers: allowed.providers,
            regions: allowed.regions,
            scopes: allowed.scopes,
            ips: allowed.ips,
            call_limits: call_limits.into_iter().filter_map(CallLimit::from_stored).collect(),
            strict: path.iter().any(|key| key.strict),
            key_path: path.into_iter().map(|key| key.id).collect(),
            kind: KeyKind::from_stored(&credential.kind),
            preset: Preset::from_stored(&credential.preset),
            body_period: credential.body_period,
            org_id: credential.org_id,
            deployment_id: credential.deployment_id,
            member_id: credential.member_id,
            key_id: credential.key_id,
            key_hint: masked(KeyKind::from_stored(&credential.kind), credential_id, &credential.last_four),
            key_name: credential.key_name,
            org_name: credential.org_name,
            deployment_name: credential.deployment_name,
            member_name: credential.member_name,
            credential_id: credential_id.to_owned(),
        }
    }

    /// Whether the key may be used from there.
    pub fn admits(&self, ip: IpAddr) -> bool {
        self.ips.iter().all(|rule| rule.admits(ip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(models: &[&str]) -> AllowList {
        AllowList::Only(models.iter().map(|model| (*model).to_owned()).collect())
    }

    #[test]
    fn a_derived_key_may_call_what_all_its_ancestors_may() {
        assert_eq!(AllowList::Any.and(only(&["a"])), only(&["a"]));
        assert_eq!(only(&["a", "b"]).and(only(&["b", "c"])), only(&["b"]));
        assert!(!only(&["a"]).and(only(&["b"])).allows("a"));
    }

    #[test]
    fn what_cannot_be_read_allows_nothing() {
        assert_eq!(AllowList::from_stored(Some("{broken")), only(&[]));
        assert!(scopes_from_stored("[\"root\", 1]").is_empty());
        assert_eq!(scopes_from_stored("[\"inference\", \"root\"]"), BTreeSet::from([Scope::Inference]));
    }

    #[test]
    fn rules_survive_being_stored() {
        for rule in [AllowList::Any, only(&[]), only(&["claude-sonnet-5-5", "gpt-6-luna"])] {
            assert_eq!(AllowList::from_stored(rule.to_stored().as_deref()), rule);
        }
        let all = BTreeSet::from(Scope::ALL);
        assert_eq!(scopes_from_stored(&scopes_to_stored(&all)), all);
    }
}
