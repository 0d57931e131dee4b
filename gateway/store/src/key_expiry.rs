//! Keys that end soon, and that their end was told of.
use crate::outbox::{self, Event};
use crate::{Store, on_database};

/// A key whose end is near.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Expiring {
    pub key_id: String,
    pub org_id: String,
    pub expires_at_ms: i64,
}

/// Active keys that end within so many days and were not told of so many days before; the first to end first. A key
/// that was made for less than twice the time is nothing to warn of.
pub async fn due(
    store: &Store,
    now_ms: i64,
    (days, span_ms): (i64, i64),
    limit: i64,
) -> sqlx::Result<Vec<Expiring>> {
    on_database!(read store, db => sqlx::query_as(
        "select k.id as key_id, k.org_id, k.expires_at_ms from api_key k join org on org.id = k.org_id
         where k.state = 'active' and org.state = 'active'
           and k.expires_at_ms is not null and k.expires_at_ms > $1 and k.expires_at_ms <= $1 + $3
           and k.expires_at_ms - k.created_at_ms > 2 * $3
           and not exists (select 1 from key_expiry_notice n
                           where n.key_id = k.id and n.expires_at_ms = k.expires_at_ms and n.days = $2)
         order by k.expires_at_ms, k.id limit $4")
        .bind(now_ms).bind(days).bind(span_ms).bind(limit).fetch_all(db).await)
}

/// Wants it told, unless another process has; `days` are those that need not be told of any more.
pub async fn tell(store: &Store, key: &Expiring, days: &[i64], event: &Event) -> sqlx::Result<bool> {
    on_database!(store, db => {
        let mut tx = db.begin().await?;
        let mut told = 0;
        for days in days {
            told += sqlx::query(
                "insert into key_expiry_notice (key_id, expires_at_ms, days, told_at_ms) values ($1, $2, $3, $4)
                 on conflict (key_id, expires_at_ms, days) do nothing")
                .bind(&key.key_id).bind(key.expires_at_ms).bind(days).bind(event.created_at_ms)
                .execute(&mut *tx).await?.rows_affected();
        }
        if told == 0 {
            return Ok(false);
        }
        outbox::put!(&mut *tx, event);
        tx.commit().await?;
        Ok::<_, sqlx::Error>(true)
    })
}
