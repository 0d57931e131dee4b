//! What a customer sees: sign-up and sign-in, keys, calls with their receipts, the wallet, settings.
//! Every page works without a script; a form is answered with 303, or with 422 and the page with its faults.
// A page's view is one type as deep as its markup.
#![recursion_limit = "256"]

pub mod admin;
pub mod alert;
mod calls;
mod client_documents;
mod cny;
mod confirm;
mod cut_programs;
mod filter;
mod flash;
mod forms;
mod gateway;
pub mod indented;
mod mail;
mod model_test;
mod movement;
mod next;
mod notices;
mod outbox;
mod pages;
mod passkey_form;
mod problem;
mod providers;
mod qr;
mod query;
mod receipt;
pub mod routes;
mod samples;
mod shell;
mod shown_once;
mod state;
mod switched_off;
pub mod trial;
pub mod voucher;
mod when;
mod who;

pub use client_documents::{ClientDocuments, DocumentPolicy};
pub use gateway::LocalGateway;
pub use outbox::{Delivery, DevelopmentOutbox, Letter, Mailer, locale_of, written};
pub use providers::{ProviderConfig, ProviderKind, Providers};
pub use state::{ConsoleOptions, ConsoleState, Operating};

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_response_with_state};
use axum::routing::{get, post};
use axum::{Router, response::Response};
use bytespike_ui::Surface;
use bytespike_ui::http::{SameOrigin, same_origin};
use pages::{auth, members, oauth};

/// A password form needs no more.
const AUTH_FORM_BYTES: usize = 16 * 1024;
const FORM_BYTES: usize = 256 * 1024;

/// Every page of the console in both languages. Whoever mounts it adds [`bytespike_ui::http::layers`], the assets
/// and the theme form, which the surfaces share.
pub fn router(state: ConsoleState) -> Router {
    let ours = SameOrigin::new([state.urls.base(Surface::Console)]);
    let people = addresses().nest("/zh", addresses());
    let people = people.layer(state.accounts.sessions.layer(state.options.transport));
    // Outside the layer of people's sessions: an operator's pages cannot even see one.
    let operators = admin_addresses().nest("/zh", admin_addresses());
    people
        .merge(operators)
        .layer(from_fn_with_state(ours, same_origin))
        .layer(from_fn_with_state(state.clone(), problem::dress))
        .layer(map_response_with_state((), unshared))
        .with_state(state)
}

fn addresses() -> Router<ConsoleState> {
    let before = before_sign_in().layer(DefaultBodyLimit::max(AUTH_FORM_BYTES));
    routes::behind_sign_in().layer(DefaultBodyLimit::max(FORM_BYTES)).merge(before)
}

fn before_sign_in() -> Router<ConsoleState> {
    Router::new()
        .route("/console/sign-up", get(auth::sign_up::form).post(auth::sign_up::submit))
        .route("/console/check-mail", get(auth::check_mail::page))
        .route("/console/verify", get(auth::verify::form).post(auth::verify::submit))
        .route(
            "/console/resend",
            get(auth::mailed_link::confirmation_form).post(auth::mailed_link::send_confirmation),
        )
        .route("/console/sign-in", get(auth::sign_in::form).post(auth::sign_in::submit))
        .route("/console/sign-in/second-step", get(auth::second_step::form).post(auth::second_step::submit))
        .route("/console/sign-in/second-step/passkey", post(auth::second_step::submit_passkey))
        .route("/console/sign-in/passkey", post(auth::passkey::submit))
        .route("/console/passkeys/sign-in", post(passkey_form::to_sign_in))
        .route("/console/confirm-email", get(auth::confirm_email::form).post(auth::confirm_email::submit))
        .route("/console/forgot", get(auth::mailed_link::reset_form).post(auth::mailed_link::send_reset))
        .route("/console/reset", get(auth::reset::form).post(auth::reset::submit))
        .route("/console/auth/{provider}", post(auth::provider::begin))
        .route("/console/auth/{provider}/callback", get(auth::provider::callback))
        .route("/console/invitation", get(members::accept::form))
        .route("/oauth/authorize", get(oauth::authorize::page))
}

fn admin_addresses() -> Router<ConsoleState> {
    admin::addresses().layer(DefaultBodyLimit::max(FORM_BYTES))
}

/// Nothing of the console may be kept by anyone, redirects and problems included.
async fn unshared(mut response: Response) -> Response {
    bytespike_ui::CachePolicy::Private.apply(response.headers_mut());
    response
}
