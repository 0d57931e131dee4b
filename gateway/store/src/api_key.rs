//! API keys: what a caller may do. What proves a key is in `api_key_credential`.
use crate::api_key_credential::{self, NewCredential};
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, like, on_database};
use serde_json::json;

/// A key as lists show it, with its newest credential.
#[derive(Clone, sqlx::FromRow)]
pub struct KeyRow {
    pub id: String,
    pub deployment_id: String,
    pub member_id: String,
    pub parent_key_id: Option<String>,
    /// `/root/…/own id/`; empty for a key without parent made by an older version.
    pub path: String,
    pub name: String,
    pub note: String,
    /// `' prod batch '`, or empty.
    pub tags: String,
    pub kind: String,
    pub state: String,
    pub models_json: Option<String>,
    pub ips_json: Option<String>,
    pub providers_json: Option<String>,
    pub regions_json: Option<String>,
    pub scopes_json: String,
    pub strict: bool,
    pub expires_at_ms: Option<i64>,
    pub created_by_person_id: Option<String>,
    pub created_by_key_id: Option<String>,
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
    pub parent_key_id: Option<&'a str>,
    /// How many keys it is derived through; 0 without a parent.
    pub depth: i64,
    /// `/root/…/own id/`
    pub path: &'a str,
    pub kind: &'a str,
    pub terms: Terms<'a>,
    pub created_by_person_id: Option<&'a str>,
    pub created_by_key_id: Option<&'a str>,
    pub credential: NewCredential<'a>,
}

/// What can be changed about a key.
pub struct Terms<'a> {
    pub name: &'a str,
    pub note: &'a str,
    /// `' prod batch '`, or empty.
    pub tags: String,
    pub models_json: Option<String>,
    pub ips_json: Option<String>,
    pub providers_json: Option<String>,
    pub regions_json: Option<String>,
    pub scopes_json: String,
    pub strict: bool,
    pub expires_at_ms: Option<i64>,
}

/// Makes the key and appends the entry in the same transaction, as every change here does.
pub async fn insert(store: &Store, key: &NewKey<'_>, entry: &Entry) -> sqlx::Result<()> {
    let NewKey { terms, credential, .. } = key;
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into api_key (id, org_id, deployment_id, member_id, parent_key_id, depth, kind, name, note, models_json,
                                  ips_json, scopes_json, strict, expires_at_ms, created_by_person_id, created_by_key_id,
                                  created_at_ms, path, tags, providers_json, regions_json)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)")
            .bind(key.id).bind(key.org_id).bind(key.deployment_id).bind(key.member_id).bind(key.parent_key_id)
            .bind(key.depth).bind(key.kind).bind(terms.name).bind(terms.note).bind(&terms.models_json)
            .bind(&terms.ips_json).bind(&terms.scopes_json).bind(terms.strict).bind(terms.expires_at_ms)
            .bind(key.created_by_person_id).bind(key.created_by_key_id).bind(credential.now_ms)
            .bind(key.path).bind(&terms.tags).bind(&terms.providers_json).bind(&terms.regions_json)
            .execute(&mut *tx).await?;
        sqlx::query(api_key_credential::INSERT)
            .bind(credential.id).bind(key.id).bind(&credential.verifier).bind(credential.pepper_version)
            .bind(credential.last_four).bind(credential.now_ms)
            .execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// Which of an org's keys, and from where on.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyFilter<'a> {
    pub org_id: &'a str,
    /// Only those the member holds.
    pub member_id: Option<&'a str>,
    /// Only this key and those derived from it.
    pub root_key_id: Option<&'a str>,
    /// Only this one.
    pub key_id: Option<&'a str>,
    /// Only those with this tag.
    pub tag: Option<&'a str>,
    pub states: States,
    /// Only those after this one in the list: the time it was made, and its id.
    pub after: Option<(i64, &'a str)>,
    pub limit: Option<i64>,
}

/// Which keys by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum States {
    /// All that are not deleted.
    #[default]
    Listed,
    /// Active and disabled.
    Open,
    /// Revoked and deleted.
    Ended,
    All,
}

impl States {
    fn bits(self) -> (bool, bool, bool) {
        match self {
            Self::Listed => (true, true, false),
            Self::Open => (true, false, false),
            Self::Ended => (false, true, true),
            Self::All => (true, true, true),
        }
    }
}

