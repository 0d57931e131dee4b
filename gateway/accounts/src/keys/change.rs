//! Changing a key's terms, switching it off and on, and ending it.
use super::Keys;
use super::create::{said, stored};
use super::error::KeyError;
use super::info::{KeyInfo, KeyState};
use super::manager::{KeyReach, Manager};
use super::terms::Terms;
use crate::Origin;
use crate::role::Role;
use bytespike_store::api_key::{self, KeyRef};
use bytespike_store::{api_key_credential, member};
use serde_json::json;

impl Keys {
    /// Gives the key other terms, within what stands above it now. Narrower terms bind every key derived from it at once;
    /// wider ones leave those as narrow as they are. Answers the key as it was.
    pub async fn change<'a>(
        &self,
        origin: &Origin,
        manager: impl Into<Manager<'a>>,
        (key_id, terms): (&str, Terms),
    ) -> Result<KeyInfo, KeyError> {
        let manager = manager.into();
        let before = self.managed(manager, key_id).await?;
        if !before.state.is_open() {
            return Err(KeyError::NotFound);
        }
        // What stands above may have been narrowed since: a key that keeps its terms is not asked whether they still fit.
        if terms == before.terms {
            return Ok(before);
        }
        // An expiry that has passed and is left as it was is no change.
        let keeps_expiry = terms.expires_at_ms == before.terms.expires_at_ms;
        let asked = if keeps_expiry { Terms { expires_at_ms: None, ..terms } } else { terms };
        let mut path = api_key_credential::path(&self.store, &before.id).await?;
        path.pop();
        let role = member::role(&self.store, manager.org_id(), &before.member_id).await?;
        let holder = Role::from_stored(role.as_deref().ok_or(KeyError::NoHolder)?);
        let nodes = (manager.org_id(), before.deployment_id.as_str(), before.member_id.as_str());
        let (mut terms, above) = self.check_terms(manager, (&path, nodes), asked, holder).await?;
        if keeps_expiry {
            terms.expires_at_ms = before.terms.expires_at_ms;
        } else {
            above.check_lifetime(terms.expires_at_ms, before.created_at_ms)?;
        }
        let key = KeyRef { org_id: manager.org_id(), key_id: &before.id };
        if terms == before.terms {
            return Ok(before);
        }
        let event = manager.event("key.changed", &before.id).changed(said(&before.terms), said(&terms));
        let entry = self.audit.entry(origin, event);
        let changed = api_key::change(&self.store, key, &stored(&terms), &entry).await?;
        self.refresh_rights().await?;
        if changed { Ok(before) } else { Err(KeyError::NotFound) }
    }

    /// Revokes, deletes, switches off or on. Counts here at once, elsewhere within a second.
    pub async fn set_state<'a>(
        &self,
        origin: &Origin,
        manager: impl Into<Manager<'a>>,
        key_id: &str,
        state: KeyState,
    ) -> Result<(), KeyError> {
        let manager = manager.into();
        let before = self.managed(manager, key_id).await?;
        let key = KeyRef { org_id: manager.org_id(), key_id: &before.id };
        let event = manager.event(state.event(), key_id);
        let entry = self.audit.entry(origin, event.changed(json!(null), json!({ "state": state.as_str() })));
        let changed =
            api_key::set_state(&self.store, key, (state.as_str(), self.world.now_ms()), &entry).await?;
        self.refresh_rights().await?;
        if changed { Ok(()) } else { Err(KeyError::NotFound) }
    }

    pub async fn revoke<'a>(
        &self,
        origin: &Origin,
        manager: impl Into<Manager<'a>>,
        key_id: &str,
    ) -> Result<(), KeyError> {
        self.set_state(origin, manager, key_id, KeyState::Revoked).await
    }

    pub async fn delete<'a>(
        &self,
        origin: &Origin,
        manager: impl Into<Manager<'a>>,
        key_id: &str,
    ) -> Result<(), KeyError> {
        self.set_state(origin, manager, key_id, KeyState::Deleted).await
    }

    /// The key, if the manager may change it.
    pub(super) async fn managed(&self, manager: Manager<'_>, key_id: &str) -> Result<KeyInfo, KeyError> {
        let found = self.find(manager, key_id).await?.ok_or(KeyError::NotFound)?;
        match manager.reach(&found) {
            KeyReach::Manage => Ok(found),
            _ => Err(KeyError::Forbidden),
        }
    }
}
