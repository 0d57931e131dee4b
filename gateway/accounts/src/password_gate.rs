//! The first step of every sign-in: a password against what is stored, slowed down by network and by account.
use crate::Origin;
use crate::passwords::{Busy, Hasher, Password, Verdict};
use crate::throttle::{Rule, Subject, Throttle};

pub(crate) struct PasswordGate<'a> {
    pub throttle: &'a Throttle,
    pub hasher: &'a Hasher,
}

/// Whose tries are counted: a network's and an account's.
pub(crate) struct Counted {
    network: Subject,
    account: Subject,
}

/// Why a password was not checked.
#[derive(Debug)]
pub(crate) enum GateError {
    Busy(Busy),
    Unavailable(sqlx::Error),
}

impl PasswordGate<'_> {
    /// Counts one try; `None` means that it has to wait. `account` names the account among all of its kind.
    pub async fn enter(&self, origin: &Origin, account: Subject) -> sqlx::Result<Option<Counted>> {
        let network = self.throttle.network(origin.ip);
        if !self.throttle.allows(&network, Rule::NETWORK).await? {
            return Ok(None);
        }
        if !self.throttle.allows(&account, Rule::ACCOUNT).await? {
            self.throttle.take_back(&network).await?;
            return Ok(None);
        }
        Ok(Some(Counted { network, account }))
    }

    /// Costs one password check in every case, also without a stored hash.
    pub async fn check(
        &self,
        counted: &Counted,
        (stored, typed): (Option<&str>, &str),
    ) -> Result<Verdict, GateError> {
        // What is too long to be a password is checked as the empty one, so that it costs the same.
        let password = Password::presented(typed).or_else(|| Password::presented(""));
        let Some(password) = password else { return Ok(Verdict::Wrong) };
        match self.hasher.verify(password, stored).await {
            Ok(verdict) => Ok(verdict),
            Err(busy) => {
                self.throttle.take_back(&counted.network).await?;
                self.throttle.take_back(&counted.account).await?;
                Err(GateError::Busy(busy))
            }
        }
    }

    /// The password was right: the network did not fail.
    pub async fn was_right(&self, counted: &Counted) -> sqlx::Result<()> {
        self.throttle.take_back(&counted.network).await
    }

    /// The account is let in: its failures are forgotten.
    pub async fn lets_in(&self, counted: &Counted) -> sqlx::Result<()> {
        self.throttle.clear(&counted.account).await
    }
}

impl From<sqlx::Error> for GateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error)
    }
}
