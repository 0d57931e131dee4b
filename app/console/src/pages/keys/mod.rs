//! Keys: listed, created, shown once, changed, revoked, tested.
pub(crate) mod check;
pub(crate) mod create;
pub(crate) mod detail;
pub(crate) mod limits;
pub(crate) mod list;
pub(crate) mod once;
pub(crate) mod revoke;

use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_accounts::keys::{KeyInfo, KeyState};
use bytespike_accounts::role::Permission;
use bytespike_ui::Locale;
use bytespike_ui::components::{Badge, BadgeKind};
use leptos::prelude::*;

/// A key the reader may see; another organisation's and a missing one are the same.
async fn find(state: &ConsoleState, who: &SignedIn, key_id: &str) -> Result<KeyInfo, Problem> {
    let found = state.accounts.keys.find(&who.member, key_id).await?;
    found.filter(|key| key.state != KeyState::Deleted).ok_or(Problem::NotFound)
}

/// Whether the reader may change keys at all; a viewer only looks.
fn may_manage(who: &SignedIn) -> bool {
    who.member.role().may(Permission::ManageOwnKeys)
}

fn is_live(key: &KeyInfo, now_ms: i64) -> bool {
    key.state == KeyState::Active && key.expires_at_ms.is_none_or(|end| end > now_ms)
}

fn state_badge(locale: Locale, key: &KeyInfo, now_ms: i64) -> AnyView {
    let t = &locale.t().keys.state;
    let (kind, label) = match key.state {
        KeyState::Active if is_live(key, now_ms) => (BadgeKind::Live, t.active),
        KeyState::Active => (BadgeKind::Muted, t.expired),
        KeyState::Disabled => (BadgeKind::Muted, t.disabled),
        KeyState::Revoked | KeyState::Deleted => (BadgeKind::Danger, t.revoked),
    };
    view! { <Badge kind=kind label=label/> }.into_any()
}
