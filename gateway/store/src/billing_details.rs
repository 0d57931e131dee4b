//! Who an org is on its invoices.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct BillingRow {
    pub org_id: String,
    pub legal_name: String,
    pub address: String,
    pub country: String,
    pub tax_ids_json: String,
    pub email: String,
    /// `en` or `zh`.
    pub language: String,
    pub updated_at_ms: i64,
}

impl BillingRow {
    /// As the audit log tells it.
    fn told(&self) -> Value {
        let tax_ids: Value = serde_json::from_str(&self.tax_ids_json).unwrap_or_default();
        let ids = tax_ids.as_array().into_iter().flatten().filter_map(|id| id["value"].as_str());
        json!({
            "legal_name": self.legal_name, "address": self.address, "country": self.country,
            "tax_ids": ids.collect::<Vec<_>>(), "email": self.email,
        })
    }
}

pub async fn find(store: &Store, org_id: &str) -> sqlx::Result<Option<BillingRow>> {
    on_database!(read store, db => sqlx::query_as("select * from billing_details where org_id = $1")
        .bind(org_id).fetch_optional(db).await)
}

/// Keeps the details with their event, which tells what was so before and is so now.
pub async fn save(store: &Store, row: &BillingRow, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        // A write that changes nothing takes the org's row, so that two savings at once tell the truth in turn.
        sqlx::query("update org set name = name where id = $1").bind(&row.org_id).execute(&mut *tx).await?;
        let before: Option<BillingRow> = sqlx::query_as("select * from billing_details where org_id = $1")
            .bind(&row.org_id).fetch_optional(&mut *tx).await?;
        sqlx::query(
            "insert into billing_details (org_id, legal_name, address, country, tax_ids_json, email, language, updated_at_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (org_id) do update set legal_name = excluded.legal_name, address = excluded.address,
                 country = excluded.country, tax_ids_json = excluded.tax_ids_json, email = excluded.email,
                 language = excluded.language, updated_at_ms = excluded.updated_at_ms")
            .bind(&row.org_id).bind(&row.legal_name).bind(&row.address).bind(&row.country).bind(&row.tax_ids_json)
            .bind(&row.email).bind(&row.language).bind(row.updated_at_ms).execute(&mut *tx).await?;
        let before = before.as_ref().map_or(Value::Null, BillingRow::told);
        tx.append(&entry.changed(before, row.told())).await?;
        tx.commit().await
    })
}
