//! Between a checked request and its answer: it waits, in one browser, for one person's decision, which counts once.
use super::authorize::{Checked, Prompt, with_pairs};
use super::key_request::{KeyBounds, KeyRequest};
use super::scope::{GrantScope, GrantScopes};
use super::token_text::{self, TokenKind};
use super::{CODE_MS, Client, GRANT_MS, Oauth, TRANSACTION_MS};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::people::Membership;
use crate::role::Permission;
use crate::secrets::SecretText;
use bytespike_store::oauth::code::NewCode;
use bytespike_store::oauth::grant::NewGrant;
use bytespike_store::oauth::transaction::{self as rows, TransactionRow};
use serde_json::json;
use subtle::ConstantTimeEq as _;

/// A request that was put aside, and what the browser must bring back to take it up.
pub struct Begun {
    pub id: String,
    pub browser_secret: SecretText,
}

/// A request that waits for a decision.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub id: String,
    pub client: Client,
    pub redirect_uri: String,
    pub scopes: GrantScopes,
    pub key_request: KeyRequest,
    /// A sign-in before this moment does not count.
    pub must_sign_in_after_ms: Option<i64>,
    state: Option<String>,
    code_challenge: String,
    resource: Option<String>,
}

/// What the person decided to allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    pub scopes: GrantScopes,
    pub bounds: KeyBounds,
}

/// Why a decision was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error("this request was decided already, or has waited too long")]
    Over,
    #[error("your role in this org does not allow keys, so you cannot let a program make one")]
    Forbidden,
    #[error("what is allowed goes beyond what was asked")]
    TooWide,
    #[error("nothing can be decided right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Oauth {
    /// Puts the request aside for this browser.
    pub async fn begin(&self, checked: &Checked) -> sqlx::Result<Begun> {
        let id = crate::base62::random(&self.world, 22).to_string();
        let browser_secret = SecretText::from(crate::base62::random(&self.world, 32));
        let now_ms = self.world.now_ms();
        let row = TransactionRow {
            id: id.clone(),
            browser_verifier: self.browser_verifier(browser_secret.expose()),
            client_id: checked.client.id.clone(),
            redirect_uri: checked.redirect_uri.clone(),
            client_state: checked.state.clone(),
            code_challenge: checked.code_challenge.clone(),
            scopes_json: json!(checked.scopes).to_string(),
            resource: checked.resource.clone(),
            key_request_json: json!(checked.key_request).to_string(),
            must_sign_in_after_ms: (checked.prompt == Prompt::SignIn).then_some(now_ms),
            expires_at_ms: now_ms + TRANSACTION_MS,
            decided_at_ms: None,
            created_at_ms: now_ms,
        };
        rows::insert(&self.store, &row).await?;
        Ok(Begun { id, browser_secret })
    }

    /// The request, if it still waits and this is its browser.
    pub async fn waiting(&self, id: &str, browser_secret: &str) -> sqlx::Result<Option<Waiting>> {
        let now_ms = self.world.now_ms();
        let row = rows::find(&self.store, id).await?;
        let row = row.filter(|row| row.decided_at_ms.is_none() && row.expires_at_ms > now_ms);
        let Some(row) = row.filter(|row| self.is_browser_of(row, browser_secret)) else { return Ok(None) };
        let Some(client) = self.client(&row.client_id).await? else { return Ok(None) };
        let (Ok(scopes), Ok(key_request)) =
            (serde_json::from_str(&row.scopes_json), serde_json::from_str(&row.key_request_json))
        else {
            return Ok(None);
        };
        Ok(Some(Waiting {
            id: row.id,
            client,
            redirect_uri: row.redirect_uri,
            scopes,
            key_request,
            must_sign_in_after_ms: row.must_sign_in_after_ms,
            state: row.client_state,
            code_challenge: row.code_challenge,
            resource: row.resource,
        }))
    }

    /// Allows it; answers where the browser goes with the code.
    ///
    /// # Errors
    /// It was decided already, or may not be allowed so.
    pub async fn allow(
        &self,
        (origin, issuer): (&Origin, &str),
        waiting: &Waiting,
        member: &Membership,
        allowed: &Allowed,
    ) -> Result<SecretText, DecideError> {
        may_allow(&waiting.client, &waiting.scopes, member, allowed)?;
        let now_ms = self.world.now_ms();
        let code = token_text::mint(&self.world, &self.pepper, TokenKind::Code);
        let place = waiting.client.place(&waiting.redirect_uri);
        let parts = GrantParts::new(allowed, self.world.id("grt"), now_ms);
        let grant = parts.row(&waiting.client, &place, member, waiting.resource.as_deref());
        let code_row = NewCode {
            id: &code.id,
            verifier: &code.verifier,
            redirect_uri: &waiting.redirect_uri,
            code_challenge: &waiting.code_challenge,
            expires_at_ms: now_ms + CODE_MS,
        };
        let entry = self.audit.entry(origin, granted(member, &parts.id, &waiting.client, allowed));
        if !rows::decide(&self.store, (&waiting.id, now_ms), Some((&grant, &code_row)), &entry).await? {
            return Err(DecideError::Over);
        }
        let mut pairs = vec![("code", code.secret.expose())];
        pairs.extend(waiting.state.as_deref().map(|state| ("state", state)));
        Ok(SecretText::new(with_pairs(&waiting.redirect_uri, &pairs, issuer)))
    }

    /// Denies it; answers where the browser goes with that.
    ///
    /// # Errors
    /// It was decided already.
    pub async fn deny(
        &self,
        (origin, issuer): (&Origin, &str),
        waiting: &Waiting,
        member: &Membership,
    ) -> Result<SecretText, DecideError> {
        let event = Event::new("oauth.denied", Actor::Person(member.person_id())).org(member.org_id());
        let entry = self.audit.entry(origin, event.target(&waiting.client.id));
        if !rows::decide(&self.store, (&waiting.id, self.world.now_ms()), None, &entry).await? {
            return Err(DecideError::Over);
        }
        let mut pairs =
            vec![("error", "access_denied"), ("error_description", "the person denied the request")];
        pairs.extend(waiting.state.as_deref().map(|state| ("state", state)));
        Ok(SecretText::new(with_pairs(&waiting.redirect_uri, &pairs, issuer)))
    }

    fn browser_verifier(&self, secret: &str) -> String {
        self.pepper.mac_hex(format!("browser!{secret}").as_bytes())
    }

    fn is_browser_of(&self, row: &TransactionRow, secret: &str) -> bool {
        bool::from(self.browser_verifier(secret).as_bytes().ct_eq(row.browser_verifier.as_bytes()))
    }
}

