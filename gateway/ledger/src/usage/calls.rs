//! Single calls: the resolved ones in the order in which they ended, and those that hold credit now.
use super::UsageFilter;
use super::query::{outcome_list, widened};
use super::rollup::{COUNTED_AT, tail_sql};
use crate::call::RequestFacts;
use crate::ledger::Ledger;
use crate::read::{CallRow, call_columns};
use bytespike_store::on_database;
use sqlx::AssertSqlSafe;

/// A call that ended, and what was known of its request.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ResolvedCall {
    #[sqlx(flatten)]
    pub call: CallRow,
    /// Its place among the org's calls that ended: where the next page begins.
    pub resolved_seq: i64,
    request_json: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    OldestFirst,
    NewestFirst,
}

impl ResolvedCall {
    /// What its receipt says about the request.
    pub fn request(&self) -> RequestFacts {
        serde_json::from_str(&self.request_json).unwrap_or_default()
    }
}

impl Ledger {
    /// Resolved calls after the one numbered `after`. A call counts in a span as it does in a statement.
    pub async fn resolved_calls(
        &self,
        org_id: &str,
        filter: &UsageFilter,
        (order, after, limit): (Order, Option<i64>, u32),
    ) -> sqlx::Result<Vec<ResolvedCall>> {
        let Some((first, last)) = self.numbers_within(org_id, filter).await? else { return Ok(Vec::new()) };
        let (first, last) = match (order, after) {
            (_, None) => (first, last),
            (Order::OldestFirst, Some(after)) => (first.max(after.saturating_add(1)), last),
            (Order::NewestFirst, Some(after)) => (first, last.min(after.saturating_sub(1))),
        };
        let direction = if order == Order::OldestFirst { "asc" } else { "desc" };
        let columns = call_columns();
        let sql = format!(
            "select {columns}, resolved_seq, request_json from reservation r
             where org_id = $1 and resolved_seq >= $2 and resolved_seq <= $3
               and {COUNTED_AT} >= $4 and {COUNTED_AT} < $5
               and (cast($6 as text) is null or substr(key_path, 1, length($6)) = $6)
               and (cast($7 as text) is null or key_id = $7)
               and (cast($8 as text) is null or member_id = $8)
               and (cast($9 as text) is null or deployment_id = $9)
               and (cast($10 as text) is null or model_requested = $10)
               and ($11 = '' or $11 like '%,' || state || ',%')
             order by resolved_seq {direction} limit $12"
        );
        on_database!(read &self.store, db => sqlx::query_as(AssertSqlSafe(sql))
            .bind(org_id).bind(first).bind(last).bind(filter.from_ms).bind(filter.to_ms)
            .bind(&filter.below_path).bind(&filter.key_id).bind(&filter.member_id).bind(&filter.deployment_id)
            .bind(&filter.model).bind(outcome_list(filter)).bind(i64::from(limit))
            .fetch_all(db).await)
    }

    /// Between which numbers the calls of the filter's span lie, from the sums, so that no history is read for it.
    async fn numbers_within(&self, org_id: &str, filter: &UsageFilter) -> sqlx::Result<Option<(i64, i64)>> {
        let (from_ms, to_ms) = widened(filter);
        let sql = format!(
            "select min(first_seq), max(last_seq) from (
                 select first_seq, last_seq from usage_quarter where org_id = $1 and start_ms >= $2 and start_ms < $3
                 union all
                 select first_seq, last_seq from ({}) tail where start_ms >= $2 and start_ms < $3) numbered",
            tail_sql()
        );
        let (first, last): (Option<i64>, Option<i64>) = on_database!(read &self.store, db => sqlx::query_as(AssertSqlSafe(sql))
            .bind(org_id).bind(from_ms).bind(to_ms).fetch_one(db).await)?;
        Ok(first.zip(last))
    }

    /// How many calls hold credit now.
    pub async fn held_now(&self, org_id: &str) -> sqlx::Result<i64> {
        on_database!(read &self.store, db => sqlx::query_scalar(
            "select count(*) from reservation where org_id = $1 and state = 'held'")
            .bind(org_id).fetch_one(db).await)
    }

    /// Calls that hold credit now, the oldest first: at most `limit` after the one `(held_at_ms, id)`.
    pub async fn held_calls(
        &self,
        org_id: &str,
        filter: &UsageFilter,
        (after, limit): (Option<(i64, String)>, u32),
    ) -> sqlx::Result<Vec<CallRow>> {
        let (after_ms, after_id) = after.unwrap_or((i64::MIN, String::new()));
        let columns = call_columns();
        let sql = format!(
            "select {columns} from reservation
             where org_id = $1 and state = 'held' and (held_at_ms > $2 or (held_at_ms = $2 and id > $3))
               and (cast($4 as text) is null or substr(key_path, 1, length($4)) = $4)
               and (cast($5 as text) is null or key_id = $5)
               and (cast($6 as text) is null or member_id = $6)
               and (cast($7 as text) is null or deployment_id = $7)
               and (cast($8 as text) is null or model_requested = $8)
             order by held_at_ms, id limit $9"
        );
        on_database!(read &self.store, db => sqlx::query_as(AssertSqlSafe(sql))
            .bind(org_id).bind(after_ms).bind(&after_id)
            .bind(&filter.below_path).bind(&filter.key_id).bind(&filter.member_id).bind(&filter.deployment_id)
            .bind(&filter.model).bind(i64::from(limit))
            .fetch_all(db).await)
    }
}
