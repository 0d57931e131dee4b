//! Pictures and videos by kind: sizes down, what else sets the price across, and an example in whole money.

use super::query::Currency;
use super::row::PriceText;
use super::words;
use bytespike_catalog::book::{Price, PricedModel};
use bytespike_catalog::charge::total;
use bytespike_catalog::export::PriceExport;
use bytespike_catalog::media::video_tokens;
use bytespike_catalog::price::{Component, Tier};
use bytespike_catalog::{Kind, Label, Media, Usage, decimal};
use bytespike_ui::Visit;
use bytespike_ui::components::TableFrame;
use leptos::prelude::*;

/// Sizes people know, as pixels, for prices that are counted from pixels.
const FRAMES: [(&str, u32, u32); 4] =
    [("480p", 854, 480), ("720p", 1280, 720), ("1080p", 1920, 1080), ("4k", 3840, 2160)];
const FRAMES_PER_SECOND: u32 = 24;
const EXAMPLE_MS: u64 = 5_000;

/// The grid, where a model has several prices by kind; nothing elsewhere.
pub(super) fn section(
    visit: &Visit,
    export: &PriceExport,
    model: &PricedModel,
    currency: Currency,
) -> Option<AnyView> {
    let t = &visit.t().pricing.grid;
    let cells = cells(model, export.exported_at_ms);
    let first = cells.first().filter(|_| cells.len() > 1)?;
    let unit = match currency {
        Currency::Credits => words::single(visit, first.list.unit).to_owned(),
        _ => words::unit(visit, first),
    };
    let columns = distinct(&cells, rest_of);
    let head: Vec<AnyView> = columns.iter().map(|column| column_head(visit, column, &unit)).collect();
    let line = |size: &Tier| {
        row(
            visit,
            size,
            columns.iter().map(|column| {
                let price = cells
                    .iter()
                    .find(|price| size_of(&price.list.tier) == *size && rest_of(&price.list.tier) == *column);
                let text = price.map(|price| PriceText::new(visit, price, &export.fx).text(currency));
                (column_label(visit, column, &unit), text)
            }),
        )
    };
    let body: Vec<AnyView> = distinct(&cells, size_of).iter().map(line).collect();
    let view = view! {
        <section class="price-section price-grid">
            <h2>{t.title}</h2>
            <p class="section-text">{t.text(unit.clone())}</p>
            <TableFrame caption=t.title>
                <thead><tr><th scope="col">{t.size}</th>{head.collect_view()}</tr></thead>
                <tbody>{body.collect_view()}</tbody>
            </TableFrame>
            {example(visit, model, &cells, export.exported_at_ms)}
        </section>
    };
    Some(view.into_any())
}

/// What a column is for; where only the size matters, what its prices are for.
fn column_head(visit: &Visit, column: &Tier, unit: &str) -> AnyView {
    view! { <th scope="col" class="num">{column_label(visit, column, unit)}</th> }.into_any()
}

fn column_label(visit: &Visit, column: &Tier, unit: &str) -> String {
    let label = Some(words::condition_of_tier(visit, column)).filter(|label| !label.is_empty());
    label.unwrap_or_else(|| unit.to_owned())
}

fn row(visit: &Visit, size: &Tier, cells: impl Iterator<Item = (String, Option<String>)>) -> AnyView {
    let name = Some(words::condition_of_tier(visit, size)).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| visit.t().pricing.grid.any_size.to_owned());
    let cells: Vec<AnyView> = cells
        .map(|(label, price)| {
            let price = price.unwrap_or_else(|| "–".to_owned());
            view! { <td class="num" data-label=label>{price}</td> }.into_any()
        })
        .collect();
    view! { <tr><th scope="row">{name}</th>{cells.collect_view()}</tr> }.into_any()
}

/// What applies now and depends on the kind.
fn cells(model: &PricedModel, at_ms: i64) -> Vec<&Price> {
    let now = model.moment(at_ms);
    let by_kind = |price: &&Price| {
        let component = price.list.component;
        matches!(component, Component::Image | Component::Video | Component::VideoTokens)
            && price.list.applies(now)
            && price.list.tier != Tier::default()
    };
    model.prices.iter().filter(by_kind).collect()
}

fn size_of(tier: &Tier) -> Tier {
    Tier { sizes: tier.sizes.clone(), ..Tier::default() }
}

fn rest_of(tier: &Tier) -> Tier {
    Tier { sizes: Vec::new(), ..tier.clone() }
}

/// In the order of the list.
fn distinct(cells: &[&Price], part: fn(&Tier) -> Tier) -> Vec<Tier> {
    let mut parts: Vec<Tier> = Vec::new();
    for price in cells {
        let part = part(&price.list.tier);
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts
}

/// What five seconds cost, by the code that charges for them.
fn example(visit: &Visit, model: &PricedModel, cells: &[&Price], at_ms: i64) -> Option<AnyView> {
    let t = &visit.t().pricing.grid;
    let priced = |(name, width, height): (&'static str, u32, u32)| {
        let cell = cells
            .iter()
            .find(|price| price.list.tier.sizes.iter().any(|size| size.eq_ignore_ascii_case(name)))?;
        let tier = &cell.list.tier;
        let kind = Kind {
            size: Label::new(name),
            quality: tier.quality.as_deref().and_then(Label::new),
            audio: tier.audio,
            video_input: tier.video_input,
        };
        let media = Media {
            kind,
            video_ms: EXAMPLE_MS,
            video_tokens: video_tokens(width, height, FRAMES_PER_SECOND, EXAMPLE_MS)?,
            ..Media::default()
        };
        let cost = total(model, &Usage { media: Some(media), ..Usage::default() }, at_ms).ok()?;
        Some(t.example(format!("${}", decimal::format(i128::from(cost.nano.0), 9, 2)), name))
    };
    let is_video = cells.iter().any(|price| price.list.component != Component::Image);
    let lines: Vec<String> = FRAMES.into_iter().filter(|_| is_video).filter_map(priced).collect();
    let items: Vec<AnyView> = lines.into_iter().map(|line| view! { <li>{line}</li> }.into_any()).collect();
    (!items.is_empty())
        .then(|| view! { <ul class="table-note examples">{items.collect_view()}</ul> }.into_any())
}
