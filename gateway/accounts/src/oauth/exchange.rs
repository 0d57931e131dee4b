//! What a program does with what it got: codes, device codes and refresh tokens become tokens; tokens are checked and ended.
use super::key_request::KeyBounds;
use super::refresh::{self, Verdict};
use super::scope::{self, GrantScope, GrantScopes};
use super::token_text::{self, Presented, TokenKind};
use super::{ACCESS_MS, Client, MINUTE_MS, Oauth, REFRESH_IDLE_MS, device, pkce};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::secrets::SecretText;
use bytespike_store::oauth::grant::{self, GrantRow};
use bytespike_store::oauth::token::{self, NewToken, Step};
use bytespike_store::oauth::{code, key};
use serde_json::json;

/// A token that can only make one key needs to live no longer than the program takes to do it.
const PROVISIONING_MS: i64 = 10 * MINUTE_MS;

/// How a program proves itself: a secret in the header, or its id alone.
#[derive(Clone, Copy)]
pub struct ClientProof<'a> {
    pub id: &'a str,
    pub secret: Option<&'a str>,
}

/// What a program asks the token endpoint for.
#[derive(Clone, Copy)]
pub enum Exchange<'a> {
    Code { code: &'a str, verifier: &'a str, redirect_uri: Option<&'a str>, resource: Option<&'a str> },
    Refresh { token: &'a str, scope: Option<&'a str>, resource: Option<&'a str> },
    Device { code: &'a str },
}

/// Tokens, handed out once.
#[derive(Debug)]
pub struct Tokens {
    pub access: SecretText,
    pub expires_in_s: i64,
    pub scopes: GrantScopes,
    pub refresh: Option<SecretText>,
    /// The bounds of the key it may make, when it may make one.
    pub bounds: Option<KeyBounds>,
}

/// Why there are no tokens, as RFC 6749 and 8628 name it.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error("the program is unknown or did not prove itself")]
    Client,
    #[error("the code or token is unknown, expired, used, or another program's")]
    Grant,
    #[error("the scope goes beyond what was allowed")]
    Scope,
    #[error("the resource is not the one that was allowed")]
    Target,
    #[error("nobody has decided yet")]
    Pending,
    #[error("ask less often")]
    SlowDown,
    #[error("the device code has expired")]
    ExpiredDevice,
    #[error("the person denied the request")]
    Denied,
    #[error("tokens cannot be handed out right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Oauth {
    /// The program, if it proves itself: one with a secret by the secret, one without by its id alone.
    ///
    /// # Errors
    /// It does not.
    pub async fn authenticate(&self, proof: ClientProof<'_>) -> Result<Client, ExchangeError> {
        let client = self.client(proof.id).await?.ok_or(ExchangeError::Client)?;
        let proven = match (client.is_confidential(), proof.secret) {
            (false, None) => true,
            (true, Some(secret)) => self.is_secret_of(&client, secret),
            (false, Some(_)) | (true, None) => false,
        };
        if proven { Ok(client) } else { Err(ExchangeError::Client) }
    }

    /// Exchanges what the program holds for tokens.
    ///
    /// # Errors
    /// What it holds is good for nothing.
    pub async fn exchange(
        &self,
        origin: &Origin,
        client: &Client,
        asked: Exchange<'_>,
    ) -> Result<Tokens, ExchangeError> {
        match asked {
            Exchange::Code { code, verifier, redirect_uri, resource } => {
                self.redeem_code(origin, client, (code, verifier), (redirect_uri, resource)).await
            }
            Exchange::Refresh { token, scope, resource } => {
                self.refresh(origin, client, token, (scope, resource)).await
            }
            Exchange::Device { code } => self.redeem_device(client, code).await,
        }
    }

    async fn redeem_code(
        &self,
        origin: &Origin,
        client: &Client,
        (text, verifier): (&str, &str),
        (redirect_uri, resource): (Option<&str>, Option<&str>),
    ) -> Result<Tokens, ExchangeError> {
        let now_ms = self.world.now_ms();
        let presented = Presented::parse(TokenKind::Code, text).ok_or(ExchangeError::Grant)?;
        let row = code::find(&self.store, presented.id).await?.ok_or(ExchangeError::Grant)?;
        if !presented.is(&self.pepper, &row.verifier) {
            return Err(ExchangeError::Grant);
        }
        let grant = grant::find(&self.store, &row.grant_id).await?.ok_or(ExchangeError::Grant)?;
        if row.used_at_ms.is_some() {
            self.end_family(origin, &grant, "code_reused").await?;
            return Err(ExchangeError::Grant);
        }
        let fits = row.client_id == client.id
            && redirect_uri.is_none_or(|uri| uri == row.redirect_uri)
            && pkce::proves(verifier, &row.code_challenge);
        if !fits {
            // Whoever held it could not prove to be who asked: it is burnt.
            code::redeem(&self.store, presented.id, &[], now_ms).await?;
            return Err(ExchangeError::Grant);
        }
        if row.expires_at_ms <= now_ms || !is_alive(&grant) {
            return Err(ExchangeError::Grant);
        }
        check_resource(&grant, resource)?;
        let (tokens, rows) = self.pair(&grant, None);
        if !code::redeem(&self.store, presented.id, &rows, now_ms).await? {
            self.end_family(origin, &grant, "code_reused").await?;
            return Err(ExchangeError::Grant);
        }
        Ok(tokens)
    }

    async fn refresh(
        &self,
        origin: &Origin,
        client: &Client,
        text: &str,
        (scope, resource): (Option<&str>, Option<&str>),
    ) -> Result<Tokens, ExchangeError> {
        let now_ms = self.world.now_ms();
        let presented = Presented::parse(TokenKind::Refresh, text).ok_or(ExchangeError::Grant)?;
        let row = token::find(&self.store, presented.id).await?.ok_or(ExchangeError::Grant)?;
        if !presented.is(&self.pepper, &row.verifier) {
            return Err(ExchangeError::Grant);
        }
        let grant = grant::find(&self.store, &row.grant_id).await?.ok_or(ExchangeError::Grant)?;
        if grant.client_id != client.id {
            self.end_family(origin, &grant, "refresh_of_another_program").await?;
            return Err(ExchangeError::Grant);
        }
        if !is_alive(&grant) || grant.ends_at_ms <= now_ms {
            return Err(ExchangeError::Grant);
        }
        check_resource(&grant, resource)?;
        let narrowed = narrowed(&grant, scope)?;
        let (tokens, rows) = self.pair(&grant, narrowed);
        let pair: [NewToken; 2] = rows.try_into().map_err(|_| ExchangeError::Grant)?;
        let judged = |family: &token::Family| match refresh::judge(family, now_ms) {
            Verdict::Rotate { retired } => Step::Replace { retired, new: Box::new(pair.clone()) },
            Verdict::Reuse => Step::Revoke,
            Verdict::Dead => Step::Nothing,
        };
        match token::step(&self.store, (&grant.id, presented.id), now_ms, judged).await? {
            Some(Step::Replace { .. }) => Ok(tokens),
            Some(Step::Revoke) => {
                self.record(origin, &grant, "oauth.refresh_reused").await;
                Err(ExchangeError::Grant)
            }
            Some(Step::Nothing) | None => Err(ExchangeError::Grant),
        }
    }

    async fn redeem_device(&self, client: &Client, text: &str) -> Result<Tokens, ExchangeError> {
        let row = self.polled(client, text).await?;
        let grant_id = row.grant_id.as_deref().ok_or(ExchangeError::Grant)?;
        let grant = grant::find(&self.store, grant_id).await?.ok_or(ExchangeError::Grant)?;
        if !is_alive(&grant) {
            return Err(ExchangeError::Grant);
        }
        let (tokens, rows) = self.pair(&grant, None);
        match device::redeem(&self.store, &row.id, &rows).await? {
            true => Ok(tokens),
            false => Err(ExchangeError::Grant),
        }
    }

    /// Ends a token: a refresh token with its whole family, an access token by itself. A token of another program, or none
    /// of ours, changes nothing, and nobody is told which it was.
    pub async fn revoke(&self, origin: &Origin, client: &Client, text: &str) -> sqlx::Result<()> {
        let found =
            [TokenKind::Refresh, TokenKind::Access].into_iter().find_map(|kind| Presented::parse(kind, text));
        let Some(presented) = found else { return Ok(()) };
        let Some(row) = token::find(&self.store, presented.id).await? else { return Ok(()) };
        let Some(grant) = grant::find(&self.store, &row.grant_id).await? else { return Ok(()) };
        if !presented.is(&self.pepper, &row.verifier) || grant.client_id != client.id {
            return Ok(());
        }
        if row.kind == "refresh" {
            let entry = self.audit.entry(origin, event(&grant, "oauth.revoked_by_program"));
            let how = ("revoked_by_program", self.world.now_ms());
            return grant::revoke(&self.store, &grant.id, how, &entry).await.map(drop);
        }
        token::revoke(&self.store, &row.id).await
    }

    /// An access token, and a refresh token when the program may stay connected; and their rows.
    fn pair(&self, grant: &GrantRow, narrowed: Option<GrantScopes>) -> (Tokens, Vec<NewToken>) {
        let now_ms = self.world.now_ms();
        let granted = scopes_of(grant);
        let stays = granted.contains(&GrantScope::OfflineAccess);
        let scopes = narrowed.unwrap_or_else(|| granted.clone());
        let only_keys = scopes.iter().eq([&GrantScope::KeysProvision]);
        let lifetime_ms = if only_keys { PROVISIONING_MS } else { ACCESS_MS };
        let access = token_text::mint(&self.world, &self.pepper, TokenKind::Access);
        let refresh = stays.then(|| token_text::mint(&self.world, &self.pepper, TokenKind::Refresh));
        let mut rows = vec![NewToken {
            id: access.id.clone(),
            kind: "access",
            verifier: access.verifier,
            grant_id: grant.id.clone(),
            access_id: None,
            scopes_json: Some(json!(scopes).to_string()),
            expires_at_ms: now_ms + lifetime_ms,
            created_at_ms: now_ms,
        }];
        rows.extend(refresh.as_ref().map(|refresh| NewToken {
            id: refresh.id.clone(),
            kind: "refresh",
            verifier: refresh.verifier.clone(),
            grant_id: grant.id.clone(),
            access_id: Some(access.id),
            scopes_json: None,
            expires_at_ms: (now_ms + REFRESH_IDLE_MS).min(grant.ends_at_ms),
            created_at_ms: now_ms,
        }));
        let tokens = Tokens {
            access: access.secret,
            expires_in_s: lifetime_ms / 1_000,
            bounds: bounds_of(grant).filter(|_| scopes.contains(&GrantScope::KeysProvision)),
            scopes,
            refresh: refresh.map(|refresh| refresh.secret),
        };
        (tokens, rows)
    }

    /// Something that only its program may have was used twice: its tokens end, and the keys it made are switched off.
    async fn end_family(&self, origin: &Origin, grant: &GrantRow, reason: &'static str) -> sqlx::Result<()> {
        let now_ms = self.world.now_ms();
        let entry = self.audit.entry(origin, event(grant, "oauth.family_ended"));
        if !grant::revoke(&self.store, &grant.id, (reason, now_ms), &entry).await? {
            return Ok(());
        }
        let disabled = Event::new("key.disabled", Actor::Anonymous).org(&grant.org_id);
        let entry = self.audit.entry(origin, disabled.changed(json!(null), json!({ "state": "disabled" })));
        for made in key::of_grant(&self.store, &grant.id).await? {
            let key = bytespike_store::api_key::KeyRef { org_id: &grant.org_id, key_id: &made.key_id };
            bytespike_store::api_key::set_state(
                &self.store,
                key,
                ("disabled", now_ms),
                &entry.about(&made.key_id),
            )
            .await?;
        }
        self.keys.refresh_rights().await
    }

    pub(super) async fn record(&self, origin: &Origin, grant: &GrantRow, name: &'static str) {
        self.audit.record(origin, event(grant, name)).await;
    }
}

