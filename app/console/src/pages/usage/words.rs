//! How groups, measures and times are called.
use super::asked::{By, Measure, Period};
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

pub(super) fn group(locale: Locale, one: By) -> &'static str {
    let t = &locale.t().usage.group;
    match one {
        By::Tag => t.tag,
        By::One(Dimension::Key) => t.key,
        By::One(Dimension::Member) => t.member,
        By::One(Dimension::Deployment) => t.deployment,
        By::One(Dimension::Outcome) => t.outcome,
        By::One(_) => t.model,
    }
}

pub(super) fn rest(locale: Locale) -> &'static str {
    locale.t().usage.group.rest
}

pub(super) fn group_name(locale: Locale, (group, id): (By, &str), names: &Names) -> String {
    let t = &locale.t().usage.outcome;
    match (group, id) {
        (By::One(Dimension::Outcome), "settled") => t.settled.to_owned(),
        (By::One(Dimension::Outcome), "released") => t.released.to_owned(),
        (By::One(Dimension::Outcome), "expired") => t.expired.to_owned(),
        (By::One(Dimension::Key | Dimension::Member | Dimension::Deployment), id) => names.get(id),
        (By::Tag, "") => locale.t().usage.group.untagged.to_owned(),
        (_, id) => id.to_owned(),
    }
}
