//! The console's shell: a sidebar that becomes a fold-out menu on a narrow screen, without a script.

use super::chrome::{home_link, language_link, skip_link, theme_form};
use super::{NavCount, NavItem, nav_count, nav_list};
use crate::Visit;
use crate::components::{Icon, IconName};
use leptos::prelude::*;

/// What the console's frame shows around a page.
pub struct ConsoleFrame {
    pub items: Vec<NavItem>,
    /// The organisation and who is signed in.
    pub organisation: String,
    /// Where another organisation is chosen.
    pub organisations: String,
    pub person: String,
    /// Where notices are read; shown on a narrow screen while some are not.
    pub unread: Option<(String, NavCount)>,
    /// A form that signs out; it carries the session's token, so the console makes it.
    pub sign_out: AnyView,
    /// What operators announce, above everything else.
    pub announced: Option<AnyView>,
    /// A one-time notice, above the content.
    pub flash: Option<AnyView>,
}

pub fn console(visit: &Visit, frame: ConsoleFrame, content: impl IntoView + 'static) -> AnyView {
    let t = &visit.t().common.nav;
    let ConsoleFrame { items, organisation, organisations, person, unread, sign_out, announced, flash } =
        frame;
    let unread = unread.map(|(href, count)| {
        view! { <a class="console-unread" href=href><Icon name=IconName::Bell/>{nav_count(count)}</a> }
    });
    let mobile_items = items.clone();
    let account = view! {
        <div class="console-account">
            <p class="console-organisation"><a href=organisations>{organisation}</a></p>
            <p class="console-person">{person}</p>
            <div class="console-prefs">{language_link(visit)}{theme_form(visit)}</div>
            {sign_out}
        </div>
    };
    view! {
        {skip_link(visit)}
        <div class="console">
            <header class="console-bar">
                {home_link(visit, "k-bar")}
                {unread}
                <details class="console-menu" data-close>
                    <summary aria-label=t.menu><Icon name=IconName::Menu/></summary>
                    <nav aria-label=t.console>{nav_list(mobile_items)}</nav>
                </details>
            </header>
            <aside class="console-side">
                {home_link(visit, "k-side")}
                <nav class="console-nav" aria-label=t.console>{nav_list(items)}</nav>
                {account}
            </aside>
            <main id="content" class="console-main">{announced}{flash}{content.into_any()}</main>
        </div>
    }
    .into_any()
}
