//! The end of accounts: asked for, taken back, and done. The ledger keeps what was paid and charged, under ids that name
//! nobody any more.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

/// When the person's account ends. A second wish changes nothing.
pub async fn ask(
    store: &Store,
    person_id: &str,
    (now_ms, due_at_ms): (i64, i64),
    entry: &Entry,
) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let asked = sqlx::query(
            "insert into account_end (person_id, asked_at_ms, due_at_ms) values ($1, $2, $3) on conflict (person_id) do nothing")
            .bind(person_id).bind(now_ms).bind(due_at_ms).execute(&mut *tx).await?.rows_affected();
        if asked == 1 {
            tx.append(entry).await?;
        }
        tx.commit().await
    })
}

pub async fn due_at(store: &Store, person_id: &str) -> sqlx::Result<Option<i64>> {
    let row: Option<(i64,)> = on_database!(read store, db => sqlx::query_as(
        "select due_at_ms from account_end where person_id = $1").bind(person_id).fetch_optional(db).await)?;
    Ok(row.map(|(due_at_ms,)| due_at_ms))
}

/// False when nothing was asked for.
pub async fn take_back(store: &Store, person_id: &str, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let taken = sqlx::query("delete from account_end where person_id = $1")
            .bind(person_id).execute(&mut *tx).await?.rows_affected();
        if taken == 1 {
            tx.append(entry).await?;
        }
        tx.commit().await?;
        Ok(taken == 1)
    })
}

/// People whose account ends by `now_ms`, the first due first.
pub async fn due(store: &Store, now_ms: i64, limit: i64) -> sqlx::Result<Vec<String>> {
    let rows: Vec<(String,)> = on_database!(read store, db => sqlx::query_as(
        "select person_id from account_end where due_at_ms <= $1 order by due_at_ms limit $2")
        .bind(now_ms).bind(limit).fetch_all(db).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Names of the orgs that would be left without an owner although others belong to them.
pub async fn orgs_left_alone(store: &Store, person_id: &str) -> sqlx::Result<Vec<String>> {
    let rows: Vec<(String,)> = on_database!(read store, db => sqlx::query_as(
        "select org.name from org join member m on m.org_id = org.id
         where m.person_id = $1 and m.role = 'owner' and m.state = 'active' and org.state = 'active'
           and exists (select 1 from member o join person p on p.id = o.person_id
                       where o.org_id = org.id and o.person_id <> $1 and o.state = 'active' and p.state = 'active')
           and not exists (select 1 from member o join person p on p.id = o.person_id
                           where o.org_id = org.id and o.person_id <> $1 and o.state = 'active' and o.role = 'owner'
                             and p.state = 'active')
         order by org.name")
        .bind(person_id).fetch_all(db).await)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Ends the account: orgs nobody else belongs to are closed, keys revoked, programs cut off, everything that names the
/// person or lets them in is gone. `alias` is a unique address nobody can have. False when it was taken back meanwhile.
pub async fn erase(
    store: &Store,
    (person_id, alias): (&str, &str),
    now_ms: i64,
    entry: &Entry,
) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let ended = sqlx::query("delete from account_end where person_id = $1 and due_at_ms <= $2")
            .bind(person_id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if ended == 0 {
            return Ok(false);
        }
        sqlx::query(
            "update org set state = 'closed' where state = 'active'
               and id in (select org_id from member where person_id = $1 and state = 'active')
               and not exists (select 1 from member o join person p on p.id = o.person_id
                               where o.org_id = org.id and o.person_id <> $1 and o.state = 'active' and p.state = 'active')")
            .bind(person_id).execute(&mut *tx).await?;
        sqlx::query(
            "update api_key set state = 'revoked', ended_at_ms = coalesce(ended_at_ms, $2)
             where state in ('active', 'disabled')
               and (member_id in (select id from member where person_id = $1)
                    or org_id in (select o.id from org o join member m on m.org_id = o.id
                                  where o.state = 'closed' and m.person_id = $1))")
            .bind(person_id).bind(now_ms).execute(&mut *tx).await?;
        sqlx::query(
            "delete from webhook_secret where endpoint_id in
                 (select e.id from webhook_endpoint e join org o on o.id = e.org_id join member m on m.org_id = o.id
                  where o.state = 'closed' and m.person_id = $1)")
            .bind(person_id).execute(&mut *tx).await?;
        sqlx::query(
            "update webhook_endpoint set state = 'removed', updated_at_ms = $2
             where state <> 'removed' and org_id in (select o.id from org o join member m on m.org_id = o.id
                                                     where o.state = 'closed' and m.person_id = $1)")
            .bind(person_id).bind(now_ms).execute(&mut *tx).await?;
        sqlx::query(
            "update body_period set ended_at_ms = $2
             where ended_at_ms is null and org_id in (select o.id from org o join member m on m.org_id = o.id
                                                      where o.state = 'closed' and m.person_id = $1)")
            .bind(person_id).bind(now_ms).execute(&mut *tx).await?;
        sqlx::query("update member set state = 'removed' where person_id = $1").bind(person_id).execute(&mut *tx).await?;
        sqlx::query(
            "update oauth_grant set state = 'revoked', revoked_reason = 'account_ended', revoked_at_ms = $2
             where person_id = $1 and state = 'active'")
            .bind(person_id).bind(now_ms).execute(&mut *tx).await?;
        sqlx::query("delete from identity where person_id = $1").bind(person_id).execute(&mut *tx).await?;
        sqlx::query("delete from totp where subject_id = $1").bind(person_id).execute(&mut *tx).await?;
        sqlx::query("delete from recovery_code where subject_id = $1").bind(person_id).execute(&mut *tx).await?;
        sqlx::query("delete from passkey where person_id = $1").bind(person_id).execute(&mut *tx).await?;
        sqlx::query("delete from data_export_part where export_id in (select id from data_export where person_id = $1)")
            .bind(person_id).execute(&mut *tx).await?;
        sqlx::query("delete from data_export where person_id = $1").bind(person_id).execute(&mut *tx).await?;
        sqlx::query("delete from known_browser where person_id = $1").bind(person_id).execute(&mut *tx).await?;
        sqlx::query("delete from email_change where person_id = $1").bind(person_id).execute(&mut *tx).await?;
        sqlx::query("delete from announcement_dismissal where person_id = $1").bind(person_id).execute(&mut *tx).await?;
        sqlx::query("delete from one_time_token where subject_id = $1").bind(person_id).execute(&mut *tx).await?;
        sqlx::query("delete from session where person_id = $1").bind(person_id).execute(&mut *tx).await?;
        sqlx::query(
            "update person set email = $2, email_key = $2, name = '', password_hash = null, email_verified_at_ms = null,
                 time_zone = 'UTC', number_format = 'language', state = 'disabled' where id = $1")
            .bind(person_id).bind(alias).execute(&mut *tx).await?;
        sqlx::query("update change_counter set changes = changes + 1 where name = 'rights'").execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}
