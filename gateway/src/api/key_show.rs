//! Keys as the management API shows them. Never a secret, but in the one answer to whoever made it.

use bytespike_accounts::keys::{AllowList, CredentialInfo, KeyInfo, KeyKind};
use bytespike_ledger::LimitState;
use serde::Serialize;
use utoipa::ToSchema;

use super::show::{Limit, limits_of};
use crate::http::time;
use crate::quota::OrgLimits;

/// A page of keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyList {
    #[schema(pattern = "^list$")]
    pub object: &'static str,
    /// The newest first.
    pub data: Vec<Key>,
    pub has_more: bool,
    /// Send it as `after` for the next page.
    pub next_after: Option<String>,
}

/// A key.
#[derive(Debug, Serialize, ToSchema)]
pub struct Key {
    #[schema(pattern = "^key$")]
    pub object: &'static str,
    pub id: String,
    pub name: String,
    pub note: String,
    /// In small letters, in their order.
    pub tags: Vec<String>,
    /// `live` or `test`
    pub kind: &'static str,
    /// `active`, `disabled`, `revoked` or `deleted`. A key may be active and refused, when one above it is not.
    pub state: &'static str,
    /// Its start, its id's start and its last four characters, of the newest secret.
    pub masked: String,
    /// The key it was derived from.
    pub parent: Option<String>,
    /// The keys from the outermost one to this one.
    pub path: Vec<String>,
    /// Who holds it.
    pub holder: String,
    pub deployment: String,
    pub scopes: Vec<&'static str>,
    /// The models of its own list; null for whatever is allowed above.
    pub models: Option<Vec<String>>,
    /// The networks of its own list; empty for wherever is allowed above.
    pub ips: Vec<String>,
    /// Those of its own list; null for whoever, and wherever, is allowed above.
    pub providers: Option<Vec<String>>,
    pub regions: Option<Vec<String>>,
    pub strict: bool,
    /// RFC 3339 in UTC.
    pub expires_at: Option<String>,
    pub created_at: String,
    /// The key that made this one; null for one that a person made.
    pub created_by_key: Option<String>,
    pub ended_at: Option<String>,
    pub last_used_at: Option<String>,
    /// The limits of its own.
    pub limits: Vec<Limit>,
    /// The spend limit on the way from the organisation to this key that leaves it the least.
    pub binding: Option<Binding>,
    /// The newest first; only when one key is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Vec<Credential>>,
}

/// The limit that binds first, and where it is set.
#[derive(Debug, Serialize, ToSchema)]
pub struct Binding {
    /// `org:…`, `dep:…`, `mem:…` or `key:…`
    pub node: String,
    pub limit: &'static str,
    pub limit_credits: String,
    pub remaining_credits: String,
    /// RFC 3339 in UTC; absent when the window does not end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
}

/// One secret of a key, without the secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct Credential {
    /// The twelve characters after the key's prefix.
    pub id: String,
    pub masked: String,
    pub created_at: String,
    /// From then on it does not work.
    pub not_after: Option<String>,
    pub last_used_at: Option<String>,
    pub last_used_ip: Option<String>,
    pub last_used_client: Option<String>,
}

/// A key with the secret that was just made. It is shown this once.
#[derive(Serialize, ToSchema)]
pub struct KeyWithSecret {
    /// The whole key, as a caller presents it.
    pub key: String,
    #[serde(flatten)]
    pub of: Key,
}

impl Key {
    pub fn of(key: &KeyInfo, limits: &OrgLimits) -> Self {
        let node = format!("key:{}", key.id);
        let terms = &key.terms;
        Self {
            object: "key",
            id: key.id.clone(),
            name: terms.name.clone(),
            note: terms.note.clone(),
            tags: terms.tags.names().map(str::to_owned).collect(),
            kind: match key.kind {
                KeyKind::Live => "live",
                KeyKind::Test => "test",
            },
            state: key.state.as_str(),
            masked: key.masked.clone(),
            parent: key.parent_key_id.clone(),
            path: key.path.clone(),
            holder: key.member_id.clone(),
            deployment: key.deployment_id.clone(),
            scopes: terms.scopes.iter().map(|scope| scope.as_str()).collect(),
            models: listed(&terms.models),
            ips: terms.ips.texts(),
            providers: listed(&terms.providers),
            regions: listed(&terms.regions),
            strict: terms.strict,
            expires_at: terms.expires_at_ms.map(time::rfc3339),
            created_at: time::rfc3339(key.created_at_ms),
            created_by_key: key.created_by_key_id.clone(),
            ended_at: key.ended_at_ms.map(time::rfc3339),
            last_used_at: key.last_used_at_ms.map(time::rfc3339),
            limits: limits_of(limits, &node),
            binding: limits.binding(&node).map(Binding::of),
            credentials: None,
        }
    }

    pub fn with_credentials(self, credentials: &[CredentialInfo]) -> Self {
        Self { credentials: Some(credentials.iter().map(Credential::of).collect()), ..self }
    }
}

/// The names of a list; null without one.
pub fn listed(list: &AllowList) -> Option<Vec<String>> {
    list.names().map(|names| names.into_iter().map(str::to_owned).collect())
}

impl Binding {
    pub fn of(limit: &LimitState) -> Self {
        Self {
            node: limit.node.to_string(),
            limit: limit.window.name(),
            limit_credits: limit.limit.credits(),
            remaining_credits: limit.remaining().credits(),
            resets_at: limit.resets_at_ms.map(time::rfc3339),
        }
    }
}

impl Credential {
    fn of(credential: &CredentialInfo) -> Self {
        Self {
            id: credential.id.clone(),
            masked: credential.masked.clone(),
            created_at: time::rfc3339(credential.created_at_ms),
            not_after: credential.not_after_ms.map(time::rfc3339),
            last_used_at: credential.last_used_at_ms.map(time::rfc3339),
            last_used_ip: credential.last_used_ip.clone(),
            last_used_client: credential.last_used_client.clone(),
        }
    }
}
