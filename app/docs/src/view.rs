//! What a documentation page looks like: the article in the documentation's shell.

use crate::library::{Article, Shelf};
use crate::nav::GROUPS;
use bytespike_ui::Visit;
use bytespike_ui::components::{Callout, CalloutKind, Icon, IconName, breakable};
use bytespike_ui::layout::{self, DocsFrame, NavGroup, NavItem, TocItem};
use leptos::prelude::*;

/// The page at `position` of the shelf.
pub(crate) fn article(visit: &Visit, shelf: &Shelf, position: usize) -> AnyView {
    let Some(article) = shelf.articles.get(position) else { return ().into_any() };
    let turn = |step: Option<usize>| {
        step.and_then(|at| shelf.articles.get(at)).map(|article| item(visit, article, false))
    };
    let frame = DocsFrame {
        groups: groups(visit, shelf, Some(position)),
        toc: contents(article),
        search: Some(search_form(visit, "")),
        previous: turn(position.checked_sub(1)),
        next: turn(position.checked_add(1)),
    };
    layout::docs(visit, frame, prose(visit, article))
}

fn prose(visit: &Visit, article: &Article) -> AnyView {
    let t = &visit.t().docs.page;
    let is_foreign = article.language != visit.locale;
    let lang = is_foreign.then(|| article.language.tag());
    let notice = is_foreign.then(|| view! { <Callout kind=CalloutKind::Note>{t.untranslated}</Callout> });
    let markdown = visit.link(&article.entry.markdown_path());
    // An address breaks after a slash, not in a word.
    let title = if article.title.contains('/') {
        breakable(&article.title)
    } else {
        article.title.clone().into_any()
    };
    view! {
        {notice}
        <article lang=lang>
            <header class="article-head">
                <h1>{title}</h1>
                <p class="lead">{article.description.clone()}</p>
                <p class="article-meta"><a href=markdown>{t.as_markdown}</a></p>
            </header>
            <div class="prose" inner_html=article.document.html.clone()></div>
        </article>
    }
    .into_any()
}

/// Some of the shell without an article: search results, a page that does not exist.
pub(crate) fn plain(visit: &Visit, shelf: &Shelf, query: &str, content: AnyView) -> AnyView {
    let frame = DocsFrame {
        groups: groups(visit, shelf, None),
        toc: Vec::new(),
        search: Some(search_form(visit, query)),
        previous: None,
        next: None,
    };
    layout::docs(visit, frame, content)
}

/// Where somebody begins who found nothing.
const BEGINNINGS: [&str; 3] = ["quickstart", "authentication", "errors"];

/// Nothing at this address; the pages whose names are nearest to it, or those to begin with.
pub(crate) fn missing(visit: &Visit, shelf: &Shelf, slug: &str) -> AnyView {
    let t = &visit.t().docs.missing;
    let mut near: Vec<(usize, &Article)> = shelf
        .articles
        .iter()
        .map(|article| (strsim::levenshtein(article.entry.slug, slug), article))
        .filter(|(distance, _)| distance * 3 <= slug.len())
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    let near: Vec<&Article> = near.into_iter().take(3).map(|(_, article)| article).collect();
    let ways = match near.is_empty() {
        true => beginnings(visit, shelf),
        false => view! { <p>{t.similar}</p> {links(visit, near)} }.into_any(),
    };
    let content = view! { <div class="prose"><h1>{t.title}</h1><p class="lead">{t.lead}</p>{ways}</div> };
    plain(visit, shelf, "", content.into_any())
}

/// Pages to begin with.
pub(crate) fn beginnings(visit: &Visit, shelf: &Shelf) -> AnyView {
    let begins = |article: &&Article| BEGINNINGS.contains(&article.entry.slug);
    let articles = shelf.articles.iter().filter(begins).collect();
    view! { <p>{visit.t().docs.missing.begin}</p> {links(visit, articles)} }.into_any()
}

fn links(visit: &Visit, articles: Vec<&Article>) -> AnyView {
    let links = articles.into_iter().map(|article| {
        view! { <li><a href=visit.link(&article.entry.path())>{article.title.clone()}</a></li> }
    });
    view! { <ul>{links.collect_view()}</ul> }.into_any()
}

fn search_form(visit: &Visit, query: &str) -> AnyView {
    let t = &visit.t().docs.search;
    view! {
        <form class="docs-search" role="search" method="get" action=visit.link("/docs/search")>
            <input type="search" name="q" value=query.to_owned() placeholder=t.placeholder aria-label=t.label maxlength="200"/>
            <button type="submit" aria-label=t.submit><Icon name=IconName::Search/></button>
        </form>
    }
    .into_any()
}

fn groups(visit: &Visit, shelf: &Shelf, current: Option<usize>) -> Vec<NavGroup> {
    let t = visit.t();
    let mut articles = shelf.articles.iter().enumerate();
    let group = |group: &crate::nav::Group| {
        let items = articles.by_ref().take(group.entries.len());
        let items =
            items.map(|(position, article)| item(visit, article, current == Some(position))).collect();
        NavGroup { title: (group.title)(t).to_owned(), items }
    };
    GROUPS.iter().map(group).collect()
}

fn item(visit: &Visit, article: &Article, is_current: bool) -> NavItem {
    let home = visit.t().docs.page.home;
    let label = if article.entry.slug.is_empty() { home.to_owned() } else { article.title.clone() };
    NavItem { href: visit.link(&article.entry.path()), label, icon: None, is_current, count: None }
}

fn contents(article: &Article) -> Vec<TocItem> {
    let headings = article.document.headings.iter().filter(|heading| heading.level <= 3);
    headings
        .map(|heading| TocItem { level: heading.level, id: heading.id.clone(), text: heading.text.clone() })
        .collect()
}
