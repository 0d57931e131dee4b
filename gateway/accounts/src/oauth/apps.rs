//! What a person has allowed programs to do, and taking it back.
use super::Oauth;
use super::exchange::scopes_of;
use super::scope::GrantScopes;
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::people::Membership;
use bytespike_store::api_key::{self, KeyRef};
use bytespike_store::oauth::grant::{self, GrantRow};
use bytespike_store::oauth::key;
use serde_json::json;

/// One program that acts for the person.
#[derive(Clone, Debug)]
pub struct ConnectedApp {
    pub grant_id: String,
    pub client_name: String,
    /// Where it runs, as it was shown when it was allowed.
    pub place: String,
    pub org_id: String,
    pub scopes: GrantScopes,
    /// Live keys that it made.
    pub key_ids: Vec<String>,
    pub allowed_at_ms: i64,
    pub last_used_at_ms: Option<i64>,
}

impl Oauth {
    /// The person's connected programs, newest first.
    pub async fn apps(&self, person_id: &str) -> sqlx::Result<Vec<ConnectedApp>> {
        let mut apps = Vec::new();
        for grant in grant::active_of_person(&self.store, person_id, self.world.now_ms()).await? {
            let keys = key::of_grant(&self.store, &grant.id).await?;
            let live = keys.into_iter().filter(|made| made.state == "active" || made.state == "disabled");
            apps.push(ConnectedApp {
                key_ids: live.map(|made| made.key_id).collect(),
                scopes: scopes_of(&grant),
                grant_id: grant.id,
                client_name: grant.client_name,
                place: grant.client_place,
                org_id: grant.org_id,
                allowed_at_ms: grant.created_at_ms,
                last_used_at_ms: grant.last_used_at_ms,
            });
        }
        Ok(apps)
    }

    /// Cuts a program off: its tokens are dead at once, and with `and_keys` so are the keys it made. False when the person
    /// has no such program.
    pub async fn disconnect(
        &self,
        origin: &Origin,
        member: &Membership,
        (grant_id, and_keys): (&str, bool),
    ) -> sqlx::Result<bool> {
        let found = grant::find(&self.store, grant_id).await?;
        let Some(grant) = found.filter(|grant| grant.person_id == member.person_id()) else {
            return Ok(false);
        };
        let was_connected = self.cut(origin, &grant, and_keys).await?;
        self.keys.refresh_rights().await?;
        Ok(was_connected)
    }

    /// How many programs act for the person.
    pub async fn count_apps(&self, person_id: &str) -> sqlx::Result<usize> {
        Ok(grant::active_of_person(&self.store, person_id, self.world.now_ms()).await?.len())
    }

    /// Cuts every program of the person off, and the keys they made; answers how many they were.
    pub async fn disconnect_all(&self, origin: &Origin, person_id: &str) -> sqlx::Result<usize> {
        let mut cut = 0;
        for grant in grant::active_of_person(&self.store, person_id, self.world.now_ms()).await? {
            cut += usize::from(self.cut(origin, &grant, true).await?);
        }
        if cut > 0 {
            self.keys.refresh_rights().await?;
        }
        Ok(cut)
    }

    async fn cut(&self, origin: &Origin, grant: &GrantRow, and_keys: bool) -> sqlx::Result<bool> {
        let now_ms = self.world.now_ms();
        let keys = if and_keys { key::of_grant(&self.store, &grant.id).await? } else { Vec::new() };
        let actor = Actor::Person(&grant.person_id);
        let event = Event::new("oauth.disconnected", actor).org(&grant.org_id).target(&grant.id);
        let detail = json!({ "client": grant.client_id, "keys_revoked": keys.len() });
        let entry = self.audit.entry(origin, event.detail(detail));
        if !grant::revoke(&self.store, &grant.id, ("disconnected", now_ms), &entry).await? {
            return Ok(false);
        }
        let revoked = Event::new("key.revoked", actor).org(&grant.org_id);
        let entry = self.audit.entry(origin, revoked.changed(json!(null), json!({ "state": "revoked" })));
        for made in &keys {
            let key = KeyRef { org_id: &grant.org_id, key_id: &made.key_id };
            api_key::set_state(&self.store, key, ("revoked", now_ms), &entry.about(&made.key_id)).await?;
        }
        Ok(true)
    }
}
