//! Signing in. Unknown address, wrong password, unproven address, disabled account and a tripped throttle are one
//! and the same answer to whoever asks.
use super::{Membership, People};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::factors::{FactorError, Passed, Subject as Owner};
use crate::mail::{Mail, MailKind, Notice};
use crate::password_gate::{Counted, GateError, PasswordGate};
use crate::passwords::{Busy, Verdict};
use bytespike_store::person::{self, Person};
use serde_json::json;

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The mail, if any, is to be sent: the password was right but the address is not proven yet, or an operator has not let
    /// the account in.
    #[error(
        "the address or the password is wrong, or there were too many attempts; try again, or reset the password"
    )]
    Refused { mail: Option<Mail> },
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("nobody can be signed in right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

/// How far the password alone leads.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "made once for a sign-in and matched at once")]
pub enum FirstStep {
    /// Start a session for the person with [`Sessions::start`](crate::sessions::Sessions::start).
    Done(Membership),
    /// The account has a second factor: go on with
    /// [`Sessions::begin_second_step`](crate::sessions::Sessions::begin_second_step) and [`People::second_step`].
    SecondFactor { person_id: String },
}

/// Why the second step did not sign anyone in.
#[derive(Debug, thiserror::Error)]
pub enum SecondStepError {
    #[error(transparent)]
    Factor(#[from] FactorError),
    #[error("this account is not active any more")]
    Inactive,
    #[error("nobody can be signed in right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

const REFUSED: SignInError = SignInError::Refused { mail: None };

impl People {
    /// Checks the password.
    pub async fn sign_in(
        &self,
        origin: &Origin,
        email: &str,
        password: &str,
    ) -> Result<FirstStep, SignInError> {
        let email_key = email.trim().to_ascii_lowercase();
        let gate = self.gate();
        let Some(counted) = gate.enter(origin, self.throttle.account(&email_key)).await? else {
            self.record_failure(origin, None, "throttled").await;
            return Err(REFUSED);
        };
        let person = person::find_by_email(&self.store, &email_key).await?;
        let stored = person.as_ref().and_then(|person| person.password_hash.as_deref());
        let verdict = gate.check(&counted, (stored, password)).await?;
        let (Verdict::Right { newer_hash }, Some(person)) = (verdict, &person) else {
            self.record_failure(origin, person.as_ref(), "wrong").await;
            return Err(REFUSED);
        };
        if let (Some(newer), Some(stored)) = (newer_hash, stored) {
            person::replace_hash(&self.store, &person.id, stored, &newer).await?;
        }
        self.admit(origin, &counted, person).await
    }

    fn gate(&self) -> PasswordGate<'_> {
        PasswordGate { throttle: &self.throttle, hasher: &self.hasher }
    }

    /// The password was right; the address must be proven and the account active too.
    async fn admit(
        &self,
        origin: &Origin,
        counted: &Counted,
        person: &Person,
    ) -> Result<FirstStep, SignInError> {
        self.gate().was_right(counted).await?;
        if person.email_verified_at_ms.is_none() {
            self.record_failure(origin, Some(person), "unverified").await;
            return Err(SignInError::Refused { mail: self.verification_mail(person, None).await? });
        }
        if self.waits_for_approval(&person.id).await? {
            self.record_failure(origin, Some(person), "waits for approval").await;
            return Err(SignInError::Refused { mail: self.mail(person, MailKind::SignUpWaits).await? });
        }
        let Some(membership) = self.home(origin, person).await? else {
            self.record_failure(origin, Some(person), "inactive").await;
            return Err(REFUSED);
        };
        self.gate().lets_in(counted).await?;
        if self.factors.is_on(Owner::Person(&person.id)).await? {
            return Ok(FirstStep::SecondFactor { person_id: person.id.clone() });
        }
        self.signed_in(origin, &membership, "password").await;
        Ok(FirstStep::Done(membership))
    }

    /// Checks the code that the second step asks for, and spends it. The letter, if any, tells of a recovery code used.
    pub async fn second_step(
        &self,
        origin: &Origin,
        person_id: &str,
        typed: &str,
    ) -> Result<(Membership, Option<Mail>), SecondStepError> {
        let passed = self.factors.check(origin, Owner::Person(person_id), typed).await?;
        let member = self.membership(person_id, None).await?.ok_or(SecondStepError::Inactive)?;
        let how = if passed == Passed::App { "password and app" } else { "password and recovery code" };
        self.signed_in(origin, &member, how).await;
        let letter = match passed {
            Passed::App => None,
            Passed::Recovery { codes_left } => Mail::notice(&member, Notice::RecoveryCodeUsed { codes_left }),
        };
        Ok((member, letter))
    }

    /// Signs in whoever a passkey has proven, which is proof enough alone. `None` when the account is not active.
    pub async fn sign_in_with_passkey(
        &self,
        origin: &Origin,
        person_id: &str,
    ) -> sqlx::Result<Option<Membership>> {
        let found = person::find(&self.store, person_id).await?;
        let Some(person) = found.filter(|person| person.email_verified_at_ms.is_some()) else {
            return Ok(None);
        };
        let member = self.home(origin, &person).await?;
        match &member {
            Some(member) => self.signed_in(origin, member, "passkey").await,
            None => self.record_failure(origin, Some(&person), "inactive").await,
        }
        Ok(member)
    }

    pub(super) async fn signed_in(&self, origin: &Origin, member: &Membership, how: &str) {
        let event = Event::new("person.signed_in", Actor::Person(member.person_id())).org(member.org_id());
        self.record(origin, event.detail(json!({ "by": how }))).await;
    }

    async fn record_failure(&self, origin: &Origin, person: Option<&Person>, why: &str) {
        let event = Event::new("person.sign_in_failed", Actor::Anonymous).detail(json!({ "why": why }));
        let event = match person {
            Some(person) => event.target(&person.id),
            None => event,
        };
        self.record(origin, event).await;
    }
}

impl From<GateError> for SignInError {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Busy(busy) => Self::Busy(busy),
            GateError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}
