//! What a person allowed a program to do.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

pub struct NewGrant<'a> {
    pub id: &'a str,
    pub client_id: &'a str,
    pub client_name: &'a str,
    pub client_place: &'a str,
    pub person_id: &'a str,
    pub org_id: &'a str,
    pub member_id: &'a str,
    pub scopes_json: &'a str,
    pub resource: Option<&'a str>,
    pub key_bounds_json: &'a str,
    pub ends_at_ms: i64,
    pub now_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct GrantRow {
    pub id: String,
    pub client_id: String,
    pub client_name: String,
    pub client_place: String,
    pub person_id: String,
    pub org_id: String,
    pub member_id: String,
    pub scopes_json: String,
    pub resource: Option<String>,
    pub key_bounds_json: String,
    pub state: String,
    pub ends_at_ms: i64,
    pub last_used_at_ms: Option<i64>,
    pub created_at_ms: i64,
    /// The person, their membership and the org are active.
    pub is_holder_active: bool,
}

/// The grant, and whether whoever gave it still may.
pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<GrantRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select g.id, g.client_id, g.client_name, g.client_place, g.person_id, g.org_id, g.member_id, g.scopes_json, g.resource,
                g.key_bounds_json, g.state, g.ends_at_ms, g.last_used_at_ms, g.created_at_ms,
                (person.state = 'active' and member.state = 'active' and org.state = 'active') as is_holder_active
         from oauth_grant g
         join person on person.id = g.person_id
         join member on member.id = g.member_id
         join org on org.id = g.org_id
         where g.id = $1")
        .bind(id).fetch_optional(db).await)
}

/// What the person allows programs to do, newest first.
pub async fn active_of_person(store: &Store, person_id: &str, now_ms: i64) -> sqlx::Result<Vec<GrantRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select g.id, g.client_id, g.client_name, g.client_place, g.person_id, g.org_id, g.member_id, g.scopes_json, g.resource,
                g.key_bounds_json, g.state, g.ends_at_ms, g.last_used_at_ms, g.created_at_ms,
                (person.state = 'active' and member.state = 'active' and org.state = 'active') as is_holder_active
         from oauth_grant g
         join person on person.id = g.person_id
         join member on member.id = g.member_id
         join org on org.id = g.org_id
         where g.person_id = $1 and g.state = 'active'
           and (g.ends_at_ms > $2 or exists (select 1 from oauth_key k join api_key a on a.id = k.key_id
                                              where k.grant_id = g.id and a.state in ('active', 'disabled')))
         order by g.created_at_ms desc, g.id desc")
        .bind(person_id).bind(now_ms).fetch_all(db).await)
}

/// Ends the grant: every token of it is dead from now on. False when it had ended.
pub async fn revoke(
    store: &Store,
    id: &str,
    (reason, now_ms): (&str, i64),
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let revoked = sqlx::query(
            "update oauth_grant set state = 'revoked', revoked_reason = $2, revoked_at_ms = $3
             where id = $1 and state = 'active'")
            .bind(id).bind(reason).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if revoked == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Removes what nobody can use any more: decided or expired transactions, codes, device codes and tokens.
pub async fn sweep(store: &Store, now_ms: i64) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("delete from oauth_transaction where expires_at_ms <= $1").bind(now_ms).execute(&mut *tx).await?;
        // A code and a consumed refresh token stay a while, so that their reuse is still noticed.
        let forgotten_ms = now_ms - 24 * 3_600_000;
        sqlx::query("delete from oauth_code where expires_at_ms <= $1").bind(forgotten_ms).execute(&mut *tx).await?;
        sqlx::query("delete from oauth_device where expires_at_ms <= $1").bind(forgotten_ms).execute(&mut *tx).await?;
        sqlx::query("delete from oauth_token where expires_at_ms <= $1").bind(forgotten_ms).execute(&mut *tx).await?;
        sqlx::query("delete from oauth_client_document where kept_until_ms <= $1").bind(now_ms).execute(&mut *tx).await?;
        sqlx::query("update oauth_key set sealed_answer = null where sealed_until_ms <= $1 and sealed_answer is not null")
            .bind(now_ms).execute(&mut *tx).await?;
        tx.commit().await
    })
}
