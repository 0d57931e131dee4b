//! What it is, in one line, beside a receipt that shows it.

use super::example;
use crate::prices::Snapshot;
use bytespike_ui::Visit;
use bytespike_ui::components::{ButtonKind, ButtonLink};
use leptos::prelude::*;

pub(super) fn section(visit: &Visit, prices: &Snapshot) -> AnyView {
    let t = &visit.t().home.hero;
    let (sign_up, quickstart) = (visit.link("/console/sign-up"), visit.link("/docs/quickstart"));
    view! {
        <section class="hero">
            <div class="wrap">
                <div class="hero-words">
                    <h1>{t.title}</h1>
                    <p class="hero-lead">{t.lead}</p>
                    <p class="actions">
                        <ButtonLink kind=ButtonKind::Primary href=sign_up>{t.primary}</ButtonLink>
                        <ButtonLink href=quickstart>{t.secondary}</ButtonLink>
                    </p>
                    <p class="hero-note">{t.note}</p>
                </div>
                {example::receipt(visit)}
            </div>
            {providers(visit, prices)}
        </section>
    }
    .into_any()
}

/// The names in the catalogue, without the part in brackets that lists their models.
fn providers(visit: &Visit, prices: &Snapshot) -> Option<AnyView> {
    let t = &visit.t().home.hero;
    let export = prices.export.as_ref()?;
    let names = export.providers.iter().map(|provider| {
        let name = provider.name.split(" (").next().unwrap_or_default().to_owned();
        let href = format!("{}?provider={}", visit.link("/pricing"), provider.id);
        view! { <li><a href=href translate="no">{name}</a></li> }
    });
    let models = u64::try_from(export.models.len()).unwrap_or(0);
    let count = u64::try_from(export.providers.len()).unwrap_or(0);
    let row = view! {
        <div class="provider-band">
            <div class="wrap provider-row">
                <p>{t.listed(bytespike_ui::format::count(models), count)}</p>
                <ul>{names.collect_view()}</ul>
            </div>
        </div>
    };
    Some(row.into_any())
}
