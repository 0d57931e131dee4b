//! Members: a person's, or a service account's, place in an org.
use crate::audit_event::{Appends as _, Entry};
use crate::org::Org;
use crate::person::Person;
use crate::{Store, on_database};
use serde_json::json;

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
                person.id, person.email, person.name, person.language, person.time_zone, person.number_format, person.password_hash,
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

/// A member as lists show it: a person, or a service account.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct MemberRow {
    pub id: String,
    /// None of a service account.
    pub person_id: Option<String>,
    pub name: String,
    /// None of a service account.
    pub email: Option<String>,
    pub role: String,
    pub created_at_ms: i64,
    /// Keys that have not ended.
    pub open_keys: i64,
}

/// The org's active members, the first joined first.
pub async fn of_org(store: &Store, org_id: &str) -> sqlx::Result<Vec<MemberRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select member.id, member.person_id, coalesce(person.name, member.service_name, '') as name, person.email,
                member.role, member.created_at_ms,
                (select count(*) from api_key k where k.member_id = member.id and k.state in ('active', 'disabled')) as open_keys
         from member left join person on person.id = member.person_id
         where member.org_id = $1 and member.state = 'active'
         order by member.created_at_ms, member.id")
        .bind(org_id).fetch_all(db).await)
}

/// Ids and names of everyone who was ever a member.
pub async fn persons_of_org(store: &Store, org_id: &str) -> sqlx::Result<Vec<(String, String)>> {
    on_database!(read store, db => sqlx::query_as(
        "select person.id, person.name from member join person on person.id = member.person_id
         where member.org_id = $1 order by person.name, person.id")
        .bind(org_id).fetch_all(db).await)
}

/// A change of a member that somebody was allowed to make on what they saw.
#[derive(Clone, Copy)]
pub struct MemberChange<'a> {
    pub org_id: &'a str,
    pub member_id: &'a str,
    /// The member's role as it was seen; under another one the change does not happen.
    pub seen_role: &'a str,
    pub now_ms: i64,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    Done,
    /// There is no such member, or their role changed meanwhile.
    Gone,
    /// An org keeps an owner who can act.
    LastOwner,
}

/// Whether the org would be left without an owner. The org's row is held by whoever asks, so that nobody answers the same
/// question meanwhile.
macro_rules! is_last_owner {
    ($tx:expr, $change:expr) => {{
        let (others,): (i64,) = sqlx::query_as(
            "select count(*) from member join person on person.id = member.person_id and person.state = 'active'
             where member.org_id = $1 and member.id <> $2 and member.state = 'active' and member.role = 'owner'")
            .bind($change.org_id).bind($change.member_id).fetch_one(&mut *$tx).await?;
        $change.seen_role == "owner" && others == 0
    }};
}

macro_rules! hold_org {
    ($tx:expr, $org_id:expr) => {
        sqlx::query("update org set name = name where id = $1").bind($org_id).execute(&mut *$tx).await?
    };
}

/// Gives a member another role. It counts at every instance within a second, for keys too.
pub async fn set_role(
    store: &Store,
    change: MemberChange<'_>,
    role: &str,
    entry: &Entry,
) -> sqlx::Result<Changed> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        hold_org!(tx, change.org_id);
        if role != "owner" && is_last_owner!(tx, change) {
            return Ok(Changed::LastOwner);
        }
        let done = sqlx::query(
            "update member set role = $4 where org_id = $1 and id = $2 and state = 'active' and role = $3
               and (person_id is not null or $4 <> 'owner')")
            .bind(change.org_id).bind(change.member_id).bind(change.seen_role).bind(role)
            .execute(&mut *tx).await?.rows_affected();
        if done == 0 {
            return Ok(Changed::Gone);
        }
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(&entry.before(json!({ "role": change.seen_role }))).await?;
        tx.commit().await?;
        Ok(Changed::Done)
    })
}

