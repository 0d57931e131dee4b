//! A key that was found where it should not be. Whoever has the whole text can end it; nobody learns whether it was one.
use super::Keys;
use super::format::PresentedKey;
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::throttle::Rule;
use bytespike_store::api_key::{self, KeyRef};
use bytespike_store::{api_key_credential, outbox};
use serde_json::json;
use subtle::ConstantTimeEq as _;

/// What became of a report, for the log and for tests; whoever reports is told nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// No key, or one that has ended.
    Nothing,
    /// The credential; the key goes on with its other one.
    Credential,
    Key,
}

impl Reported {
    /// For metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Credential => "credential",
            Self::Key => "key",
        }
    }
}

impl Keys {
    /// Whether one more report is taken from there.
    pub async fn takes_leak_report(&self, origin: &Origin) -> sqlx::Result<bool> {
        self.throttle.allows(&self.throttle.leaks_from(origin.ip), Rule::LEAK_REPORTS).await
    }

    /// Ends the presented secret: the credential alone if the key has a newer one, else the key, and every key derived from
    /// it stops. Those who answer for the org and the holder are told by mail. `found_at` is where it was found.
    pub async fn report_leak(
        &self,
        origin: &Origin,
        (presented, found_at): (&str, &str),
    ) -> sqlx::Result<Reported> {
        let Ok(key) = PresentedKey::parse(presented.trim()) else { return Ok(Reported::Nothing) };
        let verifier = hex::encode(key.verifier(&self.pepper));
        let Some(found) = api_key_credential::find(&self.store, key.credential_id()).await? else {
            return Ok(Reported::Nothing);
        };
        let credential = found.credential;
        if !bool::from(credential.verifier.as_bytes().ct_eq(verifier.as_bytes())) {
            return Ok(Reported::Nothing);
        }
        let now_ms = self.world.now_ms();
        let (org_id, key_id) = (credential.org_id.as_str(), credential.key_id.as_str());
        let found_at: String = crate::names::visible(found_at).chars().take(500).collect();
        let detail = |ended: &str| json!({ "credential_id": key.credential_id(), "ended": ended, "found_at": found_at });
        let entry = |ended: &str| {
            let event = Event::new("key.leaked", Actor::Anonymous).org(org_id).target(key_id);
            self.audit.entry(origin, event.detail(detail(ended)))
        };
        let (place, reference) = ((org_id, key_id), KeyRef { org_id, key_id });
        let one = (key.credential_id(), now_ms);
        let reported = if api_key_credential::end(&self.store, place, one, &entry("credential")).await? {
            Reported::Credential
        } else if api_key::set_state(&self.store, reference, ("revoked", now_ms), &entry("key")).await? {
            Reported::Key
        } else {
            return Ok(Reported::Nothing);
        };
        self.refresh_rights().await?;
        let told = outbox::Event {
            id: self.world.id("out"),
            org_id: org_id.to_owned(),
            kind: "key_leaked".to_owned(),
            subject: format!("key:{key_id}"),
            payload_json: detail(reported.name()).to_string(),
            created_at_ms: now_ms,
        };
        outbox::insert(&self.store, &told).await?;
        Ok(reported)
    }
}
