//! Ways from here: tabs that are links, breadcrumbs, and keyset paging.

use crate::Locale;
use leptos::prelude::*;

/// One tab: where it leads, what it says, whether it is open.
#[derive(Clone, Debug)]
pub struct Tab {
    pub href: String,
    pub label: String,
    pub is_current: bool,
}

/// Links that look like one control. `label` names the group for those who do not see it.
#[component]
pub fn Tabs(#[prop(into)] label: String, tabs: Vec<Tab>) -> impl IntoView {
    let links = tabs.into_iter().map(|tab| {
        let current = tab.is_current.then_some("page");
        view! { <li><a href=tab.href aria-current=current>{tab.label}</a></li> }
    });
    view! { <nav class="tabs" aria-label=label><ul>{links.collect_view()}</ul></nav> }
}

/// The path to this page: (address, label) of each page above it, then this page's own name.
#[component]
pub fn Breadcrumbs(
    locale: Locale,
    above: Vec<(String, String)>,
    #[prop(into)] here: String,
) -> impl IntoView {
    let steps = above.into_iter().map(|(href, label)| view! { <li><a href=href>{label}</a></li> });
    view! {
        <nav class="breadcrumbs" aria-label=locale.t().common.nav.breadcrumbs>
            <ol>{steps.collect_view()}<li aria-current="page">{here}</li></ol>
        </nav>
    }
}

/// Newer and older, each an address or nothing.
#[component]
pub fn Pagination(locale: Locale, newer: Option<String>, older: Option<String>) -> impl IntoView {
    let t = &locale.t().common.paging;
    let is_needed = newer.is_some() || older.is_some();
    let link = |href: Option<String>, rel: &'static str, label: &'static str| {
        href.map(|href| view! { <a class="button" rel=rel href=href>{label}</a> })
    };
    let (newer, older) = (link(newer, "prev", t.newer), link(older, "next", t.older));
    is_needed.then(|| view! { <nav class="paging" aria-label=t.label>{newer}{older}</nav> })
}
