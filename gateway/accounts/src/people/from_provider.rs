//! People whom another provider has proven: their first step, and the account they get when they have none.
use super::{FirstStep, People};
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::email::EmailAddress;
use crate::factors::Subject;
use crate::names;
use crate::orgs::Language;
use crate::switches::Admission;
use bytespike_store::identity::{self, Identity};
use bytespike_store::person;
use serde_json::json;

/// Somebody new, whose address their provider has verified.
#[derive(Clone, Copy)]
pub(crate) struct NewFromProvider<'a> {
    pub email: &'a EmailAddress,
    pub name: Option<&'a str>,
    pub language: Language,
    pub admission: Admission,
}

impl People {
    /// The id of their new account, which has no password and is signed in to with `identity`; or of the unproven one that
    /// somebody began with the address, whose password and sessions are dropped. `None` when the address is proven here
    /// already.
    pub(crate) async fn account_for(
        &self,
        origin: &Origin,
        new: NewFromProvider<'_>,
        identity: Identity,
    ) -> sqlx::Result<Option<String>> {
        let name = new.name.and_then(|name| names::clean(name).ok());
        let name = name.unwrap_or_else(|| new.email.local_part().to_owned());
        let mut person = self.new_person(new.email, &name, new.language, None);
        person.email_verified_at_ms = Some(person.created_at_ms);
        let signed_up = |person_id: &str| {
            let event = Event::new("person.signed_up", Actor::Person(person_id)).target(person_id);
            self.audit.entry(origin, event.detail(json!({ "with": identity.provider })))
        };
        let own = Identity { person_id: person.id.clone(), ..identity.clone() };
        let entry = signed_up(&person.id);
        if self.insert((&person, &name), new.admission, Some(&own), &entry).await? {
            return Ok(Some(person.id));
        }
        let Some(existing) = person::find_by_email(&self.store, &new.email.key()).await? else {
            return Ok(None);
        };
        let own = Identity { person_id: existing.id.clone(), ..identity.clone() };
        let claimed = identity::claim_unproven(&self.store, &own, &signed_up(&existing.id)).await?;
        Ok(claimed.then_some(existing.id))
    }

    /// How far the provider's word leads. `None` when the account is not active.
    pub(crate) async fn first_step(
        &self,
        origin: &Origin,
        person_id: &str,
        provider: &str,
    ) -> sqlx::Result<Option<FirstStep>> {
        let Some(member) = self.membership(person_id, None).await? else { return Ok(None) };
        if self.factors.is_on(Subject::Person(person_id)).await? {
            return Ok(Some(FirstStep::SecondFactor { person_id: person_id.to_owned() }));
        }
        self.signed_in(origin, &member, provider).await;
        Ok(Some(FirstStep::Done(member)))
    }
}