fn event<'a>(grant: &'a GrantRow, name: &'static str) -> Event<'a> {
    let event = Event::new(name, Actor::Anonymous).org(&grant.org_id).target(&grant.id);
    event.detail(json!({ "client": grant.client_id }))
}

/// The grant stands, and so does whoever gave it.
pub(super) fn is_alive(grant: &GrantRow) -> bool {
    grant.state == "active" && grant.is_holder_active
}

/// What cannot be read allows nothing.
pub(super) fn scopes_of(grant: &GrantRow) -> GrantScopes {
    serde_json::from_str(&grant.scopes_json).unwrap_or_default()
}

pub(super) fn bounds_of(grant: &GrantRow) -> Option<KeyBounds> {
    serde_json::from_str(&grant.key_bounds_json).ok()
}

fn check_resource(grant: &GrantRow, resource: Option<&str>) -> Result<(), ExchangeError> {
    match resource {
        Some(asked) if grant.resource.as_deref() != Some(asked) => Err(ExchangeError::Target),
        _ => Ok(()),
    }
}

/// A token may be narrower than its grant, never wider.
fn narrowed(grant: &GrantRow, asked: Option<&str>) -> Result<Option<GrantScopes>, ExchangeError> {
    let Some(asked) = asked else { return Ok(None) };
    let asked = scope::parse(asked).filter(|scopes| !scopes.is_empty()).ok_or(ExchangeError::Scope)?;
    if asked.is_subset(&scopes_of(grant)) { Ok(Some(asked)) } else { Err(ExchangeError::Scope) }
}
