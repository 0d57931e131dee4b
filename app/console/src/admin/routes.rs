//! Every address that takes an operator. The router and the table are made of one list, and the matrix of who may not
//! (`tests/it/idor_admin.rs`) is made of the table: a handler that forgets to ask who is there fails it.
use super::act::act;
use super::{account, books, channels, log, orgs, overview, prices, users};
use crate::problem;
use crate::state::ConsoleState;
use axum::Router;
use axum::routing::{any, get};

macro_rules! addresses {
    ($($path:literal $answer:expr;)*) => {
        /// The table, without languages.
        pub const ADDRESSES: &[&str] = &[$($path,)*];

        pub(crate) fn behind_sign_in() -> Router<ConsoleState> {
            Router::new()$(.route($path, $answer))*.route("/admin/{*rest}", any(problem::not_found))
        }
    };
}

addresses! {
    "/admin" get(overview::page);
    "/admin/orgs" get(orgs::page);
    "/admin/orgs/{id}" get(orgs::org);
    "/admin/orgs/{id}/credit" act(orgs::credit);
    "/admin/orgs/{id}/freeze" act(orgs::freeze);
    "/admin/orgs/{id}/unfreeze" act(orgs::unfreeze);
    "/admin/users" get(users::page);
    "/admin/users/{id}" get(users::user);
    "/admin/users/{id}/suspend" act(users::suspend);
    "/admin/users/{id}/let-in" act(users::let_in);
    "/admin/users/{id}/sessions/end" act(users::end_sessions);
    "/admin/users/{id}/reset" act(users::reset);
    "/admin/channels" get(channels::page);
    "/admin/channels/new" get(channels::create_form).merge(act(channels::create));
    "/admin/channels/{id}" get(channels::edit_form).merge(act(channels::edit_submit));
    "/admin/channels/{id}/test" act(channels::test);
    "/admin/channels/{id}/on" act(channels::enable);
    "/admin/channels/{id}/off" act(channels::disable);
    "/admin/channels/{id}/remove" act(channels::remove);
    "/admin/prices" get(prices::page);
    "/admin/prices/model" get(prices::model).merge(act(prices::keep));
    "/admin/prices/list-price" act(prices::list_price);
    "/admin/prices/discard" act(prices::discard);
    "/admin/prices/publish" act(prices::publish);
    "/admin/books" get(books::page);
    "/admin/audit" get(log::page);
    "/admin/account" get(account::page);
    "/admin/account/codes" get(account::codes);
    "/admin/account/sessions/others" act(account::end_others);
}
