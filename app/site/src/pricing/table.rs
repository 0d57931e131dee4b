//! The lists themselves: one table per kind of model, because each kind is priced by other things.

use super::query::{Currency, Filters, Order};
use super::row::{MainPrice, PriceText, Row, badge};
use super::words;
use bytespike_catalog::model::Modality;
use bytespike_ui::components::{Badge, TableFrame, breakable};
use bytespike_ui::{Visit, format};
use leptos::prelude::*;

/// The rows by kind, in the order the kinds first appear.
pub(super) fn groups(visit: &Visit, filters: &Filters, rows: Vec<Row>) -> AnyView {
    let mut groups: Vec<(Modality, Vec<Row>)> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|(modality, _)| *modality == row.modality) {
            Some((_, members)) => members.push(row),
            None => groups.push((row.modality, vec![row])),
        }
    }
    groups.sort_by_key(|(modality, _)| *modality);
    let sections = groups.into_iter().map(|(modality, rows)| section(visit, filters, modality, &rows));
    sections.collect_view().into_any()
}

fn section(visit: &Visit, filters: &Filters, modality: Modality, rows: &[Row]) -> AnyView {
    let currency = filters.currency;
    let title = words::kind(visit, modality);
    let count = format::count(u64::try_from(rows.len()).unwrap_or(0));
    let is_text = modality == Modality::Text;
    let head = if is_text { text_head(visit, currency) } else { unit_head(visit) };
    let one =
        |row: &Row| if is_text { text_row(visit, currency, row) } else { unit_row(visit, currency, row) };
    let body = bodies(filters.order == Order::Provider, rows, one);
    let note = is_text.then(|| view! { <p class="table-note">{visit.t().pricing.table.hold_note}</p> });
    view! {
        <section class="price-section">
            <h2>{title}<span class="count num">{count}</span></h2>
            <TableFrame caption=title>
                <thead>{head}</thead>
                {body}
            </TableFrame>
            {note}
        </section>
    }
    .into_any()
}

/// One `<tbody>` per provider under the provider's name, or a single one where another order mixes them.
fn bodies(by_provider: bool, rows: &[Row], one: impl Fn(&Row) -> AnyView) -> AnyView {
    if !by_provider {
        let rows: Vec<AnyView> = rows.iter().map(one).collect();
        return view! { <tbody class="mixed">{rows.collect_view()}</tbody> }.into_any();
    }
    let groups = rows.chunk_by(|left, right| left.provider_id == right.provider_id).map(|group| {
        let provider = group.first().map(|row| row.provider.clone());
        let rows: Vec<AnyView> = group.iter().map(&one).collect();
        view! {
            <tbody>
                <tr class="group"><th scope="rowgroup" colspan="8">{provider}</th></tr>
                {rows.collect_view()}
            </tbody>
        }
    });
    groups.collect_view().into_any()
}

fn text_head(visit: &Visit, currency: Currency) -> AnyView {
    let t = &visit.t().pricing.table;
    let per = if currency == Currency::Credits { t.per_token } else { t.per_million };
    let priced = |label: &'static str| view! { <th scope="col" class="num">{label}<span class="note">{per}</span></th> };
    view! {
        <tr>
            <th scope="col">{t.model}</th>
            {priced(t.input)}
            {priced(t.output)}
            {priced(t.cache)}
            <th scope="col" class="num wide">{t.context}<span class="note">{t.tokens}</span></th>
            <th scope="col" class="num wide">{t.hold}<span class="note">{t.in_credits}</span></th>
            <th scope="col" class="num">{t.list}</th>
            <th scope="col" class="end">{t.status}</th>
        </tr>
    }
    .into_any()
}

