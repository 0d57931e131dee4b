//! Signing up and proving the address. The answer is the same whether or not the address has an account;
//! only the mail differs. Nobody signs in, and so nobody spends, before the address is proven.
use super::{Membership, NumberFormat, People};
use crate::Origin;
use crate::audit::{Actor, Entry, Event};
use crate::email::{EmailAddress, EmailError};
use crate::mail::{Mail, MailKind};
use crate::names::{self, NameProblem};
use crate::orgs::{Language, Preset, TrialGrant};
use crate::passwords::{Busy, Password, PasswordProblem};
use crate::switches::{Admission, NotAdmitted};
use crate::throttle::Rule;
use crate::tokens::TokenKind;
use bytespike_store::identity::Identity;
use bytespike_store::org;
use bytespike_store::person::{self, NewAccount, Person};

const TIME_ZONE: &str = "UTC";

/// What the sign-up form holds. Without a name, what stands before the `@` serves.
#[derive(Clone, Copy)]
pub struct SignUp<'a> {
    pub email: &'a str,
    pub password: &'a str,
    pub name: Option<&'a str>,
    pub language: Language,
    /// A page of ours that the reader was going to; the confirmation leads on to it.
    pub next: Option<&'a str>,
}

/// An owner made on the host, whose address counts as proven. Has no password, so cannot sign in with one.
#[derive(Clone, Copy)]
pub struct NewOwner<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub org_name: &'a str,
    pub language: Language,
}

