//! What operators tell everybody who opens a page, and who put it away.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AnnouncementRow {
    pub id: String,
    /// `information`, `warning` or `incident`
    pub level: String,
    /// `all`, `site`, `docs` or `console`
    pub place: String,
    pub text_en: String,
    pub text_zh: String,
    pub link: Option<String>,
    pub from_ms: i64,
    pub until_ms: Option<i64>,
    pub ended_at_ms: Option<i64>,
    pub created_at_ms: i64,
}

impl AnnouncementRow {
    /// What the audit log says of it.
    fn said(&self) -> Value {
        json!({
            "level": self.level, "place": self.place, "text_en": self.text_en, "text_zh": self.text_zh,
            "link": self.link, "from_ms": self.from_ms, "until_ms": self.until_ms,
        })
    }
}

pub async fn insert(store: &Store, row: &AnnouncementRow, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into announcement (id, level, place, text_en, text_zh, link, from_ms, until_ms, created_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(&row.id).bind(&row.level).bind(&row.place).bind(&row.text_en).bind(&row.text_zh).bind(&row.link)
            .bind(row.from_ms).bind(row.until_ms).bind(row.created_at_ms)
            .execute(&mut *tx).await?;
        sqlx::query("update change_counter set changes = changes + 1 where name = 'announcements'").execute(&mut *tx).await?;
        tx.append(&entry.about(&row.id).changed(Value::Null, row.said())).await?;
        tx.commit().await
    })
}

/// Changes one that has not ended; whoever put it away sees it again. False when there is none, or it has ended.
pub async fn update(store: &Store, row: &AnnouncementRow, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // A write that changes nothing takes the row, so that what it answers stays so until the end.
        let before: Option<AnnouncementRow> = sqlx::query_as(
            "update announcement set level = level where id = $1 and ended_at_ms is null returning *")
            .bind(&row.id).fetch_optional(&mut *tx).await?;
        let Some(before) = before else { return Ok(false) };
        sqlx::query(
            "update announcement set level = $2, place = $3, text_en = $4, text_zh = $5, link = $6, from_ms = $7,
                 until_ms = $8 where id = $1")
            .bind(&row.id).bind(&row.level).bind(&row.place).bind(&row.text_en).bind(&row.text_zh).bind(&row.link)
            .bind(row.from_ms).bind(row.until_ms)
            .execute(&mut *tx).await?;
        sqlx::query("delete from announcement_dismissal where announcement_id = $1")
            .bind(&row.id).execute(&mut *tx).await?;
        sqlx::query("update change_counter set changes = changes + 1 where name = 'announcements'").execute(&mut *tx).await?;
        tx.append(&entry.about(&row.id).changed(before.said(), row.said())).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// Nobody sees it any more. False when there is none, or it had ended.
pub async fn end(store: &Store, (id, now_ms): (&str, i64), entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let ended = sqlx::query(
            "update announcement set ended_at_ms = $2
             where id = $1 and ended_at_ms is null and (until_ms is null or until_ms > $2)")
            .bind(id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        if ended == 0 {
            return Ok(false);
        }
        sqlx::query("update change_counter set changes = changes + 1 where name = 'announcements'").execute(&mut *tx).await?;
        tx.append(&entry.about(id)).await?;
        tx.commit().await?;
        Ok(true)
    })
}

pub async fn find(store: &Store, id: &str) -> sqlx::Result<Option<AnnouncementRow>> {
    on_database!(read store, db => sqlx::query_as("select * from announcement where id = $1")
        .bind(id).fetch_optional(db).await)
}

/// The newest first.
pub async fn newest(store: &Store, limit: u32) -> sqlx::Result<Vec<AnnouncementRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from announcement order by created_at_ms desc, id desc limit $1")
        .bind(i64::from(limit)).fetch_all(db).await)
}

/// Those that are shown at `now_ms` or later, in the order they begin.
pub async fn not_over(store: &Store, now_ms: i64, limit: u32) -> sqlx::Result<Vec<AnnouncementRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select * from announcement where ended_at_ms is null and (until_ms is null or until_ms > $1)
         order by from_ms, id limit $2")
        .bind(now_ms).bind(i64::from(limit)).fetch_all(db).await)
}

/// A person does not want to see it any more. False when there is none.
pub async fn dismiss(store: &Store, id: &str, (person_id, now_ms): (&str, i64)) -> sqlx::Result<bool> {
    let exists = find(store, id).await?.is_some();
    if exists {
        on_database!(store, db => sqlx::query(
            "insert into announcement_dismissal (announcement_id, person_id, at_ms) values ($1, $2, $3)
             on conflict (announcement_id, person_id) do nothing")
            .bind(id).bind(person_id).bind(now_ms).execute(db).await.map(drop))?;
    }
    Ok(exists)
}

/// Those that a person put away.
pub async fn dismissed(store: &Store, person_id: &str) -> sqlx::Result<Vec<String>> {
    on_database!(read store, db => sqlx::query_scalar(
        "select announcement_id from announcement_dismissal where person_id = $1")
        .bind(person_id).fetch_all(db).await)
}
