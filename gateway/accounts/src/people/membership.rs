//! A person in one of their orgs: what every handler behind sign-in acts on. Only this module makes one, from the
//! database, so holding a [`Membership`] is the proof that its person may act in its org.
use super::{NumberFormat, People};
use crate::audit::{Actor, Event};
use crate::orgs::{Language, Preset};
use crate::role::Role;
use bytespike_store::member::{self, Membership as Row};
use bytespike_store::org::Org;

/// An active person in an active org.
///
/// ```
/// use bytespike_accounts::people::Membership;
/// fn held(membership: Membership) -> Membership {
///     membership
/// }
/// ```
///
/// S-88: nobody else can make one, not even of another.
///
/// ```compile_fail
/// use bytespike_accounts::people::Membership;
/// fn forged(membership: Membership) -> Membership {
///     Membership { ..membership }
/// }
/// ```
#[derive(Clone)]
pub struct Membership {
    person: bytespike_store::person::Person,
    org: Org,
    member_id: String,
    deployment_id: String,
    role: Role,
}

impl Membership {
    pub fn person_id(&self) -> &str {
        &self.person.id
    }

    pub fn email(&self) -> &str {
        &self.person.email
    }

    pub fn person_name(&self) -> &str {
        &self.person.name
    }

    /// False for someone who signs in with another provider only.
    pub fn has_password(&self) -> bool {
        self.person.password_hash.is_some()
    }

    pub fn language(&self) -> Language {
        Language::from_tag(&self.person.language)
    }

    /// An IANA name, for example `Asia/Shanghai`.
    pub fn time_zone(&self) -> &str {
        &self.person.time_zone
    }

    pub fn numbers(&self) -> NumberFormat {
        NumberFormat::from_stored(&self.person.number_format)
    }

    pub fn org_id(&self) -> &str {
        &self.org.id
    }

    pub fn org_name(&self) -> &str {
        &self.org.name
    }

    pub fn preset(&self) -> Preset {
        Preset::from_stored(&self.org.preset)
    }

    pub fn org_created_at_ms(&self) -> i64 {
        self.org.created_at_ms
    }

    pub fn member_id(&self) -> &str {
        &self.member_id
    }

    /// The org's `default` deployment.
    pub fn deployment_id(&self) -> &str {
        &self.deployment_id
    }

    pub fn role(&self) -> Role {
        self.role
    }

    /// An event of which this person is the actor, in their org.
    pub fn did(&self, name: &'static str) -> Event<'_> {
        Event::new(name, Actor::Person(self.person_id())).org(self.org_id())
    }

    pub(super) fn person(&self) -> &bytespike_store::person::Person {
        &self.person
    }
}

impl People {
    /// The person in the chosen org, or in their first one. `None` when the person or the membership is no longer
    /// active: read anew for every request, so that a change of role counts on the next one.
    pub async fn membership(
        &self,
        person_id: &str,
        org_id: Option<&str>,
    ) -> sqlx::Result<Option<Membership>> {
        let rows = member::of_person(&self.store, person_id, org_id).await?;
        Ok(rows.into_iter().next().map(Membership::from))
    }

    /// Every org of the person, the first joined first.
    pub async fn memberships(&self, person_id: &str) -> sqlx::Result<Vec<Membership>> {
        let rows = member::of_person(&self.store, person_id, None).await?;
        Ok(rows.into_iter().map(Membership::from).collect())
    }
}

impl From<Row> for Membership {
    fn from(row: Row) -> Self {
        Self {
            role: Role::from_stored(&row.role),
            person: row.person,
            org: row.org.into(),
            member_id: row.member_id,
            deployment_id: row.deployment_id,
        }
    }
}
