//! People: signing up, proving an address, signing in, recovering, and what they can change about themselves.
mod approval;
mod browsers;
mod confirm;
mod email_change;
mod ending;
mod from_provider;
mod invitations;
mod members;
mod membership;
mod model_test;
#[cfg(test)]
mod org_tests;
mod overseen;
mod places;
mod profile;
mod recovery;
mod sign_in;
mod sign_up;
#[cfg(test)]
mod tests;

use crate::Origin;
use crate::audit::{Audit, Event};
use crate::email::EmailAddress;
use crate::factors::Factors;
use crate::keys::RightsWatch;
use crate::mail::{Mail, MailKind};
use crate::orgs::Language;
use crate::passwords::Hasher;
use crate::secrets::MacKey;
use crate::switches::Switches;
use crate::throttle::{Rule, Throttle};
use crate::tokens::{TokenKind, Tokens};
pub use approval::Waiting;
use bytespike_store::Store;
use bytespike_store::person::Person;
use bytespike_store::world::World;
pub use confirm::{ConfirmError, Proof};
pub use email_change::{EmailChangeError, EmailChanged, Wish};
pub use ending::{EndError, GRACE_MS};
pub(crate) use from_provider::NewFromProvider;
pub use invitations::{Invitation, InviteError, Issued};
pub use members::{Member, MemberError};
pub use membership::Membership;
pub use model_test::MODEL_TESTS_A_DAY;
pub use overseen::{Overseen, SeenSession};
pub use places::{Deployment, PlaceError};
pub use profile::{NumberFormat, OrgError, Profile, ProfileError};
pub use recovery::{ChangePasswordError, PasswordChange, Reset, ResetError};
pub use sign_in::{FirstStep, SecondStepError, SignInError};
pub use sign_up::{NewOwner, ResendError, SignUp, SignUpError, VerifyError};
use std::sync::Arc;

#[derive(Clone)]
pub struct People {
    pub(crate) store: Store,
    pub(crate) world: World,
    pub(crate) hasher: Hasher,
    pub(crate) tokens: Tokens,
    pub(crate) throttle: Throttle,
    pub(crate) audit: Audit,
    pub(crate) factors: Factors,
    /// Hashes the cookie by which a browser is known again.
    pub(crate) browsers: MacKey,
    pub(crate) rights: Arc<RightsWatch>,
    /// Who may sign up.
    pub(crate) switches: Switches,
}

impl People {
    /// How many passwords were checked, those for unknown accounts included.
    pub fn password_checks(&self) -> u64 {
        self.hasher.verifications()
    }

    /// A mail to the person, or `None` when so many were sent to the address lately that one more would be abuse.
    async fn mail(&self, person: &Person, kind: MailKind) -> sqlx::Result<Option<Mail>> {
        // Addresses are checked before they are stored.
        let Ok(to) = EmailAddress::parse(&person.email) else { return Ok(None) };
        let allowed = self.throttle.allows(&self.throttle.mail_to(&to.key()), Rule::MAIL).await?;
        Ok(allowed.then(|| Mail { to, language: Language::from_tag(&person.language), kind }))
    }

    async fn verification_mail(&self, person: &Person, next: Option<&str>) -> sqlx::Result<Option<Mail>> {
        let token = self.tokens.issue(TokenKind::VerifyEmail, &person.id).await?;
        self.mail(person, MailKind::VerifyEmail { token, next: next.map(str::to_owned) }).await
    }

    async fn record(&self, origin: &Origin, event: Event<'_>) {
        self.audit.record(origin, event).await;
    }
}
