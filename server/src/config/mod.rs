//! What an operator can set: typed sections, read from the embedded defaults, a file and the environment.
//! Nothing outside this module reads the environment.

mod check;
mod layers;
mod provider_keys;
mod secret;
mod sections;
mod urls;

pub use check::check;
pub use layers::{Sources, load};
pub use provider_keys::{KnownProvider, PROVIDERS};
pub use secret::Secret;
pub use sections::*;
pub use urls::PublicUrls;

/// The defaults, commented: what `config.default.toml` says is what holds.
pub const DEFAULTS: &str = include_str!("../../config.default.toml");
