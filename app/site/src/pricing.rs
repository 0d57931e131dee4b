//! `/pricing`: every model of the price book with what it costs, live or estimate; and one page per model.

mod controls;
mod detail;
mod footer;
mod grid;
mod history;
mod query;
mod row;
mod table;
mod words;

pub(crate) use query::Currency;
pub(crate) use row::{Row, badge};

use crate::prices::Snapshot;
use axum::response::Response;
use bytespike_ui::components::{ButtonLink, Callout, CalloutKind, EmptyState};
use bytespike_ui::{CachePolicy, Head, Page, Visit, error_page, format, layout};
use leptos::prelude::*;
use query::Filters;
use time::UtcOffset;

pub(crate) async fn table_page(visit: &Visit, prices: &Snapshot) -> Response {
    let t = &visit.t().pricing.head;
    let (inner, prices) = (visit.clone(), prices.clone());
    Page::new(Head::new(t.title, t.description), CachePolicy::Prices, move || body(&inner, &prices))
        .render(visit)
        .await
}

pub(crate) async fn model_page(visit: &Visit, prices: &Snapshot, id: &str) -> Response {
    let Some(model) = prices.find(id) else { return error_page::not_found(visit).await };
    let t = &visit.t().pricing.model;
    let provider = prices.provider_name(&model.priced.model.provider);
    let head = Head::new(t.title(id), t.description(id, provider));
    let (inner, prices, model) = (visit.clone(), prices.clone(), model.clone());
    Page::new(head, CachePolicy::Prices, move || detail::body(&inner, &prices, &model)).render(visit).await
}

pub(crate) async fn history_page(visit: &Visit, prices: &Snapshot) -> Response {
    let t = &visit.t().pricing.history;
    let (inner, prices) = (visit.clone(), prices.clone());
    let head = Head::new(t.title, t.description);
    Page::new(head, CachePolicy::Prices, move || history::body(&inner, &prices)).render(visit).await
}

fn body(visit: &Visit, prices: &Snapshot) -> AnyView {
    let t = &visit.t().pricing.page;
    let content = match &prices.export {
        Some(_) => list(visit, prices),
        None => view! { <EmptyState title=t.empty_title><p>{t.empty_text}</p></EmptyState> }.into_any(),
    };
    layout::site(
        visit,
        view! {
            <div class="wrap pricing">
                <div class="pricing-head"><h1>{t.title}</h1><p class="lead">{t.text}</p></div>
                {content}
            </div>
        },
    )
}

fn list(visit: &Visit, prices: &Snapshot) -> AnyView {
    let Some(export) = prices.export.clone() else { return ().into_any() };
    let filters = Filters::from_query(&visit.query);
    let mut rows: Vec<Row> =
        prices.models().iter().map(|model| Row::new(visit, prices, &export, model)).collect();
    rows.retain(|row| filters.accepts(row));
    filters.sort(&mut rows);
    let count = u64::try_from(rows.len()).unwrap_or(0);
    let content = if rows.is_empty() { none(visit) } else { table::groups(visit, &filters, rows) };
    view! {
        {stale(visit, prices)}
        {controls::form(visit, prices, &filters, count)}
        {content}
        {footer::book(visit, &export)}
    }
    .into_any()
}

fn stale(visit: &Visit, prices: &Snapshot) -> Option<AnyView> {
    let export = prices.export.as_ref().filter(|_| !prices.is_current)?;
    let time = format::date_time(visit.locale, export.exported_at_ms, UtcOffset::UTC);
    let text = visit.t().pricing.page.stale(time);
    Some(view! { <Callout kind=CalloutKind::Warning><p>{text}</p></Callout> }.into_any())
}

fn none(visit: &Visit) -> AnyView {
    let t = &visit.t().pricing.page;
    let all = visit.link("/pricing");
    view! {
        <EmptyState title=t.none_title>
            <p>{t.none_text}</p>
            <ButtonLink href=all>{t.clear}</ButtonLink>
        </EmptyState>
    }
    .into_any()
}
