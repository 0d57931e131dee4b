//! Making, naming, switching and ending keys, for a member whose role allows it.
use super::caller::{ModelRule, Scope, scopes_from_stored, scopes_to_stored};
use super::format::{self, KeyKind, PresentedKey};
use super::{Keys, PEPPER_VERSION};
use crate::Origin;
use crate::names::{self, NameProblem};
use crate::people::Membership;
use crate::role::Permission;
use crate::secrets::SecretText;
use bytespike_store::api_key::{self, KeyRef, KeyRow};
use serde_json::json;
use std::collections::BTreeSet;

/// Keys that have not ended, per org.
const MOST_KEYS: i64 = 1_000;

/// What a new key is to be. The holder is the member who makes it.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub name: String,
    pub kind: KeyKind,
    pub models: ModelRule,
    pub scopes: BTreeSet<Scope>,
    pub strict: bool,
    pub expires_at_ms: Option<i64>,
}

impl NewKey {
    /// A live key for calling models, with everything else as most want it.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: KeyKind::Live,
            models: ModelRule::Any,
            scopes: Scope::DEFAULT.into(),
            strict: false,
            expires_at_ms: None,
        }
    }
}

/// A key that was just made. `secret` is the whole key and can never be shown again.
#[derive(Debug)]
pub struct CreatedKey {
    pub id: String,
    pub secret: SecretText,
}

/// A key as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    pub id: String,
    pub name: String,
    /// For example `sk-byts-7Qm3…LZbv`.
    pub masked: String,
    pub kind: KeyKind,
    pub state: KeyState,
    pub deployment_id: String,
    pub member_id: String,
    pub parent_key_id: Option<String>,
    pub models: ModelRule,
    pub scopes: BTreeSet<Scope>,
    pub strict: bool,
    pub expires_at_ms: Option<i64>,
    pub created_at_ms: i64,
    pub ended_at_ms: Option<i64>,
    /// Written a few seconds late, and not more often than once a minute.
    pub last_used_at_ms: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    Active,
    Disabled,
    /// Ended; streams that were running were cut. The row stays in the list.
    Revoked,
    /// Ended and out of the list; streams that were running could finish.
    Deleted,
}

impl KeyState {
    fn as_str(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Disabled => "disabled",
            KeyState::Revoked => "revoked",
            KeyState::Deleted => "deleted",
        }
    }

    fn from_stored(text: &str) -> Self {
        match text {
            "active" => KeyState::Active,
            "disabled" => KeyState::Disabled,
            "revoked" => KeyState::Revoked,
            _ => KeyState::Deleted,
        }
    }

    fn event(self) -> &'static str {
        match self {
            KeyState::Active => "key.enabled",
            KeyState::Disabled => "key.disabled",
            KeyState::Revoked => "key.revoked",
            KeyState::Deleted => "key.deleted",
        }
    }
}

