//! `GET /v1/usage`: sums by day, hour, model, key, member, deployment and outcome.

use std::collections::BTreeMap;
use std::ops::Bound;

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

/// Groups in the order of their keys, a page at a time, and the sum over all of them.
pub async fn rolled(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let reader = reader(gateway, inbound).await?;
    let asked = Asked::read(gateway, inbound, &reader, &["group_by", "limit", "cursor"]).await?;
    let group_by = dimensions(&asked)?;
    let (limit, after) = (asked.limit()?, after(&asked)?);
    let by = (&group_by[..], &asked.zone);
    let groups = gateway.ledger.usage(&reader.org_id, &asked.filter, by).await;
    let groups = groups.map_err(|error| unavailable(&error))?;
    let names = gateway.ledger.names(&reader.org_id).await.map_err(|error| unavailable(&error))?;
    let page = page(&groups, after, limit);
    let next = page.last().filter(|(key, _)| groups.last_key_value().is_some_and(|(last, _)| last != *key));
    let rows: Vec<Value> =
        page.iter().map(|(key, sums)| row(key, sums, (&asked, &group_by, &names))).collect();
    let mut total = UsageSums::default();
    groups.values().for_each(|sums| total.add(sums));
    let quarters = |at_ms: i64| time::rfc3339(at_ms.div_euclid(QUARTER_MS) * QUARTER_MS);
    Ok(reply::value(&json!({
        "object": "usage",
        "from": quarters(asked.filter.from_ms),
        "to": quarters(asked.filter.to_ms + QUARTER_MS - 1),
        "time_zone": asked.zone_name,
        "group_by": group_by.iter().map(|by| by.name()).collect::<Vec<_>>(),
        "data": rows,
        "total": sums_json(&total),
        "has_more": next.is_some(),
        "next_cursor": next.and_then(|(key, _)| serde_json::to_string(key).ok()).map(|key| write_cursor(&key)),
    })))
}

fn dimensions(asked: &Asked) -> Result<Vec<Dimension>, Box<ErrorInfo>> {
    let names: Vec<&str> =
        asked.get("group_by").map(|list| list.split(',').map(str::trim).collect()).unwrap_or_default();
    let known = || Dimension::ALL.map(Dimension::name).join(", ");
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
    Ok(by)
}

fn after(asked: &Asked) -> Result<Option<UsageKey>, Box<ErrorInfo>> {
    let Some(place) = asked.cursor()? else { return Ok(None) };
    serde_json::from_str(&place).map(Some).map_err(|_| no_cursor())
}

fn page(
    groups: &BTreeMap<UsageKey, UsageSums>,
    after: Option<UsageKey>,
    limit: u32,
) -> Vec<(&UsageKey, &UsageSums)> {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    groups.range((from, Bound::Unbounded)).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
}

fn row(key: &UsageKey, sums: &UsageSums, (asked, group_by, names): (&Asked, &[Dimension], &Names)) -> Value {
    let mut row = Map::new();
    let mut say = |name: &str, value: Value| drop(row.insert(name.to_owned(), value));
    if let Some(start_ms) = key.start_ms {
        let at = Timestamp::from_millisecond(start_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let local = at.to_zoned(asked.zone.clone());
        if group_by.contains(&Dimension::Hour) {
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
