//! Dates without a calendar library: days since 1970-01-01, weekdays, and the working days of mainland China.

/// One day in milliseconds.
pub(crate) const DAY_MS: i64 = 86_400_000;
/// China keeps one zone without summer time: UTC+8.
pub(crate) const BEIJING_OFFSET_MS: i64 = 8 * 3_600_000;

/// Reads `YYYY-MM-DD` as days since 1970-01-01 (the civil-date algorithm of Howard Hinnant). `None` if it is no date.
pub(crate) fn parse_day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let year: i64 = parts.next().filter(|part| part.len() == 4)?.parse().ok()?;
    let month: i64 = parts.next().filter(|part| part.len() == 2)?.parse().ok()?;
    let day: i64 = parts.next().filter(|part| part.len() == 2)?.parse().ok()?;
    if parts.next().is_some()
        || !(1..=12).contains(&month)
        || !(1..=days_in_month(year, month)).contains(&day)
    {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
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
/// The first day no holiday is known for. From there on no day counts as a working day, so that a price that
/// depends on it can only be too low, never above the provider's list.
const CHINA_KNOWN_UNTIL: &str = "2027-10-01";

/// Whether the day (since 1970-01-01, Beijing) is Monday to Friday and no public holiday.
pub(crate) fn is_china_working_day(day: i64) -> bool {
    // 1970-01-01 was a Thursday.
    let weekday = (day + 3).rem_euclid(7);
    let off = |(first, last): &(&str, &str)| {
        parse_day(first).is_some_and(|first| first <= day) && parse_day(last).is_some_and(|last| day <= last)
    };
    weekday < 5
        && parse_day(CHINA_KNOWN_UNTIL).is_some_and(|end| day < end)
        && !CHINA_DAYS_OFF.iter().any(off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_the_epoch() {
        assert_eq!(parse_day("1970-01-01"), Some(0));
        assert_eq!(parse_day("2000-03-01"), Some(11_017));
        assert_eq!(parse_day("2026-12-31"), Some(20_818));
        for wrong in ["2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "2026-01-01x", "2026-07"] {
            assert_eq!(parse_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn weekends_and_holidays_are_no_working_days() {
        let works = |day: &str| is_china_working_day(parse_day(day).expect("a date"));
        assert!(works("2026-11-24"), "a Tuesday");
        assert!(!works("2026-11-22"), "a Sunday");
        assert!(!works("2026-10-05"), "National Day week");
        assert!(works("2026-10-08"));
        assert!(!works("2027-12-01"), "no calendar yet: never the dearer side");
    }
}
