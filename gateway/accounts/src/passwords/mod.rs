//! Passwords: which are accepted, and how they are hashed without letting hashing exhaust the machine.
mod common;
mod hasher;
mod policy;

pub use hasher::{Busy, Hasher, Verdict};
pub use policy::{LEAST_CHARACTERS, MOST_CHARACTERS, Password, PasswordProblem};
