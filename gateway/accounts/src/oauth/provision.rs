//! A program makes itself a key, within the bounds that the person set on the consent page. Asked twice under one request
//! key, it is answered once: the same key, and within a minute even the same text, because answers get lost.
use super::key_request::KeyBounds;
use super::{Bearer, MINUTE_MS, Oauth};
use crate::Origin;
use crate::keys::{AllowList, CreatedKey, KeyError, NewKey, Terms};
use crate::secrets::{Place, SecretText};
use bytespike_store::api_key::{self, KeyRef};
use bytespike_store::oauth::key::{self, MadeKeyRow};
use bytespike_store::world::World;
use serde_json::json;

/// What the program sends.
#[derive(Clone, Debug)]
pub struct Provision {
    /// Of the `Idempotency-Key` header.
    pub request_key: String,
    /// SHA-256 of the body, in hexadecimal.
    pub body_hash: String,
    pub label: Option<String>,
    /// Names the installation, so that running its wizard again replaces its key.
    pub client_instance: Option<String>,
    pub replaces_instance: bool,
}

/// What became of it.
#[derive(Debug)]
pub enum Provisioned {
    /// Set its limits, then keep the answer with [`Oauth::keep_answer`].
    Made { key: CreatedKey, bounds: KeyBounds, expires_at_ms: Option<i64> },
    /// The same request was answered before; the answer itself only while it may have been lost.
    Again { key_id: String, answer: Option<SecretText> },
}

#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    #[error("this Idempotency-Key was used with another body")]
    OtherBody,
    #[error("this permission covers {0} key(s), and it was used")]
    TooMany(i64),
    #[error("the label has 1 to 64 characters")]
    Label,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("keys cannot be made right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Oauth {
    /// Makes the key, or finds the one this request made before.
    ///
    /// # Errors
    /// The permission is used up, or the person may not make keys any more.
    pub async fn provision(
        &self,
        origin: &Origin,
        bearer: &Bearer,
        asked: &Provision,
    ) -> Result<Provisioned, ProvisionError> {
        let made = key::of_grant(&self.store, &bearer.grant_id).await?;
        if let Some(before) = made.iter().find(|row| row.request_key == asked.request_key) {
            return self.again(before, asked);
        }
        let bounds = bearer.bounds.clone().ok_or(ProvisionError::TooMany(0))?;
        let replaced = self.replaced(bearer, asked).await?;
        let live = made.iter().filter(|row| matches!(row.state.as_str(), "active" | "disabled"));
        let staying = live.filter(|row| !replaced.contains(&row.key_id)).count();
        if i64::try_from(staying).unwrap_or(i64::MAX) >= bounds.most_keys {
            return Err(ProvisionError::TooMany(bounds.most_keys));
        }
        let new = new_key(&self.world, &bounds, asked);
        let expires_at_ms = new.terms.expires_at_ms;
        let key = self.keys.create(origin, &bearer.member, new).await?;
        let row = MadeKeyRow {
            key_id: key.id.clone(),
            grant_id: bearer.grant_id.clone(),
            client_instance: asked.client_instance.clone(),
            request_key: asked.request_key.clone(),
            body_hash: asked.body_hash.clone(),
            sealed_answer: None,
            sealed_until_ms: self.world.now_ms(),
            created_at_ms: self.world.now_ms(),
            state: String::new(),
        };
        if let Err(error) = key::insert(&self.store, &row).await {
            // The same request came twice at once, and the other was first: this key was never shown.
            self.keys.delete(origin, &bearer.member, &key.id).await?;
            let is_second = error.as_database_error().is_some_and(|error| error.is_unique_violation());
            let made =
                if is_second { key::of_grant(&self.store, &bearer.grant_id).await? } else { Vec::new() };
            let before = made.iter().find(|row| row.request_key == asked.request_key).ok_or(error)?;
            return self.again(before, asked);
        }
        self.end_keys(origin, bearer, &replaced).await?;
        Ok(Provisioned::Made { key, bounds, expires_at_ms })
    }

    /// Keeps the answer for a program that does not hear it.
    pub async fn keep_answer(&self, key_id: &str, answer: &str) -> sqlx::Result<()> {
        let sealed = self.answer_seal.seal(&self.world, place(key_id), answer.as_bytes());
        key::keep_answer(&self.store, key_id, &sealed, self.world.now_ms() + MINUTE_MS).await
    }

    /// Ids and states of the keys that this grant made, the oldest first.
    pub async fn provisioned(&self, bearer: &Bearer) -> sqlx::Result<Vec<MadeKeyRow>> {
        key::of_grant(&self.store, &bearer.grant_id).await
    }

    /// Ends one of the keys that this grant made. False when it made no such key, or it has ended.
    pub async fn end_provisioned(
        &self,
        origin: &Origin,
        bearer: &Bearer,
        key_id: &str,
    ) -> sqlx::Result<bool> {
        let made = self.provisioned(bearer).await?;
        let is_live =
            |row: &&MadeKeyRow| row.key_id == key_id && matches!(row.state.as_str(), "active" | "disabled");
        if !made.iter().any(|row| is_live(&row)) {
            return Ok(false);
        }
        self.end_keys(origin, bearer, &[key_id.to_owned()]).await?;
        Ok(true)
    }

    async fn replaced(&self, bearer: &Bearer, asked: &Provision) -> sqlx::Result<Vec<String>> {
        let Some(instance) = asked.client_instance.as_deref().filter(|_| asked.replaces_instance) else {
            return Ok(Vec::new());
        };
        let whose = (bearer.member.person_id(), bearer.member.org_id());
        key::of_instance(&self.store, whose, (&bearer.client_id, instance)).await
    }

    async fn end_keys(&self, origin: &Origin, bearer: &Bearer, key_ids: &[String]) -> sqlx::Result<()> {
        let revoked = bearer.member.did("key.revoked").changed(json!(null), json!({ "state": "revoked" }));
        let entry = self.audit.entry(origin, revoked);
        for key_id in key_ids {
            let key = KeyRef { org_id: bearer.member.org_id(), key_id };
            let state = ("revoked", self.world.now_ms());
            api_key::set_state(&self.store, key, state, &entry.about(key_id)).await?;
        }
        self.keys.refresh_rights().await
    }

    fn again(&self, before: &MadeKeyRow, asked: &Provision) -> Result<Provisioned, ProvisionError> {
        if before.body_hash != asked.body_hash {
            return Err(ProvisionError::OtherBody);
        }
        let is_fresh = before.sealed_until_ms > self.world.now_ms();
        let sealed = before.sealed_answer.as_deref().filter(|_| is_fresh);
        let answer = sealed.and_then(|sealed| self.answer_seal.open_text(place(&before.key_id), sealed).ok());
        Ok(Provisioned::Again { key_id: before.key_id.clone(), answer })
    }
}

fn new_key(world: &World, bounds: &KeyBounds, asked: &Provision) -> NewKey {
    let models =
        bounds.models.clone().map_or(AllowList::Any, |models| AllowList::Only(models.into_iter().collect()));
    NewKey::with(Terms {
        models,
        expires_at_ms: bounds.expires_in_ms.map(|lifetime_ms| world.now_ms() + lifetime_ms),
        ..Terms::named(asked.label.clone().unwrap_or_else(|| bounds.label.clone()))
    })
}

fn place(key_id: &str) -> Place<'_> {
    Place { table: "oauth_key", row: key_id, column: "answer" }
}
