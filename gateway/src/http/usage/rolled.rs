//! `GET /v1/usage`: sums by day, hour, model, key, member, deployment, outcome and tag.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytespike_accounts::keys::KeyTags;
use bytespike_catalog::NanoUsd;
use bytespike_dialects::ErrorInfo;
use bytespike_ledger::{Dimension, Names, QUARTER_MS, UsageKey, UsageSums};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::asked::{Asked, no_cursor, refuse, write_cursor};
use super::reader::reader;
use crate::Gateway;
use crate::http::receipts::unavailable;
use crate::http::{Answer, Inbound, reply, time};

const MOST_HOURS: i64 = 31 * 24;
const TAG: &str = "tag";

/// What the ledger groups by, and the tag: nothing where nobody asked for tags, and of keys without any.
type Group = (UsageKey, Option<String>);

/// What an answer is grouped by.
struct Grouping {
    dimensions: Vec<Dimension>,
    /// Also by the tags of keys, which the ledger does not know.
    by_tag: bool,
}

/// Groups in the order of their keys, a page at a time, and the sum over all of them.
pub async fn rolled(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let reader = reader(gateway, inbound).await?;
    let asked = Asked::read(gateway, inbound, &reader, &["group_by", "limit", "cursor"]).await?;
    let grouping = grouping(&asked)?;
    let (limit, after) = (asked.limit()?, after(&asked)?);
    let by = grouping.for_ledger();
    let sums = gateway.ledger.usage(&reader.org_id, &asked.filter, (&by, &asked.zone)).await;
    let sums = sums.map_err(|error| unavailable(&error))?;
    let mut total = UsageSums::default();
    sums.values().for_each(|sums| total.add(sums));
    let tags = match grouping.by_tag {
        true => gateway.accounts.keys.tags(&reader.org_id).await.map_err(|error| unavailable(&error))?,
        false => KeyTags::new(),
    };
    let groups = grouping.groups(sums, &tags);
    let names = gateway.ledger.names(&reader.org_id).await.map_err(|error| unavailable(&error))?;
    let page = page(&groups, after, limit);
    let next =
        page.last().filter(|(group, _)| groups.last_key_value().is_some_and(|(last, _)| last != *group));
    let rows: Vec<Value> =
        page.iter().map(|(group, sums)| row(group, sums, (&asked, &grouping, &names))).collect();
    let quarters = |at_ms: i64| time::rfc3339(at_ms.div_euclid(QUARTER_MS) * QUARTER_MS);
    Ok(reply::value(&json!({
        "object": "usage",
        "from": quarters(asked.filter.from_ms),
        "to": quarters(asked.filter.to_ms + QUARTER_MS - 1),
        "time_zone": asked.zone_name,
        "group_by": grouping.names(),
        "data": rows,
        "total": sums_json(&total),
        "has_more": next.is_some(),
        "next_cursor": next.and_then(|(group, _)| serde_json::to_string(group).ok()).map(|place| write_cursor(&place)),
    })))
}

impl Grouping {
    fn names(&self) -> Vec<&'static str> {
        self.dimensions.iter().map(|by| by.name()).chain(self.by_tag.then_some(TAG)).collect()
    }

    /// A tag is found by its key.
    fn for_ledger(&self) -> Vec<Dimension> {
        let mut by = self.dimensions.clone();
        if self.by_tag && !by.contains(&Dimension::Key) {
            by.push(Dimension::Key);
        }
        by
    }

    /// Each row of the ledger's under each tag of its key.
    fn groups(&self, sums: BTreeMap<UsageKey, UsageSums>, tags: &KeyTags) -> BTreeMap<Group, UsageSums> {
        let mut groups: BTreeMap<Group, UsageSums> = BTreeMap::new();
        for (mut key, sums) in sums {
            let found = key.key_id.as_deref().and_then(|id| tags.get(id));
            let of_key: Vec<Option<String>> = match found {
                Some(tags) => tags.names().map(|tag| Some(tag.to_owned())).collect(),
                None => vec![None],
            };
            if !self.dimensions.contains(&Dimension::Key) {
                key.key_id = None;
            }
            for tag in of_key {
                groups.entry((key.clone(), tag)).or_default().add(&sums);
            }
        }
        groups
    }
}

