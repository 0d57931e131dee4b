//! Prices that depend on the hour: when it is peak, on which days, in whose time zone. Part of every price book, so
//! that a receipt of an old version is recomputed with the calendar it was made with.
use crate::calendar::{DAY_MS, Day, parse_day};
use serde::{Deserialize, Serialize};

/// Hours of the day a row is for. DeepSeek doubles its prices at peak hours (its pricing page, since 2026-08-16).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    Peak,
    Offpeak,
}

/// A moment, and which side of the day it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub at_ms: i64,
    pub side: Schedule,
}

/// When it is peak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeakHours {
    pub id: String,
    /// Local time is UTC plus this.
    pub utc_offset_minutes: i64,
    /// Days of the week that have peak hours; Monday is 1.
    pub weekdays: Vec<u8>,
    /// Spans of minutes since local midnight, from inclusive, to exclusive.
    pub minutes: Vec<MinuteSpan>,
    /// Days without peak hours.
    pub days_off: Vec<DaysOff>,
    /// The first day no holiday is known for. From there on no day has peak hours, so that a price that depends on
    /// it can only be too low, never above the provider's list.
    pub known_until: Day,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinuteSpan {
    pub from: u16,
    pub to: u16,
}

/// A holiday, both days included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaysOff {
    pub first: Day,
    pub last: Day,
}

/// Days off in mainland China as (first, last). 2026: State Council notice of November 2025. 2027: the statutory days
/// only, by the 2024 regulation on festival holidays; the bridging days are not announced yet.
const CHINA_DAYS_OFF: [(&str, &str); 13] = [
    ("2026-01-01", "2026-01-03"),
    ("2026-02-15", "2026-02-23"),
    ("2026-04-04", "2026-04-06"),
    ("2026-05-01", "2026-05-05"),
    ("2026-06-19", "2026-06-21"),
    ("2026-09-25", "2026-09-27"),
    ("2026-10-01", "2026-10-07"),
    ("2027-01-01", "2027-01-01"),
    ("2027-02-05", "2027-02-08"),
    ("2027-04-05", "2027-04-05"),
    ("2027-05-01", "2027-05-02"),
    ("2027-06-09", "2027-06-09"),
    ("2027-09-15", "2027-09-15"),
];
const CHINA_KNOWN_UNTIL: &str = "2027-10-01";

impl PeakHours {
    /// Monday to Friday outside Chinese public holidays, 09:00–12:00 and 14:00–18:00 in Beijing.
    pub fn china() -> Self {
        let day = |text| Day(parse_day(text).unwrap_or(0));
        let days_off =
            CHINA_DAYS_OFF.iter().map(|(first, last)| DaysOff { first: day(first), last: day(last) });
        Self {
            id: "china-working-hours".to_owned(),
            utc_offset_minutes: 8 * 60,
            weekdays: vec![1, 2, 3, 4, 5],
            minutes: vec![
                MinuteSpan { from: 9 * 60, to: 12 * 60 },
                MinuteSpan { from: 14 * 60, to: 18 * 60 },
            ],
            days_off: days_off.collect(),
            known_until: day(CHINA_KNOWN_UNTIL),
        }
    }

    /// The moment with its side of the day.
    pub fn moment(&self, at_ms: i64) -> Moment {
        let local_ms = at_ms.saturating_add(self.utc_offset_minutes.saturating_mul(60_000));
        let minute = local_ms.rem_euclid(DAY_MS) / 60_000;
        let in_hours =
            self.minutes.iter().any(|span| (i64::from(span.from)..i64::from(span.to)).contains(&minute));
        let peak = in_hours && self.has_peak(Day(local_ms.div_euclid(DAY_MS)));
        Moment { at_ms, side: if peak { Schedule::Peak } else { Schedule::Offpeak } }
    }

    fn has_peak(&self, day: Day) -> bool {
        self.weekdays.contains(&day.weekday())
            && day < self.known_until
            && !self.days_off.iter().any(|off| (off.first..=off.last).contains(&day))
    }

    /// The next moment after `at_ms` at which the side changes, within a fortnight; for pages.
    pub fn next_turn_ms(&self, at_ms: i64) -> Option<i64> {
        let now = self.moment(at_ms).side;
        let local_ms = at_ms.saturating_add(self.utc_offset_minutes.saturating_mul(60_000));
        let midnight_ms = at_ms - local_ms.rem_euclid(DAY_MS);
        let edges = || self.minutes.iter().flat_map(|span| [span.from, span.to]);
        let turns = (0..15).flat_map(|days| {
            edges().map(move |minute| midnight_ms + days * DAY_MS + i64::from(minute) * 60_000)
        });
        turns.filter(|turn| *turn > at_ms && self.moment(*turn).side != now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beijing(day: &str, hour: i64) -> i64 {
        parse_day(day).expect("a date") * DAY_MS + (hour - 8) * 3_600_000
    }

    fn side(at_ms: i64) -> Schedule {
        PeakHours::china().moment(at_ms).side
    }

    #[test]
    fn peak_turns_at_the_exact_millisecond() {
        for (hour, before, after) in [
            (9, Schedule::Offpeak, Schedule::Peak),
            (12, Schedule::Peak, Schedule::Offpeak),
            (14, Schedule::Offpeak, Schedule::Peak),
            (18, Schedule::Peak, Schedule::Offpeak),
        ] {
            let edge = beijing("2026-11-24", hour);
            assert_eq!((side(edge - 1), side(edge)), (before, after), "{hour}:00");
        }
    }

    #[test]
    fn weekends_holidays_and_unknown_years_have_no_peak() {
        for (day, why) in [
            ("2026-10-05", "a holiday"),
            ("2026-11-21", "a Saturday"),
            ("2026-11-22", "a Sunday"),
            ("2027-12-01", "no calendar yet: never the dearer side"),
        ] {
            assert_eq!(side(beijing(day, 10)), Schedule::Offpeak, "{why}");
        }
        assert_eq!(side(beijing("2026-10-08", 10)), Schedule::Peak, "the first day after a holiday");
    }

    #[test]
    fn the_next_turn_is_the_next_edge_that_changes_the_side() {
        let hours = PeakHours::china();
        let next = |day, hour| hours.next_turn_ms(beijing(day, hour));
        assert_eq!(next("2026-11-24", 8), Some(beijing("2026-11-24", 9)));
        assert_eq!(next("2026-11-24", 9), Some(beijing("2026-11-24", 12)));
        assert_eq!(next("2026-11-27", 18), Some(beijing("2026-11-30", 9)), "Friday evening to Monday");
        assert_eq!(next("2026-09-30", 18), Some(beijing("2026-10-08", 9)), "over the holidays");
        assert_eq!(next("2028-01-03", 8), None);
    }

    #[test]
    fn it_travels_as_json() {
        let hours = PeakHours::china();
        let json = serde_json::to_string(&hours).expect("writes");
        assert!(json.contains(r#"{"first":"2026-10-01","last":"2026-10-07"}"#), "{json}");
        assert_eq!(serde_json::from_str::<PeakHours>(&json).expect("reads"), hours);
    }
}
