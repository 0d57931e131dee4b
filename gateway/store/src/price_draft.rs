//! What operators changed about prices and have not published yet. There is one draft, and a publication settles it.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DraftRow {
    pub overrides_json: String,
    /// An operator's id.
    pub changed_by: String,
    pub changed_at_ms: i64,
}

pub async fn find(store: &Store) -> sqlx::Result<Option<DraftRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select overrides_json, changed_by, changed_at_ms from price_draft").fetch_optional(db).await)
}

pub async fn put(store: &Store, row: &DraftRow, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into price_draft (id, overrides_json, changed_by, changed_at_ms) values ('draft', $1, $2, $3)
             on conflict (id) do update set overrides_json = excluded.overrides_json, changed_by = excluded.changed_by,
                changed_at_ms = excluded.changed_at_ms")
            .bind(&row.overrides_json).bind(&row.changed_by).bind(row.changed_at_ms).execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// Throws the draft away. False when there was none.
pub async fn drop_it(store: &Store, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let dropped = sqlx::query("delete from price_draft").execute(&mut *tx).await?.rows_affected();
        if dropped == 0 {
            return Ok(false);
        }
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}
