//! What the address asks for: which time, by what, in which measure. All of it stands in the address, and what cannot be
//! read there asks for the usual.
use crate::query::{self, Query};
use bytespike_ledger::Dimension;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, Zoned};

/// Days that a picture has room for.
const MOST_DAYS: i64 = 92;
/// Up to so many days are shown hour by hour.
const HOURLY_DAYS: i64 = 2;

/// A time that is offered as a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Period {
    Day,
    Week,
    #[default]
    ThirtyDays,
    NinetyDays,
    /// The org's calendar month so far.
    Month,
}

/// What is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Measure {
    #[default]
    Usd,
    Cny,
    Credits,
    Tokens,
    Requests,
}

/// By what usage is grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    One(Dimension),
    /// By the tags of keys: a key with several counts in each.
    Tag,
}

impl By {
    pub fn name(self) -> &'static str {
        match self {
            Self::One(dimension) => dimension.name(),
            Self::Tag => "tag",
        }
    }

    /// What the sums are asked for by.
    pub const fn dimension(self) -> Dimension {
        match self {
            Self::One(dimension) => dimension,
            Self::Tag => Dimension::Key,
        }
    }
}

/// What a page or a file of usage shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub period: Period,
    /// Days as typed, both inclusive; together they win over the period.
    pub from: String,
    pub to: String,
    pub group: By,
    pub measure: Measure,
}

/// The time that is shown, and the starts of its bars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub from_ms: i64,
    pub to_ms: i64,
    pub is_hourly: bool,
    pub starts: Vec<i64>,
}

impl Period {
    pub const ALL: [Self; 5] = [Self::Day, Self::Week, Self::ThirtyDays, Self::NinetyDays, Self::Month];

    pub const fn code(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::ThirtyDays => "30d",
            Self::NinetyDays => "90d",
            Self::Month => "month",
        }
    }
}

impl Measure {
    pub const ALL: [Self; 5] = [Self::Usd, Self::Cny, Self::Credits, Self::Tokens, Self::Requests];

    pub const fn code(self) -> &'static str {
        match self {
            Self::Usd => "usd",
            Self::Cny => "cny",
            Self::Credits => "credits",
            Self::Tokens => "tokens",
            Self::Requests => "requests",
        }
    }
}

/// What usage may be grouped by here; `sees_org` adds the members.
pub(super) fn groups(sees_org: bool) -> Vec<By> {
    let all =
        [Dimension::Model, Dimension::Key, Dimension::Member, Dimension::Deployment, Dimension::Outcome];
    let seen = all.into_iter().filter(|one| sees_org || *one != Dimension::Member);
    seen.map(By::One).chain([By::Tag]).collect()
}

impl Asked {
    pub fn of(query: &Query, sees_org: bool) -> Self {
        let text = |name: &str| query.get(name).unwrap_or_default();
        let group = groups(sees_org).into_iter().find(|one| one.name() == text("group"));
        let (from, to) = (text("from"), text("to"));
        let are_days = from.parse::<Date>().is_ok() && to.parse::<Date>().is_ok();
        let day = |typed: &str| if are_days { typed.to_owned() } else { String::new() };
        Self {
            period: Period::ALL.into_iter().find(|one| one.code() == text("period")).unwrap_or_default(),
            from: day(from),
            to: day(to),
            group: group.unwrap_or(By::One(Dimension::Model)),
            measure: Measure::ALL.into_iter().find(|one| one.code() == text("measure")).unwrap_or_default(),
        }
    }

    /// The same for another of the offered times.
    pub fn with_period(&self, period: Period) -> Self {
        Self { period, from: String::new(), to: String::new(), ..self.clone() }
    }

    pub fn has_days(&self) -> bool {
        !self.from.is_empty()
    }

    /// The address of `page` that asks for this.
    pub fn address(&self, page: &str) -> String {
        let period = if self.has_days() { "" } else { self.period.code() };
        let pairs = [
            ("period", period),
            ("from", self.from.as_str()),
            ("to", self.to.as_str()),
            ("group", self.group.name()),
            ("measure", self.measure.code()),
        ];
        format!("{page}?{}", query::write(&pairs))
    }

    /// In the org's zone, whose days its limits and statements have too. Nothing for a moment no calendar knows.
    pub fn times(&self, zone: &TimeZone, now_ms: i64) -> Option<Times> {
        let now = Timestamp::from_millisecond(now_ms).ok()?.to_zoned(zone.clone());
        let (first, last) = match (self.from.parse::<Date>(), self.to.parse::<Date>()) {
            (Ok(from), Ok(to)) => shortened(from.min(to), from.max(to)),
            _ if self.period == Period::Day => return hours_before(&now),
            _ => (self.first_day(now.date())?, now.date()),
        };
        let starts = midnights(first, last, zone)?;
        let to_ms = midnight(last.checked_add(1.day()).ok()?, zone)?;
        let from_ms = *starts.first()?;
        let is_hourly = i64::try_from(starts.len()).unwrap_or(i64::MAX) <= HOURLY_DAYS;
        let starts = if is_hourly { hours(from_ms, to_ms) } else { starts };
        Some(Times { from_ms, to_ms, is_hourly, starts })
    }

