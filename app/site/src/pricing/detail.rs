//! One model: every line it can bill, where the list price is from, and what is known about it.

use super::query::{Currency, Filters};
use super::row::{PriceText, Row, badge};
use super::{footer, grid, history, words};
use crate::prices::Snapshot;
use bytespike_catalog::book::{Price, PricedModel};
use bytespike_catalog::display;
use bytespike_catalog::export::{ExportedModel, PriceExport};
use bytespike_catalog::model::Model;
use bytespike_catalog::price::ListPrice;
use bytespike_ui::components::{Breadcrumbs, KeyValues, TableFrame, breakable};
use bytespike_ui::{Visit, format, layout};
use leptos::prelude::*;

pub(super) fn body(visit: &Visit, prices: &Snapshot, model: &ExportedModel) -> AnyView {
    let t = &visit.t().pricing.model;
    let Some(export) = prices.export.clone() else { return ().into_any() };
    let row = Row::new(visit, prices, &export, model);
    let currency = Filters::from_query(&visit.query).currency;
    let above = vec![(visit.link("/pricing"), t.back.to_owned())];
    layout::site(
        visit,
        view! {
            <div class="wrap pricing model-page">
                <Breadcrumbs locale=visit.locale above=above here=row.id.clone()/>
                <div class="pricing-head">
                    <h1 translate="no">{breakable(&row.id)}</h1>
                    <p class="model-status">{row.provider.clone()}{badge(visit, &row)}</p>
                </div>
                {grid::section(visit, &export, &model.priced, currency)}
                {billed(visit, &export, model, currency)}
                {facts(visit, &export, model, &row)}
                {others(visit, model)}
                {history::of_model(visit, &export, &row.id)}
                {footer::book(visit, &export)}
            </div>
        },
    )
}

fn billed(visit: &Visit, export: &PriceExport, model: &ExportedModel, currency: Currency) -> AnyView {
    let t = &visit.t().pricing.model;
    let prices = &model.priced.prices;
    // A column in which nothing stands is none.
    let conditioned = prices.iter().any(|price| condition(visit, &price.list).is_some());
    let rows: Vec<AnyView> =
        prices.iter().map(|price| line(visit, export, price, (currency, conditioned))).collect();
    let is_empty = rows.is_empty();
    let table = (!is_empty).then(|| {
        view! {
            <TableFrame caption=t.prices>
                <thead>
                    <tr>
                        <th scope="col">{t.component}</th>
                        {conditioned.then(|| view! { <th scope="col">{t.condition}</th> })}
                        <th scope="col" class="num">{t.ours}</th>
                        <th scope="col" class="num">{t.list}</th>
                        <th scope="col" class="source">{t.source}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </TableFrame>
        }
    });
    view! {
        <section class="price-section">
            <h2>{t.prices}</h2>
            <p class="section-text">{t.prices_text}</p>
            {table}
            <p class="table-note"><strong>{t.failure}</strong>{visit.locale.gap()}{t.failure_text}</p>
        </section>
    }
    .into_any()
}

fn line(
    visit: &Visit,
    export: &PriceExport,
    price: &Price,
    (currency, conditioned): (Currency, bool),
) -> AnyView {
    let t = &visit.t().pricing.model;
    let unit = match currency {
        Currency::Credits => words::single(visit, price.list.unit).to_owned(),
        _ => words::unit(visit, price),
    };
    let ours = PriceText::new(visit, price, &export.fx).per(visit, currency, &unit);
    view! {
        <tr>
            <th scope="row">{words::component(visit, price.list.component)}</th>
            {conditioned.then(|| view! { <td data-label=t.condition>{condition(visit, &price.list)}</td> })}
            <td class="num" data-label=t.ours>{ours}</td>
            <td class="num list" data-label=t.list>{display::list(&price.list)}</td>
            {source(visit, &price.list)}
        </tr>
    }
    .into_any()
}

fn condition(visit: &Visit, row: &ListPrice) -> Option<String> {
    let text = words::condition(visit, row);
    (!text.is_empty()).then_some(text)
}

fn source(visit: &Visit, row: &ListPrice) -> AnyView {
    let t = &visit.t().pricing.model;
    view! {
        <td class="source" data-label=t.source>
            <span>
                {words::verification(visit, &row.source)}
                <span class="note">{words::checked(visit, &row.source.date)}</span>
            </span>
        </td>
    }
    .into_any()
}

