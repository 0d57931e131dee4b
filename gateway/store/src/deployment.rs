//! Deployments: named projects of an org that own keys.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};
use serde_json::json;

/// A deployment as its org sees it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeploymentRow {
    pub id: String,
    pub name: String,
    /// `default` for the one each org starts with.
    pub slug: String,
    pub created_at_ms: i64,
    pub archived_at_ms: Option<i64>,
    /// Keys that have not ended.
    pub open_keys: i64,
}

/// The org's deployments, the oldest first and the archived ones last.
pub async fn of_org(store: &Store, org_id: &str) -> sqlx::Result<Vec<DeploymentRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select d.id, d.name, d.slug, d.created_at_ms, d.archived_at_ms,
                (select count(*) from api_key k where k.deployment_id = d.id and k.state in ('active', 'disabled')) as open_keys
         from deployment d where d.org_id = $1
         order by case when d.archived_at_ms is null then 0 else 1 end, d.created_at_ms, d.id")
        .bind(org_id).fetch_all(db).await)
}

/// Makes one whose slug is its id: names may repeat, and nothing is called by its slug but `default`. False when the org
/// has `most` that are not archived.
pub async fn insert(
    store: &Store,
    (org_id, id, name): (&str, &str, &str),
    (now_ms, most): (i64, i64),
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let inserted = sqlx::query(
            "insert into deployment (id, org_id, name, slug, created_at_ms) select $1, $2, $3, $1, $4
             where (select count(*) from deployment where org_id = $2 and archived_at_ms is null) < $5")
            .bind(id).bind(org_id).bind(name).bind(now_ms).bind(most).execute(&mut *tx).await?.rows_affected();
        if inserted == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// False when the org has none of that id, or it is archived.
pub async fn rename(
    store: &Store,
    (org_id, id): (&str, &str),
    name: &str,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let before: Option<(String,)> = sqlx::query_as(
            "update deployment set name = name where id = $1 and org_id = $2 and archived_at_ms is null returning name")
            .bind(id).bind(org_id).fetch_optional(&mut *tx).await?;
        let Some((before,)) = before else { return Ok(false) };
        sqlx::query("update deployment set name = $2 where id = $1").bind(id).bind(name).execute(&mut *tx).await?;
        tx.append(&entry.before(json!({ "name": before }))).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Puts it away and revokes its keys, each with an event of its own. `None` when there is none that can be archived: the
/// `default` one stays. Answers how many keys ended.
pub async fn archive(
    store: &Store,
    (org_id, id): (&str, &str),
    now_ms: i64,
    (archived, key_revoked): (&Entry, &Entry),
) -> sqlx::Result<Option<usize>> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let done = sqlx::query(
            "update deployment set archived_at_ms = $3
             where id = $1 and org_id = $2 and archived_at_ms is null and slug <> 'default'")
            .bind(id).bind(org_id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if done == 0 {
            return Ok(None);
        }
        let keys: Vec<(String,)> = sqlx::query_as(
            "update api_key set state = 'revoked', ended_at_ms = $2
             where deployment_id = $1 and state in ('active', 'disabled') returning id")
            .bind(id).bind(now_ms).fetch_all(&mut *tx).await?;
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        for (key,) in &keys {
            tx.append(&key_revoked.about(key)).await?;
        }
        tx.append(archived).await?;
        tx.commit().await?;
        Ok(Some(keys.len()))
    })
}

/// A deployment as it is chosen from.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenDeployment {
    pub id: String,
    pub name: String,
}

/// The org's deployments that are not archived, the oldest first.
pub async fn open(store: &Store, org_id: &str) -> sqlx::Result<Vec<OpenDeployment>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, name from deployment where org_id = $1 and archived_at_ms is null order by created_at_ms, id")
        .bind(org_id).fetch_all(db).await)
}

/// Whether the org has it and it is not archived.
pub async fn is_open(store: &Store, org_id: &str, deployment_id: &str) -> sqlx::Result<bool> {
    Ok(open(store, org_id).await?.iter().any(|deployment| deployment.id == deployment_id))
}
