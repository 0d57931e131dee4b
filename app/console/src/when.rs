//! Moments as pages show them: in the reader's time zone, and how long ago.
use bytespike_ui::{Locale, format};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use leptos::prelude::*;
use time::UtcOffset;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Whose clock a page is written for.
#[derive(Clone)]
pub(crate) struct Moments {
    pub locale: Locale,
    pub zone: TimeZone,
    pub now_ms: i64,
}

impl Moments {
    /// `zone` is an IANA name; one that nobody knows is taken as UTC.
    pub fn new(locale: Locale, zone: &str, now_ms: i64) -> Self {
        Self { locale, zone: bytespike_ledger::time_zone(zone).unwrap_or(TimeZone::UTC), now_ms }
    }

    /// `22 Nov 2026, 08:05 UTC`, as a `<time>`.
    pub fn exact(&self, at_ms: i64) -> AnyView {
        let text = format::date_time(self.locale, at_ms, self.offset(at_ms));
        view! { <time datetime=format::machine_time(at_ms)>{text}</time> }.into_any()
    }

    /// The day as addresses have it: `2026-11-22`.
    pub fn day(&self, at_ms: i64) -> String {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned(self.zone.clone()).date().to_string()
    }

    /// How long ago or how soon, with the exact moment to read in a title.
    pub fn relative(&self, at_ms: i64) -> AnyView {
        let title = format::date_time(self.locale, at_ms, self.offset(at_ms));
        view! { <time datetime=format::machine_time(at_ms) title=title>{self.distance(at_ms)}</time> }
            .into_any()
    }

    /// The same as plain text.
    pub fn written(&self, at_ms: i64) -> String {
        format::date_time(self.locale, at_ms, self.offset(at_ms))
    }

    pub fn date(&self, at_ms: i64) -> String {
        format::date(self.locale, at_ms, self.offset(at_ms))
    }

    /// `3 minutes ago`, `in 2 hours`.
    pub fn distance(&self, at_ms: i64) -> String {
        let t = &self.locale.t().console.ago;
        match self.now_ms.saturating_sub(at_ms) {
            past @ 0.. if past < 5_000 => t.now.to_owned(),
            past @ 0.. if past < MINUTE_MS => t.seconds(units(past, 1_000)),
            past @ 0.. if past < HOUR_MS => t.minutes(units(past, MINUTE_MS)),
            past @ 0.. if past < 2 * DAY_MS => t.hours(units(past, HOUR_MS)),
            past @ 0.. => t.days(units(past, DAY_MS)),
            soon if -soon < HOUR_MS => t.in_minutes(begun(-soon, MINUTE_MS)),
            soon if -soon < 2 * DAY_MS => t.in_hours(begun(-soon, HOUR_MS)),
            soon => t.in_days(begun(-soon, DAY_MS)),
        }
    }

    /// Midnights from the one `days` calendar days ago to the coming one: the bounds of `days` days, today last.
    pub fn days(&self, days: i8) -> Vec<i64> {
        let Ok(now) = Timestamp::from_millisecond(self.now_ms) else { return Vec::new() };
        let today = now.to_zoned(self.zone.clone()).date();
        let midnight = |back: i8| {
            let day = today.checked_sub(jiff::Span::new().days(back)).ok()?;
            Some(day.to_zoned(self.zone.clone()).ok()?.timestamp().as_millisecond())
        };
        (-1..days).rev().filter_map(midnight).collect()
    }

    /// The first moment of a day written `2026-11-22`, or of the day after it.
    pub fn midnight(&self, iso: &str, days_after: i8) -> Option<i64> {
        let day: jiff::civil::Date = iso.parse().ok()?;
        let day = day.checked_add(jiff::Span::new().days(days_after)).ok()?;
        Some(day.to_zoned(self.zone.clone()).ok()?.timestamp().as_millisecond())
    }

    fn offset(&self, at_ms: i64) -> UtcOffset {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        UtcOffset::from_whole_seconds(self.zone.to_offset(at).seconds()).unwrap_or(UtcOffset::UTC)
    }
}

/// How many whole units a span has.
fn units(ms: i64, unit_ms: i64) -> u64 {
    (ms / unit_ms).unsigned_abs()
}

/// How many units a span touches: what is still to come is rounded up.
fn begun(ms: i64, unit_ms: i64) -> u64 {
    units(ms + unit_ms - 1, unit_ms)
}

/// A span in a fitting unit: `842 ms`, `3.2 s`, `4 min`.
pub(crate) fn duration(locale: Locale, ms: i64) -> String {
    let t = &locale.t().console.span;
    match ms.max(0) {
        ms @ 0..1_000 => t.milliseconds(ms),
        ms @ 1_000..MINUTE_MS => t.seconds(format!("{}.{}", ms / 1_000, ms % 1_000 / 100)),
        ms => t.minutes(ms / MINUTE_MS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(zone: &str, now: &str) -> Moments {
        Moments::new(Locale::En, zone, now.parse::<Timestamp>().expect("a timestamp").as_millisecond())
    }

    #[test]
    fn days_are_the_readers_own_and_summer_time_makes_one_shorter() {
        let berlin = moments("Europe/Berlin", "2026-03-29T23:30:00Z");
        let days = berlin.days(2);
        assert_eq!(days.len(), 3, "two days have three bounds");
        assert_eq!(berlin.date(days[1]), "30\u{a0}Mar\u{a0}2026", "today there already");
        assert_eq!(days[1] - days[0], 23 * HOUR_MS);
        assert_eq!(berlin.midnight("2026-03-29", 0), Some(days[0]));
        assert_eq!(berlin.midnight("2026-03-29", 1), Some(days[1]));
        assert_eq!(berlin.midnight("2026-02-30", 0), None);
    }

    #[test]
    fn distances_read_naturally_on_both_sides() {
        let at = moments("UTC", "2026-11-24T12:00:00Z");
        for (ms, text) in [
            (0, "just now"),
            (-59_000, "59 seconds ago"),
            (-HOUR_MS, "1 hour ago"),
            (-3 * DAY_MS, "3 days ago"),
            (1, "in 1 minute"),
            (5 * HOUR_MS, "in 5 hours"),
            (7 * DAY_MS, "in 7 days"),
        ] {
            assert_eq!(at.distance(at.now_ms + ms), text);
        }
    }

    #[test]
    fn an_unknown_zone_is_utc() {
        assert_eq!(moments("Mars/Olympus", "2026-11-24T12:00:00Z").zone, TimeZone::UTC);
    }
}