fn grouping(asked: &Asked) -> Result<Grouping, Box<ErrorInfo>> {
    let mut names: Vec<&str> =
        asked.get("group_by").map(|list| list.split(',').map(str::trim).collect()).unwrap_or_default();
    let by_tag = names.contains(&TAG);
    names.retain(|name| *name != TAG);
    let known = || [&Dimension::ALL.map(Dimension::name)[..], &[TAG]].concat().join(", ");
    let read: Option<Vec<Dimension>> = names.iter().map(|name| Dimension::parse(name)).collect();
    let mut by =
        read.ok_or_else(|| refuse("group_by", &format!("'group_by' is one or more of {}", known())))?;
    by.sort_unstable();
    by.dedup();
    let span_ms = asked.filter.to_ms - asked.filter.from_ms;
    if by.contains(&Dimension::Hour) && span_ms > MOST_HOURS * 3_600_000 {
        return Err(refuse(
            "group_by",
            "by hour a span has at most 31 days; ask for days or for a shorter span",
        ));
    }
    if by.starts_with(&[Dimension::Hour, Dimension::Day]) {
        by.remove(1);
    }
    Ok(Grouping { dimensions: by, by_tag })
}

fn after(asked: &Asked) -> Result<Option<Group>, Box<ErrorInfo>> {
    let Some(place) = asked.cursor()? else { return Ok(None) };
    serde_json::from_str(&place).map(Some).map_err(|_| no_cursor())
}

fn page(groups: &BTreeMap<Group, UsageSums>, after: Option<Group>, limit: u32) -> Vec<(&Group, &UsageSums)> {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    groups.range((from, Bound::Unbounded)).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
}

fn row((key, tag): &Group, sums: &UsageSums, (asked, grouping, names): (&Asked, &Grouping, &Names)) -> Value {
    let mut row = Map::new();
    let mut say = |name: &str, value: Value| drop(row.insert(name.to_owned(), value));
    if let Some(start_ms) = key.start_ms {
        let at = Timestamp::from_millisecond(start_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let local = at.to_zoned(asked.zone.clone());
        if grouping.dimensions.contains(&Dimension::Hour) {
            say("hour", local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string().into());
        } else {
            say("day", local.date().to_string().into());
        }
    }
    let named = [("key", &key.key_id), ("member", &key.member_id), ("deployment", &key.deployment_id)];
    if let Some(model) = &key.model {
        say("model", model.as_str().into());
    }
    for (name, id) in named {
        if let Some(id) = id {
            say(name, id.as_str().into());
            say(&format!("{name}_name"), names.get(id).into());
        }
    }
    if let Some(outcome) = &key.outcome {
        say("outcome", outcome.as_str().into());
    }
    if grouping.by_tag {
        say(TAG, tag.as_deref().into());
    }
    if let Value::Object(sums) = sums_json(sums) {
        row.extend(sums);
    }
    Value::Object(row)
}

fn sums_json(sums: &UsageSums) -> Value {
    let charged = NanoUsd(sums.charged_nano);
    let mut json = json!({
        "calls": sums.calls(),
        "billed_calls": sums.settled_calls,
        "charged_credits": charged.credits(),
        "charged_usd": charged.usd(),
        "charged_bonus_credits": NanoUsd(sums.bonus_nano).credits(),
        "not_billed": {
            "calls": sums.not_billed_calls(),
            "released_calls": sums.released_calls,
            "expired_calls": sums.expired_calls,
            "held_credits": NanoUsd(sums.not_billed_held_nano).credits(),
            "charged_credits": NanoUsd::ZERO.credits(),
        },
    });
    if let Value::Object(members) = &mut json {
        members.extend(sums.quantities.named().map(|(name, amount)| (name.to_owned(), amount.into())));
    }
    json
}
