//! The numbers behind picture, table and file, once: sums by time and group, the largest groups by themselves and the
//! rest together.
use super::asked::{Asked, By, Measure, Times};
use super::words;
use crate::calls::narrowed;
use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_accounts::keys::KeyTags;
use bytespike_catalog::fx::FxRate;
use bytespike_ledger::{Dimension, UsageFilter, UsageKey, UsageSums};
use bytespike_ui::components::MOST_SERIES;
use bytespike_ui::{Locale, Numbers};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// One group: what it is, and its sums.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// A model's slug, or the id of a key, member or deployment, or an outcome; empty for the rest together.
    pub id: String,
    pub name: String,
    pub sums: UsageSums,
    /// In each bar.
    pub values: Vec<u64>,
}

/// What is shown.
pub(super) struct Shown {
    pub times: Times,
    pub zone: TimeZone,
    /// Every group, the largest first.
    pub groups: Vec<Group>,
    /// Those of the picture: the largest, and the rest together.
    pub parts: Vec<Group>,
    pub all: UsageSums,
    pub fx: FxRate,
}

/// Reads what is asked for, as far as the reader may see it.
pub(super) async fn load(
    state: &ConsoleState,
    (who, locale): (&SignedIn, Locale),
    asked: &Asked,
) -> Result<Shown, Problem> {
    let org_id = who.member.org_id();
    let wallet = state.ledger.wallet(org_id).await?;
    let zone =
        wallet.and_then(|wallet| bytespike_ledger::time_zone(&wallet.time_zone)).unwrap_or(TimeZone::UTC);
    let times = asked.times(&zone, state.world.now_ms()).ok_or(Problem::NotFound)?;
    let filter = UsageFilter {
        from_ms: times.from_ms,
        to_ms: times.to_ms,
        member_id: narrowed(who).map(str::to_owned),
        ..UsageFilter::default()
    };
    let unit = if times.is_hourly { Dimension::Hour } else { Dimension::Day };
    let rows = state.ledger.usage(org_id, &filter, (&[unit, asked.group.dimension()], &zone)).await?;
    let tags = match asked.group {
        By::Tag => state.accounts.keys.tags(org_id).await?,
        By::One(_) => KeyTags::default(),
    };
    let names = state.ledger.names(org_id).await?;
    let fx = (state.gateway.book)().content.fx.clone();
    let name = |id: &str| words::group_name(locale, (asked.group, id), &names);
    let ids = |key: &UsageKey| ids_of(key, asked.group, &tags);
    let groups = grouped(&rows, &times, (asked.measure, &fx), (ids, name));
    let mut all = UsageSums::default();
    rows.values().for_each(|sums| all.add(sums));
    let parts = parts(&groups, words::rest(locale));
    Ok(Shown { times, zone, groups, parts, all, fx })
}

