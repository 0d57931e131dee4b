//! Operators, who run the installation: how the first one comes to be, how they sign in, and the way back in from the host.
mod sessions;
mod sign_in;

use crate::Origin;
use crate::audit::{Actor, Audit, Event};
use crate::email::{EmailAddress, EmailError};
use crate::factors::Factors;
use crate::names::{self, NameProblem};
use crate::passwords::{Busy, Hasher, Password, PasswordProblem};
use crate::secrets::SecretText;
use crate::throttle::Throttle;
use crate::tokens::{TokenKind, Tokens};
use bytespike_store::Store;
use bytespike_store::names::Names;
use bytespike_store::operator;
use bytespike_store::world::World;
pub use sessions::{
    HalfSignedIn, Kept, OPERATOR_COOKIE, OperatorSession, OperatorSessionInfo, OperatorSessions,
};
pub use sign_in::OperatorSignInError;

/// There is one first operator, so all first-run tokens are for the same subject and only the newest works.
const FIRST: &str = "first";

#[derive(Clone)]
pub struct Operators {
    pub sessions: OperatorSessions,
    pub(crate) factors: Factors,
    pub(crate) throttle: Throttle,
    pub(crate) store: Store,
    pub(crate) world: World,
    pub(crate) hasher: Hasher,
    pub(crate) tokens: Tokens,
    pub(crate) audit: Audit,
}

/// Who is to become an operator.
#[derive(Clone, Copy)]
pub struct NewOperator<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub password: &'a str,
}

