//! Rotation: a new secret for the same key. Budget, history and the keys derived from it stay; the old secret works on for as
//! long as was chosen.
use super::Keys;
use super::create::CreatedKey;
use super::error::KeyError;
use super::format::{self, PresentedKey};
use super::manager::Manager;
use crate::Origin;
use bytespike_store::api_key_credential;
use serde_json::json;

/// The longest that an old credential works on.
pub const LONGEST_OVERLAP_MS: i64 = 30 * 24 * 3_600_000;

impl Keys {
    /// Adds a credential and lets the one before it end after `overlap_ms`. A key has at most two that work.
    pub async fn rotate<'a>(
        &self,
        origin: &Origin,
        manager: impl Into<Manager<'a>>,
        (key_id, overlap_ms): (&str, i64),
    ) -> Result<CreatedKey, KeyError> {
        let manager = manager.into();
        if !(0..=LONGEST_OVERLAP_MS).contains(&overlap_ms) {
            return Err(KeyError::OverlapTooLong);
        }
        let key = self.managed(manager, key_id).await?;
        if !key.state.is_open() {
            return Err(KeyError::NotFound);
        }
        let secret = format::mint(&self.world, key.kind);
        let presented = PresentedKey::parse(secret.expose()).map_err(|_| KeyError::NotFound)?;
        let credential = self.credential(&presented);
        let former_end_ms = credential.now_ms + overlap_ms;
        let place = (manager.org_id(), key.id.as_str());
        let detail = json!({ "credential_id": credential.id, "former_ends_at_ms": former_end_ms });
        let entry = self.audit.entry(origin, manager.event("key.rotated", key_id).detail(detail));
        if !api_key_credential::rotate(&self.store, place, &credential, former_end_ms, &entry).await? {
            return Err(KeyError::TwoCredentials);
        }
        self.refresh_rights().await?;
        Ok(CreatedKey { id: key.id, secret })
    }

    /// Ends one of two credentials now.
    pub async fn end_credential<'a>(
        &self,
        origin: &Origin,
        manager: impl Into<Manager<'a>>,
        (key_id, credential_id): (&str, &str),
    ) -> Result<(), KeyError> {
        let manager = manager.into();
        let key = self.managed(manager, key_id).await?;
        let now_ms = self.world.now_ms();
        let credentials = self.credentials(&key).await?;
        if !credentials.iter().any(|one| one.id == credential_id && one.is_live(now_ms)) {
            return Err(KeyError::NotFound);
        }
        let place = (manager.org_id(), key.id.as_str());
        let event = manager.event("key.credential_ended", key_id);
        let entry = self.audit.entry(origin, event.detail(json!({ "credential_id": credential_id })));
        let ended = api_key_credential::end(&self.store, place, (credential_id, now_ms), &entry).await?;
        self.refresh_rights().await?;
        if ended { Ok(()) } else { Err(KeyError::LastCredential) }
    }
}
