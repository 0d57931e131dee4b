//! The job that adds resolved calls to their quarter of an hour. It follows the numbers that calls were given under
//! their wallet's lock, so it can neither miss a call that was slow to commit nor count one twice.
use super::{QUARTER_MS, Quantities};
use crate::ledger::Ledger;
use bytespike_store::on_database;
use sqlx::AssertSqlSafe;

/// Calls added in one transaction at most, so that other writers never wait long.
const CHUNK: i64 = 2_000;

/// The columns of `usage_quarter` that tell its rows apart, and those of money that are summed.
const KEYS: [&str; 8] =
    ["org_id", "start_ms", "outcome", "model", "key_path", "key_id", "member_id", "deployment_id"];
const AMOUNTS: [&str; 4] = ["calls", "held_nano", "charged_nano", "bonus_nano"];

fn summed() -> impl Iterator<Item = &'static str> {
    AMOUNTS.into_iter().chain(Quantities::COLUMNS)
}

/// When a call counts: when it ended, or, if it became known after its month was closed, when that month ended.
pub(super) const COUNTED_AT: &str = "coalesce((select max(s.to_ms) from statement s
    where s.org_id = r.org_id and s.to_ms > r.resolved_at_ms and s.resolved_seq < r.resolved_seq), r.resolved_at_ms)";

/// `select` of the calls of org `$1` that are not added yet, each as a row of `usage_quarter` would hold it alone.
pub(super) fn tail_sql() -> String {
    format!(
        "select r.org_id, {COUNTED_AT} / {QUARTER_MS} * {QUARTER_MS} as start_ms, r.state as outcome,
                r.model_requested as model, r.key_path, r.key_id, r.member_id, r.deployment_id,
                r.resolved_seq as first_seq, r.resolved_seq as last_seq,
                cast(1 as bigint) as calls, r.held_nano, r.charged_nano,
                (select cast(coalesce(-sum(e.amount_nano), 0) as bigint)
                 from journal_tx t join journal_entry e on e.tx_id = t.id
                 where t.reservation_id = r.id and e.account = 'bonus') as bonus_nano,
                {}
         from usage_mark m join reservation r on r.org_id = m.org_id and r.resolved_seq > m.resolved_seq
         where m.org_id = $1",
        Quantities::COLUMNS.map(|name| format!("r.{name}")).join(", ")
    )
}

/// Every column of `usage_quarter`, in the order of [`tail_sql`].
pub(super) fn columns() -> String {
    let summed: Vec<&str> = summed().collect();
    [&KEYS[..], &["first_seq", "last_seq"], &summed].concat().join(", ")
}

/// `cast(sum(x) as bigint) as x` for every summed column.
pub(super) fn sums() -> String {
    let sum = |name| format!("cast(coalesce(sum({name}), 0) as bigint) as {name}");
    summed().map(sum).collect::<Vec<_>>().join(", ")
}

impl Ledger {
    /// Adds every resolved call that is not added yet; answers how many orgs had some. Safe to run anywhere, any time.
    pub async fn roll_up(&self) -> sqlx::Result<usize> {
        let behind: Vec<String> = on_database!(read &self.store, db => sqlx::query_scalar(
            "select m.org_id from usage_mark m join wallet w on w.org_id = m.org_id
             where w.resolved_seq > m.resolved_seq")
            .fetch_all(db).await)?;
        for org_id in &behind {
            self.roll_up_org(org_id).await?;
        }
        Ok(behind.len())
    }

    /// Adds the org's calls up to what is known now; answers up to which number they are added.
    pub(crate) async fn roll_up_org(&self, org_id: &str) -> sqlx::Result<i64> {
        loop {
            let (mark, head) = self.add_chunk(org_id).await?;
            if mark >= head {
                return Ok(mark);
            }
        }
    }

    /// One transaction: up to which number calls are added afterwards, and up to which there are some.
    async fn add_chunk(&self, org_id: &str) -> sqlx::Result<(i64, i64)> {
        let added = |name| format!("{name} = usage_quarter.{name} + excluded.{name}");
        let sql = format!(
            "insert into usage_quarter ({}) select {}, min(first_seq), max(last_seq), {} from ({}) tail
             where tail.last_seq <= $2 group by {}
             on conflict (org_id, start_ms, outcome, model, key_path, member_id, deployment_id)
             do update set last_seq = excluded.last_seq, {}",
            columns(),
            KEYS.join(", "),
            sums(),
            tail_sql(),
            KEYS.join(", "),
            summed().map(added).collect::<Vec<_>>().join(", "),
        );
        on_database!(&self.store, db => {
            let mut tx = db.begin().await?;
            // Whoever has the mark's lock adds; another process waits here and then finds less to do.
            let (mark, head): (i64, i64) = sqlx::query_as(
                "update usage_mark set resolved_seq = resolved_seq where org_id = $1
                 returning resolved_seq, (select w.resolved_seq from wallet w where w.org_id = usage_mark.org_id)")
                .bind(org_id).fetch_one(&mut *tx).await?;
            let until = head.min(mark + CHUNK);
            if until > mark {
                // The text is made of names from the program alone.
                sqlx::query(AssertSqlSafe(sql)).bind(org_id).bind(until).execute(&mut *tx).await?;
                sqlx::query("update usage_mark set resolved_seq = $2 where org_id = $1")
                    .bind(org_id).bind(until).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok((until.max(mark), head))
        })
    }
}
