//! Keys: listed as a tree, created, derived, shown once, changed, rotated, switched, ended, tested.
pub(crate) mod check;
pub(crate) mod create;
pub(crate) mod detail;
pub(crate) mod edit;
pub(crate) mod end;
pub(crate) mod expiry;
pub(crate) mod limits;
pub(crate) mod list;
pub(crate) mod lists;
pub(crate) mod once;
pub(crate) mod rotate;
pub(crate) mod terms;
mod tree;

use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_accounts::keys::{KeyInfo, KeyReach, KeyState, Manager};
use bytespike_accounts::role::Permission;
use bytespike_ui::Locale;
use bytespike_ui::components::{Badge, BadgeKind};
use leptos::prelude::*;

/// A key the reader may see, ended ones included; another organisation's and a missing one are the same.
async fn find(state: &ConsoleState, who: &SignedIn, key_id: &str) -> Result<KeyInfo, Problem> {
    state.accounts.keys.find(&who.member, key_id).await?.ok_or(Problem::NotFound)
}

/// A key the reader may change: it is theirs, or they manage the organisation's, and it has not ended.
async fn manageable(state: &ConsoleState, who: &SignedIn, key_id: &str) -> Result<KeyInfo, Problem> {
    if !may_manage(who) {
        return Err(Problem::Forbidden);
    }
    let key = find(state, who, key_id).await?;
    if !key.state.is_open() {
        return Err(Problem::NotFound);
    }
    match Manager::Member(&who.member).reach(&key) {
        KeyReach::Manage => Ok(key),
        _ => Err(Problem::Forbidden),
    }
}

/// A key from which the reader may derive others.
async fn derivable(state: &ConsoleState, who: &SignedIn, key_id: &str) -> Result<KeyInfo, Problem> {
    let key = manageable(state, who, key_id).await?;
    if Manager::Member(&who.member).may_derive_from(&key) { Ok(key) } else { Err(Problem::Forbidden) }
}

/// Whether the reader may change keys at all; a viewer only looks.
fn may_manage(who: &SignedIn) -> bool {
    who.member.role().may(Permission::ManageOwnKeys)
}

fn state_badge(locale: Locale, key: &KeyInfo, now_ms: i64) -> AnyView {
    let t = &locale.t().keys.state;
    let (kind, label) = match key.state {
        KeyState::Active if key.is_live(now_ms) => (BadgeKind::Live, t.active),
        KeyState::Active => (BadgeKind::Muted, t.expired),
        KeyState::Disabled => (BadgeKind::Muted, t.disabled),
        KeyState::Revoked => (BadgeKind::Danger, t.revoked),
        KeyState::Deleted => (BadgeKind::Danger, t.deleted),
    };
    view! { <Badge kind=kind label=label/> }.into_any()
}
