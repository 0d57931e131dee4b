//! Which span a month's statement covers. Spans follow each other without a gap, even when the org changes its zone.
use crate::usage::quarter_of;
use crate::window::{Window, ZONES_APART_MS};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A month of an org.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    /// `2026-11`
    pub month: String,
    pub from_ms: i64,
    pub to_ms: i64,
    pub zone_name: String,
}

impl Period {
    /// The month after the one that ended at `previous_to_ms`, or the one in which the wallet was made.
    pub fn next(previous_to_ms: Option<i64>, made_at_ms: i64, (zone_name, zone): (&str, &TimeZone)) -> Self {
        let inside_ms = previous_to_ms.map_or(made_at_ms, |ended| ended + ZONES_APART_MS);
        let (opened_ms, ends_ms) = Window::Month.opening_at(inside_ms, zone);
        Self {
            month: label(inside_ms, zone),
            from_ms: previous_to_ms.unwrap_or_else(|| quarter_of(opened_ms)),
            to_ms: quarter_of(ends_ms),
            zone_name: zone_name.to_owned(),
        }
    }
}

fn label(at_ms: i64, zone: &TimeZone) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let local = at.to_zoned(zone.clone());
    format!("{:04}-{:02}", local.year(), local.month())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::time_zone;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a timestamp").as_millisecond()
    }

    fn next(previous: Option<i64>, made: &str, zone: &str) -> Period {
        Period::next(previous, at(made), (zone, &time_zone(zone).expect("bundled")))
    }

    #[test]
    fn months_follow_each_other_through_summer_time() {
        let march = next(None, "2026-03-15T12:00:00Z", "Europe/Berlin");
        assert_eq!(
            (march.month.as_str(), march.from_ms, march.to_ms),
            ("2026-03", at("2026-02-28T23:00:00Z"), at("2026-03-31T22:00:00Z"))
        );
        let april = next(Some(march.to_ms), "2026-03-15T12:00:00Z", "Europe/Berlin");
        assert_eq!((april.month.as_str(), april.from_ms), ("2026-04", march.to_ms));
        assert_eq!(april.to_ms, at("2026-04-30T22:00:00Z"));
    }

    #[test]
    fn a_change_of_zone_makes_one_month_longer_or_shorter_and_leaves_no_gap() {
        let november = at("2026-11-01T08:00:00Z");
        for (zone, ends) in [
            ("Asia/Shanghai", "2026-11-30T16:00:00Z"),
            ("America/Los_Angeles", "2026-12-01T08:00:00Z"),
            ("Pacific/Kiritimati", "2026-11-30T10:00:00Z"),
            ("Pacific/Pago_Pago", "2026-12-01T11:00:00Z"),
            ("Asia/Kathmandu", "2026-11-30T18:15:00Z"),
        ] {
            let period = next(Some(november), "2026-10-05T00:00:00Z", zone);
            let expected = ("2026-11", november, at(ends));
            assert_eq!((period.month.as_str(), period.from_ms, period.to_ms), expected, "{zone}");
        }
    }
}
