//! Every address that takes an operator. The router and the table are made of one list, and the matrix of who may not
//! (`tests/it/idor_admin.rs`) is made of the table: a handler that forgets to ask who is there fails it.
use super::act::act;
use super::{
    account, announcements, books, channels, credits, log, orgs, overview, prices, retention, sign_ups,
    switches, users, vouchers,
};
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
    "/admin/orgs/{id}/debit" act(orgs::debit);
    "/admin/orgs/{id}/freeze" act(orgs::freeze);
    "/admin/orgs/{id}/unfreeze" act(orgs::unfreeze);
    "/admin/credits" get(credits::page);
    "/admin/credits/{id}/confirm" act(credits::confirm);
    "/admin/credits/{id}/refuse" act(credits::refuse);
    "/admin/vouchers" get(vouchers::page);
    "/admin/vouchers/new" act(vouchers::create);
    "/admin/vouchers/batches/{id}" get(vouchers::batch);
    "/admin/vouchers/batches/{id}/codes" act(vouchers::codes);
    "/admin/vouchers/batches/{id}/end" act(vouchers::end_batch);
    "/admin/vouchers/{id}/end" act(vouchers::end);
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
    "/admin/prices/rules" get(prices::rules).merge(act(prices::keep_rules));
    "/admin/prices/preview" get(prices::preview);
    "/admin/prices/list-price" act(prices::list_price);
    "/admin/prices/discard" act(prices::discard);
    "/admin/prices/publish" act(prices::publish);
    "/admin/announcements" get(announcements::page);
    "/admin/announcements/new" get(announcements::create_form).merge(act(announcements::create));
    "/admin/announcements/{id}" get(announcements::edit_form).merge(act(announcements::edit));
    "/admin/announcements/{id}/end" act(announcements::end);
    "/admin/switches" get(switches::page);
    "/admin/switches/feature" act(switches::feature);
    "/admin/switches/sign-up" act(switches::sign_up);
    "/admin/sign-ups" get(sign_ups::page);
    "/admin/sign-ups/{id}/approve" act(sign_ups::approve);
    "/admin/sign-ups/{id}/refuse" act(sign_ups::refuse);
    "/admin/retention" get(retention::page).merge(act(retention::shorten));
    "/admin/books" get(books::page);
    "/admin/audit" get(log::page);
    "/admin/audit/audit.csv" get(log::csv);
    "/admin/account" get(account::page);
    "/admin/account/codes" get(account::codes);
    "/admin/account/sessions/others" act(account::end_others);
}
