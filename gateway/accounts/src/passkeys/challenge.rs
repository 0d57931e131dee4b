//! A challenge on its way to a browser, and the answer that comes back: once, within minutes, in the browser it was made for,
//! at the console's own address, with a key that is known here and whose counter has not gone back.
use super::{Asker, PasskeyError, Passkeys, Site, WAITS_MS, handle_of};
use crate::audit::{Actor, Event};
use crate::secrets::Place;
use crate::throttle::Rule;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytespike_store::passkey::{self, PasskeyRow};
use serde_json::json;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::TimedCeremony as _;
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::response::SentChallenge;
use webauthn_rp::response::register::{DynamicState, StaticState};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication16, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions,
};

/// What a challenge is for. An answer to one of another kind finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Use,
    Add,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Use => "use",
            Self::Add => "add",
        }
    }
}

impl Passkeys {
    /// What `navigator.credentials.get` is asked with, as JSON. Any passkey of this site may answer.
    pub async fn challenge(&self, asker: Asker<'_>, site: &Site) -> Result<String, PasskeyError> {
        self.allow(asker).await?;
        let options = DiscoverableCredentialRequestOptions::passkey(&site.rp_id);
        let (waiting, sent) = options.start_ceremony().map_err(|_| PasskeyError::Refused)?;
        let state = waiting.encode().map_err(|_| PasskeyError::Refused)?;
        self.put_aside(asker, (Kind::Use, waiting.sent_challenge()), &state).await?;
        serde_json::to_string(&sent).map_err(|_| PasskeyError::Refused)
    }

    /// Whose passkey answered. Whether they may come in is for the caller to ask.
    pub async fn prove(&self, asker: Asker<'_>, site: &Site, answer: &str) -> Result<String, PasskeyError> {
        match self.checked(asker, site, answer).await? {
            Ok(person_id) => Ok(person_id),
            Err(person_id) => {
                let event = Event::new("person.sign_in_failed", Actor::Anonymous);
                let event = event.detail(json!({ "why": "passkey" }));
                let event = Event { target: person_id.as_deref(), ..event };
                self.audit.record(asker.origin, event).await;
                Err(PasskeyError::Refused)
            }
        }
    }

    /// The person, or whose passkey was refused, if it is known.
    async fn checked(
        &self,
        asker: Asker<'_>,
        site: &Site,
        answer: &str,
    ) -> sqlx::Result<Result<String, Option<String>>> {
        let Ok(answer) = DiscoverableAuthentication16::from_json_relaxed(answer.as_bytes()) else {
            return Ok(Err(None));
        };
        let Ok(challenge) = answer.challenge_relaxed() else { return Ok(Err(None)) };
        let Some(state) = self.take(asker, (Kind::Use, challenge)).await? else { return Ok(Err(None)) };
        let credential_id = BASE64.encode(answer.raw_id().as_ref());
        let Some(row) = passkey::by_credential(&self.store, &credential_id).await? else {
            return Ok(Err(None));
        };
        let Some(moved) = verified(site, (&state, &answer), &row) else {
            return Ok(Err(Some(row.person_id)));
        };
        let moving = (row.moving_state.as_str(), moved.as_str());
        let counts = passkey::used(&self.store, &row.id, moving, self.world.now_ms()).await?;
        Ok(if counts { Ok(row.person_id) } else { Err(Some(row.person_id)) })
    }

    /// A challenge costs a row, so a network gets only so many.
    pub(super) async fn allow(&self, asker: Asker<'_>) -> Result<(), PasskeyError> {
        let network = self.throttle.passkeys_from(asker.origin.ip);
        match self.throttle.allows(&network, Rule::PASSKEYS).await? {
            true => Ok(()),
            false => Err(PasskeyError::TooMany),
        }
    }

    pub(super) async fn put_aside(
        &self,
        asker: Asker<'_>,
        which: (Kind, SentChallenge),
        state: &[u8],
    ) -> sqlx::Result<()> {
        let id_hash = self.id_hash(asker, which);
        let sealed = self.seal.seal(&self.world, place(&id_hash), state);
        passkey::begin(&self.store, &id_hash, &sealed, self.world.now_ms() + WAITS_MS).await
    }

    /// What was put aside with the challenge: once, for the browser it was made for.
    pub(super) async fn take(
        &self,
        asker: Asker<'_>,
        which: (Kind, SentChallenge),
    ) -> sqlx::Result<Option<Vec<u8>>> {
        let id_hash = self.id_hash(asker, which);
        let sealed = passkey::take(&self.store, &id_hash, self.world.now_ms()).await?;
        let opened = sealed.and_then(|sealed| self.seal.open(place(&id_hash), &sealed).ok());
        Ok(opened.map(|opened| opened.to_vec()))
    }

    fn id_hash(&self, asker: Asker<'_>, (kind, challenge): (Kind, SentChallenge)) -> String {
        let bound = json!([kind.as_str(), asker.browser, format!("{:032x}", challenge.0)]);
        self.pepper.mac_hex(bound.to_string().as_bytes())
    }
}

/// The key's moving state after this use; `None` when the answer is not right.
fn verified(
    site: &Site,
    (state, answer): (&[u8], &DiscoverableAuthentication16),
    row: &PasskeyRow,
) -> Option<String> {
    let waiting = DiscoverableAuthenticationServerState::decode(state).ok()?;
    let fixed = StaticState::decode(BASE64.decode(&row.fixed_state).ok()?.as_slice()).ok()?;
    let moving = DynamicState::decode(BASE64.decode(&row.moving_state).ok()?.try_into().ok()?).ok()?;
    let handle = handle_of(&row.person_id)?;
    let mut key = AuthenticatedCredential::new(answer.raw_id(), &handle, fixed, moving).ok()?;
    let origins = [site.origin.as_str()];
    let options = AuthenticationVerificationOptions::<&str, &str> {
        allowed_origins: &origins,
        error_on_unsolicited_extensions: false,
        ..AuthenticationVerificationOptions::default()
    };
    let done = waiting.verify(&site.rp_id, answer, &mut key, &options);
    let refused = |error| tracing::info!(%error, passkey = row.id, "a passkey's answer was refused");
    done.map_err(refused).ok()?;
    Some(BASE64.encode(key.dynamic_state().encode().ok()?))
}

fn place(id_hash: &str) -> Place<'_> {
    Place { table: "passkey_ceremony", row: id_hash, column: "sealed" }
}
