//! What operators switched while the installation runs.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SwitchRow {
    pub name: String,
    pub value: String,
    pub changed_by: String,
    pub changed_at_ms: i64,
}

pub async fn all(store: &Store) -> sqlx::Result<Vec<SwitchRow>> {
    on_database!(read store, db => sqlx::query_as("select * from switch order by name").fetch_all(db).await)
}

/// Sets it, or with an empty value takes it back to what the configuration says. The event gets what was so before.
pub async fn put(store: &Store, row: &SwitchRow, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // First, so that of two changes at once each finds what the other left.
        sqlx::query("update change_counter set changes = changes + 1 where name = 'switches'").execute(&mut *tx).await?;
        let before: Option<(String,)> = sqlx::query_as("select value from switch where name = $1")
            .bind(&row.name).fetch_optional(&mut *tx).await?;
        if row.value.is_empty() {
            sqlx::query("delete from switch where name = $1").bind(&row.name).execute(&mut *tx).await?;
        } else {
            sqlx::query(
                "insert into switch (name, value, changed_by, changed_at_ms) values ($1, $2, $3, $4)
                 on conflict (name) do update set value = excluded.value, changed_by = excluded.changed_by,
                    changed_at_ms = excluded.changed_at_ms")
                .bind(&row.name).bind(&row.value).bind(&row.changed_by).bind(row.changed_at_ms)
                .execute(&mut *tx).await?;
        }
        let before = before.map(|(value,)| json!({ "value": value }));
        let after = (!row.value.is_empty()).then(|| json!({ "value": row.value }));
        tx.append(&entry.about(&row.name).changed(json!(before), json!(after))).await?;
        tx.commit().await
    })
}
