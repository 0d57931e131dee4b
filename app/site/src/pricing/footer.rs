//! Which book these prices are from, so that anyone can check them.

use bytespike_catalog::Markup;
use bytespike_catalog::decimal;
use bytespike_catalog::export::PriceExport;
use bytespike_ui::components::KeyValues;
use bytespike_ui::{Visit, format};
use leptos::prelude::*;
use time::UtcOffset;

pub(super) fn book(visit: &Visit, export: &PriceExport) -> AnyView {
    let t = &visit.t().pricing.book;
    let exported = format::date_time(visit.locale, export.exported_at_ms, UtcOffset::UTC);
    let machine_time = format::machine_time(export.exported_at_ms);
    let rate = t.rate_text(format::iso_date(visit.locale, &export.fx.date), export.fx.rate());
    let json = format!("{}/v1/prices", visit.gateway());
    let history = visit.link("/pricing/history");
    let pairs = vec![
        (t.version.to_owned(), view! { <span class="num">{export.version}</span> }.into_any()),
        (t.hash.to_owned(), view! { <span class="id">{export.hash.clone()}</span> }.into_any()),
        (t.exported.to_owned(), view! { <time datetime=machine_time>{exported}</time> }.into_any()),
        (t.rate.to_owned(), rate.into_any()),
    ];
    view! {
        <section class="book" aria-labelledby="book">
            <h2 id="book">{t.title}</h2>
            <KeyValues pairs=pairs/>
            <ul class="book-notes">
                <li>{basis(visit, export)}</li>
                <li>{t.credits}</li>
                <li>{visit.t().pricing.sort.price_note}</li>
                <li><a href=json>{t.json}</a></li>
                <li><a href=history>{visit.t().pricing.history.all}</a></li>
            </ul>
        </section>
    }
    .into_any()
}

fn basis(visit: &Visit, export: &PriceExport) -> String {
    let t = &visit.t().pricing.book;
    if export.markup == Markup::LIST_PRICE {
        return t.list_text.to_owned();
    }
    let micro =
        serde_json::to_value(export.markup).ok().and_then(|value| value.as_i64()).unwrap_or(1_000_000);
    t.markup_text(decimal::format(i128::from(micro), 6, 2))
}
