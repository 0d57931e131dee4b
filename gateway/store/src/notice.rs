//! What a member sees of what their org is told, and what they have read of it.
use crate::outbox::audience;
use crate::{Store, on_database};

/// An event as a member sees it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NoticeRow {
    pub id: String,
    pub kind: String,
    pub subject: String,
    pub payload_json: String,
    pub created_at_ms: i64,
    pub read_at_ms: Option<i64>,
}

/// Where a page starts: after the one of this moment with this id.
pub type Cursor = (i64, String);

/// What the member may see since `from_ms` and has not put away, the newest first.
pub async fn of_member(
    store: &Store,
    (member_id, from_ms): (&str, i64),
    (after, limit): (Option<&Cursor>, i64),
) -> sqlx::Result<Vec<NoticeRow>> {
    let (at_ms, id) = after.map_or((i64::MAX, ""), |(at_ms, id)| (*at_ms, id.as_str()));
    on_database!(read store, db => sqlx::query_as(concat!(
        "select o.id, o.kind, o.subject, o.payload_json, o.created_at_ms, mark.read_at_ms
         from member join outbox o on o.org_id = member.org_id
              left join notice_mark mark on mark.member_id = member.id and mark.outbox_id = o.id
         where member.id = $1 and o.created_at_ms >= $2 and o.created_at_ms >= member.created_at_ms
           and (o.created_at_ms < $3 or (o.created_at_ms = $3 and o.id < $4))
           and mark.dismissed_at_ms is null and ", audience!(), "
         order by o.created_at_ms desc, o.id desc limit $5"))
        .bind(member_id).bind(from_ms).bind(at_ms).bind(id).bind(limit).fetch_all(db).await)
}

/// How many of them are not read, up to `most`.
pub async fn unread(store: &Store, (member_id, from_ms): (&str, i64), most: i64) -> sqlx::Result<i64> {
    let (count,): (i64,) = on_database!(read store, db => sqlx::query_as(concat!(
        "select count(*) from (
             select o.id from member join outbox o on o.org_id = member.org_id
                  left join notice_mark mark on mark.member_id = member.id and mark.outbox_id = o.id
             where member.id = $1 and o.created_at_ms >= $2 and o.created_at_ms >= member.created_at_ms
               and mark.dismissed_at_ms is null and mark.read_at_ms is null and ", audience!(), "
             limit $3) unread"))
        .bind(member_id).bind(from_ms).bind(most).fetch_one(db).await)?;
    Ok(count)
}

/// The member has read everything up to `until_ms`.
pub async fn read(
    store: &Store,
    (member_id, from_ms): (&str, i64),
    (until_ms, now_ms): (i64, i64),
) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(concat!(
        "insert into notice_mark (member_id, outbox_id, read_at_ms)
         select member.id, o.id, $4 from member join outbox o on o.org_id = member.org_id
         where member.id = $1 and o.created_at_ms >= $2 and o.created_at_ms <= $3
           and o.created_at_ms >= member.created_at_ms and ", audience!(), "
         on conflict (member_id, outbox_id)
         do update set read_at_ms = coalesce(notice_mark.read_at_ms, excluded.read_at_ms)"))
        .bind(member_id).bind(from_ms).bind(until_ms).bind(now_ms).execute(db).await.map(drop))
}

/// The member does not want to see it any more. False when they may not see it anyway.
pub async fn dismiss(store: &Store, member_id: &str, (id, now_ms): (&str, i64)) -> sqlx::Result<bool> {
    let done = on_database!(store, db => sqlx::query(concat!(
        "insert into notice_mark (member_id, outbox_id, read_at_ms, dismissed_at_ms)
         select member.id, o.id, $3, $3 from member join outbox o on o.org_id = member.org_id
         where member.id = $1 and o.id = $2 and ", audience!(), "
         on conflict (member_id, outbox_id) do update set dismissed_at_ms = excluded.dismissed_at_ms,
             read_at_ms = coalesce(notice_mark.read_at_ms, excluded.read_at_ms)"))
        .bind(member_id).bind(id).bind(now_ms).execute(db).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}
