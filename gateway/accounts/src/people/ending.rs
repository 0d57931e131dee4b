//! Ending one's account: asked for, with a week to think better of it, and then done for good.
use super::{Membership, People};
use crate::Origin;
use crate::audit::{Actor, Entry, Event};
use crate::mail::{Mail, Notice};
use bytespike_store::account_end;

/// So long the wish can be taken back.
pub const GRACE_MS: i64 = 7 * 24 * 3_600_000;
const AT_ONCE: i64 = 20;

#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// Others belong to these orgs, and nobody else owns them.
    #[error("hand over first: {}", .0.join(", "))]
    HandOver(Vec<String>),
    #[error("accounts cannot be ended right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl People {
    /// When the account ends, if that was asked for.
    pub async fn ends_at(&self, member: &Membership) -> sqlx::Result<Option<i64>> {
        account_end::due_at(&self.store, member.person_id()).await
    }

    /// Names of the orgs that have to be handed over before the account can end.
    pub async fn orgs_to_hand_over(&self, member: &Membership) -> sqlx::Result<Vec<String>> {
        account_end::orgs_left_alone(&self.store, member.person_id()).await
    }

    /// Asks for the end of the account, and answers the letter that says when it is.
    pub async fn ask_for_end(&self, origin: &Origin, member: &Membership) -> Result<Option<Mail>, EndError> {
        let alone = self.orgs_to_hand_over(member).await?;
        if !alone.is_empty() {
            return Err(EndError::HandOver(alone));
        }
        let now_ms = self.world.now_ms();
        let entry = self.own_entry(origin, member, "person.end_asked");
        account_end::ask(&self.store, member.person_id(), (now_ms, now_ms + GRACE_MS), &entry).await?;
        let notice = Notice::EndAsked { at_ms: now_ms + GRACE_MS, time_zone: member.time_zone().to_owned() };
        Ok(Mail::notice(member, notice))
    }

    /// Takes the wish back, and answers the letter that says so.
    pub async fn take_end_back(&self, origin: &Origin, member: &Membership) -> sqlx::Result<Option<Mail>> {
        let entry = self.own_entry(origin, member, "person.end_taken_back");
        if !account_end::take_back(&self.store, member.person_id(), &entry).await? {
            return Ok(None);
        }
        Ok(Mail::notice(member, Notice::EndTakenBack))
    }

    /// Ends the accounts that are due. One whose org has got other members and no other owner meanwhile waits, because
    /// they would be locked out of their own work.
    pub(crate) async fn end_due(&self) -> sqlx::Result<()> {
        let now_ms = self.world.now_ms();
        for person_id in account_end::due(&self.store, now_ms, AT_ONCE).await? {
            if !account_end::orgs_left_alone(&self.store, &person_id).await?.is_empty() {
                tracing::warn!(
                    person_id,
                    "an account that is to end is the last owner of an org with members"
                );
                continue;
            }
            let alias = format!("{person_id}@ended.invalid");
            let event = Event::new("person.ended", Actor::Host).target(&person_id);
            let entry = self.audit.entry(&Origin::host(), event);
            account_end::erase(&self.store, (&person_id, &alias), now_ms, &entry).await?;
        }
        Ok(())
    }

    fn own_entry(&self, origin: &Origin, member: &Membership, name: &'static str) -> Entry {
        let event = Event::new(name, Actor::Person(member.person_id())).target(member.person_id());
        self.audit.entry(origin, event)
    }
}
