//! Header and footer of the public pages, and the two preferences: language by link, theme by form.

use super::Entrance;
use crate::components::{Icon, IconName, Wordmark};
use crate::{Theme, Visit};
use leptos::prelude::*;

pub(super) fn skip_link(visit: &Visit) -> impl IntoView {
    view! { <a class="skip-link" href="#content">{visit.t().common.nav.skip}</a> }
}

pub(super) fn header(visit: &Visit, entrance: Entrance) -> impl IntoView {
    let t = &visit.t().common.nav;
    let entrances = entrance.links(visit);
    let buttons =
        entrances.iter().map(|(href, label, class)| view! { <a class=*class href=href.clone()>{*label}</a> });
    let buttons = buttons.collect_view();
    let entries =
        entrances.iter().map(|(href, label, _)| view! { <a href=href.clone()>{*label}</a> }).collect_view();
    view! {
        <header class="site-header">
            <div class="wrap">
                {home_link(visit, "k-header")}
                <nav class="site-nav" aria-label=t.label>{main_links(visit)}</nav>
                <div class="site-actions">
                    {language_link(visit)}
                    {buttons}
                </div>
                <details class="site-menu" data-close>
                    <summary aria-label=t.menu><Icon name=IconName::Menu/></summary>
                    <nav aria-label=t.label>
                        {main_links(visit)}
                        {entries}
                        {language_link(visit)}
                    </nav>
                </details>
            </div>
        </header>
    }
}

impl Entrance {
    /// Address, label and class of each link.
    fn links(self, visit: &Visit) -> Vec<(String, &'static str, &'static str)> {
        let t = &visit.t().common.nav;
        let links = match self {
            Self::Public => vec![
                ("/console/sign-in", t.sign_in, "quiet-link"),
                ("/console/sign-up", t.sign_up, "button primary small"),
            ],
            Self::Console => vec![("/console", t.console, "button small")],
            Self::Operators => vec![("/admin", visit.t().admin.nav.title, "button small")],
        };
        links.into_iter().map(|(path, label, class)| (visit.link(path), label, class)).collect()
    }
}

pub(super) fn home_link(visit: &Visit, gradient: &'static str) -> impl IntoView {
    let label = visit.t().common.nav.home;
    view! { <a class="home-link" href=visit.link("/") aria-label=label><Wordmark gradient=gradient/></a> }
}

fn main_links(visit: &Visit) -> impl IntoView {
    let t = &visit.t().common.nav;
    let links = [("/pricing", t.pricing), ("/docs", t.docs), ("/blog", t.blog)];
    let links = links.map(|(path, label)| {
        let current = (visit.path == path || visit.path.starts_with(&format!("{path}/"))).then_some("page");
        view! { <a href=visit.link(path) aria-current=current>{label}</a> }
    });
    links.into_iter().collect_view()
}

/// The same page in the other language, with its query.
pub(super) fn language_link(visit: &Visit) -> impl IntoView {
    let other = visit.locale.other();
    let query = if visit.query.is_empty() { String::new() } else { format!("?{}", visit.query) };
    let href = format!("{}{query}", visit.link_in(other, &visit.path));
    view! { <a class="quiet-link" href=href lang=other.tag() hreflang=other.tag()>{other.own_name()}</a> }
}

/// Three buttons in a form; the pressed one is the choice.
pub(super) fn theme_form(visit: &Visit) -> impl IntoView {
    let t = &visit.t().common.theme;
    let buttons = Theme::ALL.map(|theme| {
        let (label, icon) = match theme {
            Theme::Auto => (t.auto, IconName::Monitor),
            Theme::Light => (t.light, IconName::Sun),
            Theme::Dark => (t.dark, IconName::Moon),
        };
        let pressed = if visit.theme == theme { "true" } else { "false" };
        view! {
            <button type="submit" name="theme" value=theme.code() aria-pressed=pressed title=label aria-label=label>
                <Icon name=icon/>
            </button>
        }
    });
    view! {
        <form class="theme-form" method="post" action="/prefs/theme" aria-label=t.label>
            <input type="hidden" name="back" value=visit.here()/>
            {buttons.into_iter().collect_view()}
        </form>
    }
}

pub(super) fn footer(visit: &Visit) -> impl IntoView {
    let t = &visit.t().common.footer;
    let nav = &visit.t().common.nav;
    let groups = [
        (
            t.product,
            vec![("/pricing", nav.pricing), ("/console", t.console), ("/console/sign-up", nav.sign_up)],
        ),
        (
            t.developers,
            vec![("/docs/quickstart", t.quickstart), ("/docs", nav.docs), ("/docs/errors", t.errors)],
        ),
        (t.company, vec![("/blog", nav.blog), ("/docs/billing", t.billing)]),
    ];
    let columns = groups.map(|(title, links)| {
        let links =
            links.into_iter().map(|(path, label)| view! { <li><a href=visit.link(path)>{label}</a></li> });
        view! { <section><h2>{title}</h2><ul>{links.collect_view()}</ul></section> }
    });
    view! {
        <footer class="site-footer">
            <div class="wrap">
                <div class="footer-brand"><Wordmark gradient="k-footer"/><p>{t.promise}</p></div>
                <nav class="footer-links" aria-label=t.label>{columns.into_iter().collect_view()}</nav>
                <div class="footer-end">
                    <p>{t.licence}</p>
                    {language_link(visit)}
                    {theme_form(visit)}
                </div>
            </div>
        </footer>
    }
}
