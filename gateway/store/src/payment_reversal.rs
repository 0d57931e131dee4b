//! What was undone of an order at the payment provider, and what came back. Both may be told in either order.
use crate::{Store, on_database};

/// A dispute, or money given back.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ReversalRow {
    /// The provider's name for it.
    pub id: String,
    pub order_id: String,
    /// `dispute` or `return`.
    pub kind: String,
    /// In the order's currency.
    pub amount_minor: i64,
    pub left_at_ms: Option<i64>,
    pub back_at_ms: Option<i64>,
}

/// Notes that the money left, or came back; the first moment stands.
pub async fn note(store: &Store, row: &ReversalRow) -> sqlx::Result<()> {
    on_database!(store, db => sqlx::query(
        "insert into payment_reversal (id, order_id, kind, amount_minor, left_at_ms, back_at_ms)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do update set left_at_ms = coalesce(payment_reversal.left_at_ms, excluded.left_at_ms),
                                        back_at_ms = coalesce(payment_reversal.back_at_ms, excluded.back_at_ms)")
        .bind(&row.id).bind(&row.order_id).bind(&row.kind).bind(row.amount_minor).bind(row.left_at_ms)
        .bind(row.back_at_ms).execute(db).await.map(drop))
}

/// What was undone of an order, the oldest first.
pub async fn of_order(store: &Store, order_id: &str) -> sqlx::Result<Vec<ReversalRow>> {
    on_database!(read store, db => sqlx::query_as(
        "select id, order_id, kind, amount_minor, left_at_ms, back_at_ms from payment_reversal
         where order_id = $1 order by coalesce(left_at_ms, back_at_ms), id")
        .bind(order_id).fetch_all(db).await)
}
