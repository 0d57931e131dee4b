//! Coming back from a provider to sign in: into the account that is linked, or into a new one.
use super::{Identities, Verified};
use crate::Origin;
use crate::email::EmailAddress;
use crate::orgs::{Language, TrialGrant};
use crate::people::{FirstStep, NewFromProvider};
use crate::switches::NotAdmitted;
use bytespike_store::identity::{self, Identity};

/// Somebody a provider has proven.
pub struct Arrival {
    /// Their account may ask for a second factor all the same.
    pub step: FirstStep,
    /// The credit that a new org is owed.
    pub trial: Option<TrialGrant>,
}

#[derive(Debug, thiserror::Error)]
pub enum ArrivalError {
    #[error("the provider has not verified an address of this account")]
    NoVerifiedMail,
    #[error("an account with this address exists; sign in to it first, then link in the settings")]
    MailHasAccount,
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    #[error("an operator has to let this account in first")]
    Waits,
    #[error("this account is not active")]
    Inactive,
    #[error("nobody can be signed in right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Identities {
    /// Signs in whoever the provider's account belongs to. An account nobody linked makes a new one here, where strangers
    /// may create one; one whose address somebody has proven here opens nothing.
    pub async fn arrive(
        &self,
        origin: &Origin,
        verified: &Verified,
        language: Language,
    ) -> Result<Arrival, ArrivalError> {
        let now_ms = self.world.now_ms();
        let known = identity::use_one(&self.store, &verified.provider, &verified.subject, now_ms).await?;
        if let Some(person_id) = known {
            let step = self.admit(origin, &person_id, &verified.provider).await?;
            return Ok(Arrival { step, trial: None });
        }
        let email = verified.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
        let email = &email.ok_or(ArrivalError::NoVerifiedMail)?;
        let admission = self.people.switches.admit(email).await??;
        let new = NewFromProvider { email, name: verified.name.as_deref(), language, admission };
        let identity = row(verified, "", now_ms);
        let person_id = self.people.account_for(origin, new, identity).await?;
        let person_id = person_id.ok_or(ArrivalError::MailHasAccount)?;
        let step = self.admit(origin, &person_id, &verified.provider).await?;
        let trial = match &step {
            FirstStep::Done(member) => Some(TrialGrant::of(member.org_id())),
            FirstStep::SecondFactor { .. } => None,
        };
        Ok(Arrival { step, trial })
    }

    async fn admit(
        &self,
        origin: &Origin,
        person_id: &str,
        provider: &str,
    ) -> Result<FirstStep, ArrivalError> {
        match self.people.first_step(origin, person_id, provider).await? {
            Some(step) => Ok(step),
            None if self.people.waits_for_approval(person_id).await? => Err(ArrivalError::Waits),
            None => Err(ArrivalError::Inactive),
        }
    }
}

/// The row of an account that is linked now.
pub(super) fn row(verified: &Verified, person_id: &str, now_ms: i64) -> Identity {
    Identity {
        provider: verified.provider.clone(),
        subject: verified.subject.clone(),
        person_id: person_id.to_owned(),
        email: verified.email.clone().unwrap_or_default(),
        linked_at_ms: now_ms,
        last_used_at_ms: None,
    }
}
