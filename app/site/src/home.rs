//! The home page: the promise, how it is kept, how to start.

mod endpoints;
mod example;
mod hero;
mod mechanism;
mod reasons;
mod start;
mod teaser;

use crate::prices::Snapshot;
use axum::response::Response;
use bytespike_ui::components::{ButtonKind, ButtonLink, Sparkle};
use bytespike_ui::{CachePolicy, Head, Locale, Page, Visit, layout};
use leptos::prelude::*;
use serde_json::json;

pub(crate) async fn page(visit: &Visit, prices: &Snapshot) -> Response {
    let t = &visit.t().home;
    let head = Head::new(t.head.title, t.head.description).json_ld(json!({
        "@context": "https://schema.org",
        "@type": "WebSite",
        "name": "ByteSpike",
        "url": visit.absolute(Locale::En, "/"),
        "inLanguage": visit.locale.tag(),
    }));
    let (inner, prices) = (visit.clone(), prices.clone());
    Page::new(head, CachePolicy::Content, move || body(&inner, &prices)).render(visit).await
}

fn body(visit: &Visit, prices: &Snapshot) -> AnyView {
    layout::site(
        visit,
        view! {
            <div class="home">
                {hero::section(visit, prices)}
                {mechanism::section(visit)}
                {start::section(visit, prices)}
                {teaser::section(visit, prices)}
                {reasons::section(visit)}
                {endpoints::section(visit)}
                {closing(visit)}
            </div>
        },
    )
}

fn closing(visit: &Visit) -> AnyView {
    let t = &visit.t().home.closing;
    let (sign_up, docs) = (visit.link("/console/sign-up"), visit.link("/docs"));
    view! {
        <section class="closing">
            <div class="wrap">
                <Sparkle/>
                <h2>{t.title}</h2>
                <p>{t.text}</p>
                <p class="actions">
                    <ButtonLink kind=ButtonKind::Primary href=sign_up>{t.primary}</ButtonLink>
                    <ButtonLink href=docs>{t.secondary}</ButtonLink>
                </p>
            </div>
        </section>
    }
    .into_any()
}

/// A section's heading and its one sentence, beside the content.
fn heading(id: &'static str, title: &'static str, text: &'static str) -> AnyView {
    view! { <div class="section-head"><h2 id=id>{title}</h2><p>{text}</p></div> }.into_any()
}
