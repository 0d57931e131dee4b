//! Mails as data. Whoever sends them builds the links and takes the words from the locales.
use crate::email::EmailAddress;
use crate::orgs::Language;
use crate::secrets::SecretText;

/// How long the link in a confirmation works.
pub const VERIFY_MINUTES: i64 = 24 * 60;
/// How long the link to choose a new password works.
pub const RESET_MINUTES: i64 = 30;

/// One mail to be sent. Nothing in it can break out of a header.
#[derive(Clone, Debug)]
pub struct Mail {
    pub to: EmailAddress,
    pub language: Language,
    pub kind: MailKind,
}

#[derive(Clone, Debug)]
pub enum MailKind {
    /// Carries a link to confirm the address; works once, for [`VERIFY_MINUTES`].
    VerifyEmail { token: SecretText },
    /// Someone signed up with an address that has an account: says so, and offers to sign in or reset.
    AlreadyRegistered,
    /// Carries a link to choose a new password; works once, for [`RESET_MINUTES`].
    ResetPassword { token: SecretText },
    /// The password was changed or reset: tells whoever did not do it what to do.
    PasswordChanged,
}
