//! Orgs: whose wallet it is. The wallet itself is the ledger's.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};
use serde_json::json;

#[derive(Clone, sqlx::FromRow)]
pub struct Org {
    pub id: String,
    pub name: String,
    pub preset: String,
    pub state: String,
    pub created_at_ms: i64,
}

/// An org beside the one that everybody starts with. No trial credit is owed to it.
#[derive(Clone, Copy)]
pub struct NewOrg<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub preset: &'a str,
    pub deployment_id: &'a str,
    pub member_id: &'a str,
    /// Its owner.
    pub person_id: &'a str,
    pub now_ms: i64,
}

/// Creates it with its `default` deployment and its owner. False when the person owns `most` orgs.
pub async fn insert(store: &Store, new: NewOrg<'_>, most: i64, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // The person's row is held, so that two requests at once do not both find room.
        sqlx::query("update person set name = name where id = $1").bind(new.person_id).execute(&mut *tx).await?;
        let inserted = sqlx::query(
            "insert into org (id, name, preset, owes_trial, created_at_ms) select $1, $2, $3, false, $4
             where (select count(*) from member where person_id = $5 and role = 'owner' and state = 'active') < $6")
            .bind(new.id).bind(new.name).bind(new.preset).bind(new.now_ms).bind(new.person_id).bind(most)
            .execute(&mut *tx).await?.rows_affected();
        if inserted == 0 {
            return Ok(false);
        }
        sqlx::query("insert into deployment (id, org_id, name, slug, created_at_ms) values ($1, $2, 'default', 'default', $3)")
            .bind(new.deployment_id).bind(new.id).bind(new.now_ms).execute(&mut *tx).await?;
        sqlx::query("insert into member (id, org_id, person_id, role, created_at_ms) values ($1, $2, $3, 'owner', $4)")
            .bind(new.member_id).bind(new.id).bind(new.person_id).bind(new.now_ms).execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

pub async fn name(store: &Store, id: &str) -> sqlx::Result<Option<String>> {
    on_database!(read store, db => sqlx::query_scalar("select name from org where id = $1")
        .bind(id).fetch_optional(db).await)
}

/// Writes nothing when the org has that name.
pub async fn rename(store: &Store, id: &str, name: &str, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // A write that changes nothing takes the row, so that what it answers stays so until the end.
        let (before,): (String,) = sqlx::query_as("update org set name = name where id = $1 returning name")
            .bind(id).fetch_one(&mut *tx).await?;
        if before == name {
            return Ok(());
        }
        sqlx::query("update org set name = $2 where id = $1").bind(id).bind(name).execute(&mut *tx).await?;
        tx.append(&entry.before(json!({ "name": before }))).await?;
        tx.commit().await
    })
}

/// Switches the model set. Cached callers carry it, so this counts as a change of rights.
pub async fn set_preset(store: &Store, id: &str, preset: &str, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let (before,): (String,) = sqlx::query_as("update org set preset = preset where id = $1 returning preset")
            .bind(id).fetch_one(&mut *tx).await?;
        sqlx::query("update org set preset = $2 where id = $1").bind(id).bind(preset).execute(&mut *tx).await?;
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(&entry.before(json!({ "preset": before }))).await?;
        tx.commit().await
    })
}

/// Orgs with a verified owner whose wallet is not opened yet, oldest first, and whether they are owed a trial credit.
pub async fn without_trial(store: &Store, limit: i64) -> sqlx::Result<Vec<(String, bool)>> {
    on_database!(read store, db => sqlx::query_as(
        "select org.id, org.owes_trial from org where org.trial_granted_at_ms is null and exists (
             select 1 from member join person on person.id = member.person_id
             where member.org_id = org.id and member.role = 'owner' and person.email_verified_at_ms is not null
               and not exists (select 1 from sign_up_request r where r.person_id = person.id and r.decision is null))
         order by org.created_at_ms limit $1")
        .bind(limit).fetch_all(db).await)
}

pub async fn mark_trial_granted(store: &Store, id: &str, now_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update org set trial_granted_at_ms = $2 where id = $1 and trial_granted_at_ms is null")
        .bind(id).bind(now_ms).execute(db).await.map(drop))
}
