//! Credentials: the stored half of a key's secret, and everything needed to say who presents it.
use crate::call_limit::CallLimitRow;
use crate::{Store, on_database};

/// The credential with its key, every key that one was derived from, the root first, and what limits its calls.
pub struct Found {
    pub credential: CredentialRow,
    pub path: Vec<PathRow>,
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
}

#[derive(sqlx::FromRow)]
pub struct PathRow {
    pub id: String,
    pub state: String,
    pub models_json: Option<String>,
    pub scopes_json: String,
    pub strict: bool,
    pub expires_at_ms: Option<i64>,
}

/// Looks a credential up by its public id. No query ever contains secret material.
pub async fn find(store: &Store, credential_id: &str) -> sqlx::Result<Option<Found>> {
    let credential: Option<CredentialRow> = on_database!(read store, db => sqlx::query_as(
        "select c.verifier, c.not_after_ms, c.last_used_at_ms, k.id as key_id, k.name as key_name, k.kind,
                k.org_id, k.deployment_id, k.member_id, org.preset, org.name as org_name,
                deployment.name as deployment_name, coalesce(person.name, member.service_name, '') as member_name, c.last_four,
                member.role,
                (org.state = 'active' and member.state = 'active' and coalesce(person.state, 'active') = 'active')
                    as holder_active
         from api_key_credential c
         join api_key k on k.id = c.key_id
         join org on org.id = k.org_id
         join deployment on deployment.id = k.deployment_id
         join member on member.id = k.member_id
         left join person on person.id = member.person_id
         where c.id = $1")
        .bind(credential_id).fetch_optional(db).await)?;
    let Some(credential) = credential else { return Ok(None) };
    let path = path(store, &credential.key_id).await?;
    let call_limits = call_limits(store, &credential).await?;
    Ok(Some(Found { credential, path, call_limits }))
}

async fn path(store: &Store, key_id: &str) -> sqlx::Result<Vec<PathRow>> {
    on_database!(read store, db => sqlx::query_as(
        "with recursive up as (
             select * from api_key where id = $1
             union all
             select parent.* from api_key parent join up on parent.id = up.parent_key_id)
         select id, state, models_json, scopes_json, strict, expires_at_ms from up order by depth")
        .bind(key_id).fetch_all(db).await)
}

async fn call_limits(store: &Store, credential: &CredentialRow) -> sqlx::Result<Vec<CallLimitRow>> {
    on_database!(read store, db => sqlx::query_as(
        "with recursive up as (
             select id, parent_key_id from api_key where id = $1
             union all
             select parent.id, parent.parent_key_id from api_key parent join up on parent.id = up.parent_key_id)
         select node_id, kind, value from call_limit
         where org_id = $2 and (node_id in ('org:' || $2, 'dep:' || $3, 'mem:' || $4)
                                or node_id in (select 'key:' || id from up))
         order by node_id, kind")
        .bind(&credential.key_id).bind(&credential.org_id).bind(&credential.deployment_id)
        .bind(&credential.member_id)
        .fetch_all(db).await)
}

/// Writes when credentials were last used: pairs of credential id and time.
pub async fn mark_used(store: &Store, used: &[(String, i64)]) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        for (id, at_ms) in used {
            sqlx::query(
                "update api_key_credential set last_used_at_ms = $2
                 where id = $1 and (last_used_at_ms is null or last_used_at_ms < $2)")
                .bind(id).bind(at_ms).execute(&mut *tx).await?;
        }
        tx.commit().await
    })
}