fn grouped(
    rows: &BTreeMap<UsageKey, UsageSums>,
    times: &Times,
    (measure, fx): (Measure, &FxRate),
    (ids, name): (impl Fn(&UsageKey) -> Vec<String>, impl Fn(&str) -> String),
) -> Vec<Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let each = rows.iter().flat_map(|(key, sums)| ids(key).into_iter().map(move |id| (id, key, sums)));
    for (id, key, sums) in each {
        let group = groups.entry(id.clone()).or_insert_with(|| Group {
            name: name(&id),
            id,
            sums: UsageSums::default(),
            values: vec![0; times.starts.len()],
        });
        group.sums.add(sums);
        let at = key.start_ms.and_then(|start_ms| times.starts.binary_search(&start_ms).ok());
        if let Some(value) = at.and_then(|at| group.values.get_mut(at)) {
            *value = value.saturating_add(measured(sums, measure, fx));
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    let size = |group: &Group| group.values.iter().sum::<u64>();
    groups.sort_by(|a, b| size(b).cmp(&size(a)).then_with(|| a.name.cmp(&b.name)));
    groups
}

/// The groups that a row of sums belongs to: one, or one for each tag of its key.
fn ids_of(key: &UsageKey, group: By, tags: &KeyTags) -> Vec<String> {
    let id = match group {
        By::Tag => return tags_of(key, tags),
        By::One(Dimension::Key) => &key.key_id,
        By::One(Dimension::Member) => &key.member_id,
        By::One(Dimension::Deployment) => &key.deployment_id,
        By::One(Dimension::Outcome) => &key.outcome,
        By::One(_) => &key.model,
    };
    vec![id.clone().unwrap_or_default()]
}

/// Keys without a tag are a group of their own, under no name.
fn tags_of(key: &UsageKey, tags: &KeyTags) -> Vec<String> {
    let found = key.key_id.as_deref().and_then(|id| tags.get(id));
    found.map_or_else(|| vec![String::new()], |tags| tags.names().map(str::to_owned).collect())
}

/// As many as a picture tells apart, the last being all that is left.
fn parts(groups: &[Group], rest_name: &str) -> Vec<Group> {
    if groups.len() <= MOST_SERIES {
        return groups.to_vec();
    }
    let (largest, rest) = groups.split_at(MOST_SERIES - 1);
    let mut all = rest[0].clone();
    (all.id, all.name) = (String::new(), rest_name.to_owned());
    for group in &rest[1..] {
        all.sums.add(&group.sums);
        all.values.iter_mut().zip(&group.values).for_each(|(sum, value)| *sum = sum.saturating_add(*value));
    }
    largest.iter().cloned().chain([all]).collect()
}

/// Nano-USD, nano-CNY, tokens or requests.
pub(super) fn measured(sums: &UsageSums, measure: Measure, fx: &FxRate) -> u64 {
    let value = match measure {
        Measure::Usd | Measure::Credits => i128::from(sums.charged_nano),
        Measure::Cny => i128::from(sums.charged_nano) * i128::from(fx.usd_cny_micro) / 1_000_000,
        Measure::Tokens => i128::from(tokens(sums)),
        Measure::Requests => i128::from(sums.calls()),
    };
    u64::try_from(value.max(0)).unwrap_or(u64::MAX)
}

/// Input, cached or not, and output; reasoning is part of the output.
pub(super) fn tokens(sums: &UsageSums) -> i64 {
    let used = &sums.quantities;
    used.input_tokens
        .saturating_add(used.cache_read_tokens)
        .saturating_add(used.cache_write_tokens)
        .saturating_add(used.output_tokens)
}

/// How a value of the measure is written.
pub(super) fn writer(measure: Measure, numbers: Numbers) -> impl Fn(u64) -> String + Copy {
    move |value| {
        let signed = i64::try_from(value).unwrap_or(i64::MAX);
        match measure {
            Measure::Usd => numbers.usd(signed),
            Measure::Cny => numbers.cny(signed),
            Measure::Credits => numbers.credits(signed),
            Measure::Tokens | Measure::Requests => numbers.count(value),
        }
    }
}

/// The same for a file: a plain decimal without units.
pub(super) fn plain(measure: Measure, value: u64) -> String {
    match measure {
        Measure::Usd | Measure::Cny => format!("{}.{:09}", value / 1_000_000_000, value % 1_000_000_000),
        Measure::Credits => format!("{}.{:03}", value / 1_000, value % 1_000),
        Measure::Tokens | Measure::Requests => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(id: usize) -> Group {
        let value = u64::try_from(id).expect("small");
        Group { id: id.to_string(), name: id.to_string(), sums: UsageSums::default(), values: vec![value, 1] }
    }

    #[test]
    fn the_rest_is_one_part_and_nothing_is_lost() {
        let groups: Vec<Group> = (0..9).map(group).collect();
        let parts = parts(&groups, "rest");
        assert_eq!(parts.len(), MOST_SERIES);
        assert_eq!(parts[MOST_SERIES - 1].name, "rest");
        let sum = |groups: &[Group]| groups.iter().flat_map(|group| &group.values).sum::<u64>();
        assert_eq!(sum(&parts), sum(&groups));
        assert_eq!(super::parts(&groups[..6], "rest").len(), 6);
    }

    #[test]
    fn a_file_has_plain_decimals() {
        assert_eq!(plain(Measure::Usd, 1_500_000_001), "1.500000001");
        assert_eq!(plain(Measure::Credits, 1_844_500), "1844.500");
        assert_eq!(plain(Measure::Tokens, 12), "12");
    }
}
