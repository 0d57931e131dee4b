//! Mails as data. Whoever sends them builds the links and takes the words from the locales.
use crate::email::EmailAddress;
use crate::orgs::Language;
use crate::people::Membership;
use crate::secrets::SecretText;

/// How long the link in a confirmation works.
pub const VERIFY_MINUTES: i64 = 24 * 60;
/// How long the link to choose a new password works.
pub const RESET_MINUTES: i64 = 30;

/// How long an invitation can be accepted.
pub const INVITATION_DAYS: i64 = 7;

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
    VerifyEmail {
        token: SecretText,
        /// A page of ours that the reader was going to.
        next: Option<String>,
    },
    /// Someone signed up with an address that has an account: says so, and offers to sign in or reset.
    AlreadyRegistered,
    /// Carries a link to choose a new password; works once, for [`RESET_MINUTES`].
    ResetPassword { token: SecretText },
    /// Carries a link to confirm a new address of an account; works once, for [`VERIFY_MINUTES`].
    ConfirmEmail { token: SecretText },
    /// Invites into an org. Carries a link that works once, for [`INVITATION_DAYS`], for whoever proves this address.
    Invitation { token: SecretText, org_name: String, inviter_name: String },
    /// An operator has to let the account in first; its address is proven.
    SignUpWaits,
    /// An operator let the account in.
    SignUpApproved,
    /// An operator did not. What they said why; empty if nothing.
    SignUpRefused { reason: String },
    /// The password was changed or reset: tells whoever did not do it what to do.
    PasswordChanged,
    /// Something about how the account is guarded changed: says what, and what to do if it was somebody else.
    Notice(Notice),
}

/// What a person is told of after it happened.
#[derive(Clone, Debug)]
pub enum Notice {
    FactorOn,
    FactorOff,
    RecoveryCodesRenewed,
    RecoveryCodeUsed {
        codes_left: u64,
    },
    /// An account of another provider signs in from now on, or no longer does.
    IdentityLinked {
        provider: String,
    },
    IdentityUnlinked {
        provider: String,
    },
    /// A passkey signs in from now on, or no longer does.
    PasskeyAdded {
        name: String,
    },
    PasskeyRemoved,
    /// The copy of the person's data can be taken until then.
    DataReady {
        until_ms: i64,
        time_zone: String,
    },
    /// The account ends at `at_ms`, or no longer does.
    EndAsked {
        at_ms: i64,
        time_zone: String,
    },
    EndTakenBack,
    EmailChangeAsked {
        new: String,
    },
    EmailChanged {
        new: String,
    },
    /// Someone signed in with a browser that the account did not use before.
    NewBrowser {
        user_agent: String,
        ip: String,
        at_ms: i64,
        time_zone: String,
    },
}

impl Mail {
    /// A notice to a person. Not counted against the mails to one address: what causes it was let in before.
    pub fn notice(member: &Membership, notice: Notice) -> Option<Self> {
        // Addresses are checked before they are stored.
        let to = EmailAddress::parse(member.email()).ok()?;
        Some(Self { to, language: member.language(), kind: MailKind::Notice(notice) })
    }
}
