//! Whose usage may be read: by a key its own and that of keys derived from it, or with a scope of its own the whole org's;
//! by a program what the person who let it in sees, which is their own calls or the whole org's.

use bytespike_accounts::keys::{Caller, Scope};
use bytespike_accounts::oauth::GrantScope;
use bytespike_accounts::role::Permission;
use bytespike_dialects::ErrorInfo;
use bytespike_ledger::{Receipt, joined_key_path};

use crate::Gateway;
use crate::http::Inbound;
use crate::http::oauth::me;
use crate::serve::Refused;
use crate::serve::caller::{identify, lacks};

/// What may be read.
pub struct Reader {
    pub org_id: String,
    /// `/root/…/key/`, where only this key and those below it may be read; `None` for every key.
    pub below_path: Option<String>,
    /// Where only this member's calls may be read.
    pub member_id: Option<String>,
}

impl Reader {
    /// Whether the receipt may be read.
    #[must_use]
    pub fn may_read(&self, receipt: &Receipt) -> bool {
        self.org_id == receipt.org_id
            && self.below_path.as_deref().is_none_or(|below| receipt.key_path.starts_with(below))
            && self.member_id.as_deref().is_none_or(|member| receipt.member_id == member)
    }
}

/// Who is asking, and what they may read.
///
/// # Errors
/// Neither a valid key nor a valid access token, or one that may not read usage.
pub async fn reader(gateway: &Gateway, inbound: &Inbound) -> Result<Reader, Refused> {
    if me::presents_token(&inbound.headers) {
        return of_program(gateway, inbound).await;
    }
    let caller = identify(gateway, inbound).await?.caller;
    let whole_org = reads_org(&caller);
    if !whole_org && !caller.scopes.contains(&Scope::UsageRead) {
        return Err(lacks(&caller, Scope::UsageRead).into());
    }
    let below_path = (!whole_org).then(|| joined_key_path(&caller.key_path));
    Ok(Reader { org_id: caller.org_id.clone(), below_path, member_id: None })
}

/// In the org that the program was let into.
async fn of_program(gateway: &Gateway, inbound: &Inbound) -> Result<Reader, Refused> {
    let member = me::bearer(gateway, &inbound.headers, GrantScope::UsageRead).await?.member;
    let own_alone = !member.role().may(Permission::SeeOrgUsage);
    let member_id = own_alone.then(|| member.member_id().to_owned());
    Ok(Reader { org_id: member.org_id().to_owned(), below_path: None, member_id })
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
