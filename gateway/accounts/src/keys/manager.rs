//! Who manages keys: a member at the console, or a key through the API, and which keys are within their reach.
use super::caller::{Caller, Scope};
use super::info::KeyInfo;
use super::terms::{Terms, Wider};
use crate::audit::{Actor, Event};
use crate::people::Membership;
use crate::role::Permission;
use bytespike_store::api_key::KeyFilter;
use bytespike_store::api_key_credential::PathRow;

/// Whoever makes, changes and ends keys.
#[derive(Clone, Copy)]
pub enum Manager<'a> {
    Member(&'a Membership),
    Key(&'a Caller),
}

/// What a manager may do with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyReach {
    /// To this manager the key does not exist.
    Hidden,
    Read,
    Manage,
}

impl<'a> From<&'a Membership> for Manager<'a> {
    fn from(member: &'a Membership) -> Self {
        Self::Member(member)
    }
}

impl<'a> From<&'a Caller> for Manager<'a> {
    fn from(caller: &'a Caller) -> Self {
        Self::Key(caller)
    }
}

impl<'a> Manager<'a> {
    pub fn org_id(self) -> &'a str {
        match self {
            Self::Member(member) => member.org_id(),
            Self::Key(caller) => &caller.org_id,
        }
    }

    /// The member who manages, or who holds the managing key.
    pub fn member_id(self) -> &'a str {
        match self {
            Self::Member(member) => member.member_id(),
            Self::Key(caller) => &caller.member_id,
        }
    }

    /// The member's default deployment, or that of the managing key.
    pub fn deployment_id(self) -> &'a str {
        match self {
            Self::Member(member) => member.deployment_id(),
            Self::Key(caller) => &caller.deployment_id,
        }
    }

    /// For the audit log.
    pub fn actor(self) -> Actor<'a> {
        match self {
            Self::Member(member) => Actor::Person(member.person_id()),
            Self::Key(caller) => Actor::Key(&caller.key_id),
        }
    }

    pub(super) fn person_id(self) -> Option<&'a str> {
        match self {
            Self::Member(member) => Some(member.person_id()),
            Self::Key(_) => None,
        }
    }

    pub(super) fn key_id(self) -> Option<&'a str> {
        match self {
            Self::Member(_) => None,
            Self::Key(caller) => Some(&caller.key_id),
        }
    }

    pub(super) fn event(self, name: &'static str, key_id: &'a str) -> Event<'a> {
        Event::new(name, self.actor()).org(self.org_id()).target(key_id)
    }

    /// Whether every key of the org is within reach, whoever holds it.
    pub fn manages_org(self) -> bool {
        match self {
            Self::Member(member) => member.role().may(Permission::ManageOrgKeys),
            Self::Key(caller) => caller.scopes.contains(&Scope::KeysManage),
        }
    }

    /// The key that a new one is derived from when none is named: a key that manages only those below it derives from
    /// itself.
    pub fn implied_parent(self) -> Option<&'a str> {
        self.key_id().filter(|_| !self.manages_org())
    }

    /// Whether the manager may make keys at the root.
    pub fn may_make_keys(self) -> bool {
        match self {
            Self::Member(member) => member.role().may(Permission::ManageOwnKeys),
            Self::Key(_) => self.manages_org(),
        }
    }

    /// Whether the manager may give a key the scope: a member what their role covers, a key what it has itself, and to
    /// call models and read its own usage every key may.
    pub(super) fn may_give(self, scope: Scope) -> bool {
        match self {
            Self::Member(member) => scope.is_covered_by(member.role()),
            Self::Key(caller) => Scope::DEFAULT.contains(&scope) || caller.scopes.contains(&scope),
        }
    }

    /// A key that manages makes none that manages and outlives it, or a leaked one could live on in another. What hangs
    /// below itself ends with it anyway.
    pub(super) fn check_outlives(self, terms: &Terms, path: &[PathRow]) -> Result<(), Wider> {
        let Self::Key(Caller { expires_at_ms: Some(own), key_id, .. }) = self else { return Ok(()) };
        if path.iter().any(|key| key.id == *key_id) {
            return Ok(());
        }
        let manages = terms.scopes.iter().any(|scope| !Scope::DEFAULT.contains(scope));
        match terms.expires_at_ms {
            Some(end) if end <= *own => Ok(()),
            _ if manages => Err(Wider::Expiry),
            _ => Ok(()),
        }
    }

    /// Whether a key may be derived from this one by the manager: a key derives from itself as well.
    pub fn may_derive_from(self, key: &KeyInfo) -> bool {
        let is_own = self.key_id() == Some(key.id.as_str());
        let derives = |caller: &Caller| caller.scopes.contains(&Scope::KeysDerive);
        match self {
            Self::Key(caller) if is_own => derives(caller),
            _ => self.reach(key) == KeyReach::Manage,
        }
    }

    /// A member reaches their own keys, or all of the org's. A key reaches itself and the keys derived from it, with
    /// `keys:manage` all of the org's; but itself and those above it it can only read: nobody widens what binds them.
    pub fn reach(self, key: &KeyInfo) -> KeyReach {
        match self {
            Self::Member(member) => {
                let is_own = member.member_id() == key.member_id;
                match member.role().may(Permission::ManageOwnKeys) {
                    true if is_own || self.manages_org() => KeyReach::Manage,
                    false if is_own => KeyReach::Read,
                    _ => KeyReach::Hidden,
                }
            }
            Self::Key(caller) => {
                let is_below = key.path.contains(&caller.key_id) && key.id != caller.key_id;
                let derives = caller.scopes.contains(&Scope::KeysDerive);
                let is_above_or_own = caller.key_path.contains(&key.id);
                match self.manages_org() {
                    true if is_above_or_own => KeyReach::Read,
                    true => KeyReach::Manage,
                    false if is_below && derives => KeyReach::Manage,
                    false if is_below || key.id == caller.key_id => KeyReach::Read,
                    false => KeyReach::Hidden,
                }
            }
        }
    }

    /// The keys that are not hidden.
    pub(super) fn filter(self) -> KeyFilter<'a> {
        let all = KeyFilter { org_id: self.org_id(), ..KeyFilter::default() };
        match self {
            _ if self.manages_org() => all,
            Self::Member(member) => KeyFilter { member_id: Some(member.member_id()), ..all },
            Self::Key(caller) => KeyFilter { root_key_id: Some(&caller.key_id), ..all },
        }
    }
}
