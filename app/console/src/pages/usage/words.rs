//! How groups, measures and times are called.
use super::asked::{Measure, Period};
use bytespike_ledger::{Dimension, Names};
use bytespike_ui::Locale;

pub(super) fn period(locale: Locale, one: Period) -> &'static str {
    let t = &locale.t().usage.period;
    match one {
        Period::Day => t.day,
        Period::Week => t.week,
        Period::ThirtyDays => t.thirty_days,
        Period::NinetyDays => t.ninety_days,
        Period::Month => t.month,
    }
}

pub(super) fn measure(locale: Locale, one: Measure) -> &'static str {
    let t = &locale.t().usage.measure;
    match one {
        Measure::Usd => t.usd,
        Measure::Cny => t.cny,
        Measure::Credits => t.credits,
        Measure::Tokens => t.tokens,
        Measure::Requests => t.requests,
    }
}

pub(super) fn group(locale: Locale, one: Dimension) -> &'static str {
    let t = &locale.t().usage.group;
    match one {
        Dimension::Key => t.key,
        Dimension::Member => t.member,
        Dimension::Deployment => t.deployment,
        Dimension::Outcome => t.outcome,
        _ => t.model,
    }
}

pub(super) fn rest(locale: Locale) -> &'static str {
    locale.t().usage.group.rest
}

pub(super) fn group_name(locale: Locale, (group, id): (Dimension, &str), names: &Names) -> String {
    let t = &locale.t().usage.outcome;
    match (group, id) {
        (Dimension::Outcome, "settled") => t.settled.to_owned(),
        (Dimension::Outcome, "released") => t.released.to_owned(),
        (Dimension::Outcome, "expired") => t.expired.to_owned(),
        (Dimension::Key | Dimension::Member | Dimension::Deployment, id) => names.get(id),
        (_, id) => id.to_owned(),
    }
}
