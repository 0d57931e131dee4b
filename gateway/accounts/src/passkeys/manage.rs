//! A person's passkeys: adding one, naming it, taking it away.
use super::challenge::Kind;
use super::{Asker, MOST, PasskeyError, Passkeys, Site, handle_of};
use crate::Origin;
use crate::audit::{Actor, Entry, Event};
use crate::mail::{Mail, Notice};
use crate::names::{self, NameProblem};
use crate::people::Membership;
use crate::sessions::CurrentSession;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytespike_store::passkey::{self, Added, PasskeyRow, Removed};
use serde_json::json;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::ExtensionInfo;
use webauthn_rp::request::register::CredProtect;
use webauthn_rp::request::register::{
    Nickname, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle16, Username,
};
use webauthn_rp::request::{PublicKeyCredentialDescriptor, TimedCeremony as _};
use webauthn_rp::response::{AuthTransports, CredentialId};
use webauthn_rp::{PublicKeyCredentialCreationOptions, Registration, RegistrationServerState};

/// A passkey as the settings show it.
#[derive(Clone, Debug)]
pub struct Passkey {
    pub id: String,
    pub name: String,
    pub created_at_ms: i64,
    pub last_used_at_ms: Option<i64>,
}

#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error(transparent)]
    Name(#[from] NameProblem),
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    #[error("an account has at most {MOST} passkeys; remove one first")]
    TooMany,
}

#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    #[error("there is no such passkey")]
    NotFound,
    #[error("this is the only way into the account; set a password first")]
    Last,
    #[error("passkeys cannot be removed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Passkeys {
    /// The person's, the oldest first.
    pub async fn list(&self, person_id: &str) -> sqlx::Result<Vec<Passkey>> {
        let rows = passkey::of_person(&self.store, person_id).await?;
        Ok(rows
            .into_iter()
            .map(|row| Passkey {
                id: row.id,
                name: row.name,
                created_at_ms: row.created_at_ms,
                last_used_at_ms: row.last_used_at_ms,
            })
            .collect())
    }

    /// What `navigator.credentials.create` is asked with, as JSON.
    pub async fn offer(
        &self,
        asker: Asker<'_>,
        site: &Site,
        member: &Membership,
    ) -> Result<String, PasskeyError> {
        self.allow(asker).await?;
        let handle = handle_of(member.person_id()).ok_or(PasskeyError::Refused)?;
        let known = passkey::of_person(&self.store, member.person_id()).await?;
        let known = known.iter().filter_map(|row| descriptor(&row.credential_id)).collect();
        let owner = owner(member, &handle).ok_or(PasskeyError::Refused)?;
        let mut options = PublicKeyCredentialCreationOptions::passkey(&site.rp_id, owner, known);
        // Wanted, not demanded: a device that knows no such protection makes a passkey all the same, and every use of one
        // asks for a verified user anyway.
        options.extensions.cred_protect =
            CredProtect::UserVerificationRequired(ExtensionInfo::AllowDontEnforceValue);
        let (waiting, sent) = options.start_ceremony().map_err(|_| PasskeyError::Refused)?;
        let state = waiting.encode().map_err(|_| PasskeyError::Refused)?;
        self.put_aside(asker, (Kind::Add, waiting.sent_challenge()), &state).await?;
        serde_json::to_string(&sent).map_err(|_| PasskeyError::Refused)
    }

    /// Adds the passkey that the browser made, and ends the person's other sessions; answers the letter that tells of it.
    pub async fn add(
        &self,
        asker: Asker<'_>,
        site: &Site,
        (member, session): (&Membership, &CurrentSession),
        (name, answer): (&str, &str),
    ) -> Result<Option<Mail>, AddError> {
        let name = names::clean(name)?;
        let made = self.made(asker, site, member, answer).await.map_err(PasskeyError::from)?;
        let row = PasskeyRow { name: name.clone(), ..made.ok_or(PasskeyError::Refused)? };
        let entry = self.entry(asker.origin, member, ("factor.passkey_added", Some(&name)));
        let limits = (session.id_hash(), MOST);
        match passkey::insert(&self.store, &row, limits, &entry).await.map_err(PasskeyError::from)? {
            Added::Done => Ok(Mail::notice(member, Notice::PasskeyAdded { name })),
            Added::Taken => Err(PasskeyError::Refused.into()),
            Added::TooMany => Err(AddError::TooMany),
        }
    }

    /// False when the person has no such passkey.
    pub async fn rename(
        &self,
        origin: &Origin,
        member: &Membership,
        (id, name): (&str, &str),
    ) -> Result<bool, AddError> {
        let known = self.list(member.person_id()).await.map_err(PasskeyError::from)?;
        if !known.iter().any(|key| key.id == id) {
            return Ok(false);
        }
        let name = names::clean(name)?;
        let entry = self.entry(origin, member, ("factor.passkey_renamed", Some(&name)));
        let renamed = passkey::rename(&self.store, (member.person_id(), id), &name, &entry).await;
        Ok(renamed.map_err(PasskeyError::from)?)
    }

    /// Removes it, and ends the person's other sessions; answers the letter that tells of it.
    pub async fn remove(
        &self,
        origin: &Origin,
        (member, session): (&Membership, &CurrentSession),
        id: &str,
    ) -> Result<Option<Mail>, RemoveError> {
        let entry = self.entry(origin, member, ("factor.passkey_removed", None));
        let which = (member.person_id(), id);
        match passkey::remove(&self.store, which, session.id_hash(), &entry).await? {
            Removed::Done => Ok(Mail::notice(member, Notice::PasskeyRemoved)),
            Removed::Unknown => Err(RemoveError::NotFound),
            Removed::Last => Err(RemoveError::Last),
        }
    }

    /// The row of what the browser made, without its name. `None` when the answer is not right.
    async fn made(
        &self,
        asker: Asker<'_>,
        site: &Site,
        member: &Membership,
        answer: &str,
    ) -> sqlx::Result<Option<PasskeyRow>> {
        let Ok(answer) = Registration::from_json_relaxed(answer.as_bytes()) else { return Ok(None) };
        let Ok(challenge) = answer.challenge_relaxed() else { return Ok(None) };
        let Some(state) = self.take(asker, (Kind::Add, challenge)).await? else { return Ok(None) };
        let row = registered(site, (&state, &answer)).filter(|made| made.handle_of(member));
        Ok(row.map(|made| PasskeyRow {
            id: self.world.id("psk"),
            credential_id: made.credential_id,
            person_id: member.person_id().to_owned(),
            name: String::new(),
            fixed_state: made.fixed_state,
            moving_state: made.moving_state,
            created_at_ms: self.world.now_ms(),
            last_used_at_ms: None,
        }))
    }

    fn entry(
        &self,
        origin: &Origin,
        member: &Membership,
        (event, name): (&'static str, Option<&str>),
    ) -> Entry {
        let event = Event::new(event, Actor::Person(member.person_id())).target(member.person_id());
        let after = name.map_or(json!(null), |name| json!({ "name": name }));
        self.audit.entry(origin, event.changed(json!(null), after))
    }
}

