//! Who presents an access token, and what it is good for.
use super::exchange::{is_alive, scopes_of};
use super::key_request::KeyBounds;
use super::scope::{GrantScope, GrantScopes};
use super::token_text::{Presented, TokenKind};
use super::{Client, Oauth, exchange};
use crate::people::Membership;
use bytespike_store::oauth::grant::{self, GrantRow};
use bytespike_store::oauth::token::{self, TokenRow};

/// A program acting for a person in one of their orgs.
pub struct Bearer {
    pub token_id: String,
    pub grant_id: String,
    pub client_id: String,
    pub client_name: String,
    pub scopes: GrantScopes,
    pub resource: Option<String>,
    pub issued_at_ms: i64,
    pub expires_at_ms: i64,
    pub bounds: Option<KeyBounds>,
    /// Read anew with every request: whoever left the org is not acted for.
    pub member: Membership,
}

/// Why an access token is not taken.
#[derive(Debug, thiserror::Error)]
pub enum BearerProblem {
    #[error("the access token is unknown, expired or revoked")]
    Invalid,
    #[error("access tokens cannot be checked right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Bearer {
    pub fn may(&self, scope: GrantScope) -> bool {
        self.scopes.contains(&scope)
    }
}

impl Oauth {
    /// Who presents this access token.
    ///
    /// # Errors
    /// It is not good.
    pub async fn bearer(&self, text: &str) -> Result<Bearer, BearerProblem> {
        let (row, grant) = self.live(text).await?.ok_or(BearerProblem::Invalid)?;
        let member = self.people.membership(&grant.person_id, Some(&grant.org_id)).await?;
        let member = member.ok_or(BearerProblem::Invalid)?;
        if row.first_used_at_ms.is_none() {
            token::mark_used(&self.store, &row.id, self.world.now_ms()).await?;
        }
        Ok(Bearer {
            token_id: row.id,
            scopes: row.scopes_json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default(),
            resource: grant.resource.clone(),
            issued_at_ms: row.created_at_ms,
            expires_at_ms: row.expires_at_ms,
            bounds: exchange::bounds_of(&grant),
            grant_id: grant.id,
            client_id: grant.client_id,
            client_name: grant.client_name,
            member,
        })
    }

    /// What a resource server may know of a token that was meant for it; `None`: it is not active, for whatever reason.
    pub async fn introspect(&self, asking: &Client, text: &str) -> Result<Option<Introspected>, sqlx::Error> {
        let Some((row, grant)) = self.live(text).await? else { return Ok(None) };
        // A program checks tokens of its own org alone.
        if asking.org_id.as_deref().is_some_and(|org_id| org_id != grant.org_id) {
            return Ok(None);
        }
        let scopes = row.scopes_json.and_then(|json| serde_json::from_str(&json).ok());
        Ok(Some(Introspected {
            scopes: scopes.unwrap_or_else(|| scopes_of(&grant)),
            client_id: grant.client_id,
            person_id: grant.person_id,
            org_id: grant.org_id,
            resource: grant.resource,
            issued_at_ms: row.created_at_ms,
            expires_at_ms: row.expires_at_ms,
        }))
    }

    async fn live(&self, text: &str) -> sqlx::Result<Option<(TokenRow, GrantRow)>> {
        let Some(presented) = Presented::parse(TokenKind::Access, text) else { return Ok(None) };
        let Some(row) = token::find(&self.store, presented.id).await? else { return Ok(None) };
        let is_good = presented.is(&self.pepper, &row.verifier)
            && row.kind == "access"
            && row.state == "active"
            && row.expires_at_ms > self.world.now_ms();
        if !is_good {
            return Ok(None);
        }
        let grant = grant::find(&self.store, &row.grant_id).await?;
        Ok(grant.filter(is_alive).map(|grant| (row, grant)))
    }
}

/// An active token, as its resource server may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspected {
    pub scopes: GrantScopes,
    pub client_id: String,
    pub person_id: String,
    pub org_id: String,
    pub resource: Option<String>,
    pub issued_at_ms: i64,
    pub expires_at_ms: i64,
}
