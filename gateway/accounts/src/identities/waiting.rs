//! A browser on its way to a provider and back: what it carries, and what waits here for it.
use super::{Identities, WAITS_MS};
use crate::orgs::Language;
use crate::secrets::{Place, SecretText};
use bytespike_store::identity;
use serde::{Deserialize, Serialize};

/// Why somebody is sent to a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// `next` is where they were going, as the browser says.
    SignIn { next: String },
    /// To link the account there with the person who asked.
    Link { person_id: String },
}

/// What goes out with the browser, and what the answer is checked against.
pub struct Sent {
    /// Goes out and comes back.
    pub state: SecretText,
    /// Goes out; an ID token repeats it.
    pub nonce: SecretText,
    /// Stays here; its digest goes out (PKCE).
    pub verifier: SecretText,
}

/// What waited here for the browser that came back.
pub struct Errand {
    pub purpose: Purpose,
    /// What the pages were read in.
    pub language: Language,
    pub nonce: SecretText,
    pub verifier: SecretText,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    purpose: Purpose,
    language: String,
    nonce: String,
    verifier: String,
}

impl Identities {
    /// Puts an errand aside for ten minutes. `browser` is the value of a cookie that the browser brings back.
    pub async fn send(
        &self,
        (provider, browser): (&str, &str),
        (purpose, language): (Purpose, Language),
    ) -> sqlx::Result<Sent> {
        let sent = Sent { state: self.random(), nonce: self.random(), verifier: self.random() };
        let id_hash = self.id_hash(provider, browser, sent.state.expose());
        let kept = Kept {
            purpose,
            language: language.as_str().to_owned(),
            nonce: sent.nonce.expose().to_owned(),
            verifier: sent.verifier.expose().to_owned(),
        };
        let text = SecretText::new(serde_json::json!(kept).to_string());
        let sealed = self.seal.seal(&self.world, place(&id_hash), text.expose().as_bytes());
        identity::begin(&self.store, &id_hash, &sealed, self.world.now_ms() + WAITS_MS).await?;
        Ok(sent)
    }

    /// The errand this answer belongs to: once, in the browser that was sent, from the provider it was sent to.
    pub async fn take(&self, provider: &str, browser: &str, state: &str) -> sqlx::Result<Option<Errand>> {
        let id_hash = self.id_hash(provider, browser, state);
        let Some(sealed) = identity::take(&self.store, &id_hash, self.world.now_ms()).await? else {
            return Ok(None);
        };
        let opened = self.seal.open(place(&id_hash), &sealed).ok();
        let kept: Option<Kept> = opened.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(kept.map(|kept| Errand {
            purpose: kept.purpose,
            language: Language::from_tag(&kept.language),
            nonce: SecretText::new(kept.nonce),
            verifier: SecretText::new(kept.verifier),
        }))
    }

    /// Provider and browser are hashed along: an answer of another one finds nothing.
    fn id_hash(&self, provider: &str, browser: &str, state: &str) -> String {
        self.pepper.mac_hex(serde_json::json!([provider, browser, state]).to_string().as_bytes())
    }
}

fn place(id_hash: &str) -> Place<'_> {
    Place { table: "identity_transaction", row: id_hash, column: "sealed" }
}
