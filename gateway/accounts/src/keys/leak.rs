//! A key that was found where it should not be. Whoever has the whole text can end it; nobody learns whether it was one.
use super::Keys;
use super::format::PresentedKey;
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::throttle::Rule;
pub use bytespike_store::key_leak::Ended;
use bytespike_store::key_leak::{self, Leaked};
use bytespike_store::{api_key_credential, outbox};
use serde_json::json;
use subtle::ConstantTimeEq as _;

impl Keys {
    /// Whether one more report is taken from there.
    pub async fn takes_leak_report(&self, origin: &Origin) -> sqlx::Result<bool> {
        self.throttle.allows(&self.throttle.leaks_from(origin.ip), Rule::LEAK_REPORTS).await
    }

    /// Ends the presented secret: the credential alone if the key has another that works, else the key, and every key derived
    /// from it stops. Those who answer for the org and the holder are told. `found_at` is where it was found. What ended is
    /// for the log and for tests; whoever reports learns nothing of it.
    pub async fn report_leak(
        &self,
        origin: &Origin,
        (presented, found_at): (&str, &str),
    ) -> sqlx::Result<Ended> {
        let Ok(key) = PresentedKey::parse(presented.trim()) else { return Ok(Ended::Nothing) };
        let verifier = hex::encode(key.verifier(&self.pepper));
        let Some(found) = api_key_credential::find(&self.store, key.credential_id()).await? else {
            return Ok(Ended::Nothing);
        };
        let credential = found.credential;
        if !bool::from(credential.verifier.as_bytes().ct_eq(verifier.as_bytes())) {
            return Ok(Ended::Nothing);
        }
        let now_ms = self.world.now_ms();
        let (org_id, key_id) = (credential.org_id.as_str(), credential.key_id.as_str());
        let found_at: String = crate::names::visible(found_at).chars().take(500).collect();
        let told = |ended: Ended| {
            let detail =
                json!({ "credential_id": key.credential_id(), "ended": ended.name(), "found_at": found_at });
            let about = outbox::Event {
                id: self.world.id("out"),
                org_id: org_id.to_owned(),
                kind: "key_leaked".to_owned(),
                subject: format!("key:{key_id}"),
                payload_json: detail.to_string(),
                created_at_ms: now_ms,
            };
            let event = Event::new("key.leaked", Actor::Anonymous).org(org_id).target(key_id);
            (self.audit.entry(origin, event.detail(detail)), about)
        };
        let leaked = Leaked { org_id, key_id, credential_id: key.credential_id() };
        let ended = key_leak::end(&self.store, leaked, now_ms, told).await?;
        self.refresh_rights().await?;
        Ok(ended)
    }
}