/// What a checked answer says.
struct Made {
    credential_id: String,
    handle: UserHandle16,
    fixed_state: String,
    moving_state: String,
}

impl Made {
    fn handle_of(&self, member: &Membership) -> bool {
        handle_of(member.person_id()) == Some(self.handle)
    }
}

fn registered(site: &Site, (state, answer): (&[u8], &Registration)) -> Option<Made> {
    let waiting = RegistrationServerState::<16>::decode(state).ok()?;
    let origins = [site.origin.as_str()];
    let options = RegistrationVerificationOptions::<&str, &str> {
        allowed_origins: &origins,
        error_on_unsolicited_extensions: false,
        ..RegistrationVerificationOptions::default()
    };
    let refused = |error| tracing::info!(%error, "a new passkey was refused");
    let key = waiting.verify(&site.rp_id, answer, &options).map_err(refused).ok()?;
    Some(Made {
        credential_id: BASE64.encode(key.id().as_ref()),
        handle: *key.user_id(),
        fixed_state: BASE64.encode(key.static_state().encode().ok()?),
        moving_state: BASE64.encode(key.dynamic_state().encode().ok()?),
    })
}

/// Tells a device which keys of this person it may have already.
fn descriptor(credential_id: &str) -> Option<PublicKeyCredentialDescriptor<Vec<u8>>> {
    let id = CredentialId::<Vec<u8>>::decode(BASE64.decode(credential_id).ok()?).ok()?;
    Some(PublicKeyCredentialDescriptor { id, transports: AuthTransports::decode(0).ok()? })
}

/// How the device lists the key: by the person's address, or by their id where that is no name for one.
fn owner<'a>(
    member: &'a Membership,
    handle: &'a UserHandle16,
) -> Option<PublicKeyCredentialUserEntity<'a, 'a, 'a, 16>> {
    let name = Username::try_from(member.email()).or_else(|_| Username::try_from(member.person_id())).ok()?;
    Some(PublicKeyCredentialUserEntity {
        name,
        id: handle,
        display_name: Nickname::try_from(member.person_name()).ok(),
    })
}
