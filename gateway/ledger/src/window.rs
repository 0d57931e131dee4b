//! Over which time a limit counts. Windows are fixed: 5 hours, a day and a week open with the first hold after the
//! previous one ended; a month is the calendar month in the org's time zone.
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

const HOUR_MS: i64 = 3_600_000;
/// Longer than any two zones lie apart, and far shorter than a month.
pub(crate) const ZONES_APART_MS: i64 = 36 * HOUR_MS;
/// The end of a window that never ends.
pub const NEVER_MS: i64 = i64::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Window {
    #[serde(rename = "lifetime")]
    Lifetime,
    #[serde(rename = "month")]
    Month,
    #[serde(rename = "5h")]
    FiveHours,
    #[serde(rename = "1d")]
    Day,
    #[serde(rename = "7d")]
    Week,
}

impl Window {
    pub const ALL: [Self; 5] = [Self::Lifetime, Self::Month, Self::FiveHours, Self::Day, Self::Week];

    /// `lifetime`, `month`, `5h`, `1d` or `7d`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lifetime => "lifetime",
            Self::Month => "month",
            Self::FiveHours => "5h",
            Self::Day => "1d",
            Self::Week => "7d",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.name() == name)
    }

    /// The window that opens at `at_ms`: its start, inclusive, and its end, exclusive.
    pub fn opening_at(self, at_ms: i64, zone: &TimeZone) -> (i64, i64) {
        match self {
            Self::Lifetime => (0, NEVER_MS),
            Self::Month => month_of(at_ms, zone).unwrap_or((at_ms, at_ms + 31 * 24 * HOUR_MS)),
            Self::FiveHours => (at_ms, at_ms + 5 * HOUR_MS),
            Self::Day => (at_ms, at_ms + 24 * HOUR_MS),
            Self::Week => (at_ms, at_ms + 7 * 24 * HOUR_MS),
        }
    }

    /// The window that opens at `at_ms`, after the one that ended at `ended_ms`. The two never overlap, so that no call
    /// is in both: when the org has changed its zone meanwhile, a month begins where the last one ended and goes on to
    /// the end of the month it is then.
    pub fn following(self, ended_ms: i64, at_ms: i64, zone: &TimeZone) -> (i64, i64) {
        let (opened_ms, ends_ms) = self.opening_at(at_ms, zone);
        if opened_ms >= ended_ms {
            return (opened_ms, ends_ms);
        }
        (ended_ms, self.opening_at(ended_ms + ZONES_APART_MS, zone).1)
    }
}

/// The calendar month around a moment; `None` beyond the calendar's range (years -9999 to 9999).
fn month_of(at_ms: i64, zone: &TimeZone) -> Option<(i64, i64)> {
    let first = Timestamp::from_millisecond(at_ms)
        .ok()?
        .to_zoned(zone.clone())
        .first_of_month()
        .ok()?
        .start_of_day()
        .ok()?;
    let next = first.checked_add(1.month()).ok()?.start_of_day().ok()?;
    Some((first.timestamp().as_millisecond(), next.timestamp().as_millisecond()))
}

/// The zone of an IANA name, or `None`.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a timestamp").as_millisecond()
    }

    #[test]
    fn a_month_is_the_orgs_own() {
        let shanghai = time_zone("Asia/Shanghai").expect("bundled");
        let (opened, ends) = Window::Month.opening_at(at("2026-11-30T16:30:00Z"), &shanghai);
        assert_eq!(
            (opened, ends),
            (at("2026-11-30T16:00:00Z"), at("2026-12-31T16:00:00Z")),
            "already December there"
        );
        let berlin = time_zone("Europe/Berlin").expect("bundled");
        let (opened, ends) = Window::Month.opening_at(at("2026-03-15T00:00:00Z"), &berlin);
        assert_eq!(
            (opened, ends),
            (at("2026-02-28T23:00:00Z"), at("2026-03-31T22:00:00Z")),
            "summer time begins"
        );
    }

    #[test]
    fn a_month_after_a_change_of_zone_begins_where_the_last_one_ended() {
        let ended = at("2027-01-01T00:00:00Z");
        for (zone, now, ends) in [
            ("Asia/Shanghai", "2027-01-01T13:00:00Z", "2027-01-31T16:00:00Z"),
            ("America/New_York", "2027-01-01T01:00:00Z", "2027-02-01T05:00:00Z"),
            ("America/New_York", "2027-01-01T06:00:00Z", "2027-02-01T05:00:00Z"),
        ] {
            let zone = time_zone(zone).expect("bundled");
            let (opened, until) = Window::Month.following(ended, at(now), &zone);
            assert!(opened >= ended && opened <= at(now), "{now}: no call is in both");
            assert_eq!(until, at(ends), "{now}");
        }
        let later = at("2027-03-15T00:00:00Z");
        assert_eq!(
            Window::Month.following(ended, later, &TimeZone::UTC),
            Window::Month.opening_at(later, &TimeZone::UTC)
        );
    }

    #[test]
    fn the_others_open_with_the_call() {
        for (window, hours) in [(Window::FiveHours, 5), (Window::Day, 24), (Window::Week, 168)] {
            assert_eq!(window.opening_at(1_000, &TimeZone::UTC), (1_000, 1_000 + hours * HOUR_MS));
            assert_eq!(Window::parse(window.name()), Some(window));
        }
        assert_eq!(Window::Lifetime.opening_at(5, &TimeZone::UTC), (0, NEVER_MS));
        assert_eq!(time_zone("Mars/Olympus"), None);
    }
}
