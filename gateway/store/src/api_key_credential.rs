//! Credentials: the stored half of a key's secret, and everything needed to say who presents it.
use crate::audit_event::{Appends as _, Entry};
use crate::call_limit::CallLimitRow;
use crate::node_rule::{self, NodeRuleRow};
use crate::{Store, on_database};

/// The credential with its key, every key that one was derived from, the root first, and what limits its calls.
pub struct Found {
    pub credential: CredentialRow,
    pub path: Vec<PathRow>,
    /// Of the org, the deployment and the holder.
    pub node_rules: Vec<NodeRuleRow>,
    /// Of the org, the deployment, the holder and every key of the path.
    pub call_limits: Vec<CallLimitRow>,
}

#[derive(sqlx::FromRow)]
pub struct CredentialRow {
    pub verifier: String,
    pub not_after_ms: Option<i64>,
    pub last_used_at_ms: Option<i64>,
    pub key_id: String,
    pub key_name: String,
    pub kind: String,
    pub org_id: String,
    pub deployment_id: String,
    pub member_id: String,
    pub preset: String,
    pub org_name: String,
    pub deployment_name: String,
    pub member_name: String,
    pub last_four: String,
    /// The holder's, in the org.
    pub role: String,
    /// The org is open, the holder is still a member, and the person behind it is not disabled.
    pub holder_active: bool,
    /// Since which choice of the org what its calls say is kept; `None` where it is not.
    pub body_period: Option<String>,
}

#[derive(sqlx::FromRow)]
pub struct PathRow {
    pub id: String,
    pub state: String,
    pub models_json: Option<String>,
    pub ips_json: Option<String>,
    pub providers_json: Option<String>,
    pub regions_json: Option<String>,
    pub scopes_json: String,
    pub strict: bool,
    pub expires_at_ms: Option<i64>,
}

/// A credential of a key, as its page shows it.
#[derive(Clone, sqlx::FromRow)]
pub struct ListedRow {
    pub id: String,
    pub last_four: String,
    pub not_after_ms: Option<i64>,
    pub last_used_at_ms: Option<i64>,
    pub last_used_ip: Option<String>,
    pub last_used_client: Option<String>,
    pub created_at_ms: i64,
}

/// The stored half of a new secret.
pub struct NewCredential<'a> {
    pub id: &'a str,
    /// In hexadecimal.
    pub verifier: String,
    pub pepper_version: i64,
    pub last_four: &'a str,
    pub now_ms: i64,
}

pub(crate) const INSERT: &str =
    "insert into api_key_credential (id, key_id, verifier, pepper_version, last_four, created_at_ms)
     values ($1, $2, $3, $4, $5, $6)";

/// Looks a credential up by its public id. No query ever contains secret material.
pub async fn find(store: &Store, credential_id: &str) -> sqlx::Result<Option<Found>> {
    let credential: Option<CredentialRow> = on_database!(read store, db => sqlx::query_as(
        "select c.verifier, c.not_after_ms, c.last_used_at_ms, k.id as key_id, k.name as key_name, k.kind,
                k.org_id, k.deployment_id, k.member_id, org.preset, org.name as org_name,
                deployment.name as deployment_name, coalesce(person.name, member.service_name, '') as member_name, c.last_four,
                member.role,
                (org.state = 'active' and member.state = 'active' and coalesce(person.state, 'active') = 'active')
                    as holder_active,
                body_period.id as body_period
         from api_key_credential c
         join api_key k on k.id = c.key_id
         join org on org.id = k.org_id
         join deployment on deployment.id = k.deployment_id
         join member on member.id = k.member_id
         left join person on person.id = member.person_id
         left join body_period on body_period.org_id = k.org_id and body_period.ended_at_ms is null
         where c.id = $1")
        .bind(credential_id).fetch_optional(db).await)?;
    let Some(credential) = credential else { return Ok(None) };
    let path = path(store, &credential.key_id).await?;
    let node_rules =
        node_rule::above_keys(store, (&credential.org_id, &credential.deployment_id, &credential.member_id))
            .await?;
    let call_limits = call_limits(store, &credential).await?;
    Ok(Some(Found { credential, path, node_rules, call_limits }))
}

/// The key and every key it was derived from, the root first.
pub async fn path(store: &Store, key_id: &str) -> sqlx::Result<Vec<PathRow>> {
    on_database!(read store, db => sqlx::query_as(
        "with recursive up as (
             select * from api_key where id = $1
             union all
             select parent.* from api_key parent join up on parent.id = up.parent_key_id)
         select id, state, models_json, ips_json, providers_json, regions_json, scopes_json, strict, expires_at_ms
         from up order by depth")
        .bind(key_id).fetch_all(db).await)
}

async fn call_limits(store: &Store, credential: &CredentialRow) -> sqlx::Result<Vec<CallLimitRow>> {
    on_database!(read store, db => sqlx::query_as(
        "with recursive up as (
             select id, parent_key_id from api_key where id = $1
             union all
             select parent.id, parent.parent_key_id from api_key parent join up on parent.id = up.parent_key_id)
         select node_id, kind, value, grant_ends_at_ms, after_value from call_limit
         where org_id = $2 and (node_id in ('org:' || $2, 'dep:' || $3, 'mem:' || $4)
                                or node_id in (select 'key:' || id from up))
         order by node_id, kind")
        .bind(&credential.key_id).bind(&credential.org_id).bind(&credential.deployment_id)
        .bind(&credential.member_id)
        .fetch_all(db).await)
}

/// The key's credentials, newest first.
pub async fn of_key(store: &Store, key_id: &str) -> sqlx::Result<Vec<ListedRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, last_four, not_after_ms, last_used_at_ms, last_used_ip, last_used_client, created_at_ms
         from api_key_credential where key_id = $1 order by created_at_ms desc, id desc")
        .bind(key_id).fetch_all(db).await)
}

