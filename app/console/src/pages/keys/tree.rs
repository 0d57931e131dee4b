//! Keys as the tree they are: each below the one it was derived from, with its limits, its spend and what binds it.
use crate::pages::keys::{limits, state_badge};
use crate::query;
use crate::when::Moments;
use bytespike_accounts::keys::{KeyInfo, Tags};
use bytespike_gateway::quota::OrgLimits;
use bytespike_ui::Visit;
use bytespike_ui::components::TableFrame;
use leptos::prelude::*;
use std::collections::BTreeMap;

/// What keys have cost, by id: nano-USD.
pub(super) type Spent = BTreeMap<String, i64>;

/// What the rows of a tree are written from.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub visit: &'a Visit,
    pub moments: &'a Moments,
    pub limits: &'a OrgLimits,
    pub spent: &'a Spent,
}

/// Each key with its depth, parents before their children. A key whose parent is not among them stands at the root.
pub(super) fn in_order(keys: &[KeyInfo]) -> Vec<(usize, &KeyInfo)> {
    let is_among = |id: &str| keys.iter().any(|key| key.id == id);
    let roots = keys.iter().filter(|key| key.parent_key_id.as_deref().is_none_or(|id| !is_among(id)));
    let mut ordered = Vec::with_capacity(keys.len());
    let mut waiting = stacked(0, roots);
    // No key is above itself, so this ends.
    while let Some((depth, key)) = waiting.pop() {
        ordered.push((depth, key));
        let children = keys.iter().filter(|child| child.parent_key_id.as_deref() == Some(&key.id));
        waiting.extend(stacked(depth + 1, children));
    }
    ordered
}

/// With the first on top.
fn stacked<'a>(depth: usize, keys: impl Iterator<Item = &'a KeyInfo>) -> Vec<(usize, &'a KeyInfo)> {
    let mut all: Vec<_> = keys.map(|key| (depth, key)).collect();
    all.reverse();
    all
}

/// The tags of a key, each a way to the keys that have it.
pub(super) fn tags(visit: &Visit, tags: &Tags) -> Option<AnyView> {
    let links = tags.names().map(|tag| {
        let href = visit.link(&format!("/console/keys?{}", query::write(&[("tag", tag)])));
        view! { <a class="badge tag" href=href>{tag.to_owned()}</a> " " }
    });
    (!tags.is_empty()).then(|| view! { <span class="tags">{links.collect_view()}</span> }.into_any())
}

/// The table. `caption` names it for those who do not see it.
pub(super) fn table(facts: Facts<'_>, caption: &'static str, keys: &[KeyInfo]) -> AnyView {
    let t = &facts.visit.t().keys.list;
    let rows: Vec<AnyView> = in_order(keys).into_iter().map(|at| row(facts, at)).collect();
    view! {
        <TableFrame caption=caption>
            <thead>
                <tr>
                    <th scope="col">{t.name}</th>
                    <th scope="col">{t.key}</th>
                    <th scope="col">{t.state}</th>
                    <th scope="col">{t.limit}</th>
                    <th scope="col">{t.bound_by}</th>
                    <th scope="col" class="num">{t.spent}</th>
                    <th scope="col">{t.last_used}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .into_any()
}

fn row(facts: Facts<'_>, (depth, key): (usize, &KeyInfo)) -> AnyView {
    let Facts { visit, moments, limits, spent } = facts;
    let t = &visit.t().keys.list;
    let href = visit.link(&format!("/console/keys/{}", key.id));
    let last_used = match key.last_used_at_ms {
        Some(at_ms) => moments.relative(at_ms),
        None => view! { <span class="faint">{visit.t().console.word.never}</span> }.into_any(),
    };
    let node = format!("key:{}", key.id);
    let class = (!key.state.is_open()).then_some("faded");
    let branch = (depth > 0).then(|| view! { <span class="tree-branch" aria-hidden="true">"└"</span> });
    let level = (depth > 0).then(|| view! { <span class="visually-hidden">{t.derived_at(depth)} " "</span> });
    let charged = visit.numbers.usd(spent.get(&key.id).copied().unwrap_or(0));
    view! {
        <tr class=class>
            <th scope="row" class=format!("tree-{}", depth.min(3))>
                {branch} {level} <a href=href>{key.terms.name.clone()}</a> {tags(visit, &key.terms.tags)}
            </th>
            <td data-label=t.key><code>{key.masked.clone()}</code></td>
            <td data-label=t.state>{state_badge(visit.locale, key, moments.now_ms)}</td>
            <td data-label=t.limit>{limits::brief(visit, &node, limits)}</td>
            <td data-label=t.bound_by>{limits::bound_by(visit, &node, limits)}</td>
            <td class="num" data-label=t.spent>{charged}</td>
            <td data-label=t.last_used>{last_used}</td>
        </tr>
    }
    .into_any()
}
