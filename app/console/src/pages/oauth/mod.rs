//! Programs that want to act for a person: the request, the decision, and the list of what was allowed.
pub(crate) mod apps;
pub(crate) mod authorize;
pub(crate) mod consent;
mod decision;
pub(crate) mod device;
pub(crate) mod interstitial;
pub(crate) mod programs;

use crate::query;
use crate::shell::see_other;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use axum::response::Response;
use bytespike_ui::{Surface, Visit};

/// Who deals out a program's rights signed in no longer ago than this.
const FRESH_MS: i64 = 12 * 3_600_000;

/// The authorization server's name for itself: the console's public address.
fn issuer(state: &ConsoleState) -> &str {
    state.urls.base(Surface::Console)
}

/// Whoever decides is signed in, recently, and after the program asked for it.
fn is_fresh(state: &ConsoleState, who: &SignedIn, must_sign_in_after_ms: Option<i64>) -> bool {
    let since_ms = who.session.signed_in_at_ms;
    state.world.now_ms() - since_ms <= FRESH_MS
        && must_sign_in_after_ms.is_none_or(|after_ms| since_ms > after_ms)
}

/// To the sign-in page and back to this one.
fn sign_in_again(visit: &Visit) -> Response {
    let next = query::write(&[("next", &visit.here()), ("again", "1")]);
    see_other(&format!("{}?{next}", visit.link("/console/sign-in")))
}
