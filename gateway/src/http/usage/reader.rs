//! Whose usage a key may read: its own and that of keys derived from it, or, with a scope of its own, the whole org's.

use bytespike_accounts::keys::{Caller, Scope};
use bytespike_dialects::ErrorInfo;
use bytespike_ledger::joined_key_path;

use crate::Gateway;
use crate::http::Inbound;
use crate::serve::caller::{identify, lacks};

/// What may be read.
pub struct Reader {
    pub org_id: String,
    /// `/root/…/key/`, where only this key and those below it may be read; `None` for the whole org.
    pub below_path: Option<String>,
}

impl Reader {
    /// Whether a call made with the key at `key_path` may be read.
    #[must_use]
    pub fn may_read(&self, org_id: &str, key_path: &str) -> bool {
        self.org_id == org_id && self.below_path.as_deref().is_none_or(|below| key_path.starts_with(below))
    }
}

/// Who is asking, and what they may read.
///
/// # Errors
/// No valid key, or one that may not read usage.
pub async fn reader(gateway: &Gateway, inbound: &Inbound) -> Result<Reader, ErrorInfo> {
    let caller = identify(gateway, inbound).await?.caller;
    let whole_org = reads_org(&caller);
    if !whole_org && !caller.scopes.contains(&Scope::UsageRead) {
        return Err(lacks(&caller, Scope::UsageRead));
    }
    let below_path = (!whole_org).then(|| joined_key_path(&caller.key_path));
    Ok(Reader { org_id: caller.org_id.clone(), below_path })
}

/// Who may read what concerns the whole org.
///
/// # Errors
/// No valid key, or one without the org's scope.
pub async fn org_reader(gateway: &Gateway, inbound: &Inbound) -> Result<String, ErrorInfo> {
    let caller = identify(gateway, inbound).await?.caller;
    if reads_org(&caller) {
        return Ok(caller.org_id.clone());
    }
    Err(lacks(&caller, Scope::OrgUsageRead))
}

/// Whoever manages the org sees what it uses.
fn reads_org(caller: &Caller) -> bool {
    [Scope::OrgUsageRead, Scope::OrgAdmin].iter().any(|scope| caller.scopes.contains(scope))
}
