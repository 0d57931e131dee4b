//! People who wait for an operator to let them in. The row is written with the account.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

/// Somebody who waits. Their address is proven.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Waiting {
    pub person_id: String,
    pub email: String,
    pub name: String,
    pub language: String,
    pub asked_at_ms: i64,
}

/// Those who wait with a proven address, the first first.
pub async fn waiting(store: &Store, limit: u32) -> sqlx::Result<Vec<Waiting>> {
    on_database!(read store, db => sqlx::query_as(
        "select r.person_id, p.email, p.name, p.language, r.asked_at_ms
         from sign_up_request r join person p on p.id = r.person_id
         where r.decision is null and p.email_verified_at_ms is not null
         order by r.asked_at_ms, r.person_id limit $1")
        .bind(i64::from(limit)).fetch_all(db).await)
}

/// How many wait with a proven address, and how many have not proven theirs yet.
pub async fn counts(store: &Store) -> sqlx::Result<(i64, i64)> {
    on_database!(read store, db => sqlx::query_as(
        "select count(p.email_verified_at_ms), count(*) - count(p.email_verified_at_ms)
         from sign_up_request r join person p on p.id = r.person_id where r.decision is null")
        .fetch_one(db).await)
}

/// Whether nobody has decided about the person yet.
pub async fn waits(store: &Store, person_id: &str) -> sqlx::Result<bool> {
    let row: Option<(i64,)> = on_database!(read store, db => sqlx::query_as(
        "select asked_at_ms from sign_up_request where person_id = $1 and decision is null")
        .bind(person_id).fetch_optional(db).await)?;
    Ok(row.is_some())
}

/// What an operator decides about somebody who waits.
#[derive(Clone, Copy)]
pub struct Decision<'a> {
    pub person_id: &'a str,
    /// Else they are refused, and their account ends.
    pub is_approved: bool,
    /// An operator's id.
    pub by: &'a str,
    pub now_ms: i64,
}

/// Decides once. False when nobody waits by that id with a proven address.
pub async fn decide(store: &Store, decision: Decision<'_>, entry: &Entry) -> sqlx::Result<bool> {
    let Decision { person_id, is_approved, by, now_ms } = decision;
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let decided = sqlx::query(
            "update sign_up_request set decision = $2, decided_by = $3, decided_at_ms = $4
             where person_id = $1 and decision is null
               and exists (select 1 from person where id = $1 and email_verified_at_ms is not null)")
            .bind(person_id).bind(if is_approved { "approved" } else { "refused" }).bind(by).bind(now_ms)
            .execute(&mut *tx).await?.rows_affected();
        if decided == 0 {
            return Ok(false);
        }
        if is_approved {
            sqlx::query("update person set state = 'active' where id = $1").bind(person_id).execute(&mut *tx).await?;
        } else {
            sqlx::query(
                "insert into account_end (person_id, asked_at_ms, due_at_ms) values ($1, $2, $2) on conflict (person_id) do nothing")
                .bind(person_id).bind(now_ms).execute(&mut *tx).await?;
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}
