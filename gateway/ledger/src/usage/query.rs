//! Sums of usage by group: the rows that the job made and the calls that it has not added yet, in one statement, so
//! that no call is counted twice or missed between them.
use super::rollup::{columns, sums, tail_sql};
use super::{Dimension, QUARTER_MS, Quantities, UsageFilter, UsageKey, UsageSums, quarter_of};
use crate::ledger::Ledger;
use bytespike_store::on_database;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// A group as the database answers it, by quarter of an hour and always by outcome.
#[derive(sqlx::FromRow)]
struct Row {
    start_ms: i64,
    model: String,
    key_id: String,
    member_id: String,
    deployment_id: String,
    outcome: String,
    calls: i64,
    held_nano: i64,
    charged_nano: i64,
    bonus_nano: i64,
    #[sqlx(flatten)]
    quantities: Quantities,
}

/// Whether the tail is read too. Without it the answer is what is added already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Now,
    Added,
}

impl Ledger {
    /// Sums by group, sorted by group. Times that are no whole quarter of an hour are widened to one; days and hours
    /// are those of `zone`.
    pub async fn usage(
        &self,
        org_id: &str,
        filter: &UsageFilter,
        (group_by, zone): (&[Dimension], &TimeZone),
    ) -> sqlx::Result<BTreeMap<UsageKey, UsageSums>> {
        self.usage_within(org_id, filter, (group_by, zone), Reach::Now).await
    }

    pub(crate) async fn usage_within(
        &self,
        org_id: &str,
        filter: &UsageFilter,
        (group_by, zone): (&[Dimension], &TimeZone),
        reach: Reach,
    ) -> sqlx::Result<BTreeMap<UsageKey, UsageSums>> {
        let sql = statement(group_by, reach);
        let (from_ms, to_ms) = widened(filter);
        // The text is made of names from the program alone; what is looked for is bound.
        let rows: Vec<Row> = on_database!(read &self.store, db => sqlx::query_as(AssertSqlSafe(sql))
            .bind(org_id).bind(from_ms).bind(to_ms)
            .bind(&filter.below_path).bind(&filter.key_id).bind(&filter.member_id).bind(&filter.deployment_id)
            .bind(&filter.model).bind(outcome_list(filter))
            .fetch_all(db).await)?;
        let mut groups: BTreeMap<UsageKey, UsageSums> = BTreeMap::new();
        for row in rows {
            let (key, sums) = grouped(row, group_by, zone);
            groups.entry(key).or_default().add(&sums);
        }
        Ok(groups)
    }
}

/// The filter's span in whole quarters of an hour.
pub(super) fn widened(filter: &UsageFilter) -> (i64, i64) {
    (quarter_of(filter.from_ms), quarter_of(filter.to_ms.saturating_add(QUARTER_MS - 1)))
}

/// `,settled,released,`, or nothing for any.
pub(super) fn outcome_list(filter: &UsageFilter) -> String {
    filter.outcomes.iter().fold(String::new(), |list, outcome| {
        if list.is_empty() { format!(",{},", outcome.name()) } else { format!("{list}{},", outcome.name()) }
    })
}

/// `$1` org, `$2` to `$3` span, `$4` key path, `$5` key, `$6` member, `$7` deployment, `$8` model, `$9` outcomes.
fn statement(group_by: &[Dimension], reach: Reach) -> String {
    let by_time = group_by.iter().any(|by| matches!(by, Dimension::Hour | Dimension::Day));
    let mut groups = vec!["outcome"];
    let mut selected = vec![if by_time { "start_ms" } else { "cast(0 as bigint) as start_ms" }.to_owned()];
    groups.extend(by_time.then_some("start_ms"));
    let named = [
        (Dimension::Model, "model"),
        (Dimension::Key, "key_id"),
        (Dimension::Member, "member_id"),
        (Dimension::Deployment, "deployment_id"),
    ];
    for (dimension, column) in named {
        let wanted = group_by.contains(&dimension);
        selected.push(if wanted { column.to_owned() } else { format!("cast('' as text) as {column}") });
        groups.extend(wanted.then_some(column));
    }
    let columns = columns();
    let tail = match reach {
        Reach::Now => format!(" union all select {columns} from ({}) tail", tail_sql()),
        Reach::Added => String::new(),
    };
    format!(
        "select {}, outcome, {}
         from (select {columns} from usage_quarter where org_id = $1 and start_ms >= $2 and start_ms < $3{tail}) used
         where start_ms >= $2 and start_ms < $3
           and (cast($4 as text) is null or substr(key_path, 1, length($4)) = $4)
           and (cast($5 as text) is null or key_id = $5)
           and (cast($6 as text) is null or member_id = $6)
           and (cast($7 as text) is null or deployment_id = $7)
           and (cast($8 as text) is null or model = $8)
           and ($9 = '' or $9 like '%,' || outcome || ',%')
         group by {}",
        selected.join(", "),
        sums(),
        groups.join(", "),
    )
}