fn text_row(visit: &Visit, currency: Currency, row: &Row) -> AnyView {
    let t = &visit.t().pricing.table;
    view! {
        <tr class=row_class(row)>
            {name_cell(visit, row)}
            {price_cell(t.input, row.input.as_ref(), currency)}
            {price_cell(t.output, row.output.as_ref(), currency)}
            {price_cell(t.cache, row.cached.as_ref(), currency)}
            <td class="num wide" data-label=t.context>{or_dash(lengths(row))}</td>
            <td class="num wide" data-label=t.hold>{or_dash(row.typical_hold.clone())}</td>
            {list_cell(visit, row)}
            <td class="end" data-label=t.status>{badge(visit, row)}</td>
        </tr>
    }
    .into_any()
}

fn unit_head(visit: &Visit) -> AnyView {
    let t = &visit.t().pricing.table;
    view! {
        <tr>
            <th scope="col">{t.model}</th>
            <th scope="col" class="num">{t.price}</th>
            <th scope="col" class="num">{t.list}</th>
            <th scope="col" class="end">{t.status}</th>
        </tr>
    }
    .into_any()
}

fn unit_row(visit: &Visit, currency: Currency, row: &Row) -> AnyView {
    let t = &visit.t().pricing.table;
    let price = row.main.as_ref().map(|main| main_text(visit, currency, main));
    let component = row.main.as_ref().filter(|_| row.price_count > 1);
    let component = component.map(|main| view! { <span class="billed">{main.component}" "</span> });
    let more = (row.price_count > 1).then(|| {
        let href = model_href(visit, row);
        view! { <a class="note" href=href>{t.more(format::count(row.price_count))}</a> }
    });
    view! {
        <tr class=row_class(row)>
            {name_cell(visit, row)}
            <td class="num" data-label=t.price><span>{component}{or_dash(price)}{more}</span></td>
            {list_cell(visit, row)}
            <td class="end" data-label=t.status>{badge(visit, row)}</td>
        </tr>
    }
    .into_any()
}

/// `$0.04 / image`; in credits for one of what is counted.
fn main_text(visit: &Visit, currency: Currency, main: &MainPrice) -> String {
    let unit = if currency == Currency::Credits { main.single_unit } else { &main.unit };
    let price = main.price.brief_per(visit, currency, unit);
    if main.is_least { visit.t().pricing.table.from(price) } else { price }
}

fn row_class(row: &Row) -> &'static str {
    if row.is_live { "live" } else { "estimate" }
}

fn name_cell(visit: &Visit, row: &Row) -> AnyView {
    let remarks = row
        .remarks
        .iter()
        .map(|(kind, label)| view! { <Badge kind=*kind label=label.clone()/> })
        .collect_view();
    let remarks = (!row.remarks.is_empty()).then(|| view! { <span class="remarks">{remarks}</span> });
    view! {
        <th scope="row">
            <a class="model-link" href=model_href(visit, row) translate="no">{breakable(&row.id)}</a>
            <span class="note provider">{row.provider.clone()}</span>
            {remarks}
        </th>
    }
    .into_any()
}

fn price_cell(label: &'static str, price: Option<&PriceText>, currency: Currency) -> AnyView {
    view! { <td class="num price" data-label=label>{or_dash(price.map(|price| price.brief(currency)))}</td> }
        .into_any()
}

/// Context window and longest output: `1M / 128K`.
fn lengths(row: &Row) -> Option<String> {
    let context = format::tokens(row.context_tokens?);
    Some(
        row.max_output_tokens
            .map_or_else(|| context.clone(), |most| format!("{context} / {}", format::tokens(most))),
    )
}

fn list_cell(visit: &Visit, row: &Row) -> AnyView {
    let t = &visit.t().pricing.table;
    let list = row.list.clone().unwrap_or_else(|| t.unknown.to_owned());
    let date = row.list_date.clone().map(|date| view! { <span class="note">{date}</span> });
    view! { <td class="num list" data-label=t.list><span>{list}{date}</span></td> }.into_any()
}

fn model_href(visit: &Visit, row: &Row) -> String {
    visit.link(&format!("/pricing/{}", row.id))
}

fn or_dash(text: Option<String>) -> AnyView {
    match text {
        Some(text) => text.into_any(),
        None => view! { <span class="none" aria-hidden="true">"–"</span> }.into_any(),
    }
}
