//! The operators' pages: who runs the installation signs in here, apart from everybody else, and always with a second
//! factor. Nothing of a person's session is read here, and nothing here acts as a person.
mod account;
mod act;
mod announcements;
mod books;
mod channels;
mod credits;
mod first;
mod log;
mod notice;
mod orgs;
mod overview;
mod paging;
mod prices;
mod retention;
pub mod routes;
mod second_step;
mod set_up;
mod shell;
mod sign_in;
mod sign_ups;
mod switches;
mod users;
mod vouchers;
mod who;
pub(crate) mod words;

use crate::state::ConsoleState;
use axum::Router;
use axum::routing::{get, post};

/// Every address under `/admin`, without its language.
pub(crate) fn addresses() -> Router<ConsoleState> {
    Router::new()
        .route("/admin/first", get(first::form).post(first::submit))
        .route("/admin/sign-in", get(sign_in::form).post(sign_in::submit))
        .route("/admin/sign-in/second-step", get(second_step::form).post(second_step::submit))
        .route("/admin/sign-in/set-up", get(set_up::form).post(set_up::submit))
        .route("/admin/sign-out", post(sign_in::sign_out))
        .merge(routes::behind_sign_in())
}
