//! A program without a browser shows a short code; a person types it where they are signed in, and decides there.
use super::consent::{Allowed, DecideError, GrantParts, granted, may_allow};
use super::exchange::ExchangeError;
use super::key_request::{self, KeyRequest};
use super::scope::{self, GrantScopes};
use super::token_text::{self, Presented, TokenKind};
use super::{Client, MINUTE_MS, Oauth, Trust};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::people::Membership;
use crate::secrets::SecretText;
use crate::throttle::Rule;
use bytespike_store::oauth::device::{self as rows, DeviceRow};
use bytespike_store::oauth::token::NewToken;
use bytespike_store::{Store, world::World};
use serde_json::json;

pub const DEVICE_MS: i64 = 10 * MINUTE_MS;
pub const INTERVAL_S: i64 = 5;
/// Without vowels, so that no code is a word, and without letters that look alike.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const CODE_LETTERS: usize = 8;

/// What the program is given.
#[derive(Debug)]
pub struct DeviceCodes {
    pub device_code: SecretText,
    /// `BDFG-HKLM`.
    pub user_code: SecretText,
}

/// A device that waits for its person.
#[derive(Clone, Debug)]
pub struct WaitingDevice {
    pub id: String,
    /// As the device shows it, `BDFG-HKLM`, however it was typed.
    pub user_code: String,
    pub client: Client,
    pub scopes: GrantScopes,
    pub key_request: KeyRequest,
    /// Where the device asked from.
    pub ip: String,
    pub asked_at_ms: i64,
    resource: Option<String>,
}

/// Why a device gets no code.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    #[error("this program may not use the device flow")]
    Unauthorized,
    #[error("a scope is not known, or not open to this program")]
    Scope,
    #[error("the resource is not one of those in the metadata")]
    Target,
    #[error("authorization_details: {0}")]
    KeyRequest(#[from] key_request::KeyRequestProblem),
    #[error("no code can be handed out right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

/// Why a typed code leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum UserCodeError {
    #[error("no device waits with this code")]
    Unknown,
    #[error("too many wrong codes; wait a few minutes")]
    TooMany,
    #[error("codes cannot be checked right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Oauth {
    /// Hands out a pair of codes: one for the device, one for its person.
    ///
    /// # Errors
    /// The program may not ask for this.
    pub async fn start_device(
        &self,
        origin: &Origin,
        client: &Client,
        (scope, resource, details): (Option<&str>, Option<&str>, Option<&str>),
        resources: &[String],
    ) -> Result<DeviceCodes, DeviceError> {
        if client.trust != Trust::BuiltIn {
            return Err(DeviceError::Unauthorized);
        }
        let asked = scope::parse(scope.unwrap_or_default()).ok_or(DeviceError::Scope)?;
        if !asked.is_subset(&client.scopes) {
            return Err(DeviceError::Scope);
        }
        if resource.is_some_and(|asked| !resources.iter().any(|known| known == asked)) {
            return Err(DeviceError::Target);
        }
        let key_request = key_request::parse(details)?;
        let scopes = if asked.is_empty() { client.scopes.clone() } else { asked };
        let (device, user_code) =
            (token_text::mint(&self.world, &self.pepper, TokenKind::Device), user_code(&self.world));
        let now_ms = self.world.now_ms();
        let row = DeviceRow {
            id: device.id,
            verifier: device.verifier,
            user_code_hash: self.user_code_hash(user_code.expose()),
            client_id: client.id.clone(),
            scopes_json: json!(scopes).to_string(),
            resource: resource.map(str::to_owned),
            key_request_json: json!(key_request).to_string(),
            ip: origin.ip.to_string(),
            state: "pending".to_owned(),
            grant_id: None,
            interval_s: INTERVAL_S,
            polled_at_ms: None,
            expires_at_ms: now_ms + DEVICE_MS,
            created_at_ms: now_ms,
        };
        rows::insert(&self.store, &row).await?;
        let shown = SecretText::new(as_shown(user_code.expose()));
        Ok(DeviceCodes { device_code: device.secret, user_code: shown })
    }

    /// The device that shows the code somebody typed, in whichever case and with whatever between the letters. Wrong codes
    /// are counted against the network they come from.
    ///
    /// # Errors
    /// There is none, or too many wrong codes were typed.
    pub async fn typed(&self, origin: &Origin, text: &str) -> Result<WaitingDevice, UserCodeError> {
        let code = normalise(text).ok_or(UserCodeError::Unknown)?;
        let throttle = &self.people.throttle;
        let subject = throttle.device_codes_from(origin.ip);
        if !throttle.allows(&subject, Rule::DEVICE_CODE).await? {
            return Err(UserCodeError::TooMany);
        }
        let row =
            rows::find_by_user_code(&self.store, &self.user_code_hash(&code), self.world.now_ms()).await?;
        let row = row.ok_or(UserCodeError::Unknown)?;
        throttle.take_back(&subject).await?;
        self.describe(row, as_shown(&code)).await?.ok_or(UserCodeError::Unknown)
    }

    /// Decides for the device, once.
    ///
    /// # Errors
    /// It was decided already, or may not be allowed so.
    pub async fn decide_device(
        &self,
        origin: &Origin,
        waiting: &WaitingDevice,
        member: &Membership,
        allowed: Option<&Allowed>,
    ) -> Result<(), DecideError> {
        let now_ms = self.world.now_ms();
        let Some(allowed) = allowed else {
            let event = Event::new("oauth.denied", Actor::Person(member.person_id())).org(member.org_id());
            let entry = self.audit.entry(origin, event.target(&waiting.client.id));
            let decided = rows::decide(&self.store, (&waiting.id, now_ms), None, &entry).await?;
            return if decided { Ok(()) } else { Err(DecideError::Over) };
        };
        may_allow(&waiting.client, &waiting.scopes, member, allowed)?;
        let parts = GrantParts::new(allowed, self.world.id("grt"), now_ms);
        let grant = parts.row(&waiting.client, &waiting.ip, member, waiting.resource.as_deref());
        let entry = self.audit.entry(origin, granted(member, &parts.id, &waiting.client, allowed));
        if !rows::decide(&self.store, (&waiting.id, now_ms), Some(&grant), &entry).await? {
            return Err(DecideError::Over);
        }
        Ok(())
    }

    /// The device that asks again whether its person has decided; an approved one may be redeemed.
    pub(super) async fn polled(&self, client: &Client, text: &str) -> Result<DeviceRow, ExchangeError> {
        let now_ms = self.world.now_ms();
        let presented = Presented::parse(TokenKind::Device, text).ok_or(ExchangeError::Grant)?;
        let row = rows::find(&self.store, presented.id).await?.ok_or(ExchangeError::Grant)?;
        if !presented.is(&self.pepper, &row.verifier) || row.client_id != client.id {
            return Err(ExchangeError::Grant);
        }
        if row.expires_at_ms <= now_ms {
            return Err(ExchangeError::ExpiredDevice);
        }
        let is_early = rows::poll(&self.store, &row.id, now_ms).await?;
        match row.state.as_str() {
            "approved" => Ok(row),
            "denied" => Err(ExchangeError::Denied),
            "pending" if is_early => Err(ExchangeError::SlowDown),
            "pending" => Err(ExchangeError::Pending),
            _ => Err(ExchangeError::Grant),
        }
    }

    async fn describe(&self, row: DeviceRow, user_code: String) -> sqlx::Result<Option<WaitingDevice>> {
        let Some(client) = self.client(&row.client_id).await? else { return Ok(None) };
        let (Ok(scopes), Ok(key_request)) =
            (serde_json::from_str(&row.scopes_json), serde_json::from_str(&row.key_request_json))
        else {
            return Ok(None);
        };
        Ok(Some(WaitingDevice {
            id: row.id,
            user_code,
            client,
            scopes,
            key_request,
            ip: row.ip,
            asked_at_ms: row.created_at_ms,
            resource: row.resource,
        }))
    }

    fn user_code_hash(&self, code: &str) -> String {
        self.pepper.mac_hex(format!("user-code!{code}").as_bytes())
    }
}

