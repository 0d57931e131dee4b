//! What providers say we cost them, beside what our attempts say. A difference is looked into by a person; it never
//! moves a wallet.
use crate::ledger::Ledger;
use bytespike_catalog::NanoUsd;
use bytespike_store::on_database;
use bytespike_store::world::first_id;
use jiff::civil::Date;
use jiff::tz::TimeZone;

const DAY_MS: i64 = 86_400_000;
/// Apart by no more than this, or by no more than half a percent of the report, is the same.
const TOLERANCE: NanoUsd = NanoUsd(1_000_000_000);
const TOLERANCE_PER_MILLE: i64 = 5;
/// Providers close a day late; before this many days a missing report means nothing.
const REPORTED_AFTER_DAYS: i64 = 3;
/// How many days back the daily job compares, because reports are corrected and calls end late.
pub const COMPARED_DAYS: i64 = 35;

/// One line of a provider's cost report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostLine {
    /// UTC.
    pub day: Date,
    pub description: String,
    /// Negative for a credit.
    pub amount: NanoUsd,
}

/// A provider's cost report. For the days it speaks of, it replaces what was reported before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostReport {
    pub provider: String,
    /// Where it is from: a file's name, an address.
    pub source: String,
    pub lines: Vec<CostLine>,
}

/// A provider's day compared.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Reconciliation {
    pub provider: String,
    /// UTC, `YYYY-MM-DD`.
    pub day: String,
    pub at_ms: i64,
    /// Our attempts, and how many of them were answered and have no known cost.
    pub attempts: i64,
    pub unpriced_attempts: i64,
    pub expected_nano: i64,
    /// `None` when the provider has not reported the day.
    pub actual_nano: Option<i64>,
    pub tolerance_nano: i64,
    /// `matched`, `unmatched`, or `missing`: we called, and there is no report.
    pub state: String,
}

/// Which comparisons to list; `None` means any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReconciliationFilter {
    pub provider: Option<String>,
    pub state: Option<String>,
    /// First and last day, inclusive.
    pub from: Option<String>,
    pub to: Option<String>,
}

/// What a channel's attempts of a day come to.
#[derive(sqlx::FromRow)]
struct ChannelSum {
    channel_id: String,
    attempts: i64,
    unpriced: i64,
    nano: i64,
    /// What is left of each attempt below a nano-USD.
    pico: i64,
}

/// The attempts of some channels on a day.
#[derive(Default)]
struct DaySum {
    attempts: i64,
    unpriced: i64,
    pico: i128,
}

impl Ledger {
    /// Keeps a report and compares every day it speaks of. `provider_of` names the provider of a channel.
    pub async fn import_costs(
        &self,
        report: &CostReport,
        provider_of: &(dyn Fn(&str) -> Option<String> + Send + Sync),
    ) -> sqlx::Result<Vec<Reconciliation>> {
        let mut days: Vec<Date> = report.lines.iter().map(|line| line.day).collect();
        days.sort_unstable();
        days.dedup();
        for day in &days {
            self.keep_day(report, *day).await?;
        }
        let mut compared = Vec::new();
        for day in days {
            compared.extend(self.compare(&report.provider, day, provider_of).await?);
        }
        Ok(compared)
    }

    /// Compares again what may have changed, and looks for days that a reporting provider has left out.
    pub async fn reconcile(
        &self,
        provider_of: &(dyn Fn(&str) -> Option<String> + Send + Sync),
    ) -> sqlx::Result<Vec<Reconciliation>> {
        let today = day_of(self.world.now_ms());
        let firsts: Vec<(String, String)> = on_database!(read &self.store, db => sqlx::query_as(
            "select provider, min(day) from provider_cost group by provider order by provider")
            .fetch_all(db).await)?;
        let mut compared = Vec::new();
        for (provider, first) in firsts {
            for back in (REPORTED_AFTER_DAYS..=COMPARED_DAYS).rev() {
                let day = today.saturating_sub(jiff::Span::new().days(back));
                if day.to_string() >= first {
                    compared.extend(self.compare(&provider, day, provider_of).await?);
                }
            }
        }
        Ok(compared)
    }

