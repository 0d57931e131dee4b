//! The documentation's shell: all pages at the side, this page's headings on the other.

use super::chrome::{footer, header, skip_link};
use super::{Entrance, NavGroup, NavItem};
use crate::Visit;
use crate::components::{Icon, IconName, breakable};
use leptos::prelude::*;

/// A heading of the page: level 2 or 3, its id, its text.
#[derive(Clone, Debug)]
pub struct TocItem {
    pub level: u8,
    pub id: String,
    pub text: String,
}

/// What stands around a documentation page.
pub struct DocsFrame {
    pub groups: Vec<NavGroup>,
    pub toc: Vec<TocItem>,
    /// A search form, if there is one, above the sidebar.
    pub search: Option<AnyView>,
    pub previous: Option<NavItem>,
    pub next: Option<NavItem>,
}

/// `content` is the article: put rendered Markdown in `<article class="prose" inner_html=…>`.
pub fn docs(visit: &Visit, frame: DocsFrame, content: impl IntoView + 'static) -> AnyView {
    let t = &visit.t().common.docs;
    let DocsFrame { groups, toc, search, previous, next } = frame;
    let mobile = sidebar(groups.clone());
    view! {
        {skip_link(visit)}
        {super::announced::of_page(visit)}
        {header(visit, Entrance::Public)}
        <div class="wrap docs">
            <details class="docs-menu" data-close>
                <summary><Icon name=IconName::List/>{t.pages}</summary>
                <nav aria-label=t.pages>{mobile}</nav>
            </details>
            <div class="docs-side">{search}<nav aria-label=t.pages>{sidebar(groups)}</nav></div>
            <main id="content" class="docs-main">
                {content.into_any()}
                {turn(visit, previous, next)}
            </main>
            {contents(visit, toc)}
        </div>
        {footer(visit)}
    }
    .into_any()
}

fn sidebar(groups: Vec<NavGroup>) -> impl IntoView {
    let groups = groups
        .into_iter()
        .map(|group| view! { <section><h2>{group.title}</h2><ul>{group.items.into_iter().map(page_link).collect_view()}</ul></section> });
    groups.collect_view()
}

/// An endpoint is told by its method and its path, anything else by its title.
fn page_link(item: NavItem) -> impl IntoView {
    let current = item.is_current.then_some("page");
    let label = match item.label.split_once(" /") {
        Some((method, path)) => view! {
            <span class="method" translate="no">{method.to_owned()}</span>
            " "
            <span translate="no">{breakable(&format!("/{path}"))}</span>
        }
        .into_any(),
        None => item.label.into_any(),
    };
    view! { <li><a href=item.href aria-current=current>{label}</a></li> }
}

fn contents(visit: &Visit, toc: Vec<TocItem>) -> impl IntoView {
    let t = &visit.t().common.docs;
    let is_needed = toc.len() > 1;
    let entries = toc.into_iter().map(|item| {
        let class = if item.level > 2 { "deep" } else { "" };
        view! { <li class=class><a href=format!("#{}", item.id)>{breakable(&item.text)}</a></li> }
    });
    let entries = entries.collect_view();
    view! {
        <div class="docs-toc">
            {is_needed.then(|| view! { <nav aria-label=t.on_this_page><h2>{t.on_this_page}</h2><ul>{entries}</ul></nav> })}
        </div>
    }
}

fn turn(visit: &Visit, previous: Option<NavItem>, next: Option<NavItem>) -> impl IntoView {
    let t = &visit.t().common.docs;
    let link = |item: Option<NavItem>, rel: &'static str, word: &'static str| {
        item.map(|item| view! { <a rel=rel class=rel href=item.href><span>{word}</span><strong>{item.label}</strong></a> })
    };
    let is_needed = previous.is_some() || next.is_some();
    let (previous, next) = (link(previous, "prev", t.previous), link(next, "next", t.next));
    is_needed.then(|| view! { <nav class="docs-turn" aria-label=t.turn>{previous}{next}</nav> })
}
