//! A key of its own for every purpose: what is made for one is worthless for another. All are derived from master keys.
pub(crate) mod hand_code;
mod kept;
pub mod key_file;
mod keyring;
mod mac;
mod master;
mod purposes;
mod reseal;
mod seal;
mod sealed_file;
mod text;

pub use kept::KeptError;
pub use keyring::{Keyring, MasterKeys};
pub use mac::MacKey;
pub use master::{MasterKey, MasterKeyError};
pub use purposes::{MacPurpose, SealPurpose, SignPurpose};
pub use reseal::{Resealed, SEALED_COLUMNS, SealedColumn};
pub use seal::{OpenError, Place, SealKey};
pub use sealed_file::{SEALED_FILE, SealedReader, SealedWriter};
pub use text::SecretText;
