//! Members: a person's, or a service account's, place in an org.
use crate::audit_event::{Appends as _, Entry};
use crate::org::Org;
use crate::person::Person;
use crate::{Store, on_database};

/// A person in one of their orgs, both active.
#[derive(Clone, sqlx::FromRow)]
pub struct Membership {
    pub member_id: String,
    pub role: String,
    /// The org's `default` deployment.
    pub deployment_id: String,
    #[sqlx(flatten)]
    pub person: Person,
    #[sqlx(flatten)]
    pub org: MemberOrg,
}

/// The org's columns under names of their own, because the person's row is read beside them.
#[derive(Clone, sqlx::FromRow)]
pub struct MemberOrg {
    pub org_id: String,
    pub org_name: String,
    pub org_preset: String,
    pub org_state: String,
    pub org_created_at_ms: i64,
}

impl From<MemberOrg> for Org {
    fn from(row: MemberOrg) -> Self {
        Org {
            id: row.org_id,
            name: row.org_name,
            preset: row.org_preset,
            state: row.org_state,
            created_at_ms: row.org_created_at_ms,
        }
    }
}

/// The person's active memberships, the oldest first; with `org_id`, only the one in that org.
pub async fn of_person(
    store: &Store,
    person_id: &str,
    org_id: Option<&str>,
) -> sqlx::Result<Vec<Membership>> {
    on_database!(read store, db => sqlx::query_as(
        "select member.id as member_id, member.role, deployment.id as deployment_id,
                person.id, person.email, person.name, person.language, person.time_zone, person.password_hash,
                person.state, person.email_verified_at_ms, person.created_at_ms,
                org.id as org_id, org.name as org_name, org.preset as org_preset, org.state as org_state,
                org.created_at_ms as org_created_at_ms
         from member
         join person on person.id = member.person_id
         join org on org.id = member.org_id
         join deployment on deployment.org_id = org.id and deployment.slug = 'default'
         where member.person_id = $1 and (cast($2 as text) is null or member.org_id = $2)
           and member.state = 'active' and person.state = 'active' and org.state = 'active'
         order by member.created_at_ms, member.id")
        .bind(person_id).bind(org_id).fetch_all(db).await)
}

/// The role of an active member; none of who is none.
pub async fn role(store: &Store, org_id: &str, member_id: &str) -> sqlx::Result<Option<String>> {
    on_database!(read store, db => sqlx::query_scalar(
        "select role from member where org_id = $1 and id = $2 and state = 'active'")
        .bind(org_id).bind(member_id).fetch_optional(db).await)
}

/// Takes a member out of the org. Keys the member holds stop at every instance within a second.
pub async fn remove(store: &Store, org_id: &str, member_id: &str, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let removed = sqlx::query("update member set state = 'removed' where org_id = $1 and id = $2 and state = 'active' and role <> 'owner'")
            .bind(org_id).bind(member_id).execute(&mut *tx).await?.rows_affected();
        if removed == 0 {
            return Ok(false);
        }
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}
