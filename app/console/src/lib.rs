//! What a customer sees: sign-up and sign-in, keys, calls with their receipts, the wallet, settings.
//! Every page works without a script; a form is answered with 303, or with 422 and the page with its faults.
// A page's view is one type as deep as its markup.
#![recursion_limit = "256"]

pub mod alert;
mod calls;
mod filter;
mod flash;
mod forms;
mod gateway;
pub mod mail;
mod model_test;
mod next;
mod outbox;
mod pages;
mod problem;
mod query;
mod receipt;
mod samples;
mod shell;
mod state;
pub mod trial;
mod when;
mod who;

pub use gateway::LocalGateway;
pub use outbox::{Delivery, DevelopmentOutbox, Letter, Mailer, locale_of};
pub use state::{ConsoleOptions, ConsoleState};

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_response_with_state};
use axum::routing::{any, get, post};
use axum::{Router, response::Response};
use bytespike_ui::Surface;
use bytespike_ui::http::{SameOrigin, same_origin};
use pages::{
    auth, calls_page, keys, models, oauth, operator, overview, receipt_page, settings, statements, wallet,
};

/// A password form needs no more.
const AUTH_FORM_BYTES: usize = 16 * 1024;
const FORM_BYTES: usize = 256 * 1024;

/// Every page of the console in both languages. Whoever mounts it adds [`bytespike_ui::http::layers`], the assets
/// and the theme form, which the surfaces share.
pub fn router(state: ConsoleState) -> Router {
    let ours = SameOrigin::new([state.urls.base(Surface::Console)]);
    addresses()
        .nest("/zh", addresses())
        .layer(state.accounts.sessions.layer(state.options.transport))
        .layer(from_fn_with_state(ours, same_origin))
        .layer(from_fn_with_state(state.clone(), problem::dress))
        .layer(map_response_with_state((), unshared))
        .with_state(state)
}

fn addresses() -> Router<ConsoleState> {
    let before = before_sign_in().layer(DefaultBodyLimit::max(AUTH_FORM_BYTES));
    behind_sign_in().layer(DefaultBodyLimit::max(FORM_BYTES)).merge(before)
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
        .route("/console/sign-out", post(auth::sign_out::submit))
        .route("/console/forgot", get(auth::mailed_link::reset_form).post(auth::mailed_link::send_reset))
        .route("/console/reset", get(auth::reset::form).post(auth::reset::submit))
        .route("/oauth/authorize", get(oauth::authorize::page))
        .route("/admin/first", get(operator::form).post(operator::submit))
}

fn behind_sign_in() -> Router<ConsoleState> {
    Router::new()
        .route("/console", get(overview::page))
        .route("/console/keys", get(keys::list::page))
        .route("/console/keys/new", get(keys::create::form).post(keys::create::submit))
        .route("/console/keys/check", get(keys::check::form).post(keys::check::submit))
        .route("/console/keys/{id}", get(keys::detail::page))
        .route("/console/keys/{id}/created", get(keys::once::page))
        .route("/console/keys/{id}/name", post(keys::detail::rename))
        .route("/console/keys/{id}/limits", post(keys::detail::set_limits))
        .route("/console/keys/{id}/revoke", get(keys::revoke::form).post(keys::revoke::submit))
        .route("/console/models", get(models::page))
        .route("/console/models/test", post(models::test))
        .route("/console/calls", get(calls_page::page))
        .route("/console/calls/calls.csv", get(calls_page::calls_csv))
        .route("/console/calls/focus.csv", get(calls_page::focus_csv))
        .route("/console/receipts/{id}", get(receipt_page::page))
        .route("/console/receipts/{id}/json", get(receipt_page::json))
        .route("/oauth/consent", get(oauth::consent::form).post(oauth::consent::submit))
        .route("/device", get(oauth::device::form).post(oauth::device::submit))
        .route("/device/decide", post(oauth::device::decide))
        .route("/console/apps", get(oauth::apps::page))
        .route("/console/apps/{grant}/disconnect", post(oauth::apps::disconnect))
        .route("/console/apps/programs/new", get(oauth::programs::form).post(oauth::programs::submit))
        .route("/console/apps/programs/{id}/end", post(oauth::programs::end))
        .route("/console/wallet", get(wallet::page))
        .route("/console/wallet/alerts", post(wallet::alerts::submit))
        .route("/console/statements", get(statements::list))
        .route("/console/statements/{month}", get(statements::month::page))
        .route("/console/statements/{month}/csv", get(statements::month::csv))
        .route("/console/statements/{month}/json", get(statements::month::json))
        .route("/console/settings", get(settings::page))
        .route("/console/settings/profile", post(settings::profile::submit))
        .route("/console/settings/organisation", post(settings::organisation::submit))
        .route("/console/settings/preset", post(settings::preset::submit))
        .route("/console/settings/password", post(settings::password::submit))
        .route("/console/settings/sessions/others", post(settings::sessions::end_others))
        .route("/console/settings/sessions/{id}", post(settings::sessions::end))
        .route("/console/{*rest}", any(problem::not_found))
}

/// Nothing of the console may be kept by anyone, redirects and problems included.
async fn unshared(mut response: Response) -> Response {
    bytespike_ui::CachePolicy::Private.apply(response.headers_mut());
    response
}