/// Hands the tokens out, once.
pub(super) async fn redeem(store: &Store, id: &str, tokens: &[NewToken]) -> sqlx::Result<bool> {
    rows::redeem(store, id, tokens).await
}

/// Eight letters, each drawn evenly from twenty: 34 bits, behind a throttle.
fn user_code(world: &World) -> SecretText {
    let mut code = String::with_capacity(CODE_LETTERS);
    while code.len() < CODE_LETTERS {
        let bytes = world.bytes::<32>();
        // 240 is the largest multiple of twenty in a byte; what lies above is drawn again.
        let letters =
            bytes.iter().filter(|byte| **byte < 240).filter_map(|byte| ALPHABET.get(usize::from(byte % 20)));
        code.extend(letters.take(CODE_LETTERS - code.len()).map(|letter| char::from(*letter)));
    }
    SecretText::new(code)
}

/// In two halves, which are easier to compare.
fn as_shown(letters: &str) -> String {
    let (first, last) = letters.split_at(CODE_LETTERS / 2);
    format!("{first}-{last}")
}

/// The eight letters of a typed code; `None` for anything else.
fn normalise(text: &str) -> Option<String> {
    let letters: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| c.to_ascii_uppercase())
        .take(CODE_LETTERS + 1)
        .collect();
    let is_code = letters.len() == CODE_LETTERS && letters.bytes().all(|byte| ALPHABET.contains(&byte));
    is_code.then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_however_they_are_typed() {
        assert_eq!(normalise(" bdfg hklm ").as_deref(), Some("BDFGHKLM"));
        assert_eq!(normalise("BDFG-HKLM").as_deref(), Some("BDFGHKLM"));
        for wrong in ["BDFG-HKL", "BDFG-HKLMN", "AEIO-UYAE", "BDFG-HKL0", ""] {
            assert_eq!(normalise(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_drawn_code_reads_back() {
        let (world, _) = World::manual(0, 9);
        for _ in 0..200 {
            let code = user_code(&world);
            assert_eq!(normalise(code.expose()).as_deref(), Some(code.expose()));
        }
    }
}
