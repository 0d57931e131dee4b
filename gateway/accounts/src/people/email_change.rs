//! Changing one's address: both addresses are told, and the new one is proven before anything changes.
use super::{Membership, People};
use crate::Origin;
use crate::audit::{Actor, Entry, Event};
use crate::base62;
use crate::email::{EmailAddress, EmailError, masked};
use crate::mail::{Mail, MailKind, Notice, VERIFY_MINUTES};
use crate::orgs::Language;
use crate::secrets::SecretText;
use crate::throttle::Rule;
use crate::tokens::TokenKind;
pub use bytespike_store::email_change::Wish;
use bytespike_store::email_change::{self, NewWish};
use bytespike_store::person;
use serde_json::json;

const TOKEN_CHARS: usize = 32;

/// An address that was changed.
#[derive(Clone, Debug)]
pub struct EmailChanged {
    pub person_id: String,
    /// Tell both addresses.
    pub letters: Vec<Mail>,
}

#[derive(Debug, thiserror::Error)]
pub enum EmailChangeError {
    #[error(transparent)]
    Email(#[from] EmailError),
    #[error("this is the address of the account already")]
    Same,
    #[error(
        "this link was used, has expired, or was replaced by a newer one; ask for another in the settings"
    )]
    Dead,
    #[error("too many letters were asked for; try again later")]
    TooMany,
    #[error("addresses cannot be changed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl People {
    /// Notes the wish, and answers the letters to send: to the new address with a link, and to the old one. An address that
    /// has an account gets a notice instead of a link, and the page's answer must not depend on it.
    pub async fn request_email_change(
        &self,
        origin: &Origin,
        member: &Membership,
        new: &str,
    ) -> Result<Vec<Mail>, EmailChangeError> {
        let new = EmailAddress::parse(new)?;
        if new.key() == member.email().to_ascii_lowercase() {
            return Err(EmailChangeError::Same);
        }
        for address in [new.key(), member.email().to_ascii_lowercase()] {
            if !self.throttle.allows(&self.throttle.mail_to(&address), Rule::MAIL).await? {
                return Err(EmailChangeError::TooMany);
            }
        }
        let event = Event::new("person.email_change_asked", Actor::Person(member.person_id()));
        let event = event.org(member.org_id()).target(member.person_id());
        let kind = if person::find_by_email(&self.store, &new.key()).await?.is_some() {
            self.record(origin, event).await;
            MailKind::AlreadyRegistered
        } else {
            let token = self.wish(member, &new, &self.audit.entry(origin, event)).await?;
            MailKind::ConfirmEmail { token }
        };
        let told = Mail::notice(member, Notice::EmailChangeAsked { new: new.as_str().to_owned() });
        let link = Mail { to: new, language: member.language(), kind };
        Ok(told.into_iter().chain([link]).collect())
    }

    /// What a link would change, if it would still work. Opening the page uses nothing up.
    pub async fn email_to_confirm(&self, token: &str) -> sqlx::Result<Option<Wish>> {
        let hash = self.tokens.hash(TokenKind::ChangeEmail, token);
        email_change::peek(&self.store, &hash, self.world.now_ms()).await
    }

    /// Changes the address, and ends every session of the person.
    pub async fn confirm_email(
        &self,
        origin: &Origin,
        token: &str,
    ) -> Result<EmailChanged, EmailChangeError> {
        let hash = self.tokens.hash(TokenKind::ChangeEmail, token);
        let wish = self.email_to_confirm(token).await?.ok_or(EmailChangeError::Dead)?;
        let before = person::find(&self.store, &wish.person_id).await?.ok_or(EmailChangeError::Dead)?;
        let wanted = wish.email;
        let detail = json!({ "before": masked(&before.email), "after": masked(&wanted) });
        let event = Event::new("person.email_changed", Actor::Person(&before.id)).target(&before.id);
        let entry = self.audit.entry(origin, event.detail(detail));
        let changed = email_change::apply(&self.store, &hash, self.world.now_ms(), &entry).await?;
        let person_id = changed.ok_or(EmailChangeError::Dead)?;
        let language = Language::from_tag(&before.language);
        let notice = |to: &str| {
            let kind = MailKind::Notice(Notice::EmailChanged { new: wanted.clone() });
            Some(Mail { to: EmailAddress::parse(to).ok()?, language, kind })
        };
        let letters = [notice(&before.email), notice(&wanted)].into_iter().flatten().collect();
        Ok(EmailChanged { person_id, letters })
    }

    async fn wish(&self, member: &Membership, new: &EmailAddress, entry: &Entry) -> sqlx::Result<SecretText> {
        let token = base62::random(&self.world, TOKEN_CHARS);
        let wish = NewWish {
            person_id: member.person_id(),
            email: new.as_str(),
            email_key: &new.key(),
            token_hash: &self.tokens.hash(TokenKind::ChangeEmail, &token),
            expires_at_ms: self.world.now_ms() + VERIFY_MINUTES * 60_000,
        };
        email_change::replace(&self.store, wish, entry).await?;
        Ok(token.into())
    }
}
