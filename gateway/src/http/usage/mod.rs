//! `/v1/usage…`, `/v1/reservations`: what a key and the keys below it used, or the whole org.

mod asked;
mod calls;
mod reader;
mod rolled;

pub(crate) use calls::csv;
pub use calls::{held, resolved, table};
pub use reader::{org_reader, reader};
pub use rolled::rolled;
