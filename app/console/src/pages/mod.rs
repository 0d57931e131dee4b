//! One file per page: load, decide, show.
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod calls_page;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod members;
pub(crate) mod models;
pub(crate) mod oauth;
pub(crate) mod operator;
pub(crate) mod overview;
pub(crate) mod places;
pub(crate) mod receipt_page;
pub(crate) mod security;
pub(crate) mod settings;
pub(crate) mod statements;
pub(crate) mod wallet;
