//! Who is calling: the first credential a request presents that is a valid key of ours.

use std::sync::Arc;

use bytespike_accounts::keys::{Caller, KeyRefusal, Scope, Seen};
use bytespike_accounts::secrets::SecretText;
use bytespike_dialects::{ErrorCode, ErrorInfo};

use crate::Gateway;
use crate::http::{Inbound, credentials};

/// The caller, and the key as it was presented, so that a long call can ask again whether it still stands.
pub struct Presented {
    pub caller: Arc<Caller>,
    key: SecretText,
}

impl Presented {
    /// Whether the key would still be accepted.
    ///
    /// # Errors
    /// Why not.
    pub async fn still_valid(&self, gateway: &Gateway) -> Result<Arc<Caller>, KeyRefusal> {
        gateway.accounts.keys.identify(self.key.expose()).await
    }
}

/// Tries every place a key may stand in.
///
/// # Errors
/// When none of them holds a valid key: the reason of the first that had a key's form, in the caller's terms.
pub async fn identify(gateway: &Gateway, inbound: &Inbound) -> Result<Presented, ErrorInfo> {
    let seen = Seen { ip: inbound.ip, client: inbound.header("user-agent").unwrap_or_default() };
    let mut refusal = None;
    for text in credentials::presented(&inbound.headers, &inbound.uri) {
        match gateway.accounts.keys.identify_seen(text, seen).await {
            Ok(caller) => return Ok(Presented { caller, key: SecretText::new(text) }),
            Err(KeyRefusal::Malformed(_) | KeyRefusal::Unknown) => {}
            Err(why) => {
                refusal.get_or_insert(why);
            }
        }
    }
    Err(refusal.map_or_else(|| ErrorInfo::new(ErrorCode::AuthenticationFailed, &[]), refused))
}

/// As [`identify`], for a key that must also have the scope.
///
/// # Errors
/// No valid key, or a key without the scope.
pub async fn identify_for(
    gateway: &Gateway,
    inbound: &Inbound,
    scope: Scope,
) -> Result<Presented, ErrorInfo> {
    let presented = identify(gateway, inbound).await?;
    if presented.caller.scopes.contains(&scope) {
        return Ok(presented);
    }
    Err(lacks(&presented.caller, scope))
}

/// The key may not do this.
#[must_use]
pub fn lacks(caller: &Caller, scope: Scope) -> ErrorInfo {
    let reason = format!("The key '{}' lacks the scope '{}'.", caller.key_name, scope.as_str());
    ErrorInfo::new(ErrorCode::PermissionDenied, &[("reason", &reason)])
}

fn refused(why: KeyRefusal) -> ErrorInfo {
    match why {
        KeyRefusal::Expired => ErrorInfo::new(ErrorCode::KeyExpired, &[]),
        KeyRefusal::Revoked
        | KeyRefusal::Deleted
        | KeyRefusal::ParentInactive
        | KeyRefusal::HolderInactive
        | KeyRefusal::Disabled => ErrorInfo::new(ErrorCode::KeyRevoked, &[]),
        KeyRefusal::Address => ErrorInfo::new(ErrorCode::IpNotAllowed, &[]),
        KeyRefusal::Malformed(_) | KeyRefusal::Unknown => {
            ErrorInfo::new(ErrorCode::AuthenticationFailed, &[])
        }
        KeyRefusal::Unavailable(error) => {
            tracing::error!(%error, "a key could not be checked");
            ErrorInfo::new(ErrorCode::LedgerUnavailable, &[])
        }
    }
}
