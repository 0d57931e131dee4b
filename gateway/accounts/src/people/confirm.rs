//! "Confirm it is you": proving anew, within a session, who holds it. With the second factor where there is one, else
//! with the password.
use super::recovery::ChangePasswordError;
use super::{Membership, People};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::factors::{FactorError, Passed, Subject};
use crate::mail::{Mail, Notice};
use crate::passwords::Busy;
use serde_json::json;

/// What the holder of a session can prove themselves with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    SecondFactor,
    Password,
    /// Neither: they sign in again where they signed in.
    SignInAgain,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    #[error("the password or the code is wrong, or there were too many attempts")]
    Refused,
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("nobody can be asked right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl People {
    /// What the person is to be asked for.
    pub async fn proof(&self, member: &Membership) -> sqlx::Result<Proof> {
        if self.factors.is_on(Subject::Person(member.person_id())).await? {
            return Ok(Proof::SecondFactor);
        }
        let has_password = member.person().password_hash.is_some();
        Ok(if has_password { Proof::Password } else { Proof::SignInAgain })
    }

    /// Checks what was typed. Mark the session with [`Sessions::confirm`](crate::sessions::Sessions::confirm) afterwards;
    /// the letter, if any, tells of a recovery code used.
    pub async fn confirm(
        &self,
        origin: &Origin,
        member: &Membership,
        typed: &str,
    ) -> Result<Option<Mail>, ConfirmError> {
        let letter = match self.proof(member).await? {
            Proof::SecondFactor => self.confirm_with_factor(origin, member, typed).await?,
            Proof::Password => {
                self.check_current(member.person(), typed).await?;
                None
            }
            Proof::SignInAgain => return Err(ConfirmError::Refused),
        };
        self.record(origin, Event::new("person.confirmed", Actor::Person(member.person_id()))).await;
        Ok(letter)
    }

    /// The same with a passkey, whose person the caller knows. False when it is somebody else's.
    pub async fn confirm_with_passkey(
        &self,
        origin: &Origin,
        member: &Membership,
        proven_person_id: &str,
    ) -> bool {
        let is_theirs = member.person_id() == proven_person_id;
        if is_theirs {
            let event = Event::new("person.confirmed", Actor::Person(member.person_id()));
            self.record(origin, event.detail(json!({ "by": "passkey" }))).await;
        }
        is_theirs
    }

    async fn confirm_with_factor(
        &self,
        origin: &Origin,
        member: &Membership,
        typed: &str,
    ) -> Result<Option<Mail>, ConfirmError> {
        match self.factors.check(origin, Subject::Person(member.person_id()), typed).await {
            Ok(Passed::App) => Ok(None),
            Ok(Passed::Recovery { codes_left }) => {
                Ok(Mail::notice(member, Notice::RecoveryCodeUsed { codes_left }))
            }
            Err(FactorError::Unavailable(error)) => Err(error.into()),
            Err(_) => Err(ConfirmError::Refused),
        }
    }
}

impl From<ChangePasswordError> for ConfirmError {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::WrongCurrent | ChangePasswordError::Password(_) => Self::Refused,
            ChangePasswordError::Busy(busy) => Self::Busy(busy),
            ChangePasswordError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}
