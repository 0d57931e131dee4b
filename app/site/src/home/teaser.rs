//! A few rows of the price book, live or not, and the way to all of them.

use super::heading;
use crate::prices::Snapshot;
use crate::pricing::{Currency, Row, badge};
use bytespike_ui::components::{Icon, IconName, TableFrame, breakable};
use bytespike_ui::{Locale, Visit};
use leptos::prelude::*;

/// One of each family people ask for; those the export does not have are left out.
const GLOBAL: [&str; 5] =
    ["claude-opus-5-5", "claude-sonnet-5-5", "gpt-6.1-sol", "gemini-3.8-flash", "deepseek-flash"];
const CHINA: [&str; 5] = ["deepseek-v4-pro", "kimi-k3.1-pro", "qwen3.8-max", "glm-5.3", "claude-sonnet-5-5"];

pub(super) fn section(visit: &Visit, prices: &Snapshot) -> Option<AnyView> {
    let t = &visit.t().home.teaser;
    let (ids, currency) = match visit.locale {
        Locale::En => (GLOBAL, Currency::Usd),
        Locale::Zh => (CHINA, Currency::Cny),
    };
    let export = prices.export.clone()?;
    let rows: Vec<AnyView> = ids
        .iter()
        .filter_map(|id| prices.find(id))
        .map(|model| row(visit, &Row::new(visit, prices, &export, model), currency))
        .collect();
    let pricing = visit.link("/pricing");
    let p = &visit.t().pricing.table;
    let view = view! {
        <section class="wrap section teaser" aria-labelledby="teaser">
            {heading("teaser", t.title, t.text)}
            <div>
                <TableFrame caption=t.title>
                    <thead>
                        <tr>
                            <th scope="col">{p.model}</th>
                            <th scope="col" class="num">{p.input}</th>
                            <th scope="col" class="num">{p.output}</th>
                            <th scope="col" class="end">{p.status}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </TableFrame>
                <p class="table-note">{t.unit}<a href=pricing>{t.link}<Icon name=IconName::ArrowRight/></a></p>
            </div>
        </section>
    };
    Some(view.into_any())
}

fn row(visit: &Visit, row: &Row, currency: Currency) -> AnyView {
    let p = &visit.t().pricing.table;
    let href = visit.link(&format!("/pricing/{}", row.id));
    view! {
        <tr>
            <th scope="row"><a href=href class="model-link" translate="no">{breakable(&row.id)}</a><span class="note">{row.provider.clone()}</span></th>
            <td class="num" data-label=p.input>{row.input.as_ref().map(|price| price.brief(currency))}</td>
            <td class="num" data-label=p.output>{row.output.as_ref().map(|price| price.brief(currency))}</td>
            <td class="end" data-label=p.status>{badge(visit, row)}</td>
        </tr>
    }
    .into_any()
}
