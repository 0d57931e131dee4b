//! What holds and owns keys beside people: deployments, and service accounts.
pub(crate) mod deployment;
pub(crate) mod deployments;
mod new;
pub(crate) mod services;
