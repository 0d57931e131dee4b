//! Making keys, at the root of an org's tree or derived from another. A derived key has its parent's holder and deployment,
//! and in no field more than its parent.
use super::caller::{Scope, scopes_to_stored};
use super::error::KeyError;
use super::format::{self, KeyKind, PresentedKey};
use super::info::{KeyInfo, KeyState};
use super::manager::Manager;
use super::terms::{Allowed, Terms};
use super::{Keys, PEPPER_VERSION};
use crate::Origin;
use crate::names;
use crate::role::Role;
use crate::secrets::SecretText;
use bytespike_store::api_key::{self, NewKey as NewRow};
use bytespike_store::api_key_credential::{self, NewCredential};
use bytespike_store::{deployment, member};
use serde_json::json;

/// Keys that have not ended, per org.
const MOST_KEYS: i64 = 1_000;
/// Keys that have not ended, derived directly from one key.
const MOST_CHILDREN: i64 = 200;
/// Keys between a key and the outermost one, itself included.
const MOST_DEPTH: usize = 3;
const MOST_NOTE_CHARACTERS: usize = 500;

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub kind: KeyKind,
    pub terms: Terms,
    /// The key it is derived from. A key that may not manage its org's keys derives from itself unless told otherwise.
    pub parent_key_id: Option<String>,
    /// Of a key without parent; the manager's unless said.
    pub deployment_id: Option<String>,
    /// Who holds it, of a key without parent; the manager unless said.
    pub member_id: Option<String>,
}

impl NewKey {
    /// A live key for calling models, with everything else as most want it.
    pub fn named(name: impl Into<String>) -> Self {
        Self::with(Terms::named(name))
    }

    /// A live key at the root, with these terms.
    pub fn with(terms: Terms) -> Self {
        Self { kind: KeyKind::Live, terms, parent_key_id: None, deployment_id: None, member_id: None }
    }
}

/// A key that was just made, or has a new credential. `secret` is the whole key and can never be shown again.
#[derive(Debug)]
pub struct CreatedKey {
    pub id: String,
    pub secret: SecretText,
}

/// Where a new key stands.
struct Place {
    parent: Option<KeyInfo>,
    deployment_id: String,
    member_id: String,
}

