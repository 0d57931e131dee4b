//! The pages before sign-in. None of their answers tells whether an address has an account.
pub(crate) mod check_mail;
pub(crate) mod confirm_email;
pub(crate) mod land;
mod link_page;
pub(crate) mod mailed_link;
pub(crate) mod passkey;
pub(crate) mod provider;
pub(crate) mod reset;
pub(crate) mod second_step;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod sign_up;
pub(crate) mod verify;

use crate::shell::{self, Titled};
use crate::who::Visitor;
use axum::response::Response;
use bytespike_ui::Visit;
use bytespike_ui::components::{ButtonKind, ButtonLink};
use leptos::prelude::*;

/// The page for a link that was used, replaced or is too old.
async fn dead_link((visit, visitor): (&Visit, &Visitor), ask_again: &str) -> Response {
    let t = &visit.t().auth.verify;
    let href = visit.link(ask_again);
    let content = view! {
        <h1>{t.failed_title}</h1>
        <p>{t.failed}</p>
        <p><ButtonLink kind=ButtonKind::Primary href=href>{t.ask_again}</ButtonLink></p>
    };
    shell::narrow((visit, visitor), Titled::faulty(visit, t.failed_title), content).await
}
