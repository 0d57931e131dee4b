//! Forgotten and changed passwords. Both end sessions, and the person is told by mail.
use super::{Membership, People};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::email::{EmailAddress, EmailError};
use crate::mail::{Mail, MailKind};
use crate::passwords::{Busy, Password, PasswordProblem, Verdict};
use crate::sessions::CurrentSession;
use crate::throttle::Rule;
use crate::tokens::TokenKind;
use bytespike_store::person::{self, UsedLink};

/// What the form to change a password holds, and the session it was sent in, which goes on.
#[derive(Clone, Copy)]
pub struct PasswordChange<'a> {
    pub session: &'a CurrentSession,
    pub current: &'a str,
    pub new: &'a str,
}

/// A password that was set by a link.
#[derive(Clone, Debug)]
pub struct Reset {
    pub person_id: String,
    /// Tells the person.
    pub letter: Option<Mail>,
}

#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    #[error(transparent)]
    Email(#[from] EmailError),
    #[error("this link was used, has expired, or was replaced by a newer one; ask for another")]
    Dead,
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    #[error("too many attempts from your network; try again later")]
    TooMany,
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("passwords cannot be reset right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    #[error("the current password is wrong, or there were too many attempts")]
    WrongCurrent,
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("passwords cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl People {
    /// The mail to send, if the address has an account. The page's answer must not depend on it.
    pub async fn request_reset(&self, origin: &Origin, email: &str) -> Result<Option<Mail>, ResetError> {
        let email = EmailAddress::parse(email)?;
        if !self.throttle.allows(&self.throttle.requests_from(origin.ip), Rule::REQUESTS).await? {
            return Err(ResetError::TooMany);
        }
        let found = person::find_by_email(&self.store, &email.key()).await?;
        let Some(person) = found.filter(|person| person.state == "active") else { return Ok(None) };
        let token = self.tokens.issue(TokenKind::ResetPassword, &person.id).await?;
        self.record(origin, Event::new("person.reset_requested", Actor::Anonymous).target(&person.id)).await;
        Ok(self.mail(&person, MailKind::ResetPassword { token }).await?)
    }

    /// The id of whose password a link would set, if it would still work. Opening the page uses nothing up.
    pub async fn reset_is_for(&self, token: &str) -> sqlx::Result<Option<String>> {
        self.tokens.peek(TokenKind::ResetPassword, token).await
    }

    /// Sets the new password and ends every session. Does not sign in. The link was read in the person's mailbox, so it
    /// proves the address too.
    pub async fn reset_password(&self, origin: &Origin, token: &str, new: &str) -> Result<Reset, ResetError> {
        let person_id = self.tokens.peek(TokenKind::ResetPassword, token).await?.ok_or(ResetError::Dead)?;
        let person = person::find(&self.store, &person_id).await?.ok_or(ResetError::Dead)?;
        // A refused password leaves the link alive, so that another can be tried.
        let password_hash = self.hasher.hash(Password::choose(new, &[&person.email, &person.name])?).await?;
        let hash = self.tokens.hash(TokenKind::ResetPassword, token);
        let link = self.used_link(TokenKind::ResetPassword, (&person.id, &hash));
        let event = Event::new("person.password_reset", Actor::Person(&person.id)).target(&person.id);
        let entry = self.audit.entry(origin, event);
        if !person::reset_password(&self.store, link, &password_hash, &entry).await? {
            return Err(ResetError::Dead);
        }
        let letter = self.mail(&person, MailKind::PasswordChanged).await?;
        Ok(Reset { person_id: person.id, letter })
    }

    /// A link as it is used now.
    pub(super) fn used_link<'a>(
        &self,
        kind: TokenKind,
        (person_id, token_hash): (&'a str, &'a str),
    ) -> UsedLink<'a> {
        UsedLink { person_id, kind: kind.as_str(), token_hash, now_ms: self.world.now_ms() }
    }

    /// Changes the password of someone signed in, ends their other sessions, and answers the notice to send.
    /// Give this session a new id afterwards with [`Sessions::renew`](crate::sessions::Sessions::renew).
    pub async fn change_password(
        &self,
        origin: &Origin,
        member: &Membership,
        change: PasswordChange<'_>,
    ) -> Result<Option<Mail>, ChangePasswordError> {
        let person = member.person();
        self.check_current(person, change.current).await?;
        let chosen = Password::choose(change.new, &[&person.email, &person.name, member.org_name()])?;
        let password_hash = self.hasher.hash(chosen).await?;
        let event = Event::new("person.password_changed", Actor::Person(&person.id)).target(&person.id);
        let (new, keep) = ((person.id.as_str(), password_hash.as_str()), change.session.id_hash());
        person::set_password(&self.store, new, keep, &self.audit.entry(origin, event)).await?;
        Ok(self.mail(person, MailKind::PasswordChanged).await?)
    }

    /// Counted like a sign-in: a stolen session is no way to guess the password.
    pub(super) async fn check_current(
        &self,
        person: &person::Person,
        current: &str,
    ) -> Result<(), ChangePasswordError> {
        let account = self.throttle.account(&person.email.to_ascii_lowercase());
        if !self.throttle.allows(&account, Rule::ACCOUNT).await? {
            return Err(ChangePasswordError::WrongCurrent);
        }
        let presented = Password::presented(current).ok_or(ChangePasswordError::WrongCurrent)?;
        match self.hasher.verify(presented, person.password_hash.as_deref()).await? {
            Verdict::Wrong => Err(ChangePasswordError::WrongCurrent),
            Verdict::Right { .. } => Ok(self.throttle.clear(&account).await?),
        }
    }
}