    fn first_day(&self, today: Date) -> Option<Date> {
        let back: i64 = match self.period {
            Period::Month => return Some(today.first_of_month()),
            Period::Day => 0,
            Period::Week => 6,
            Period::ThirtyDays => 29,
            Period::NinetyDays => 89,
        };
        today.checked_sub(Span::new().days(back)).ok()
    }
}

/// The last days of a time that is longer than what is shown.
fn shortened(first: Date, last: Date) -> (Date, Date) {
    let earliest = last.checked_sub(Span::new().days(MOST_DAYS - 1)).unwrap_or(first);
    (first.max(earliest), last)
}

/// This hour and the 23 before it.
fn hours_before(now: &Zoned) -> Option<Times> {
    let this_hour = now.with().minute(0).second(0).subsec_nanosecond(0).build().ok()?;
    let last_ms = this_hour.timestamp().as_millisecond();
    let (from_ms, to_ms) = (last_ms - 23 * HOUR_MS, last_ms + HOUR_MS);
    Some(Times { from_ms, to_ms, is_hourly: true, starts: hours(from_ms, to_ms) })
}

const HOUR_MS: i64 = 3_600_000;

fn hours(from_ms: i64, to_ms: i64) -> Vec<i64> {
    let count = (to_ms - from_ms) / HOUR_MS;
    (0..count).map(|hour| from_ms + hour * HOUR_MS).collect()
}

fn midnights(first: Date, last: Date, zone: &TimeZone) -> Option<Vec<i64>> {
    first.series(1.day()).take_while(|day| *day <= last).map(|day| midnight(day, zone)).collect()
}

fn midnight(day: Date, zone: &TimeZone) -> Option<i64> {
    Some(day.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytespike_ui::{Urls, Visit};

    const NOW_MS: i64 = 1_795_512_600_000; // 2026-11-24T09:30:00Z

    fn asked(query: &str) -> Asked {
        let mut visit = Visit::new("/console/usage", Urls::single("http://x"));
        visit.query = query.to_owned();
        Asked::of(&Query::of(&visit), true)
    }

    fn times(query: &str, zone: &str) -> Times {
        let zone = TimeZone::get(zone).expect("a zone");
        asked(query).times(&zone, NOW_MS).expect("a time")
    }

    #[test]
    fn what_is_asked_survives_the_address() {
        let one = asked("period=7d&group=key&measure=tokens");
        let again = one.address("/console/usage");
        assert_eq!(asked(again.split_once('?').expect("a query").1), one);
        let days = asked("from=2026-11-01&to=2026-11-03&group=outcome");
        let again = days.address("/console/usage");
        assert_eq!(asked(again.split_once('?').expect("a query").1), days);
        assert_eq!(asked("period=eternity&group=weather&measure=joy&from=yesterday"), asked(""));
    }

    #[test]
    fn days_are_those_of_the_org_and_short_times_have_hours() {
        let week = times("period=7d", "Asia/Shanghai");
        assert_eq!((week.starts.len(), week.is_hourly), (7, false));
        assert_eq!(week.to_ms - week.from_ms, 7 * 24 * HOUR_MS);
        assert_eq!(week.from_ms % (24 * HOUR_MS), 16 * HOUR_MS, "midnight in Shanghai");
        let day = times("period=24h", "Asia/Kolkata");
        assert_eq!((day.starts.len(), day.is_hourly), (24, true));
        assert_eq!(day.from_ms % HOUR_MS, HOUR_MS / 2, "an hour of a zone with half an hour");
        assert_eq!(times("from=2026-11-01&to=2026-11-01", "UTC").starts.len(), 24);
        assert_eq!(times("period=month", "UTC").starts.len(), 24, "the 24th of November");
    }

    #[test]
    fn an_endless_time_is_cut_and_a_day_of_25_hours_has_them_all() {
        assert_eq!(times("from=1990-01-01&to=2026-11-24", "UTC").starts.len(), 92);
        assert_eq!(times("from=2026-11-24&to=2026-11-20", "UTC").starts.len(), 5, "turned round");
        assert_eq!(times("from=2026-10-25&to=2026-10-25", "Europe/Berlin").starts.len(), 25);
    }
}