/// Makes `to` an owner and whoever was it an admin, in one step.
pub async fn transfer(
    store: &Store,
    from: MemberChange<'_>,
    (to, to_role): (&str, &str),
    entry: &Entry,
) -> sqlx::Result<Changed> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        hold_org!(tx, from.org_id);
        let raised = sqlx::query(
            "update member set role = 'owner'
             where org_id = $1 and id = $2 and state = 'active' and role = $3
               and exists (select 1 from person where person.id = member.person_id and person.state = 'active')")
            .bind(from.org_id).bind(to).bind(to_role).execute(&mut *tx).await?.rows_affected();
        let lowered = sqlx::query(
            "update member set role = 'admin' where org_id = $1 and id = $2 and state = 'active' and role = 'owner'")
            .bind(from.org_id).bind(from.member_id).execute(&mut *tx).await?.rows_affected();
        if raised == 0 || lowered == 0 {
            return Ok(Changed::Gone);
        }
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(Changed::Done)
    })
}

/// Takes a member out of the org: the keys they hold are revoked, each with an event of its own, and what they allowed
/// programs ends. It counts at every instance within a second.
pub async fn remove(
    store: &Store,
    change: MemberChange<'_>,
    (removed, key_revoked): (&Entry, &Entry),
) -> sqlx::Result<Changed> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        hold_org!(tx, change.org_id);
        if is_last_owner!(tx, change) {
            return Ok(Changed::LastOwner);
        }
        let done = sqlx::query(
            "update member set state = 'removed' where org_id = $1 and id = $2 and state = 'active' and role = $3")
            .bind(change.org_id).bind(change.member_id).bind(change.seen_role)
            .execute(&mut *tx).await?.rows_affected();
        if done == 0 {
            return Ok(Changed::Gone);
        }
        let keys: Vec<(String,)> = sqlx::query_as(
            "update api_key set state = 'revoked', ended_at_ms = $2
             where member_id = $1 and state in ('active', 'disabled') returning id")
            .bind(change.member_id).bind(change.now_ms).fetch_all(&mut *tx).await?;
        sqlx::query(
            "update oauth_grant set state = 'revoked', revoked_reason = 'member_removed', revoked_at_ms = $2
             where member_id = $1 and state = 'active'")
            .bind(change.member_id).bind(change.now_ms).execute(&mut *tx).await?;
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        for (key,) in &keys {
            tx.append(&key_revoked.about(key)).await?;
        }
        tx.append(&removed.before(json!({ "role": change.seen_role }))).await?;
        tx.commit().await?;
        Ok(Changed::Done)
    })
}

/// A holder of keys that is no person. False when the org has `most` of them.
pub async fn insert_service(
    store: &Store,
    (org_id, id): (&str, &str),
    (name, role): (&str, &str),
    (now_ms, most): (i64, i64),
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let inserted = sqlx::query(
            "insert into member (id, org_id, service_name, role, created_at_ms) select $1, $2, $3, $4, $5
             where (select count(*) from member where org_id = $2 and service_name is not null and state = 'active') < $6")
            .bind(id).bind(org_id).bind(name).bind(role).bind(now_ms).bind(most)
            .execute(&mut *tx).await?.rows_affected();
        if inserted == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// False when the org has no such service account.
pub async fn rename_service(
    store: &Store,
    (org_id, id): (&str, &str),
    name: &str,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let before: Option<(String,)> = sqlx::query_as(
            "update member set service_name = service_name
             where id = $1 and org_id = $2 and state = 'active' and service_name is not null returning service_name")
            .bind(id).bind(org_id).fetch_optional(&mut *tx).await?;
        let Some((before,)) = before else { return Ok(false) };
        sqlx::query("update member set service_name = $2 where id = $1").bind(id).bind(name).execute(&mut *tx).await?;
        tx.append(&entry.before(json!({ "name": before }))).await?;
        tx.commit().await?;
        Ok(true)
    })
}