fn grouped(row: Row, group_by: &[Dimension], zone: &TimeZone) -> (UsageKey, UsageSums) {
    let by = |dimension: Dimension| group_by.contains(&dimension);
    let start_ms = if by(Dimension::Hour) {
        Some(hour_of(row.start_ms, zone))
    } else {
        by(Dimension::Day).then(|| day_of(row.start_ms, zone))
    };
    let settled = row.outcome == "settled";
    let not_billed_calls = if settled { 0 } else { row.calls };
    let expired_calls = if row.outcome == "expired" { row.calls } else { 0 };
    let sums = UsageSums {
        settled_calls: if settled { row.calls } else { 0 },
        charged_nano: row.charged_nano,
        bonus_nano: row.bonus_nano,
        released_calls: not_billed_calls - expired_calls,
        expired_calls,
        not_billed_held_nano: if settled { 0 } else { row.held_nano },
        quantities: row.quantities,
    };
    let key = UsageKey {
        start_ms,
        model: by(Dimension::Model).then_some(row.model),
        key_id: by(Dimension::Key).then_some(row.key_id),
        member_id: by(Dimension::Member).then_some(row.member_id),
        deployment_id: by(Dimension::Deployment).then_some(row.deployment_id),
        outcome: by(Dimension::Outcome).then_some(row.outcome),
    };
    (key, sums)
}

/// Where the hour of the zone's clock began. Hours of zones such as India's begin at half past in UTC.
fn hour_of(at_ms: i64, zone: &TimeZone) -> i64 {
    let Ok(at) = Timestamp::from_millisecond(at_ms) else { return at_ms };
    let local = at.to_zoned(zone.clone());
    at_ms
        - i64::from(local.minute()) * 60_000
        - i64::from(local.second()) * 1_000
        - i64::from(local.millisecond())
}

/// Where the zone's day began.
fn day_of(at_ms: i64, zone: &TimeZone) -> i64 {
    let day = Timestamp::from_millisecond(at_ms).and_then(|at| at.to_zoned(zone.clone()).start_of_day());
    day.map_or(at_ms, |start| start.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::time_zone;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a timestamp").as_millisecond()
    }

    #[test]
    fn hours_and_days_are_the_zones_own() {
        let kolkata = time_zone("Asia/Kolkata").expect("bundled");
        assert_eq!(
            hour_of(at("2026-11-24T18:45:00Z"), &kolkata),
            at("2026-11-24T18:30:00Z"),
            "midnight there"
        );
        assert_eq!(day_of(at("2026-11-24T18:45:00Z"), &kolkata), at("2026-11-24T18:30:00Z"));
        assert_eq!(day_of(at("2026-11-24T18:15:00Z"), &kolkata), at("2026-11-23T18:30:00Z"));
        let berlin = time_zone("Europe/Berlin").expect("bundled");
        assert_eq!(day_of(at("2026-10-25T22:45:00Z"), &berlin), at("2026-10-24T22:00:00Z"), "25 hours long");
        let (first, second) = (at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z"));
        assert_eq!(
            (hour_of(first, &berlin), hour_of(second, &berlin)),
            (first - 1_800_000, second - 1_800_000)
        );
    }

    #[test]
    fn a_span_is_widened_to_whole_quarters() {
        let filter = UsageFilter { from_ms: 1, to_ms: QUARTER_MS + 1, ..UsageFilter::default() };
        assert_eq!(widened(&filter), (0, 2 * QUARTER_MS));
        let whole = UsageFilter { from_ms: QUARTER_MS, to_ms: 2 * QUARTER_MS, ..UsageFilter::default() };
        assert_eq!(widened(&whole), (QUARTER_MS, 2 * QUARTER_MS));
    }
}
