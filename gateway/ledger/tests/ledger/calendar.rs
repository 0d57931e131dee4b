//! Months as the auditor reckons them: by hand, so that it shares no mistake with a calendar library.

pub const HOUR_MS: i64 = 3_600_000;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// Where an org reckons its months. The auditor knows these three by heart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    Utc,
    Shanghai,
    NewYork,
}

impl Zone {
    pub fn name(self) -> &'static str {
        match self {
            Self::Utc => "UTC",
            Self::Shanghai => "Asia/Shanghai",
            Self::NewYork => "America/New_York",
        }
    }

    /// Hours east of UTC when a month begins. New York's summer time begins and ends on Sundays within March and
    /// November, so that those two months begin under what was there before.
    fn offset_hours(self, month: i64) -> i64 {
        match self {
            Self::Utc => 0,
            Self::Shanghai => 8,
            Self::NewYork => {
                if (4..=11).contains(&month) {
                    -4
                } else {
                    -5
                }
            }
        }
    }

    /// The calendar month around a moment after 1970: its start, inclusive, and its end, exclusive.
    pub fn month_around(self, at_ms: i64) -> (i64, i64) {
        let (mut year, mut month, mut start_day) = (1970, 1, 0);
        loop {
            let start = start_day * DAY_MS - self.offset_hours(month) * HOUR_MS;
            let next_day = start_day + days_in(year, month);
            let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            let end = next_day * DAY_MS - self.offset_hours(next_month) * HOUR_MS;
            if at_ms < end {
                return (start, end);
            }
            (year, month, start_day) = (next_year, next_month, next_day);
        }
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        _ => 31,
    }
}
