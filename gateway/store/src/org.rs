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

/// Orgs with a verified owner whose trial credit is not booked yet, oldest first.
pub async fn without_trial(store: &Store, limit: i64) -> sqlx::Result<Vec<String>> {
    let rows: Vec<(String,)> = on_database!(read store, db => sqlx::query_as(
        "select org.id from org where org.trial_granted_at_ms is null and exists (
             select 1 from member join person on person.id = member.person_id
             where member.org_id = org.id and member.role = 'owner' and person.email_verified_at_ms is not null)
         order by org.created_at_ms limit $1")
        .bind(limit).fetch_all(db).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub async fn mark_trial_granted(store: &Store, id: &str, now_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "update org set trial_granted_at_ms = $2 where id = $1 and trial_granted_at_ms is null")
        .bind(id).bind(now_ms).execute(db).await.map(drop))
}
