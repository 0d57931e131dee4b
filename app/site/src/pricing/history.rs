//! How prices came to be what they are: on a page of its own by publication, and on each model's page by line.

use super::words;
use crate::prices::Snapshot;
use bytespike_catalog::diff::{Change, Revision};
use bytespike_catalog::display;
use bytespike_catalog::export::PriceExport;
use bytespike_catalog::money::PicoUsd;
use bytespike_catalog::price::Unit;
use bytespike_ui::components::{Breadcrumbs, TableFrame, breakable};
use bytespike_ui::{Visit, format, layout};
use leptos::prelude::*;
use time::UtcOffset;

/// `/pricing/history`
pub(super) fn body(visit: &Visit, prices: &Snapshot) -> AnyView {
    let t = &visit.t().pricing.history;
    let above = vec![(visit.link("/pricing"), visit.t().pricing.model.back.to_owned())];
    let revisions = prices.export.as_ref().map_or(&[][..], |export| &export.history);
    let content: Vec<AnyView> = revisions.iter().map(|revision| section(visit, prices, revision)).collect();
    let is_empty = content.is_empty();
    layout::site(
        visit,
        view! {
            <div class="wrap pricing">
                <Breadcrumbs locale=visit.locale above=above here=t.title.to_owned()/>
                <div class="pricing-head"><h1>{t.title}</h1><p class="lead">{t.text}</p></div>
                {is_empty.then(|| view! { <p>{t.none}</p> })}
                {content.collect_view()}
            </div>
        },
    )
}

/// One publication: what is about all, then a table of what is about models.
fn section(visit: &Visit, prices: &Snapshot, revision: &Revision) -> AnyView {
    let t = &visit.t().pricing.history;
    let (id, title) = (format!("v{}-{}", revision.version, revision.at_ms), t.version(revision.version));
    let json = format!("{}/v1/prices/{}", visit.gateway(), revision.version);
    let changes = revision.changes.as_deref().unwrap_or_default();
    let rates: Vec<AnyView> = changes.iter().filter_map(|change| rate(visit, change)).collect();
    let rows: Vec<AnyView> = changes.iter().filter_map(|change| row(visit, prices, change)).collect();
    let count = u64::try_from(rows.len()).unwrap_or(0);
    let told = match (&revision.changes, rows.is_empty() && rates.is_empty()) {
        (None, _) => Some(t.first),
        (Some(_), true) => Some(t.nothing),
        _ => None,
    };
    let head = view! { <tr><th scope="col">{visit.t().pricing.table.model}</th>{heads(visit)}</tr> };
    let (caption, is_open, label) = (title.clone(), count <= SHOWN_AT_ONCE, id.clone());
    let table = (count > 0).then(|| {
        view! {
            <details open=is_open>
                <summary>{t.count(count)}</summary>
                <TableFrame caption=caption>
                    <thead>{head}</thead>
                    <tbody>{rows.collect_view()}</tbody>
                </TableFrame>
            </details>
        }
    });
    view! {
        <section class="price-section" aria-labelledby=label>
            <h2 id=id>{title}</h2>
            <p class="section-text">{moment(visit, revision.at_ms)}" · "<a href=json>{t.json}</a></p>
            {told.map(|text| view! { <p>{text}</p> })}
            {(!rates.is_empty()).then(|| view! { <ul>{rates.collect_view()}</ul> })}
            {table}
        </section>
    }
    .into_any()
}

/// A longer table is folded.
const SHOWN_AT_ONCE: u64 = 40;

fn rate(visit: &Visit, change: &Change) -> Option<AnyView> {
    let Change::ExchangeRate { from, to } = change else { return None };
    Some(view! { <li>{visit.t().pricing.history.rate(from, to)}</li> }.into_any())
}

fn row(visit: &Visit, prices: &Snapshot, change: &Change) -> Option<AnyView> {
    let id = change.model()?;
    let name = breakable(id);
    let named = if prices.find(id).is_some() {
        let href = visit.link(&format!("/pricing/{id}"));
        view! { <a href=href translate="no">{name}</a> }.into_any()
    } else {
        view! { <span translate="no">{name}</span> }.into_any()
    };
    Some(view! { <tr><th scope="row">{named}</th>{cells(visit, change)}</tr> }.into_any())
}