/// The keys, newest first.
pub async fn list(store: &Store, filter: KeyFilter<'_>) -> sqlx::Result<Vec<KeyRow>> {
    let (open, revoked, deleted) = filter.states.bits();
    let tag = filter.tag.map(|tag| like::containing(&format!(" {tag} ")));
    on_database!(read store, db => sqlx::query_as(
        "select k.id, k.deployment_id, k.member_id, k.parent_key_id, k.path, k.name, k.note, k.tags, k.kind, k.state,
                k.models_json, k.ips_json, k.providers_json, k.regions_json, k.scopes_json, k.strict, k.expires_at_ms, k.created_by_person_id,
                k.created_by_key_id, k.created_at_ms, k.ended_at_ms, c.id as credential_id, c.last_four,
                (select max(u.last_used_at_ms) from api_key_credential u where u.key_id = k.id) as last_used_at_ms
         from api_key k
         join api_key_credential c on c.id = (
             select n.id from api_key_credential n where n.key_id = k.id order by n.created_at_ms desc, n.id desc limit 1)
         where k.org_id = $1 and (cast($2 as text) is null or k.member_id = $2)
           and ((k.state in ('active', 'disabled') and $3) or (k.state = 'revoked' and $4) or (k.state = 'deleted' and $5))
           and (cast($6 as text) is null or k.id in (
               with recursive below as (
                   select id from api_key where id = $6
                   union all
                   select child.id from api_key child join below on child.parent_key_id = below.id)
               select id from below))
           and (cast($7 as bigint) is null or k.created_at_ms < $7 or (k.created_at_ms = $7 and k.id < $8))
           and (cast($9 as text) is null or k.id = $9)
           and (cast($11 as text) is null or k.tags like $11 escape '!')
         order by k.created_at_ms desc, k.id desc
         limit $10")
        .bind(filter.org_id).bind(filter.member_id).bind(open).bind(revoked).bind(deleted)
        .bind(filter.root_key_id).bind(filter.after.map(|(at_ms, _)| at_ms)).bind(filter.after.map_or("", |(_, id)| id))
        .bind(filter.key_id).bind(filter.limit.unwrap_or(i64::MAX)).bind(&tag).fetch_all(db).await)
}

/// One key of the org, whatever its state.
pub async fn find(store: &Store, org_id: &str, key_id: &str) -> sqlx::Result<Option<KeyRow>> {
    let filter = KeyFilter { org_id, key_id: Some(key_id), states: States::All, ..KeyFilter::default() };
    Ok(list(store, filter).await?.into_iter().next())
}

/// How many keys of the org have not ended; with `parent_key_id`, of those derived from it directly.
pub async fn count_open(store: &Store, org_id: &str, parent_key_id: Option<&str>) -> sqlx::Result<i64> {
    let (count,): (i64,) = on_database!(read store, db => sqlx::query_as(
        "select count(*) from api_key where org_id = $1 and state in ('active', 'disabled')
           and (cast($2 as text) is null or parent_key_id = $2)")
        .bind(org_id).bind(parent_key_id).fetch_one(db).await)?;
    Ok(count)
}

/// The tags of every key of the org that has some, ended ones too, by the key's id.
pub async fn tags(store: &Store, org_id: &str) -> sqlx::Result<Vec<(String, String)>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, tags from api_key where org_id = $1 and tags <> ''").bind(org_id).fetch_all(db).await)
}

/// Which key of which org.
#[derive(Clone, Copy)]
pub struct KeyRef<'a> {
    pub org_id: &'a str,
    pub key_id: &'a str,
}

/// Changes the key's terms. Cached callers carry them, so this counts as a change of rights. False when there is no such
/// key, or it has ended.
pub async fn change(store: &Store, key: KeyRef<'_>, terms: &Terms<'_>, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let changed = sqlx::query(
            "update api_key set name = $3, note = $4, models_json = $5, ips_json = $6, scopes_json = $7, strict = $8,
                    expires_at_ms = $9, tags = $10, providers_json = $11, regions_json = $12
             where id = $1 and org_id = $2 and state in ('active', 'disabled')")
            .bind(key.key_id).bind(key.org_id).bind(terms.name).bind(terms.note).bind(&terms.models_json)
            .bind(&terms.ips_json).bind(&terms.scopes_json).bind(terms.strict).bind(terms.expires_at_ms)
            .bind(&terms.tags).bind(&terms.providers_json).bind(&terms.regions_json)
            .execute(&mut *tx).await?.rows_affected();
        if changed == 0 {
            return Ok(false);
        }
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(entry).await?;
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
            "update api_key set state = $3,
                    ended_at_ms = case when $3 in ('revoked', 'deleted') then coalesce(ended_at_ms, $4) end
             where id = $1 and org_id = $2
               and (state in ('active', 'disabled') or (state = 'revoked' and $3 = 'deleted'))")
            .bind(key.key_id).bind(key.org_id).bind(state).bind(now_ms)
            .execute(&mut *tx).await?.rows_affected();
        let Some((before,)) = before.filter(|_| changed == 1) else { return Ok(false) };
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(&entry.before(json!({ "state": before }))).await?;
        tx.commit().await?;
        Ok(true)
    })
}
