//! API keys: what a caller may do. What proves a key is in `api_key_credential`.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};
use serde_json::json;

/// A key as its holder sees it in a list, with its newest credential.
#[derive(Clone, sqlx::FromRow)]
pub struct KeyRow {
    pub id: String,
    pub deployment_id: String,
    pub member_id: String,
    pub parent_key_id: Option<String>,
    pub name: String,
    pub kind: String,
    pub state: String,
    pub models_json: Option<String>,
    pub scopes_json: String,
    pub strict: bool,
    pub expires_at_ms: Option<i64>,
    pub created_at_ms: i64,
    pub ended_at_ms: Option<i64>,
    pub credential_id: String,
    pub last_four: String,
    pub last_used_at_ms: Option<i64>,
}

/// A key and its first credential.
pub struct NewKey<'a> {
    pub id: &'a str,
    pub org_id: &'a str,
    pub deployment_id: &'a str,
    pub member_id: &'a str,
    pub name: &'a str,
    pub kind: &'a str,
    pub models_json: Option<String>,
    pub scopes_json: String,
    pub strict: bool,
    pub expires_at_ms: Option<i64>,
    pub created_by_person_id: &'a str,
    pub credential_id: &'a str,
    pub verifier: &'a str,
    pub pepper_version: i64,
    pub last_four: &'a str,
    pub now_ms: i64,
}

pub async fn insert(store: &Store, key: &NewKey<'_>, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into api_key (id, org_id, deployment_id, member_id, name, kind, models_json, scopes_json, strict,
                                  expires_at_ms, created_by_person_id, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
            .bind(key.id).bind(key.org_id).bind(key.deployment_id).bind(key.member_id).bind(key.name).bind(key.kind)
            .bind(&key.models_json).bind(&key.scopes_json).bind(key.strict).bind(key.expires_at_ms)
            .bind(key.created_by_person_id).bind(key.now_ms)
            .execute(&mut *tx).await?;
        sqlx::query(
            "insert into api_key_credential (id, key_id, verifier, pepper_version, last_four, created_at_ms)
             values ($1, $2, $3, $4, $5, $6)")
            .bind(key.credential_id).bind(key.id).bind(key.verifier).bind(key.pepper_version)
            .bind(key.last_four).bind(key.now_ms)
            .execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// The org's keys that are not deleted, newest first; with `member_id`, only those the member holds.
pub async fn list(store: &Store, org_id: &str, member_id: Option<&str>) -> sqlx::Result<Vec<KeyRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select k.id, k.deployment_id, k.member_id, k.parent_key_id, k.name, k.kind, k.state, k.models_json, k.scopes_json,
                k.strict, k.expires_at_ms, k.created_at_ms, k.ended_at_ms,
                c.id as credential_id, c.last_four,
                (select max(u.last_used_at_ms) from api_key_credential u where u.key_id = k.id) as last_used_at_ms
         from api_key k
         join api_key_credential c on c.id = (
             select n.id from api_key_credential n where n.key_id = k.id order by n.created_at_ms desc, n.id limit 1)
         where k.org_id = $1 and (cast($2 as text) is null or k.member_id = $2) and k.state <> 'deleted'
         order by k.created_at_ms desc, k.id desc")
        .bind(org_id).bind(member_id).fetch_all(db).await)
}

/// How many keys of the org have not ended.
pub async fn count_open(store: &Store, org_id: &str) -> sqlx::Result<i64> {
    let (count,): (i64,) = on_database!(read store, db => sqlx::query_as(
        "select count(*) from api_key where org_id = $1 and state in ('active', 'disabled')")
        .bind(org_id).fetch_one(db).await)?;
    Ok(count)
}

/// Which key of the org: `member_id` narrows it to those the member holds.
#[derive(Clone, Copy)]
pub struct KeyRef<'a> {
    pub org_id: &'a str,
    pub member_id: Option<&'a str>,
    pub key_id: &'a str,
}

/// False when there is no such key, or it has ended.
pub async fn rename(store: &Store, key: KeyRef<'_>, name: &str, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let before: Option<(String,)> = sqlx::query_as(
            "update api_key set name = name where id = $1 and org_id = $2 and (cast($3 as text) is null or member_id = $3)
               and state in ('active', 'disabled') returning name")
            .bind(key.key_id).bind(key.org_id).bind(key.member_id).fetch_optional(&mut *tx).await?;
        let Some((before,)) = before else { return Ok(false) };
        sqlx::query("update api_key set name = $2 where id = $1").bind(key.key_id).bind(name).execute(&mut *tx).await?;
        tx.append(&entry.before(json!({ "name": before }))).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Ends the key (`revoked`, `deleted`) or switches it (`active`, `disabled`). Keys derived from it stop with it,
/// because every check walks up to the root. False when there is no such key or it cannot go to that state.
pub async fn set_state(
    store: &Store,
    key: KeyRef<'_>,
    (state, now_ms): (&str, i64),
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let before: Option<(String,)> = sqlx::query_as("update api_key set state = state where id = $1 and org_id = $2 returning state")
            .bind(key.key_id).bind(key.org_id).fetch_optional(&mut *tx).await?;
        let changed = sqlx::query(
            "update api_key set state = $4,
                    ended_at_ms = case when $4 in ('revoked', 'deleted') then coalesce(ended_at_ms, $5) end
             where id = $1 and org_id = $2 and (cast($3 as text) is null or member_id = $3)
               and (state in ('active', 'disabled') or (state = 'revoked' and $4 = 'deleted'))")
            .bind(key.key_id).bind(key.org_id).bind(key.member_id).bind(state).bind(now_ms)
            .execute(&mut *tx).await?.rows_affected();
        let Some((before,)) = before.filter(|_| changed == 1) else { return Ok(false) };
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(&entry.before(json!({ "state": before }))).await?;
        tx.commit().await?;
        Ok(true)
    })
}