    /// The newest days first.
    pub async fn reconciliations(
        &self,
        filter: &ReconciliationFilter,
        limit: u32,
    ) -> sqlx::Result<Vec<Reconciliation>> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select provider, day, at_ms, attempts, unpriced_attempts, expected_nano, actual_nano, tolerance_nano, state
             from recon_run
             where (cast($1 as text) is null or provider = $1) and (cast($2 as text) is null or state = $2)
               and (cast($3 as text) is null or day >= $3) and (cast($4 as text) is null or day <= $4)
             order by day desc, provider limit $5")
            .bind(&filter.provider).bind(&filter.state).bind(&filter.from).bind(&filter.to)
            .bind(i64::from(limit)).fetch_all(db).await)
    }

    async fn keep_day(&self, report: &CostReport, day: Date) -> sqlx::Result<()> {
        let name = day.to_string();
        let lines = (1i64..).zip(report.lines.iter().filter(|line| line.day == day));
        on_database!(&self.store, db => {
            let mut tx = db.begin().await?;
            sqlx::query("delete from provider_cost where provider = $1 and day = $2")
                .bind(&report.provider).bind(&name).execute(&mut *tx).await?;
            for (number, line) in lines {
                sqlx::query(
                    "insert into provider_cost (provider, day, line, description, amount_nano, source, imported_at_ms)
                     values ($1, $2, $3, $4, $5, $6, $7)")
                    .bind(&report.provider).bind(&name).bind(number).bind(&line.description).bind(line.amount.0)
                    .bind(&report.source).bind(self.world.now_ms()).execute(&mut *tx).await?;
            }
            tx.commit().await
        })
    }

    /// `None` when there is neither a report nor an attempt.
    async fn compare(
        &self,
        provider: &str,
        day: Date,
        provider_of: &(dyn Fn(&str) -> Option<String> + Send + Sync),
    ) -> sqlx::Result<Option<Reconciliation>> {
        let reported: Vec<i64> = on_database!(read &self.store, db => sqlx::query_scalar(
            "select amount_nano from provider_cost where provider = $1 and day = $2")
            .bind(provider).bind(day.to_string()).fetch_all(db).await)?;
        let actual =
            (!reported.is_empty()).then(|| reported.iter().map(|nano| i128::from(*nano)).sum::<i128>());
        let ours = self.our_day(provider, day, provider_of).await?;
        if actual.is_none() && ours.attempts == 0 {
            return Ok(None);
        }
        let expected = ours.pico.div_euclid(1_000);
        let tolerance = tolerance(actual.unwrap_or(0));
        let state = match actual {
            None => "missing",
            Some(actual) if (actual - expected).abs() <= tolerance => "matched",
            Some(_) => "unmatched",
        };
        let row = Reconciliation {
            provider: provider.to_owned(),
            day: day.to_string(),
            at_ms: self.world.now_ms(),
            attempts: ours.attempts,
            unpriced_attempts: ours.unpriced,
            expected_nano: bounded(expected),
            actual_nano: actual.map(bounded),
            tolerance_nano: bounded(tolerance),
            state: state.to_owned(),
        };
        self.record(&row).await?;
        Ok(Some(row))
    }

    /// Attempts belong to the day they started on. Their ids are those of their calls, which begin earlier, but not
    /// by a day.
    async fn our_day(
        &self,
        provider: &str,
        day: Date,
        provider_of: &(dyn Fn(&str) -> Option<String> + Send + Sync),
    ) -> sqlx::Result<DaySum> {
        let from_ms = start_ms(day);
        let sums: Vec<ChannelSum> = on_database!(read &self.store, db => sqlx::query_as(
            "select channel_id, count(*) as attempts, count(case when cost_pico is null and http_status = 200 then 1 end) as unpriced,
                    cast(coalesce(sum(cost_pico / 1000), 0) as bigint) as nano,
                    cast(coalesce(sum(cost_pico % 1000), 0) as bigint) as pico
             from upstream_attempt
             where reservation_id >= $1 and reservation_id < $2 and started_at_ms >= $3 and started_at_ms < $4
             group by channel_id")
            .bind(first_id("rcp", from_ms - DAY_MS)).bind(first_id("rcp", from_ms + DAY_MS))
            .bind(from_ms).bind(from_ms + DAY_MS).fetch_all(db).await)?;
        let own = sums.iter().filter(|sum| provider_of(&sum.channel_id).as_deref() == Some(provider));
        Ok(own.fold(DaySum::default(), |day, sum| DaySum {
            attempts: day.attempts + sum.attempts,
            unpriced: day.unpriced + sum.unpriced,
            pico: day.pico + i128::from(sum.nano) * 1_000 + i128::from(sum.pico),
        }))
    }

    /// The last comparison of a day replaces the one before.
    async fn record(&self, row: &Reconciliation) -> sqlx::Result<()> {
        on_database!(&self.store, db => sqlx::query(
            "insert into recon_run (id, provider, day, at_ms, attempts, unpriced_attempts, expected_nano, actual_nano,
                                    tolerance_nano, state)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict (provider, day) do update set id = excluded.id, at_ms = excluded.at_ms,
                 attempts = excluded.attempts, unpriced_attempts = excluded.unpriced_attempts,
                 expected_nano = excluded.expected_nano, actual_nano = excluded.actual_nano,
                 tolerance_nano = excluded.tolerance_nano, state = excluded.state")
            .bind(self.world.id("rec")).bind(&row.provider).bind(&row.day).bind(row.at_ms).bind(row.attempts)
            .bind(row.unpriced_attempts).bind(row.expected_nano).bind(row.actual_nano).bind(row.tolerance_nano)
            .bind(&row.state).execute(db).await.map(drop))
    }
}

/// The larger of a dollar and half a percent.
fn tolerance(actual: i128) -> i128 {
    (actual.abs() * i128::from(TOLERANCE_PER_MILLE) / 1_000).max(i128::from(TOLERANCE.0))
}

/// No provider's day comes near nine billion dollars.
fn bounded(nano: i128) -> i64 {
    i64::try_from(nano).unwrap_or(if nano < 0 { i64::MIN } else { i64::MAX })
}

fn start_ms(day: Date) -> i64 {
    day.to_zoned(TimeZone::UTC).map_or(0, |start| start.timestamp().as_millisecond())
}

fn day_of(at_ms: i64) -> Date {
    jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default().to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dollar_or_half_a_percent_apart_is_the_same() {
        assert_eq!(tolerance(0), 1_000_000_000);
        assert_eq!(tolerance(200_000_000_000), 1_000_000_000);
        assert_eq!(tolerance(1_000_000_000_000), 5_000_000_000);
        assert_eq!(tolerance(-1_000_000_000_000), 5_000_000_000);
    }

    #[test]
    fn days_are_utc() {
        let day = Date::constant(2026, 11, 24);
        assert_eq!(start_ms(day), 1_795_478_400_000);
        assert_eq!(
            (day_of(1_795_478_399_999), day_of(1_795_478_400_000)),
            (Date::constant(2026, 11, 23), day)
        );
    }
}
