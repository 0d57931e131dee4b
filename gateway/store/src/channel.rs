//! Channels that operators add while the gateway runs, and what each channel pays. Every change bumps a counter in its
//! own transaction, which the running processes watch.
use crate::audit_event::{Appends as _, Entry};
use crate::{Store, on_database};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ChannelRow {
    pub id: String,
    pub provider: String,
    /// Where it keeps what it is sent.
    pub region: Option<String>,
    pub dialect: String,
    pub base_url: String,
    /// Slug → the provider's own id.
    pub models_json: String,
    /// `enabled` or `disabled`.
    pub state: String,
    /// Sealed for this row.
    pub credentials_sealed: Option<String>,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
    /// Its share among channels that could take the same call; 0 for the last resort.
    pub weight: i64,
    /// An array of words.
    pub tags_json: String,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CostRow {
    pub channel_id: String,
    pub model: String,
    pub component: String,
    pub unit: String,
    pub currency: String,
    pub amount_pico: i64,
    /// The whole price row.
    pub row_json: String,
}

/// All of them, by id.
pub async fn all(store: &Store) -> sqlx::Result<Vec<ChannelRow>> {
    on_database!(read store, db => sqlx::query_as("select * from channel order by id").fetch_all(db).await)
}

/// Adds a channel or replaces it; when it was made stays.
pub async fn put(store: &Store, row: &ChannelRow, entry: &Entry) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query(
            "insert into channel (id, provider, dialect, base_url, models_json, state, credentials_sealed,
                created_at_ms, updated_at_ms, region, weight, tags_json)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             on conflict (id) do update set provider = excluded.provider, region = excluded.region, dialect = excluded.dialect,
                base_url = excluded.base_url, models_json = excluded.models_json, state = excluded.state,
                credentials_sealed = excluded.credentials_sealed, updated_at_ms = excluded.updated_at_ms,
                weight = excluded.weight, tags_json = excluded.tags_json")
            .bind(&row.id).bind(&row.provider).bind(&row.dialect).bind(&row.base_url).bind(&row.models_json)
            .bind(&row.state).bind(&row.credentials_sealed).bind(row.created_at_ms).bind(row.updated_at_ms)
            .bind(&row.region).bind(row.weight).bind(&row.tags_json)
            .execute(&mut *tx).await?;
        sqlx::query("update change_counter set changes = changes + 1 where name = 'channels'").execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}

/// Takes a channel away, with what it pays. Whether there was one.
pub async fn remove(store: &Store, id: &str, entry: &Entry) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let removed = sqlx::query("delete from channel where id = $1").bind(id).execute(&mut *tx).await?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("delete from channel_cost where channel_id = $1").bind(id).execute(&mut *tx).await?;
        sqlx::query("update change_counter set changes = changes + 1 where name = 'channels'").execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await?;
        Ok(true)
    })
}

/// What every channel pays.
pub async fn costs(store: &Store) -> sqlx::Result<Vec<CostRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select channel_id, model, component, unit, currency, amount_pico, row_json from channel_cost
         order by channel_id, model, seq").fetch_all(db).await)
}

/// Replaces what a channel pays.
pub async fn put_costs(
    store: &Store,
    (channel_id, rows): (&str, &[CostRow]),
    entry: &Entry,
) -> sqlx::Result<()> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        sqlx::query("delete from channel_cost where channel_id = $1").bind(channel_id).execute(&mut *tx).await?;
        for (seq, row) in (0i64..).zip(rows) {
            sqlx::query(
                "insert into channel_cost (channel_id, model, seq, component, unit, currency, amount_pico, row_json)
                 values ($1, $2, $3, $4, $5, $6, $7, $8)")
                .bind(channel_id).bind(&row.model).bind(seq).bind(&row.component).bind(&row.unit)
                .bind(&row.currency).bind(row.amount_pico).bind(&row.row_json).execute(&mut *tx).await?;
        }
        sqlx::query("update change_counter set changes = changes + 1 where name = 'channels'").execute(&mut *tx).await?;
        tx.append(entry).await?;
        tx.commit().await
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change_counter;
    use crate::testing::{entry, on_each_database};

    fn row(state: &str) -> ChannelRow {
        ChannelRow {
            weight: 1,
            tags_json: "[]".to_owned(),
            id: "main".to_owned(),
            provider: "openai".to_owned(),
            region: Some("eu".to_owned()),
            dialect: "openai-chat".to_owned(),
            base_url: "https://api.example.com/v1".to_owned(),
            models_json: "{}".to_owned(),
            state: state.to_owned(),
            credentials_sealed: Some("sealed".to_owned()),
            created_at_ms: 5,
            updated_at_ms: 5,
        }
    }

    #[tokio::test]
    async fn a_channel_is_put_changed_and_removed_and_each_change_counts() {
        on_each_database(async |store| {
            let changes = async || change_counter::settings(&store).await.expect("counts").channels;
            put(&store, &row("enabled"), &entry()).await.expect("is put");
            let changed = ChannelRow { created_at_ms: 9, updated_at_ms: 9, ..row("disabled") };
            put(&store, &changed, &entry()).await.expect("is changed");
            assert_eq!(all(&store).await.expect("reads"), [ChannelRow { created_at_ms: 5, ..changed }]);
            let cost = CostRow {
                channel_id: "main".to_owned(),
                model: "m".to_owned(),
                component: "input".to_owned(),
                unit: "token".to_owned(),
                currency: "USD".to_owned(),
                amount_pico: 1,
                row_json: "{}".to_owned(),
            };
            put_costs(&store, ("main", &[cost.clone(), cost.clone()]), &entry()).await.expect("are put");
            put_costs(&store, ("main", std::slice::from_ref(&cost)), &entry()).await.expect("are replaced");
            assert_eq!(costs(&store).await.expect("reads"), [cost]);
            assert_eq!(changes().await, 4);
            assert!(remove(&store, "main", &entry()).await.expect("removes"));
            assert!(!remove(&store, "main", &entry()).await.expect("is gone"));
            assert_eq!(
                (all(&store).await.expect("reads"), costs(&store).await.expect("reads")),
                (vec![], vec![])
            );
        })
        .await;
    }

    #[tokio::test]
    async fn an_enabled_channel_has_credentials() {
        on_each_database(async |store| {
            let without = ChannelRow { credentials_sealed: None, ..row("enabled") };
            assert!(put(&store, &without, &entry()).await.is_err());
        })
        .await;
    }
}
