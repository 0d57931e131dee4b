//! One master key, and a key of its own for every purpose: what is made for one is worthless for another.
pub(crate) mod hand_code;
mod master;
mod seal;
mod text;

pub use master::{MacKey, MacPurpose, MasterKey, MasterKeyError, SealPurpose, SignPurpose};
pub use seal::{OpenError, Place, SealKey};
pub use text::SecretText;
