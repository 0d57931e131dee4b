//! Changing one's address: both addresses are told, and the new one is proven before anything changes.
use super::{Membership, People};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::base62;
use crate::email::{EmailAddress, EmailError, masked};
use crate::mail::{Mail, MailKind, Notice, VERIFY_MINUTES};
use crate::orgs::Language;
use crate::secrets::SecretText;
use crate::throttle::Rule;
use crate::tokens::TokenKind;
use bytespike_store::email_change::{self, NewWish};
use bytespike_store::person::{self, Person};
use serde_json::json;

const TOKEN_CHARS: usize = 32;

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
        let kind = match person::find_by_email(&self.store, &new.key()).await? {
            Some(_) => MailKind::AlreadyRegistered,
            None => MailKind::ConfirmEmail { token: self.wish(member, &new).await? },
        };
        let event = Event::new("person.email_change_asked", Actor::Person(member.person_id()));
        self.record(origin, event.org(member.org_id()).target(member.person_id())).await;
        let told = Mail::notice(member, Notice::EmailChangeAsked { new: new.as_str().to_owned() });
        let link = Mail { to: new, language: member.language(), kind };
        Ok(told.into_iter().chain([link]).collect())
    }

    /// The address a link would change to, if it would still work. Opening the page uses nothing up.
    pub async fn email_to_confirm(&self, token: &str) -> sqlx::Result<Option<String>> {
        let hash = self.tokens.hash(TokenKind::ChangeEmail, token);
        email_change::peek(&self.store, &hash, self.world.now_ms()).await
    }

    /// Changes the address, ends every session of the person, and answers the letters that tell both addresses.
    pub async fn confirm_email(&self, origin: &Origin, token: &str) -> Result<Vec<Mail>, EmailChangeError> {
        let hash = self.tokens.hash(TokenKind::ChangeEmail, token);
        let wanted = self.email_to_confirm(token).await?.ok_or(EmailChangeError::Dead)?;
        let before = self.owner_of_wish(&hash).await?.ok_or(EmailChangeError::Dead)?;
        let changed = email_change::apply(&self.store, &hash, self.world.now_ms()).await?;
        let person_id = changed.ok_or(EmailChangeError::Dead)?;
        let detail = json!({ "before": masked(&before.email), "after": masked(&wanted) });
        let event = Event::new("person.email_changed", Actor::Person(&person_id)).target(&person_id);
        self.record(origin, event.detail(detail)).await;
        let language = Language::from_tag(&before.language);
        let notice = |to: &str| {
            let kind = MailKind::Notice(Notice::EmailChanged { new: wanted.clone() });
            Some(Mail { to: EmailAddress::parse(to).ok()?, language, kind })
        };
        Ok([notice(&before.email), notice(&wanted)].into_iter().flatten().collect())
    }

    async fn wish(&self, member: &Membership, new: &EmailAddress) -> sqlx::Result<SecretText> {
        let token = base62::random(&self.world, TOKEN_CHARS);
        let wish = NewWish {
            person_id: member.person_id(),
            email: new.as_str(),
            email_key: &new.key(),
            token_hash: &self.tokens.hash(TokenKind::ChangeEmail, &token),
            expires_at_ms: self.world.now_ms() + VERIFY_MINUTES * 60_000,
        };
        email_change::replace(&self.store, wish).await?;
        Ok(token.into())
    }

    async fn owner_of_wish(&self, hash: &str) -> sqlx::Result<Option<Person>> {
        match email_change::owner(&self.store, hash).await? {
            Some(person_id) => person::find(&self.store, &person_id).await,
            None => Ok(None),
        }
    }
}
