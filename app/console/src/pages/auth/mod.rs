//! The pages before sign-in. None of their answers tells whether an address has an account.
pub(crate) mod check_mail;
pub(crate) mod forgot;
pub(crate) mod resend;
pub(crate) mod reset;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod sign_up;
pub(crate) mod verify;

use bytespike_ui::Visit;
use leptos::prelude::*;

/// The card for a link that was used, replaced or is too old.
fn dead_link(visit: &Visit, ask_again: &str) -> AnyView {
    let t = &visit.t().auth.verify;
    let href = visit.link(ask_again);
    view! {
        <h1>{t.failed_title}</h1>
        <p>{t.failed}</p>
        <p><a class="button primary" href=href>{t.ask_again}</a></p>
    }
    .into_any()
}
