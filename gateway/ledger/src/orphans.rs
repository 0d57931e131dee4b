//! Rows whose parent is not there. The ledger's writer puts parents and children into one transaction and does without
//! the database's own look-up for each reference (see `0010_ledger_storage.sql`), so a check makes up for it.
use crate::invariants::Violation;
use crate::verified::From;
use bytespike_store::world::first_id;
use bytespike_store::{Store, on_database};
use sqlx::AssertSqlSafe;

/// The rule, whatever the reference.
pub(crate) const RULE: &str = "references: whatever a row names is there";

/// A call's rows may be written this long after its id was made.
const WRITTEN_WITHIN_MS: i64 = 3 * 3_600_000;

/// A column that names a row of another table.
struct Reference {
    child: &'static str,
    column: &'static str,
    parent: &'static str,
    key: &'static str,
    /// A column of ids that sort by time, and the prefix of those ids. Without one the table is small, and is read whole.
    by_time: Option<(&'static str, &'static str)>,
}

const fn reference(
    (child, column): (&'static str, &'static str),
    (parent, key): (&'static str, &'static str),
    by_time: Option<(&'static str, &'static str)>,
) -> Reference {
    Reference { child, column, parent, key, by_time }
}

/// Every reference that is declared between the writer's tables, and those that are not declared at all.
const REFERENCES: [Reference; 12] = [
    reference(("lot", "org_id"), ("wallet", "org_id"), None),
    reference(("spend_limit", "org_id"), ("wallet", "org_id"), None),
    reference(("reservation", "org_id"), ("wallet", "org_id"), Some(("id", "rcp"))),
    reference(("reservation_lot", "reservation_id"), ("reservation", "id"), Some(("reservation_id", "rcp"))),
    reference(("reservation_lot", "lot_id"), ("lot", "id"), Some(("reservation_id", "rcp"))),
    reference(("journal_tx", "org_id"), ("wallet", "org_id"), Some(("id", "jtx"))),
    reference(("journal_tx", "reservation_id"), ("reservation", "id"), Some(("id", "jtx"))),
    reference(("journal_entry", "tx_id"), ("journal_tx", "id"), Some(("tx_id", "jtx"))),
    reference(("journal_entry", "lot_id"), ("lot", "id"), Some(("tx_id", "jtx"))),
    reference(("upstream_attempt", "reservation_id"), ("reservation", "id"), Some(("reservation_id", "rcp"))),
    reference(("receipt", "id"), ("reservation", "id"), Some(("id", "rcp"))),
    reference(("late_usage", "reservation_id"), ("reservation", "id"), Some(("reservation_id", "rcp"))),
];

/// One example for each reference that leads nowhere.
pub(crate) async fn find(store: &Store, from: From) -> sqlx::Result<Vec<Violation>> {
    let since_ms = since(store, from).await?;
    let mut violations = Vec::new();
    for reference in &REFERENCES {
        // The text is made of the names above.
        let sql = AssertSqlSafe(reference.orphan());
        let first = reference.by_time.map_or_else(String::new, |(_, prefix)| first_id(prefix, since_ms));
        let whole = since_ms == 0;
        let found: Option<String> = on_database!(read store, db => sqlx::query_scalar(sql)
            .bind(&first).bind(whole).fetch_optional(db).await)?;
        violations.extend(found.map(|id| reference.broken(&id)));
    }
    Ok(violations)
}

/// Before this, a check has found nothing.
async fn since(store: &Store, from: From) -> sqlx::Result<i64> {
    if from == From::Beginning {
        return Ok(0);
    }
    let checked_ms: Option<i64> = on_database!(read store, db => sqlx::query_scalar(
        "select max(at_ms) from invariant_run where violations_json = '[]'").fetch_one(db).await)?;
    Ok(checked_ms.map_or(0, |at_ms| at_ms.saturating_sub(WRITTEN_WITHIN_MS).max(0)))
}

impl Reference {
    fn orphan(&self) -> String {
        let Self { child, column, parent, key, by_time } = self;
        let id = by_time.map_or("''", |(id, _)| id);
        format!(
            "select {column} from {child} c where ($2 or {id} >= $1) and {column} is not null
               and not exists (select 1 from {parent} p where p.{key} = c.{column}) limit 1"
        )
    }

    fn broken(&self, id: &str) -> Violation {
        let Self { child, column, parent, .. } = self;
        Violation {
            invariant: RULE.to_owned(),
            example: format!("{child}.{column}: there is no {parent} {id}"),
        }
    }
}