/// Adds a credential to an open key and lets those before it end at `former_end_ms` at the latest. Nothing happens, and
/// the answer is false, when the key has ended or has two credentials that work already.
pub async fn rotate(
    store: &Store,
    (org_id, key_id): (&str, &str),
    new: &NewCredential<'_>,
    former_end_ms: i64,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // The key's row is locked first, so that two rotations at once see one another.
        let open = sqlx::query("update api_key set state = state where id = $1 and org_id = $2 and state in ('active', 'disabled')")
            .bind(key_id).bind(org_id).execute(&mut *tx).await?.rows_affected();
        let (live,): (i64,) = sqlx::query_as(
            "select count(*) from api_key_credential where key_id = $1 and (not_after_ms is null or not_after_ms > $2)")
            .bind(key_id).bind(new.now_ms).fetch_one(&mut *tx).await?;
        if open == 0 || live > 1 {
            return Ok(false);
        }
        sqlx::query(
            "update api_key_credential set not_after_ms = $2 where key_id = $1 and (not_after_ms is null or not_after_ms > $2)")
            .bind(key_id).bind(former_end_ms).execute(&mut *tx).await?;
        sqlx::query(INSERT)
            .bind(new.id).bind(key_id).bind(&new.verifier).bind(new.pepper_version).bind(new.last_four).bind(new.now_ms)
            .execute(&mut *tx).await?;
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Ends one credential now, if the key has another that works for longer. False when it has not, or there is none such.
pub async fn end(
    store: &Store,
    (org_id, key_id): (&str, &str),
    (credential_id, now_ms): (&str, i64),
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("update api_key set state = state where id = $1 and org_id = $2")
            .bind(key_id).bind(org_id).execute(&mut *tx).await?;
        let ended = sqlx::query(
            "update api_key_credential set not_after_ms = $4
             where id = $3 and key_id = $1 and (not_after_ms is null or not_after_ms > $4)
               and exists (select 1 from api_key where id = $1 and org_id = $2 and state in ('active', 'disabled'))
               and exists (select 1 from api_key_credential other
                           where other.key_id = $1 and other.id <> $3
                             and (other.not_after_ms is null or other.not_after_ms > $4))")
            .bind(key_id).bind(org_id).bind(credential_id).bind(now_ms)
            .execute(&mut *tx).await?.rows_affected();
        if ended == 0 {
            return Ok(false);
        }
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// A use of a credential.
#[derive(Clone, Debug)]
pub struct Use {
    pub credential_id: String,
    pub at_ms: i64,
    pub ip: Option<String>,
    pub client: Option<String>,
}

/// Writes when and from where credentials were last used.
pub async fn mark_used(store: &Store, used: &[Use]) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        for one in used {
            sqlx::query(
                "update api_key_credential set last_used_at_ms = $2, last_used_ip = $3, last_used_client = $4
                 where id = $1 and (last_used_at_ms is null or last_used_at_ms < $2)")
                .bind(&one.credential_id).bind(one.at_ms).bind(&one.ip).bind(&one.client).execute(&mut *tx).await?;
        }
        tx.commit().await
    })
}
