//! Linking an account of a provider with the person who is signed in, and unlinking it.
use super::arrival::row;
use super::{Identities, Verified};
use crate::Origin;
use crate::audit::{Actor, Entry, Event};
use crate::mail::{Mail, Notice};
use crate::people::Membership;
use crate::sessions::CurrentSession;
use bytespike_store::identity::{self, Unlinked};
use serde_json::json;

/// An account that signs the person in, as the settings show it.
#[derive(Clone, Debug)]
pub struct LinkedIdentity {
    pub provider: String,
    /// Names it among the person's; no secret.
    pub subject: String,
    /// The address the provider gave when it was linked; may be empty.
    pub email: String,
    pub linked_at_ms: i64,
    pub last_used_at_ms: Option<i64>,
}

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Whose it is, nobody is told.
    #[error("this account is linked already")]
    Taken,
    #[error("accounts cannot be linked right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum UnlinkError {
    #[error("no such account is linked")]
    NotFound,
    #[error("this is the only way into the account; set a password or add a passkey first")]
    Last,
    #[error("accounts cannot be unlinked right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Identities {
    pub async fn list(&self, member: &Membership) -> sqlx::Result<Vec<LinkedIdentity>> {
        let rows = identity::of_person(&self.store, member.person_id()).await?;
        Ok(rows
            .into_iter()
            .map(|row| LinkedIdentity {
                provider: row.provider,
                subject: row.subject,
                email: row.email,
                linked_at_ms: row.linked_at_ms,
                last_used_at_ms: row.last_used_at_ms,
            })
            .collect())
    }

    /// Whether the account at the provider is the person's: what proves them anew where nothing else can.
    pub async fn is_linked(&self, member: &Membership, verified: &Verified) -> sqlx::Result<bool> {
        let mine = identity::of_person(&self.store, member.person_id()).await?;
        Ok(mine.iter().any(|row| row.provider == verified.provider && row.subject == verified.subject))
    }

    /// Links the account, and answers the letter that tells of it.
    pub async fn link(
        &self,
        origin: &Origin,
        member: &Membership,
        (verified, provider_name): (&Verified, &str),
    ) -> Result<Option<Mail>, LinkError> {
        let row = row(verified, member.person_id(), self.world.now_ms());
        let entry = self.entry(origin, member, ("person.identity_linked", &verified.provider));
        if !identity::link(&self.store, &row, &entry).await? {
            return Err(LinkError::Taken);
        }
        Ok(Mail::notice(member, Notice::IdentityLinked { provider: provider_name.to_owned() }))
    }

    /// Unlinks the account and ends the person's other sessions; answers the letter that tells of it.
    pub async fn unlink(
        &self,
        origin: &Origin,
        (member, keep): (&Membership, &CurrentSession),
        (provider, subject, provider_name): (&str, &str, &str),
    ) -> Result<Option<Mail>, UnlinkError> {
        let which = (member.person_id(), provider, subject);
        let entry = self.entry(origin, member, ("person.identity_unlinked", provider));
        match identity::unlink(&self.store, which, keep.id_hash(), &entry).await? {
            Unlinked::Unknown => Err(UnlinkError::NotFound),
            Unlinked::Last => Err(UnlinkError::Last),
            Unlinked::Done => {
                Ok(Mail::notice(member, Notice::IdentityUnlinked { provider: provider_name.to_owned() }))
            }
        }
    }

    fn entry(&self, origin: &Origin, member: &Membership, (name, provider): (&'static str, &str)) -> Entry {
        let event = Event::new(name, Actor::Person(member.person_id())).target(member.person_id());
        self.audit.entry(origin, event.detail(json!({ "provider": provider })))
    }
}