/// Why a form was not accepted. None of these tells whether the address has an account.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    #[error(transparent)]
    Email(#[from] EmailError),
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    #[error(transparent)]
    Name(#[from] NameProblem),
    #[error("too many attempts from your network; try again later")]
    TooMany,
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("accounts cannot be created right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("this link was used, has expired, or was replaced by a newer one; sign in to get another")]
    Dead,
    /// The address is confirmed.
    #[error("an operator has to let the account in first; a letter will say so")]
    Waits,
    #[error("addresses cannot be confirmed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

/// Why no link was sent again. None of these tells whether the address has an account.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    #[error(transparent)]
    Email(#[from] EmailError),
    #[error("too many attempts from your network; try again later")]
    TooMany,
    #[error("mail cannot be sent right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl People {
    /// Creates person, org, `default` deployment and owner in one transaction, and answers the mail to send: a
    /// confirmation, or, for an address that has an account, a notice. `None` when that address got several lately.
    pub async fn sign_up(&self, origin: &Origin, form: SignUp<'_>) -> Result<Option<Mail>, SignUpError> {
        let email = EmailAddress::parse(form.email)?;
        let name = match form.name.filter(|name| !name.trim().is_empty()) {
            Some(name) => names::clean(name)?,
            None => names::clean(email.local_part())?,
        };
        let password = Password::choose(form.password, &[email.as_str(), &name])?;
        if !self.throttle.allows(&self.throttle.requests_from(origin.ip), Rule::REQUESTS).await? {
            return Err(SignUpError::TooMany);
        }
        let admission = self.switches.admit(&email).await??;
        // Hashed in every case, so that a taken address takes as long.
        let password_hash = self.hasher.hash(password).await?;
        let person = self.new_person(&email, &name, form.language, Some(password_hash));
        let event = Event::new("person.signed_up", Actor::Person(&person.id)).target(&person.id);
        if self.insert((&person, &name), admission, None, &self.audit.entry(origin, event)).await? {
            return Ok(self.verification_mail(&person, form.next).await?);
        }
        Ok(self.sign_up_again(&person, form.next).await?)
    }

    /// The confirmation to send again, if the address has an account that still needs it.
    pub async fn resend_verification(
        &self,
        origin: &Origin,
        email: &str,
    ) -> Result<Option<Mail>, ResendError> {
        let email = EmailAddress::parse(email)?;
        if !self.throttle.allows(&self.throttle.requests_from(origin.ip), Rule::REQUESTS).await? {
            return Err(ResendError::TooMany);
        }
        let found = person::find_by_email(&self.store, &email.key()).await?;
        let Some(person) = found.filter(|person| person.email_verified_at_ms.is_none()) else {
            return Ok(None);
        };
        if person.state != "active" && !self.waits_for_approval(&person.id).await? {
            return Ok(None);
        }
        Ok(self.verification_mail(&person, None).await?)
    }

    /// Whether a confirmation link would still work. Opening the page uses nothing up.
    pub async fn can_verify(&self, token: &str) -> sqlx::Result<bool> {
        Ok(self.tokens.peek(TokenKind::VerifyEmail, token).await?.is_some())
    }

    /// Confirms the address, and answers the trial credit that the new org is owed.
    pub async fn verify_email(&self, origin: &Origin, token: &str) -> Result<TrialGrant, VerifyError> {
        let person_id = self.tokens.peek(TokenKind::VerifyEmail, token).await?.ok_or(VerifyError::Dead)?;
        let waits = self.waits_for_approval(&person_id).await?;
        let membership = self.membership(&person_id, None).await?;
        let event = Event::new("person.email_verified", Actor::Person(&person_id)).target(&person_id);
        let event = match &membership {
            Some(member) => event.org(member.org_id()),
            None if waits => event,
            None => return Err(VerifyError::Dead),
        };
        let hash = self.tokens.hash(TokenKind::VerifyEmail, token);
        let link = self.used_link(TokenKind::VerifyEmail, (&person_id, &hash));
        if !person::verify(&self.store, link, &self.audit.entry(origin, event)).await? {
            return Err(VerifyError::Dead);
        }
        membership.map(|member| TrialGrant::of(member.org_id())).ok_or(VerifyError::Waits)
    }

    /// Trial credits still to be booked, oldest first: new ones, and those a crash came between.
    pub async fn trials_due(&self, limit: i64) -> sqlx::Result<Vec<TrialGrant>> {
        let due = org::without_trial(&self.store, limit).await?;
        Ok(due
            .into_iter()
            .map(|(org_id, is_owed)| TrialGrant { is_owed, ..TrialGrant::of(org_id) })
            .collect())
    }

    /// The credit is booked; [`Self::trials_due`] no longer names it.
    pub async fn trial_granted(&self, trial: &TrialGrant) -> sqlx::Result<()> {
        org::mark_trial_granted(&self.store, &trial.org_id, self.world.now_ms()).await
    }

    /// An org with an owner, made on the host: the demo's, for example. The same answer when it exists already.
    pub async fn create_owner(&self, owner: NewOwner<'_>) -> Result<Membership, SignUpError> {
        let email = EmailAddress::parse(owner.email)?;
        let mut person = self.new_person(&email, &names::clean(owner.name)?, owner.language, None);
        person.email_verified_at_ms = Some(person.created_at_ms);
        let event = Event::new("person.created", Actor::Host).target(&person.id);
        let entry = self.audit.entry(&Origin::host(), event);
        self.insert((&person, &names::clean(owner.org_name)?), Admission::AtOnce, None, &entry).await?;
        let existing =
            person::find_by_email(&self.store, &email.key()).await?.map_or(person.id, |person| person.id);
        self.membership(&existing, None).await?.ok_or(SignUpError::Unavailable(sqlx::Error::RowNotFound))
    }

    /// An unproven address starts over with the newest password; a proven one is told that it has an account.
    async fn sign_up_again(&self, again: &Person, next: Option<&str>) -> sqlx::Result<Option<Mail>> {
        let email_key = again.email.to_ascii_lowercase();
        let Some(existing) = person::find_by_email(&self.store, &email_key).await? else { return Ok(None) };
        if existing.email_verified_at_ms.is_some() {
            return self.mail(&existing, MailKind::AlreadyRegistered).await;
        }
        let password_hash = again.password_hash.as_deref().unwrap_or_default();
        person::restart_sign_up(&self.store, &existing.id, &again.language, password_hash).await?;
        self.verification_mail(&existing, next).await
    }

    pub(super) fn new_person(
        &self,
        email: &EmailAddress,
        name: &str,
        language: Language,
        password_hash: Option<String>,
    ) -> Person {
        Person {
            id: self.world.id("usr"),
            email: email.as_str().to_owned(),
            name: name.to_owned(),
            language: language.as_str().to_owned(),
            time_zone: TIME_ZONE.to_owned(),
            number_format: NumberFormat::default().as_str().to_owned(),
            password_hash,
            state: "active".to_owned(),
            email_verified_at_ms: None,
            created_at_ms: self.world.now_ms(),
        }
    }

    /// The account in one transaction. False, and nothing written, when the address is taken.
    pub(super) async fn insert(
        &self,
        (person, org_name): (&Person, &str),
        admission: Admission,
        identity: Option<&Identity>,
        entry: &Entry,
    ) -> sqlx::Result<bool> {
        let account = NewAccount {
            person: person.clone(),
            email_key: &person.email.to_ascii_lowercase(),
            org_id: &self.world.id("org"),
            org_name,
            preset: Preset::of(Language::from_tag(&person.language)).as_str(),
            deployment_id: &self.world.id("dep"),
            member_id: &self.world.id("mem"),
            waits: admission == Admission::AfterApproval,
            identity,
        };
        person::insert_account(&self.store, &account, entry).await
    }
}