impl Keys {
    /// Makes a key.
    pub async fn create<'a>(
        &self,
        origin: &Origin,
        manager: impl Into<Manager<'a>>,
        new: NewKey,
    ) -> Result<CreatedKey, KeyError> {
        let manager = manager.into();
        let place = self.place(manager, &new).await?;
        let (terms, above) = self.checked(manager, &place, new.terms).await?;
        above.check_lifetime(terms.expires_at_ms, self.world.now_ms())?;
        self.check_room(manager.org_id(), &place).await?;
        let id = self.world.id("key");
        let secret = format::mint(&self.world, new.kind);
        // A text just minted always parses; if it did not, it must not be stored.
        let key = PresentedKey::parse(secret.expose()).map_err(|_| KeyError::NotFound)?;
        let above = place.parent.as_ref().map(|parent| parent.path.as_slice()).unwrap_or_default();
        let row = NewRow {
            id: &id,
            org_id: manager.org_id(),
            deployment_id: &place.deployment_id,
            member_id: &place.member_id,
            parent_key_id: place.parent.as_ref().map(|parent| parent.id.as_str()),
            depth: i64::try_from(above.len()).unwrap_or(i64::MAX),
            path: &path_text(above, &id),
            kind: new.kind.as_str(),
            terms: stored(&terms),
            created_by_person_id: manager.person_id(),
            created_by_key_id: manager.key_id(),
            credential: self.credential(&key),
        };
        let detail = json!({
            "kind": new.kind.as_str(),
            "credential_id": key.credential_id(),
            "parent_key_id": row.parent_key_id,
            "holder": place.member_id,
            "deployment": place.deployment_id,
            "before": null,
            "after": said(&terms),
        });
        let entry = self.audit.entry(origin, manager.event("key.created", &id).detail(detail));
        api_key::insert(&self.store, &row, &entry).await?;
        Ok(CreatedKey { id, secret })
    }

    /// What is stored of a secret.
    pub(super) fn credential<'k>(&self, key: &PresentedKey<'k>) -> NewCredential<'k> {
        NewCredential {
            id: key.credential_id(),
            verifier: hex::encode(key.verifier(&self.pepper)),
            pepper_version: PEPPER_VERSION,
            last_four: key.last_four(),
            now_ms: self.world.now_ms(),
        }
    }

    async fn place(&self, manager: Manager<'_>, new: &NewKey) -> Result<Place, KeyError> {
        let parent_id = new.parent_key_id.as_deref().or(manager.implied_parent());
        let Some(parent_id) = parent_id else { return self.root_place(manager, new).await };
        let parent = self.find(manager, parent_id).await?.filter(|parent| parent.state.is_open());
        let parent = parent.ok_or(KeyError::NotFound)?;
        if !manager.may_derive_from(&parent) {
            return Err(KeyError::Forbidden);
        }
        let inherits = |wanted: &Option<String>, own: &str| wanted.as_deref().is_none_or(|id| id == own);
        if !inherits(&new.deployment_id, &parent.deployment_id)
            || !inherits(&new.member_id, &parent.member_id)
        {
            return Err(KeyError::Inherited);
        }
        if parent.path.len() > MOST_DEPTH {
            return Err(KeyError::TooDeep);
        }
        Ok(Place {
            deployment_id: parent.deployment_id.clone(),
            member_id: parent.member_id.clone(),
            parent: Some(parent),
        })
    }

    async fn root_place(&self, manager: Manager<'_>, new: &NewKey) -> Result<Place, KeyError> {
        if !manager.may_make_keys() {
            return Err(KeyError::Forbidden);
        }
        let member_id = new.member_id.as_deref().unwrap_or(manager.member_id());
        if member_id != manager.member_id() && !manager.manages_org() {
            return Err(KeyError::Forbidden);
        }
        let deployment_id = new.deployment_id.as_deref().unwrap_or(manager.deployment_id());
        let org_id = manager.org_id();
        if !deployment::is_open(&self.store, org_id, deployment_id).await? {
            return Err(KeyError::NoDeployment);
        }
        Ok(Place { parent: None, deployment_id: deployment_id.to_owned(), member_id: member_id.to_owned() })
    }

    async fn check_room(&self, org_id: &str, place: &Place) -> Result<(), KeyError> {
        if api_key::count_open(&self.store, org_id, None).await? >= MOST_KEYS {
            return Err(KeyError::TooMany(MOST_KEYS));
        }
        let Some(parent) = &place.parent else { return Ok(()) };
        if api_key::count_open(&self.store, org_id, Some(&parent.id)).await? >= MOST_CHILDREN {
            return Err(KeyError::TooMany(MOST_CHILDREN));
        }
        Ok(())
    }

    async fn checked(
        &self,
        manager: Manager<'_>,
        place: &Place,
        terms: Terms,
    ) -> Result<(Terms, Allowed), KeyError> {
        let path = match &place.parent {
            Some(parent) => api_key_credential::path(&self.store, &parent.id).await?,
            None => Vec::new(),
        };
        // Below a key that has ended nothing works any more, nor would a limit there bind.
        if path.iter().any(|key| !KeyState::from_stored(&key.state).is_open()) {
            return Err(KeyError::NotFound);
        }
        let holder = member::role(&self.store, manager.org_id(), &place.member_id).await?;
        let holder = Role::from_stored(holder.as_deref().ok_or(KeyError::NoHolder)?);
        let above =
            (path.as_slice(), (manager.org_id(), place.deployment_id.as_str(), place.member_id.as_str()));
        self.check_terms(manager, above, terms, holder).await
    }

    /// Reads names, and refuses what goes beyond what stands above, which it answers too, the holder's role, or the
    /// manager's own rights.
    pub(super) async fn check_terms(
        &self,
        manager: Manager<'_>,
        (path, nodes): (&[api_key_credential::PathRow], (&str, &str, &str)),
        terms: Terms,
        holder: Role,
    ) -> Result<(Terms, Allowed), KeyError> {
        let terms = Terms { name: names::clean(&terms.name)?, note: note(&terms.note)?, ..terms };
        if terms.scopes.is_empty() {
            return Err(KeyError::NoScope);
        }
        let above_role = |scope: &&Scope| !scope.is_covered_by(holder) || !manager.may_give(**scope);
        if let Some(scope) = terms.scopes.iter().find(above_role) {
            return Err(KeyError::ScopeAboveRole(*scope));
        }
        if terms.expires_at_ms.is_some_and(|end| end <= self.world.now_ms()) {
            return Err(KeyError::ExpiresInThePast);
        }
        manager.check_outlives(&terms, path)?;
        let above = self.allowed_on(path, nodes).await?;
        terms.check_within(&above)?;
        Ok((terms, above))
    }
}

/// `/root/…/own id/`
fn path_text(above: &[String], id: &str) -> String {
    let mut text = String::from("/");
    for id in above.iter().map(String::as_str).chain([id]) {
        text.push_str(id);
        text.push('/');
    }
    text
}

pub(super) fn stored(terms: &Terms) -> api_key::Terms<'_> {
    api_key::Terms {
        name: &terms.name,
        note: &terms.note,
        tags: terms.tags.to_stored(),
        models_json: terms.models.to_stored(),
        ips_json: terms.ips.to_stored(),
        providers_json: terms.providers.to_stored(),
        regions_json: terms.regions.to_stored(),
        scopes_json: scopes_to_stored(&terms.scopes),
        strict: terms.strict,
        expires_at_ms: terms.expires_at_ms,
    }
}

/// Terms for the audit log.
pub(super) fn said(terms: &Terms) -> serde_json::Value {
    let scopes: Vec<&str> = terms.scopes.iter().map(|scope| scope.as_str()).collect();
    json!({
        "name": terms.name,
        "note": terms.note,
        "tags": terms.tags.names().collect::<Vec<_>>(),
        "models": terms.models.names(),
        "ips": terms.ips.texts(),
        "providers": terms.providers.names(),
        "regions": terms.regions.names(),
        "scopes": scopes,
        "strict": terms.strict,
        "expires_at_ms": terms.expires_at_ms,
    })
}

/// Lines stay lines; everything that hides or reorders text goes.
fn note(text: &str) -> Result<String, KeyError> {
    let lines: Vec<String> = text.lines().map(names::visible).collect();
    let note = lines.join("\n").trim().to_owned();
    if note.chars().count() > MOST_NOTE_CHARACTERS { Err(KeyError::NoteTooLong) } else { Ok(note) }
}
