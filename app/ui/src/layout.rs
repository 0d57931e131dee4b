//! The shells around a page's content: public pages, documentation, the console, and a narrow card for forms.

mod announced;
mod chrome;
mod console;
mod docs;

pub use announced::announced;
pub use console::{ConsoleFrame, console};
pub use docs::{DocsFrame, TocItem, docs};

use crate::Visit;
use crate::components::IconName;
use chrome::{footer, header, skip_link};
use leptos::prelude::*;

/// One entry of a navigation list.
#[derive(Clone, Debug)]
pub struct NavItem {
    pub href: String,
    pub label: String,
    pub icon: Option<IconName>,
    pub is_current: bool,
    /// How many things wait there.
    pub count: Option<NavCount>,
}

/// A number beside an entry, and how it is said.
#[derive(Clone, Debug)]
pub struct NavCount {
    pub text: String,
    pub spoken: String,
}

/// Entries under a common heading.
#[derive(Clone, Debug)]
pub struct NavGroup {
    pub title: String,
    pub items: Vec<NavItem>,
}

/// What the header offers beside its navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// To sign in, and to begin.
    Public,
    /// The console, for pages of it that lack its navigation.
    Console,
    /// The operators' pages, likewise.
    Operators,
}

/// Home, pricing, blog: header, content over the full width, footer. Sections centre themselves with `class="wrap"`.
pub fn site(visit: &Visit, content: impl IntoView + 'static) -> AnyView {
    view! {
        {skip_link(visit)}
        {announced::of_page(visit)}
        {header(visit, Entrance::Public)}
        <main id="content">{content.into_any()}</main>
        {footer(visit)}
    }
    .into_any()
}

/// A column for reading: an article, a legal text.
pub fn reading(visit: &Visit, content: impl IntoView + 'static) -> AnyView {
    site(visit, view! { <div class="wrap reading">{content.into_any()}</div> })
}

/// A single card in the middle: sign-up, sign-in, a key shown once, an error.
pub fn narrow(visit: &Visit, content: impl IntoView + 'static) -> AnyView {
    narrow_within(visit, Entrance::Public, content)
}

/// The same, on a page that belongs to the console or the operators.
pub fn narrow_within(visit: &Visit, entrance: Entrance, content: impl IntoView + 'static) -> AnyView {
    view! {
        {skip_link(visit)}
        {announced::of_page(visit)}
        {header(visit, entrance)}
        <main id="content" class="narrow"><div class="card">{content.into_any()}</div></main>
        {footer(visit)}
    }
    .into_any()
}

/// A card and nothing that leads away from it: a decision, or a page that is only passed through.
pub fn bare(content: impl IntoView + 'static) -> AnyView {
    view! {
        <main id="content" class="narrow">
            <div class="card"><p class="card-brand"><crate::components::Wordmark/></p>{content.into_any()}</div>
        </main>
    }
    .into_any()
}

fn nav_count(count: NavCount) -> impl IntoView {
    view! {
        <span class="nav-count" aria-hidden="true">{count.text}</span>
        " "
        <span class="visually-hidden">{count.spoken}</span>
    }
}

fn nav_list(items: Vec<NavItem>) -> impl IntoView {
    let entries = items.into_iter().map(|item| {
        let current = item.is_current.then_some("page");
        let icon = item.icon.map(|name| view! { <crate::components::Icon name=name/> });
        let count = item.count.map(nav_count);
        view! { <li><a href=item.href aria-current=current>{icon}<span>{item.label}</span>{count}</a></li> }
    });
    view! { <ul>{entries.collect_view()}</ul> }
}
