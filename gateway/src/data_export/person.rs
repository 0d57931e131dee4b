//! The part of a copy that is about the person: their account, and what the log says of them.

use bytespike_accounts::factors::Subject;
use bytespike_accounts::people::Membership;
use bytespike_store::audit_event::{self, AuditRow};
use bytespike_store::{identity, person, session, sqlx};
use serde_json::{Value, json};

use super::archive::{Archive, ArchiveError};
use super::sheet::{Sheet, json as text, moment};
use super::{DataExporter, PrepareError};
use crate::export::{Cell, lines};
use crate::http::time;

/// Rows read at once.
const PAGE: i64 = 500;

const EVENTS: [&str; 7] = ["at_utc", "event", "by", "org", "ip", "user_agent", "detail"];

impl DataExporter {
    pub(super) async fn add_person(
        &self,
        archive: &mut Archive<'_>,
        member: &Membership,
    ) -> Result<(), PrepareError> {
        let person_id = member.person_id();
        let account = self.account(member).await?;
        archive.add("account.json", &text(&account)).await?;
        self.identities(person_id).await?.add_to(archive, "identities").await?;
        self.passkeys(person_id).await?.add_to(archive, "passkeys").await?;
        self.sessions(person_id).await?.add_to(archive, "sessions").await?;
        self.programs(person_id).await?.add_to(archive, "programs").await?;
        Ok(())
    }

    async fn account(&self, member: &Membership) -> Result<Value, PrepareError> {
        let people = &self.accounts.people;
        let person = person::find(&self.store, member.person_id()).await?.ok_or(PrepareError::Inactive)?;
        let factor = self.accounts.factors.state(Subject::Person(&person.id)).await?;
        let factor = factor.map(|factor| json!({ "since": moment(Some(factor.since_ms)), "recovery_codes_left": factor.codes_left }));
        Ok(json!({
            "id": person.id,
            "email": person.email,
            "name": person.name,
            "language": person.language,
            "time_zone": person.time_zone,
            "number_format": person.number_format,
            "created_at": moment(Some(person.created_at_ms)),
            "email_verified_at": moment(person.email_verified_at_ms),
            "has_password": member.has_password(),
            "authenticator_app": factor,
            "ends_at": moment(people.ends_at(member).await?),
        }))
    }

    async fn identities(&self, person_id: &str) -> sqlx::Result<Sheet> {
        let mut sheet = Sheet::new(&["provider", "subject", "email", "linked_at", "last_used_at"]);
        for row in identity::of_person(&self.store, person_id).await? {
            let (linked, used) = (moment(Some(row.linked_at_ms)), moment(row.last_used_at_ms));
            sheet.push([json!(row.provider), json!(row.subject), json!(row.email), linked, used]);
        }
        Ok(sheet)
    }

    async fn passkeys(&self, person_id: &str) -> sqlx::Result<Sheet> {
        let mut sheet = Sheet::new(&["name", "added_at", "last_used_at"]);
        for key in self.accounts.passkeys.list(person_id).await? {
            sheet.push([json!(key.name), moment(Some(key.created_at_ms)), moment(key.last_used_at_ms)]);
        }
        Ok(sheet)
    }

    async fn sessions(&self, person_id: &str) -> sqlx::Result<Sheet> {
        let mut sheet = Sheet::new(&["user_agent", "ip", "signed_in_at", "last_seen_at", "ends_at"]);
        for row in session::of_person(&self.store, person_id, self.world.now_ms()).await? {
            let [began, seen, ends] =
                [row.created_at_ms, row.last_seen_at_ms, row.ends_at_ms].map(|at_ms| moment(Some(at_ms)));
            sheet.push([json!(row.user_agent), json!(row.ip), began, seen, ends]);
        }
        Ok(sheet)
    }

    async fn programs(&self, person_id: &str) -> sqlx::Result<Sheet> {
        let columns =
            &["id", "program", "place", "organisation", "scopes", "keys", "allowed_at", "last_used_at"];
        let mut sheet = Sheet::new(columns);
        for app in self.accounts.oauth.apps(person_id).await? {
            sheet.push([
                json!(app.grant_id),
                json!(app.client_name),
                json!(app.place),
                json!(app.org_id),
                json!(app.scopes),
                json!(app.key_ids),
                moment(Some(app.allowed_at_ms)),
                moment(app.last_used_at_ms),
            ]);
        }
        Ok(sheet)
    }

    /// What the person did and what was done about them, a page in memory at a time.
    pub(super) async fn add_events(
        &self,
        archive: &mut Archive<'_>,
        person_id: &str,
    ) -> Result<(), ArchiveError> {
        archive.begin("security_events.csv")?;
        archive.write("\u{feff}".as_bytes()).await?;
        let (mut after, mut header) = (0, Some(EVENTS.as_slice()));
        loop {
            let page = audit_event::of_person(&self.store, person_id, (after, PAGE)).await?;
            let rows = page.iter().map(|row| event(row, person_id));
            archive.write(&lines(header.take(), rows)).await?;
            match page.last() {
                Some(last) => after = last.seq,
                None => return Ok(()),
            }
        }
    }
}

/// Of what others did, only that they did: where they were and what they use is not this person's data.
fn event(row: &AuditRow, person_id: &str) -> Vec<Cell> {
    let is_own = row.actor == format!("person:{person_id}");
    let by = match row.actor.split(':').next() {
        Some("person") if is_own => "you",
        Some("person") => "another person",
        Some("operator" | "operator-token") => "an operator",
        Some("key") => "a key",
        Some("anonymous") => "nobody signed in",
        _ => "this installation",
    };
    // A try to sign in as this person is their business, wherever it came from.
    let shows_origin = is_own || row.actor == "anonymous";
    let shown = |text: &str| if shows_origin { Cell::text(text) } else { Cell::Empty };
    vec![
        Cell::number(time::rfc3339_ms(row.at_ms)),
        Cell::text(&row.event),
        Cell::text(by),
        row.org_id.as_deref().map_or(Cell::Empty, Cell::text),
        shown(&row.ip),
        shown(&row.user_agent),
        Cell::text(&row.detail_json),
    ]
}