#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    #[error("the one-time link was used, has expired, or an operator exists already")]
    Dead,
    #[error("there is an operator with that address; `bytespike operator reset` lets them in again")]
    Exists,
    #[error("there is no operator with that address")]
    Unknown,
    #[error(transparent)]
    Email(#[from] EmailError),
    #[error(transparent)]
    Name(#[from] NameProblem),
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("operators cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl Operators {
    /// A token for the first-run page, good for 30 minutes and replacing earlier ones. `None` once there ever was
    /// an operator: from then on the way in is [`Self::create`], on the host.
    pub async fn first_run_token(&self) -> sqlx::Result<Option<SecretText>> {
        if operator::ever_existed(&self.store).await? {
            return Ok(None);
        }
        self.tokens.issue(TokenKind::FirstOperator, FIRST).await.map(Some)
    }

    /// Whether the first-run page exists for the holder of this token; if not, it answers 404.
    pub async fn first_run_open(&self, token: &str) -> sqlx::Result<bool> {
        let live = self.tokens.peek(TokenKind::FirstOperator, token).await?.is_some();
        Ok(live && !operator::ever_existed(&self.store).await?)
    }

    /// Creates the first operator. Of any number of parallel submissions, one succeeds.
    pub async fn create_first(
        &self,
        origin: &Origin,
        token: &str,
        new: NewOperator<'_>,
    ) -> Result<String, OperatorError> {
        if !self.first_run_open(token).await? {
            return Err(OperatorError::Dead);
        }
        let checked = self.check(new).await?;
        let token_hash = self.tokens.hash(TokenKind::FirstOperator, token);
        let event = Event::new("operator.created", Actor::Anonymous).target(&checked.id);
        let entry = self.audit.entry(origin, event);
        match operator::insert_first(&self.store, (&checked.row(), &token_hash), &entry).await? {
            true => Ok(checked.id),
            false => Err(OperatorError::Dead),
        }
    }

    /// Creates an operator. Only for a command on the host, never over HTTP.
    pub async fn create(&self, new: NewOperator<'_>) -> Result<String, OperatorError> {
        let checked = self.check(new).await?;
        let event = Event::new("operator.created", Actor::Host).target(&checked.id);
        let entry = self.audit.entry(&Origin::host(), event);
        match operator::insert(&self.store, &checked.row(), &entry).await? {
            true => Ok(checked.id),
            false => Err(OperatorError::Exists),
        }
    }

    /// Lets an operator in again with a new password: without sessions and without a second factor, which is set up anew.
    /// Only for a command on the host, never over HTTP.
    pub async fn reset(&self, email: &str, password: &str) -> Result<(), OperatorError> {
        let email_key = EmailAddress::parse(email)?.key();
        let found = operator::find_by_email(&self.store, &email_key).await?.ok_or(OperatorError::Unknown)?;
        let password = Password::choose(password, &[&found.email, &found.name])?;
        let hash = self.hasher.hash(password).await?;
        let event = Event::new("operator.reset", Actor::Host).target(&found.id);
        operator::reset(&self.store, (&found.id, &hash), &self.audit.entry(&Origin::host(), event)).await?;
        Ok(())
    }

    /// What operators, and the orgs they credit, are called.
    pub async fn names(&self) -> sqlx::Result<Names> {
        bytespike_store::names::for_operators(&self.store).await
    }

    async fn check(&self, new: NewOperator<'_>) -> Result<Checked, OperatorError> {
        let email = EmailAddress::parse(new.email)?;
        let name = names::clean(new.name)?;
        let password = Password::choose(new.password, &[email.as_str(), &name])?;
        Ok(Checked {
            id: self.world.id("opr"),
            email_key: email.key(),
            password_hash: self.hasher.hash(password).await?,
            now_ms: self.world.now_ms(),
            email,
            name,
        })
    }
}

/// A [`NewOperator`] that may be stored.
struct Checked {
    id: String,
    email: EmailAddress,
    email_key: String,
    name: String,
    password_hash: String,
    now_ms: i64,
}

impl Checked {
    fn row(&self) -> operator::NewOperator<'_> {
        operator::NewOperator {
            id: &self.id,
            email: self.email.as_str(),
            email_key: &self.email_key,
            name: &self.name,
            password_hash: &self.password_hash,
            now_ms: self.now_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{on_each, origin};

    const NEW: NewOperator<'_> =
        NewOperator { email: "root@example.com", name: "Root", password: "keys hang by the door" };

    #[tokio::test]
    async fn s141_the_first_run_page_makes_one_operator_and_is_then_gone_for_good() {
        on_each(async |bench| {
            let operators = &bench.accounts.operators;
            let older = operators.first_run_token().await.expect("read").expect("a token");
            let token = operators.first_run_token().await.expect("read").expect("a token");
            assert!(!operators.first_run_open(older.expose()).await.expect("read"));
            assert!(operators.first_run_open(token.expose()).await.expect("read"));
            let from = origin();
            let tries = (0..4).map(|_| operators.create_first(&from, token.expose(), NEW));
            let made = futures_util::future::join_all(tries).await.into_iter().filter(Result::is_ok).count();
            assert_eq!(made, 1);
            assert!(!operators.first_run_open(token.expose()).await.expect("read"));
            assert!(operators.first_run_token().await.expect("read").is_none());
        })
        .await;
    }

    #[tokio::test]
    async fn s141_the_first_run_token_expires() {
        on_each(async |bench| {
            let operators = &bench.accounts.operators;
            let token = operators.first_run_token().await.expect("read").expect("a token");
            bench.clock.advance(30 * 60_000);
            let late = operators.create_first(&origin(), token.expose(), NEW).await;
            assert!(matches!(late, Err(OperatorError::Dead)));
        })
        .await;
    }

    #[tokio::test]
    async fn s142_the_host_creates_and_resets_operators() {
        on_each(async |bench| {
            let operators = &bench.accounts.operators;
            assert!(matches!(operators.reset(NEW.email, NEW.password).await, Err(OperatorError::Unknown)));
            operators.create(NEW).await.expect("created");
            assert!(matches!(operators.create(NEW).await, Err(OperatorError::Exists)));
            operators.reset(NEW.email, "a different set of keys").await.expect("reset");
            let weak = operators.reset(NEW.email, "short").await;
            assert!(matches!(weak, Err(OperatorError::Password(PasswordProblem::TooShort))));
        })
        .await;
    }
}
