//! People whom an operator lets in, or does not, where sign-up asks for that. They have proven their address and nothing
//! else: no session, no key, no credit.
use super::People;
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::email::EmailAddress;
use crate::mail::{Mail, MailKind};
use crate::orgs::{Language, TrialGrant};
use bytespike_store::person;
pub use bytespike_store::sign_up_request::Waiting;
use bytespike_store::sign_up_request::{self, Decision};
use serde_json::json;

impl People {
    /// Those who wait with a proven address, the first first.
    pub async fn waiting(&self, limit: u32) -> sqlx::Result<Vec<Waiting>> {
        sign_up_request::waiting(&self.store, limit).await
    }

    /// How many wait with a proven address, and how many have not proven theirs yet.
    pub async fn waiting_counts(&self) -> sqlx::Result<(i64, i64)> {
        sign_up_request::counts(&self.store).await
    }

    pub(crate) async fn waits_for_approval(&self, person_id: &str) -> sqlx::Result<bool> {
        sign_up_request::waits(&self.store, person_id).await
    }

    /// Lets somebody in, and answers the letter that says so and the credit that their org is owed. `None` when nobody waits
    /// by that id.
    pub async fn approve(
        &self,
        by: (&Origin, &str),
        person_id: &str,
    ) -> sqlx::Result<Option<(Option<Mail>, TrialGrant)>> {
        if !self.decide(by, (person_id, true), "").await? {
            return Ok(None);
        }
        let Some(member) = self.membership(person_id, None).await? else { return Ok(None) };
        let letter = letter_to(member.email(), member.language(), MailKind::SignUpApproved);
        Ok(Some((letter, TrialGrant::of(member.org_id()))))
    }

    /// Does not let somebody in: their account ends within minutes, and nothing of them is kept. Answers the letter that says
    /// so, with the reason if one is given. `None` when nobody waits by that id.
    pub async fn refuse_sign_up(
        &self,
        by: (&Origin, &str),
        (person_id, reason): (&str, &str),
    ) -> sqlx::Result<Option<Option<Mail>>> {
        let Some(person) = person::find(&self.store, person_id).await? else { return Ok(None) };
        if !self.decide(by, (person_id, false), reason).await? {
            return Ok(None);
        }
        let kind = MailKind::SignUpRefused { reason: reason.to_owned() };
        Ok(Some(letter_to(&person.email, Language::from_tag(&person.language), kind)))
    }

    async fn decide(
        &self,
        (origin, operator_id): (&Origin, &str),
        (person_id, is_approved): (&str, bool),
        reason: &str,
    ) -> sqlx::Result<bool> {
        let name = if is_approved { "sign_up.approved" } else { "sign_up.refused" };
        let event = Event::new(name, Actor::Operator(operator_id)).target(person_id);
        let event = if reason.is_empty() { event } else { event.detail(json!({ "reason": reason })) };
        let entry = self.audit.entry(origin, event);
        let decision = Decision { person_id, is_approved, by: operator_id, now_ms: self.world.now_ms() };
        sign_up_request::decide(&self.store, decision, &entry).await
    }
}

/// Not counted against the mails to one address: an operator decides once.
fn letter_to(email: &str, language: Language, kind: MailKind) -> Option<Mail> {
    let to = EmailAddress::parse(email).ok()?;
    Some(Mail { to, language, kind })
}