fn facts(visit: &Visit, export: &PriceExport, exported: &ExportedModel, row: &Row) -> AnyView {
    let t = &visit.t().pricing.model;
    let model = &exported.priced.model;
    let protocols: Vec<&str> = model.protocols.iter().map(|protocol| words::protocol(*protocol)).collect();
    let presets: Vec<&str> = model.presets.iter().map(|preset| words::preset(visit, *preset)).collect();
    let day = |day: &Option<String>| day.as_ref().map(|day| format::iso_date(visit.locale, day));
    let known = [
        (t.kind, Some(words::kind(visit, model.modality).to_owned())),
        (t.context, model.context_window_tokens.map(format::tokens)),
        (t.max_output, model.max_output_tokens.map(format::tokens)),
        (t.can, abilities(visit, model)),
        (t.protocols, joined(visit, &protocols)),
        (t.presets, joined(visit, &presets)),
        (t.aliases, joined(visit, &exported.priced.aliases.iter().map(String::as_str).collect::<Vec<_>>())),
        (t.next, next_prices(visit, &exported.priced, export.exported_at_ms)),
        (t.hours, peak_hours(visit, &exported.priced, export)),
        (t.released, day(&model.lifecycle.released)),
        (t.retires, day(&model.lifecycle.retires)),
        (t.successor, model.lifecycle.successor.clone()),
        (visit.t().pricing.table.hold, row.typical_hold.as_ref().map(|hold| format!("{hold} credits"))),
    ];
    let pairs =
        known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into_any()))).collect();
    view! { <section class="price-section model-facts"><h2>{t.about}</h2><KeyValues pairs=pairs/></section> }
        .into_any()
}

/// What changes next, if it is known: `1 Jan 2027: Input $1.50, Output $7.50`.
fn next_prices(visit: &Visit, priced: &PricedModel, at_ms: i64) -> Option<String> {
    let begins = |price: &Price| price.list.effective.from_ms.filter(|from| *from > at_ms);
    let next_ms = priced.prices.iter().filter_map(begins).min()?;
    let of_next = priced.prices.iter().filter(|price| begins(price) == Some(next_ms));
    let day = of_next.clone().next().map(|price| words::day(visit, &price.list, next_ms))?;
    let parts: Vec<String> = of_next
        .map(|price| format!("{} {}", words::component(visit, price.list.component), display::usd(price)))
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    Some(visit.t().pricing.model.next_text(day, joined(visit, &parts)?))
}

/// When it is peak, and when that changes next; for models whose price depends on it.
fn peak_hours(visit: &Visit, priced: &PricedModel, export: &PriceExport) -> Option<String> {
    priced.prices.iter().find(|price| price.list.schedule.is_some())?;
    let t = &visit.t().pricing.model;
    let hours = &export.peak_hours;
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let spans: Vec<String> =
        hours.minutes.iter().map(|span| format!("{}–{}", clock(span.from), clock(span.to))).collect();
    let spans: Vec<&str> = spans.iter().map(String::as_str).collect();
    let zone = format!("UTC{:+}", hours.utc_offset_minutes / 60);
    let text = t.hours_text(joined(visit, &spans)?, zone);
    let next = hours.next_turn_ms(export.exported_at_ms);
    let next = next.map(|at_ms| t.hours_next(format::date_time(visit.locale, at_ms, time::UtcOffset::UTC)));
    Some(next.map_or_else(
        || text.clone(),
        |next| [text.as_str(), &next].join(visit.locale.gap().unwrap_or_default()),
    ))
}

fn abilities(visit: &Visit, model: &Model) -> Option<String> {
    let t = &visit.t().pricing.model;
    let can = model.capabilities;
    let named =
        [(can.tools, t.tools), (can.vision, t.vision), (can.thinking, t.thinking), (can.caching, t.caching)];
    joined(visit, &named.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect::<Vec<_>>())
}

fn joined(visit: &Visit, parts: &[&str]) -> Option<String> {
    let separator = if visit.locale == bytespike_ui::Locale::Zh { "、" } else { ", " };
    (!parts.is_empty()).then(|| parts.join(separator))
}

fn others(visit: &Visit, exported: &ExportedModel) -> Option<AnyView> {
    let t = &visit.t().pricing.model;
    let rows: Vec<AnyView> = exported.priced.other_lists.iter().map(|row| other(visit, row)).collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section class="price-section">
                <h2>{t.other}</h2>
                <p class="section-text">{t.other_text}</p>
                <TableFrame caption=t.other>
                    <thead>
                        <tr>
                            <th scope="col">{t.component}</th>
                            <th scope="col">{t.condition}</th>
                            <th scope="col" class="num">{t.list}</th>
                            <th scope="col" class="source">{t.source}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </TableFrame>
            </section>
        }
        .into_any()
    })
}

fn other(visit: &Visit, row: &ListPrice) -> AnyView {
    let t = &visit.t().pricing.model;
    let list = display::list(row).unwrap_or_else(|| visit.t().pricing.table.unknown.to_owned());
    view! {
        <tr>
            <th scope="row">{words::component(visit, row.component)}</th>
            <td data-label=t.condition>{condition(visit, row)}</td>
            <td class="num list" data-label=t.list>{list}</td>
            {source(visit, row)}
        </tr>
    }
    .into_any()
}