/// Why a key could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("your role in this org does not allow managing keys")]
    Forbidden,
    #[error(transparent)]
    Name(#[from] NameProblem),
    #[error("the expiry lies in the past")]
    ExpiresInThePast,
    #[error("a key needs at least one scope")]
    NoScope,
    #[error("your role in this org does not cover the scope '{}'", _0.as_str())]
    ScopeAboveRole(Scope),
    #[error("the org has {MOST_KEYS} keys; delete some that are no longer used")]
    TooMany,
    #[error("there is no such key, or it has ended")]
    NotFound,
    #[error("keys cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Keys {
    /// Makes a key in the member's org and its `default` deployment.
    pub async fn create(
        &self,
        origin: &Origin,
        member: &Membership,
        new: NewKey,
    ) -> Result<CreatedKey, KeyError> {
        let name = self.check_new(member, &new)?;
        if api_key::count_open(&self.store, member.org_id()).await? >= MOST_KEYS {
            return Err(KeyError::TooMany);
        }
        let id = self.world.id("key");
        let secret = format::mint(&self.world, new.kind);
        // A text just minted always parses; if it did not, it must not be stored.
        let key = PresentedKey::parse(secret.expose()).map_err(|_| KeyError::NotFound)?;
        let row = api_key::NewKey {
            id: &id,
            org_id: member.org_id(),
            deployment_id: member.deployment_id(),
            member_id: member.member_id(),
            name: &name,
            kind: new.kind.as_str(),
            models_json: new.models.to_stored(),
            scopes_json: scopes_to_stored(&new.scopes),
            strict: new.strict,
            expires_at_ms: new.expires_at_ms,
            created_by_person_id: member.person_id(),
            credential_id: key.credential_id(),
            verifier: &hex::encode(key.verifier(&self.pepper)),
            pepper_version: PEPPER_VERSION,
            last_four: key.last_four(),
            now_ms: self.world.now_ms(),
        };
        let after = json!({ "name": name, "kind": new.kind.as_str(), "credential_id": key.credential_id() });
        let event = member.did("key.created").target(&id).changed(json!(null), after);
        api_key::insert(&self.store, &row, &self.audit.entry(origin, event)).await?;
        Ok(CreatedKey { id, secret })
    }

    /// The keys the member may see, newest first: all of the org's, or only their own.
    pub async fn list(&self, member: &Membership) -> sqlx::Result<Vec<KeyInfo>> {
        let rows = api_key::list(&self.store, member.org_id(), narrowed(member)).await?;
        Ok(rows.into_iter().map(KeyInfo::from).collect())
    }

    /// One of the keys that [`Self::list`] would show.
    pub async fn find(&self, member: &Membership, key_id: &str) -> sqlx::Result<Option<KeyInfo>> {
        Ok(self.list(member).await?.into_iter().find(|key| key.id == key_id))
    }

    pub async fn rename(
        &self,
        origin: &Origin,
        member: &Membership,
        key_id: &str,
        name: &str,
    ) -> Result<(), KeyError> {
        let name = names::clean(name)?;
        let key = own_or_org_key(member, key_id)?;
        let event = member.did("key.renamed").target(key_id).changed(json!(null), json!({ "name": name }));
        if !api_key::rename(&self.store, key, &name, &self.audit.entry(origin, event)).await? {
            return Err(KeyError::NotFound);
        }
        // Callers carry the name into receipts.
        self.cache.invalidate_all();
        Ok(())
    }

    /// Revokes, deletes, switches off or on. Counts here at once, elsewhere within a second.
    pub async fn set_state(
        &self,
        origin: &Origin,
        member: &Membership,
        key_id: &str,
        state: KeyState,
    ) -> Result<(), KeyError> {
        let key = own_or_org_key(member, key_id)?;
        let event = member.did(state.event()).target(key_id);
        let entry = self.audit.entry(origin, event.changed(json!(null), json!({ "state": state.as_str() })));
        let changed =
            api_key::set_state(&self.store, key, (state.as_str(), self.world.now_ms()), &entry).await?;
        self.refresh_rights().await?;
        if changed { Ok(()) } else { Err(KeyError::NotFound) }
    }

    pub async fn revoke(&self, origin: &Origin, member: &Membership, key_id: &str) -> Result<(), KeyError> {
        self.set_state(origin, member, key_id, KeyState::Revoked).await
    }

    pub async fn delete(&self, origin: &Origin, member: &Membership, key_id: &str) -> Result<(), KeyError> {
        self.set_state(origin, member, key_id, KeyState::Deleted).await
    }

    fn check_new(&self, member: &Membership, new: &NewKey) -> Result<String, KeyError> {
        if !member.role().may(Permission::ManageOwnKeys) {
            return Err(KeyError::Forbidden);
        }
        // Nobody can give a key a sight that they do not have.
        if new.scopes.contains(&Scope::OrgUsageRead) && !member.role().may(Permission::SeeOrgUsage) {
            return Err(KeyError::Forbidden);
        }
        if new.scopes.is_empty() {
            return Err(KeyError::NoScope);
        }
        if let Some(scope) = new.scopes.iter().find(|scope| !scope.is_covered_by(member.role())) {
            return Err(KeyError::ScopeAboveRole(*scope));
        }
        if new.expires_at_ms.is_some_and(|end| end <= self.world.now_ms()) {
            return Err(KeyError::ExpiresInThePast);
        }
        Ok(names::clean(&new.name)?)
    }
}

/// Which member's keys are within reach: `None` for all of the org's.
fn narrowed(member: &Membership) -> Option<&str> {
    if member.role().may(Permission::ManageOrgKeys) { None } else { Some(member.member_id()) }
}

fn own_or_org_key<'a>(member: &'a Membership, key_id: &'a str) -> Result<KeyRef<'a>, KeyError> {
    if !member.role().may(Permission::ManageOwnKeys) {
        return Err(KeyError::Forbidden);
    }
    Ok(KeyRef { org_id: member.org_id(), member_id: narrowed(member), key_id })
}

impl From<KeyRow> for KeyInfo {
    fn from(row: KeyRow) -> Self {
        let kind = KeyKind::from_stored(&row.kind);
        Self {
            masked: format::masked(kind, &row.credential_id, &row.last_four),
            kind,
            state: KeyState::from_stored(&row.state),
            models: ModelRule::from_stored(row.models_json.as_deref()),
            scopes: scopes_from_stored(&row.scopes_json),
            id: row.id,
            name: row.name,
            deployment_id: row.deployment_id,
            member_id: row.member_id,
            parent_key_id: row.parent_key_id,
            strict: row.strict,
            expires_at_ms: row.expires_at_ms,
            created_at_ms: row.created_at_ms,
            ended_at_ms: row.ended_at_ms,
            last_used_at_ms: row.last_used_at_ms,
        }
    }
}
