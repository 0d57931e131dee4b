//! People as operators look at them: across orgs, and never their secrets.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, like, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PersonLine {
    pub id: String,
    pub email: String,
    pub name: String,
    /// `active` or `disabled`
    pub state: String,
    pub email_verified_at_ms: Option<i64>,
    pub created_at_ms: i64,
    /// Orgs they belong to now.
    pub orgs: i64,
    /// When one of their sessions was last used.
    pub last_seen_at_ms: Option<i64>,
    pub has_password: bool,
    pub has_factor: bool,
}

/// A place of a person in an org.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Place {
    pub org_id: String,
    pub org_name: String,
    pub role: String,
}

/// People whose name or address contains `text` in any case, or whose id it is, newest first, from before `before`:
/// when the last one of the page before came, and its id.
pub async fn search(
    store: &Store,
    text: &str,
    before: Option<&(i64, String)>,
    limit: i64,
) -> sqlx::Result<Vec<PersonLine>> {
    let (before_ms, before_id) = before.map_or((i64::MAX, ""), |(at_ms, id)| (*at_ms, id.as_str()));
    let text = text.trim().to_lowercase();
    on_database!(read store, db => sqlx::query_as(
        "select p.id, p.email, p.name, p.state, p.email_verified_at_ms, p.created_at_ms,
                (select count(*) from member m where m.person_id = p.id and m.state = 'active') as orgs,
                (select max(s.last_seen_at_ms) from session s where s.person_id = p.id) as last_seen_at_ms,
                p.password_hash is not null as has_password,
                exists (select 1 from totp where totp.subject_id = p.id) as has_factor
         from person p
         where (p.created_at_ms < $1 or (p.created_at_ms = $1 and p.id < $2))
           and ($3 = '' or p.id = $3 or p.email_key like $4 escape '!' or lower(p.name) like $4 escape '!')
         order by p.created_at_ms desc, p.id desc limit $5")
        .bind(before_ms).bind(before_id).bind(&text).bind(like::containing(&text)).bind(limit)
        .fetch_all(db).await)
}

/// The orgs a person belongs to.
pub async fn places(store: &Store, person_id: &str) -> sqlx::Result<Vec<Place>> {
    on_database!(read store, db => sqlx::query_as(
        "select org.id as org_id, org.name as org_name, m.role from member m join org on org.id = m.org_id
         where m.person_id = $1 and m.state = 'active' order by m.created_at_ms, org.id")
        .bind(person_id).fetch_all(db).await)
}

/// The people of an org, in the order they came.
pub async fn of_org(store: &Store, org_id: &str) -> sqlx::Result<Vec<(String, String, String)>> {
    on_database!(read store, db => sqlx::query_as(
        "select p.id, p.email, m.role from member m join person p on p.id = m.person_id
         where m.org_id = $1 and m.state = 'active' order by m.created_at_ms, p.id")
        .bind(org_id).fetch_all(db).await)
}

/// Lets a suspended person in again. False when they are not suspended, or their account has ended.
pub async fn let_in(store: &Store, id: &str, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let changed = sqlx::query(
            "update person set state = 'active' where id = $1 and state = 'disabled' and email_key not like '%@ended.invalid'
               and not exists (select 1 from sign_up_request r where r.person_id = $1 and r.decision is null)")
            .bind(id).execute(&mut *tx).await?.rows_affected();
        if changed == 0 {
            return Ok(false);
        }
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Ends every session of a person.
pub async fn end_sessions(store: &Store, id: &str, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("delete from session where person_id = $1").bind(id).execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}