/// The history of one model, on its own page; nothing where nothing is known to have changed.
pub(super) fn of_model(visit: &Visit, export: &PriceExport, id: &str) -> Option<AnyView> {
    let t = &visit.t().pricing.history;
    let of = |revision: &Revision| {
        let changes = revision.changes.clone().unwrap_or_default();
        let own = changes.into_iter().filter(|change| change.model() == Some(id));
        own.map(|change| model_row(visit, revision, &change)).collect::<Vec<_>>()
    };
    let rows: Vec<AnyView> = export.history.iter().flat_map(of).collect();
    let all = visit.link("/pricing/history");
    let since = export.history.last().map(|first| t.unchanged(date(visit, first.at_ms)));
    let is_empty = rows.is_empty();
    let head = view! {
        <tr>
            <th scope="col">{t.since}</th>
            <th scope="col" class="num">{visit.t().pricing.book.version}</th>
            {heads(visit)}
        </tr>
    };
    let table = (!is_empty).then(|| {
        view! {
            <TableFrame caption=t.title>
                <thead>{head}</thead>
                <tbody>{rows.collect_view()}</tbody>
            </TableFrame>
        }
    });
    since.map(|since| {
        view! {
            <section class="price-section">
                <h2>{t.title}</h2>
                {is_empty.then(|| view! { <p class="section-text">{since}</p> })}
                {table}
                <p class="table-note"><a href=all>{t.all}</a></p>
            </section>
        }
        .into_any()
    })
}

fn model_row(visit: &Visit, revision: &Revision, change: &Change) -> AnyView {
    view! {
        <tr>
            <th scope="row">{moment(visit, revision.at_ms)}</th>
            <td class="num" data-label=visit.t().pricing.book.version>{revision.version}</td>
            {cells(visit, change)}
        </tr>
    }
    .into_any()
}

fn heads(visit: &Visit) -> AnyView {
    let (t, model) = (&visit.t().pricing.history, &visit.t().pricing.model);
    view! {
        <th scope="col">{model.component}</th>
        <th scope="col">{model.condition}</th>
        <th scope="col" class="num">{t.before}</th>
        <th scope="col" class="num">{t.after}</th>
    }
    .into_any()
}

/// What changed, in the four columns of [`heads`].
fn cells(visit: &Visit, change: &Change) -> AnyView {
    let t = &visit.t().pricing.history;
    let Change::Price { component, unit, when, from_pico, to_pico, .. } = change else {
        let text = match change {
            Change::ModelAdded { .. } => t.added,
            Change::ModelRemoved { .. } => t.removed,
            Change::Sellable { now: true, .. } => t.sellable,
            _ => t.not_sellable,
        };
        return view! { <td colspan="4">{text}</td> }.into_any();
    };
    let condition = words::when(visit, when);
    let condition = (!condition.is_empty()).then_some(condition);
    let (labels, model) = (t, &visit.t().pricing.model);
    view! {
        <td data-label=model.component>{words::component(visit, *component)}</td>
        <td data-label=model.condition>{condition}</td>
        <td class="num" data-label=labels.before>{amount(visit, *from_pico, *unit)}</td>
        <td class="num" data-label=labels.after>{amount(visit, *to_pico, *unit)}</td>
    }
    .into_any()
}

fn amount(visit: &Visit, pico: Option<PicoUsd>, unit: Unit) -> String {
    match pico {
        None => "—".to_owned(),
        Some(PicoUsd(0)) => visit.t().pricing.table.free.to_owned(),
        Some(pico) => visit.t().pricing.unit.per(display::usd_per(pico, unit), words::quoted(visit, unit)),
    }
}

fn moment(visit: &Visit, at_ms: i64) -> AnyView {
    let text = format::date_time(visit.locale, at_ms, UtcOffset::UTC);
    view! { <time datetime=format::machine_time(at_ms)>{text}</time> }.into_any()
}

fn date(visit: &Visit, at_ms: i64) -> String {
    format::date(visit.locale, at_ms, UtcOffset::UTC)
}
