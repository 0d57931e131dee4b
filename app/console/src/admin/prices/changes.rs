//! What a draft would change about the prices in force.
use super::{component as component_words, unit as unit_words};
use bytespike_catalog::decimal;
use bytespike_catalog::diff::Change;
use bytespike_catalog::money::PicoUsd;
use bytespike_ui::Visit;
use bytespike_ui::components::TableFrame;
use leptos::prelude::*;

/// Catalogue releases change many at once; the rest is counted.
const MOST_SHOWN: usize = 200;

/// One line: of what, what it was and what it would be.
struct Line {
    model: String,
    what: String,
    before: String,
    after: String,
}

pub(super) fn table(visit: &Visit, changes: &[Change]) -> AnyView {
    let t = &visit.t().admin.changes;
    if changes.is_empty() {
        return view! { <p class="soft">{t.none}</p> }.into_any();
    }
    let row = |change: &Change| {
        let Line { model, what, before, after } = line(visit, change);
        view! {
            <tr>
                <th scope="row">{model}</th>
                <td data-label=t.what>{what}</td>
                <td class="num" data-label=t.before>{before}</td>
                <td class="num" data-label=t.after>{after}</td>
            </tr>
        }
        .into_any()
    };
    let rows: Vec<AnyView> = changes.iter().take(MOST_SHOWN).map(row).collect();
    let rest = u64::try_from(changes.len().saturating_sub(MOST_SHOWN)).unwrap_or(0);
    let rest = (rest > 0).then(|| view! { <p class="soft">{t.more(rest)}</p> });
    view! {
        <TableFrame caption=t.title>
            <thead>
                <tr>
                    <th scope="col">{t.model}</th>
                    <th scope="col">{t.what}</th>
                    <th scope="col" class="num">{t.before}</th>
                    <th scope="col" class="num">{t.after}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
        {rest}
    }
    .into_any()
}

fn line(visit: &Visit, change: &Change) -> Line {
    let t = &visit.t().admin.changes;
    let plain = |model: &str, what: &str| Line {
        model: model.to_owned(),
        what: what.to_owned(),
        before: String::new(),
        after: String::new(),
    };
    match change {
        Change::ModelAdded { model } => plain(model, t.added),
        Change::ModelRemoved { model } => plain(model, t.removed),
        Change::Sellable { model, now: true } => plain(model, t.sellable),
        Change::Sellable { model, now: false } => plain(model, t.unsellable),
        Change::ExchangeRate { from, to } => {
            Line { before: from.clone(), after: to.clone(), ..plain(t.all, t.rate) }
        }
        Change::Price { model, component, unit, when, from_pico, to_pico } => {
            let (decimals, per) = unit.quoted();
            let amount = |pico: &Option<PicoUsd>| {
                let text = |pico: &PicoUsd| format!("${}", decimal::format(i128::from(pico.0), decimals, 2));
                pico.as_ref().map_or_else(|| "—".to_owned(), text)
            };
            let (component, per) = (component_words(visit, *component), unit_words(visit, per));
            let when = when.to_string();
            let what = match when.as_str() {
                "" => format!("{component} / {per}"),
                when => format!("{component} / {per} ({when})"),
            };
            Line { model: model.clone(), what, before: amount(from_pico), after: amount(to_pico) }
        }
    }
}
