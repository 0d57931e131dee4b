//! `GET /docs/search?q=`: a form and its results, without JavaScript.

use super::index::Hit;
use super::snippet::snippet;
use crate::library::Shelf;
use crate::{Docs, view};
use axum::extract::{Query, State};
use axum::response::Response;
use bytespike_ui::{CachePolicy, Head, Page, Visit};
use leptos::prelude::*;

/// Longer queries are cut, so that nobody can make the server work long on one.
const MAX_QUERY_CHARS: usize = 200;

#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
}

pub(crate) async fn results(State(docs): State<Docs>, Query(asked): Query<Asked>, visit: Visit) -> Response {
    let t = &visit.t().docs.search;
    let query: String = asked.q.trim().chars().take(MAX_QUERY_CHARS).collect();
    let title = if query.is_empty() { t.title.to_owned() } else { format!("{query} · {}", t.title) };
    let shelf = docs.library.shelf(visit.locale);
    let body = view::plain(&visit, shelf, &query, content(&visit, shelf, &query));
    Page::new(Head::private(title), CachePolicy::Search, || body).render(&visit).await
}

fn content(visit: &Visit, shelf: &Shelf, query: &str) -> AnyView {
    let t = &visit.t().docs.search;
    let hits = shelf.index.search(query);
    let none = hits.is_empty() && !query.is_empty();
    let said = match (query.is_empty(), hits.len()) {
        (true, _) => t.ask.to_owned(),
        (false, 0) => t.none(query),
        (false, count) => t.found(count as u64, query),
    };
    let results = hits.into_iter().filter_map(|hit| result(visit, shelf, hit, query)).collect_view();
    view! {
        <div class="prose docs-results">
            <h1>{t.title}</h1>
            <p class="lead">{said}</p>
            <ol>{results}</ol>
            {none.then(|| view::beginnings(visit, shelf))}
        </div>
    }
    .into_any()
}

fn result(visit: &Visit, shelf: &Shelf, hit: Hit, query: &str) -> Option<AnyView> {
    let article = shelf.articles.get(hit.page)?;
    let section = article.document.sections.get(hit.section)?;
    let fragment = if section.id.is_empty() { String::new() } else { format!("#{}", section.id) };
    let href = visit.link(&format!("{}{fragment}", article.entry.path()));
    let heading = (!section.title.is_empty()).then(|| format!(" › {}", section.title));
    let text = if section.text.trim().is_empty() { &article.description } else { &section.text };
    let words = snippet(text, query).into_iter().map(|(text, is_match)| match is_match {
        true => view! { <mark>{text}</mark> }.into_any(),
        false => text.into_any(),
    });
    let lang = (article.language != visit.locale).then(|| article.language.tag());
    Some(
        view! {
            <li lang=lang>
                <h2><a href=href>{article.title.clone()}{heading}</a></h2>
                <p>{words.collect_view()}</p>
            </li>
        }
        .into_any(),
    )
}
