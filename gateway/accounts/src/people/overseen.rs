//! What operators see of people and do about them: never a password, never a prompt, and nothing in their name.
use super::People;
use crate::Origin;
use crate::audit::{Actor, Event};
use crate::mail::{Mail, MailKind};
use crate::tokens::TokenKind;
use bytespike_store::person;
use bytespike_store::person_list::{self, PersonLine, Place};
use bytespike_store::session;

/// A session as an operator sees it.
#[derive(Clone, Debug)]
pub struct SeenSession {
    pub user_agent: String,
    pub ip: String,
    pub signed_in_at_ms: i64,
    pub last_seen_at_ms: i64,
}

/// A person with where they belong and where they are signed in.
#[derive(Clone, Debug)]
pub struct Overseen {
    pub line: PersonLine,
    pub places: Vec<Place>,
    pub sessions: Vec<SeenSession>,
    /// When the account ends, if its person asked for that.
    pub ends_at_ms: Option<i64>,
}

impl Overseen {
    /// An account that has ended is a number that names nobody, and stays one.
    pub fn has_ended(&self) -> bool {
        self.line.email.ends_with("@ended.invalid")
    }
}

impl People {
    /// People whose name or address contains `text`, or whose id it is; newest first.
    pub async fn search(
        &self,
        text: &str,
        before: Option<&(i64, String)>,
        limit: i64,
    ) -> sqlx::Result<Vec<PersonLine>> {
        person_list::search(&self.store, text, before, limit).await
    }

    pub async fn overseen(&self, person_id: &str) -> sqlx::Result<Option<Overseen>> {
        let found = person_list::search(&self.store, person_id, None, 50).await?;
        let Some(line) = found.into_iter().find(|line| line.id == person_id) else { return Ok(None) };
        let sessions = session::of_person(&self.store, person_id, self.world.now_ms()).await?;
        let sessions = sessions.into_iter().map(|row| SeenSession {
            user_agent: row.user_agent,
            ip: row.ip,
            signed_in_at_ms: row.created_at_ms,
            last_seen_at_ms: row.last_seen_at_ms,
        });
        Ok(Some(Overseen {
            places: person_list::places(&self.store, person_id).await?,
            sessions: sessions.collect(),
            ends_at_ms: bytespike_store::account_end::due_at(&self.store, person_id).await?,
            line,
        }))
    }

    /// The people of an org: id, address and role.
    pub async fn of_org(&self, org_id: &str) -> sqlx::Result<Vec<(String, String, String)>> {
        person_list::of_org(&self.store, org_id).await
    }

    /// Lets somebody in again who was stopped with [`People::disable`]. False when there is nothing to undo.
    pub async fn let_in(&self, origin: &Origin, actor: Actor<'_>, person_id: &str) -> sqlx::Result<bool> {
        let entry = self.audit.entry(origin, Event::new("person.let_in", actor).target(person_id));
        let changed = person_list::let_in(&self.store, person_id, &entry).await?;
        self.rights.refresh().await?;
        Ok(changed)
    }

    /// Ends every session of the person.
    pub async fn end_sessions_of(
        &self,
        origin: &Origin,
        actor: Actor<'_>,
        person_id: &str,
    ) -> sqlx::Result<()> {
        let entry = self.audit.entry(origin, Event::new("person.sessions_ended", actor).target(person_id));
        person_list::end_sessions(&self.store, person_id, &entry).await
    }

    /// A letter with a link to choose a new password: the only way in which an operator helps with one. `None` when the
    /// person is not active, or got as many letters as an address gets.
    pub async fn help_with_password(
        &self,
        origin: &Origin,
        actor: Actor<'_>,
        person_id: &str,
    ) -> sqlx::Result<Option<Mail>> {
        let found = person::find(&self.store, person_id).await?;
        let Some(person) = found.filter(|person| person.state == "active") else { return Ok(None) };
        let token = self.tokens.issue(TokenKind::ResetPassword, &person.id).await?;
        self.record(origin, Event::new("person.reset_sent", actor).target(person_id)).await;
        self.mail(&person, MailKind::ResetPassword { token }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{PASSWORD, on_each, origin};

    #[tokio::test]
    async fn a_suspended_person_is_let_in_again_and_everything_is_in_the_log() {
        on_each(async |bench| {
            let people = &bench.accounts.people;
            let owner = bench.owner("ada@example.com").await;
            let by = Actor::Operator("opr_1");
            people.disable(&origin(), by, owner.person_id()).await.expect("stopped");
            assert!(people.sign_in(&origin(), "ada@example.com", PASSWORD).await.is_err());
            assert!(
                people.help_with_password(&origin(), by, owner.person_id()).await.expect("asked").is_none()
            );
            assert!(people.let_in(&origin(), by, owner.person_id()).await.expect("changed"));
            assert!(!people.let_in(&origin(), by, owner.person_id()).await.expect("asked"), "once");
            assert!(people.sign_in(&origin(), "ada@example.com", PASSWORD).await.is_ok());
            assert!(
                people.help_with_password(&origin(), by, owner.person_id()).await.expect("asked").is_some()
            );
            assert_eq!(bench.accounts.audit.verify().await.expect("read").map(|count| count >= 4), Ok(true));
        })
        .await;
    }

    #[tokio::test]
    async fn people_are_found_by_parts_of_their_names_and_a_page_at_a_time() {
        on_each(async |bench| {
            let people = &bench.accounts.people;
            for email in ["ada@example.com", "bob_b@example.com", "carol@example.org"] {
                bench.owner(email).await;
                bench.clock.advance(1);
            }
            let found = async |text: &str| {
                let lines = people.search(text, None, 10).await.expect("read");
                lines.into_iter().map(|line| line.email).collect::<Vec<_>>()
            };
            assert_eq!(found("").await, ["carol@example.org", "bob_b@example.com", "ada@example.com"]);
            assert_eq!(found(" EXAMPLE.com").await, ["bob_b@example.com", "ada@example.com"]);
            assert_eq!(found("_").await, ["bob_b@example.com"], "a wildcard stands for itself");
            let first = people.search("", None, 1).await.expect("read").remove(0);
            let before = (first.created_at_ms, first.id.clone());
            let next = people.search("", Some(&before), 1).await.expect("read").remove(0);
            assert_eq!(next.email, "bob_b@example.com");
            let ada = people.search("ada", None, 1).await.expect("read").remove(0);
            let seen = people.overseen(&ada.id).await.expect("read").expect("a person");
            assert_eq!((seen.places.len(), seen.line.has_password, seen.line.has_factor), (1, true, false));
            assert!(people.overseen("usr_nobody").await.expect("read").is_none());
        })
        .await;
    }
}
