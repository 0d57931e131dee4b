//! Invitations into an org: bound to an address, found by an HMAC of the link's token.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

/// An invitation as its org sees it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct InvitationRow {
    pub id: String,
    pub org_id: String,
    pub org_name: String,
    pub email: String,
    pub email_key: String,
    pub role: String,
    pub sent_at_ms: i64,
    pub expires_at_ms: i64,
    pub inviter_name: String,
    /// What the inviter may still do: nothing once they have left.
    pub inviter_role: Option<String>,
}

/// A new invitation, or a new link for one that is there.
#[derive(Clone, Copy)]
pub struct NewInvitation<'a> {
    pub id: &'a str,
    pub org_id: &'a str,
    pub email: &'a str,
    pub email_key: &'a str,
    pub role: &'a str,
    pub token_hash: &'a str,
    pub invited_by_member_id: &'a str,
    pub now_ms: i64,
    pub expires_at_ms: i64,
}

/// The open invitations of the org, the newest first; the expired ones among them.
pub async fn open_of_org(store: &Store, org_id: &str) -> sqlx::Result<Vec<InvitationRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select i.id, i.org_id, org.name as org_name, i.email, i.email_key, i.role, i.sent_at_ms, i.expires_at_ms,
                coalesce(person.name, '') as inviter_name,
                case when inviter.state = 'active' then inviter.role end as inviter_role
         from invitation i
         join org on org.id = i.org_id
         join member inviter on inviter.id = i.invited_by_member_id
         left join person on person.id = inviter.person_id
         where i.org_id = $1 and i.state = 'open'
         order by i.sent_at_ms desc, i.id desc")
        .bind(org_id).fetch_all(db).await)
}

/// Whether somebody who may still invite has invited this address, and it can still be accepted.
pub async fn is_waiting_for(store: &Store, email_key: &str, now_ms: i64) -> sqlx::Result<bool> {
    let row: Option<(String,)> = on_database!(read store, db => sqlx::query_as(
        "select i.id from invitation i
         join org on org.id = i.org_id and org.state = 'active'
         join member inviter on inviter.id = i.invited_by_member_id and inviter.state = 'active'
         where i.email_key = $1 and i.state = 'open' and i.expires_at_ms > $2 limit 1")
        .bind(email_key).bind(now_ms).fetch_optional(db).await)?;
    Ok(row.is_some())
}

/// The invitation behind a link, if it is open, has not expired, and its org is.
pub async fn find(store: &Store, token_hash: &str, now_ms: i64) -> sqlx::Result<Option<InvitationRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select i.id, i.org_id, org.name as org_name, i.email, i.email_key, i.role, i.sent_at_ms, i.expires_at_ms,
                coalesce(person.name, '') as inviter_name,
                case when inviter.state = 'active' and coalesce(person.state, 'active') = 'active' then inviter.role end
                    as inviter_role
         from invitation i
         join org on org.id = i.org_id and org.state = 'active'
         join member inviter on inviter.id = i.invited_by_member_id
         left join person on person.id = inviter.person_id
         where i.token_hash = $1 and i.state = 'open' and i.expires_at_ms > $2")
        .bind(token_hash).bind(now_ms).fetch_optional(db).await)
}

/// Issues one. False when the address has an open one or belongs to a member.
pub async fn insert(store: &Store, new: NewInvitation<'_>, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let inserted = sqlx::query(
            "insert into invitation (id, org_id, email, email_key, role, token_hash, invited_by_member_id, sent_at_ms,
                                     expires_at_ms, created_at_ms)
             select $1, $2, $3, $4, $5, $6, $7, $8, $9, $8
             where not exists (select 1 from member join person on person.id = member.person_id
                               where member.org_id = $2 and member.state = 'active' and person.email_key = $4)
             on conflict (org_id, email_key) where state = 'open' do nothing")
            .bind(new.id).bind(new.org_id).bind(new.email).bind(new.email_key).bind(new.role).bind(new.token_hash)
            .bind(new.invited_by_member_id).bind(new.now_ms).bind(new.expires_at_ms)
            .execute(&mut *tx).await?.rows_affected();
        if inserted == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// A new link; the one before is dead. False when the invitation is not open.
pub async fn renew(store: &Store, new: NewInvitation<'_>, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let renewed = sqlx::query(
            "update invitation set token_hash = $3, invited_by_member_id = $4, sent_at_ms = $5, expires_at_ms = $6
             where id = $1 and org_id = $2 and state = 'open'")
            .bind(new.id).bind(new.org_id).bind(new.token_hash).bind(new.invited_by_member_id).bind(new.now_ms)
            .bind(new.expires_at_ms).execute(&mut *tx).await?.rows_affected();
        if renewed == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// False when the org has no such open invitation.
pub async fn revoke(store: &Store, org_id: &str, id: &str, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let revoked = sqlx::query(
            "update invitation set state = 'revoked', token_hash = null where id = $1 and org_id = $2 and state = 'open'")
            .bind(id).bind(org_id).execute(&mut *tx).await?.rows_affected();
        if revoked == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Who accepts, and through which link.
#[derive(Clone, Copy)]
pub struct Acceptance<'a> {
    pub token_hash: &'a str,
    pub invitation: &'a InvitationRow,
    pub person_id: &'a str,
    /// For someone who was never a member here.
    pub member_id: &'a str,
    pub now_ms: i64,
}

/// Makes the person a member, once. `None` when the link was used, replaced or revoked meanwhile, when its issuer has lost
/// the role it was issued under, or when the person is a member already.
pub async fn accept(store: &Store, by: Acceptance<'_>, entry: &Entry) -> sqlx::Result<Option<String>> {
    let Acceptance { invitation, .. } = by;
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let joined: Option<(String,)> = sqlx::query_as(
            "insert into member (id, org_id, person_id, role, created_at_ms)
             select $1, i.org_id, $2, i.role, $3 from invitation i
             join member inviter on inviter.id = i.invited_by_member_id and inviter.state = 'active' and inviter.role = $5
             where i.token_hash = $4 and i.state = 'open' and i.expires_at_ms > $3
             on conflict (org_id, person_id) do update set state = 'active', role = excluded.role
             where member.state = 'removed' returning id")
            .bind(by.member_id).bind(by.person_id).bind(by.now_ms).bind(by.token_hash).bind(&invitation.inviter_role)
            .fetch_optional(&mut *tx).await?;
        let Some((member_id,)) = joined else { return Ok(None) };
        let used = sqlx::query(
            "update invitation set state = 'accepted', token_hash = null, member_id = $2
             where token_hash = $1 and state = 'open'")
            .bind(by.token_hash).bind(&member_id).execute(&mut *tx).await?.rows_affected();
        if used == 0 {
            return Ok(None);
        }
        tx.append(&entry.about(&member_id)).await?;
        tx.commit().await?;
        Ok(Some(member_id))
    })
}