/// A person can only allow what they may do themselves, to programs open to their org, and no more than was asked.
pub(super) fn may_allow(
    client: &Client,
    asked: &GrantScopes,
    member: &Membership,
    allowed: &Allowed,
) -> Result<(), DecideError> {
    let is_open = client.org_id.as_deref().is_none_or(|org_id| org_id == member.org_id());
    let makes_keys = allowed.scopes.contains(&GrantScope::KeysProvision);
    if !is_open || (makes_keys && !member.role().may(Permission::ManageOwnKeys)) {
        return Err(DecideError::Forbidden);
    }
    if allowed.scopes.is_empty() || !allowed.scopes.is_subset(asked) {
        return Err(DecideError::TooWide);
    }
    Ok(())
}

pub(super) fn granted<'a>(
    member: &'a Membership,
    grant_id: &'a str,
    client: &Client,
    allowed: &Allowed,
) -> Event<'a> {
    let detail = json!({ "client": client.id, "scopes": allowed.scopes, "key": allowed.bounds });
    Event::new("oauth.allowed", Actor::Person(member.person_id()))
        .org(member.org_id())
        .target(grant_id)
        .detail(detail)
}

/// The owned parts of a grant's row.
pub(super) struct GrantParts {
    pub id: String,
    scopes_json: String,
    bounds_json: String,
    now_ms: i64,
}

impl GrantParts {
    pub fn new(allowed: &Allowed, id: String, now_ms: i64) -> Self {
        Self {
            id,
            scopes_json: json!(allowed.scopes).to_string(),
            bounds_json: json!(allowed.bounds).to_string(),
            now_ms,
        }
    }

    pub fn row<'a>(
        &'a self,
        client: &'a Client,
        place: &'a str,
        member: &'a Membership,
        resource: Option<&'a str>,
    ) -> NewGrant<'a> {
        NewGrant {
            id: &self.id,
            client_id: &client.id,
            client_name: &client.name,
            client_place: place,
            person_id: member.person_id(),
            org_id: member.org_id(),
            member_id: member.member_id(),
            scopes_json: &self.scopes_json,
            resource,
            key_bounds_json: &self.bounds_json,
            ends_at_ms: self.now_ms + GRANT_MS,
            now_ms: self.now_ms,
        }
    }
}
