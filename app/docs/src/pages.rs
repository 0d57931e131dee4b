//! The handlers of `/docs` and `/docs/<slug>`.

use crate::library::{Article, Shelf};
use crate::{Docs, mirror, view};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytespike_ui::{CachePolicy, Head, Page, Visit};
use http::StatusCode;
use http::header::LOCATION;
use serde_json::json;

/// `GET /docs`
pub(crate) async fn home(State(docs): State<Docs>, visit: Visit) -> Response {
    show(&docs, &visit, "").await
}

/// `GET /docs/`: one address for one page.
pub(crate) async fn without_slash(visit: Visit) -> Response {
    let mut response = (StatusCode::PERMANENT_REDIRECT, [(LOCATION, visit.link("/docs"))]).into_response();
    CachePolicy::PermanentRedirect.apply(response.headers_mut());
    response
}

/// `GET /docs/<slug>` and its mirror `/docs/<slug>.md`
pub(crate) async fn named(State(docs): State<Docs>, Path(slug): Path<String>, visit: Visit) -> Response {
    match slug.strip_suffix(".md") {
        Some("index") => mirror::markdown(&docs, &visit, "").await,
        Some(slug) if !slug.is_empty() => mirror::markdown(&docs, &visit, slug).await,
        _ => show(&docs, &visit, &slug).await,
    }
}

/// `GET /docs/<slug>/…`: pages have no pages below them.
pub(crate) async fn missing(
    State(docs): State<Docs>,
    Path((slug, _)): Path<(String, String)>,
    visit: Visit,
) -> Response {
    not_found(&docs, &visit, &slug).await
}

async fn show(docs: &Docs, visit: &Visit, slug: &str) -> Response {
    let shelf = docs.library.shelf(visit.locale);
    match shelf.position(slug) {
        Some(position) => page(shelf, visit, position).await,
        None => not_found(docs, visit, slug).await,
    }
}

async fn page(shelf: &Shelf, visit: &Visit, position: usize) -> Response {
    let Some(article) = shelf.articles.get(position) else {
        return bytespike_ui::error_page::not_found(visit).await;
    };
    let body = view::article(visit, shelf, position);
    Page::new(head(article, visit), CachePolicy::Content, || body).render(visit).await
}

/// A page that is not translated points search engines to the original.
fn head(article: &Article, visit: &Visit) -> Head {
    let head = Head::new(&article.title, &article.description).article().json_ld(json!({
        "@context": "https://schema.org",
        "@type": "TechArticle",
        "headline": article.title,
        "description": article.description,
        "inLanguage": article.language.tag(),
        "url": visit.absolute(visit.locale, &article.entry.path()),
    }));
    if article.language == visit.locale { head } else { head.no_index().untranslated() }
}

/// 404 with the nearest pages, inside the documentation's own shell.
pub(crate) async fn not_found(docs: &Docs, visit: &Visit, slug: &str) -> Response {
    let body = view::missing(visit, docs.library.shelf(visit.locale), slug);
    let head = Head::private(visit.t().docs.missing.title);
    Page::new(head, CachePolicy::NotFound, || body).status(StatusCode::NOT_FOUND).render(visit).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nav::Entry;
    use crate::search::index::Index;
    use bytespike_ui::Urls;
    use bytespike_ui::markdown::Facts;
    use http_body_util::BodyExt as _;

    static UNTRANSLATED: Entry = Entry {
        slug: "new",
        en: "+++\ntitle = \"New\"\ndescription = \"Just written.\"\n+++\n\n## Part {#part}\n\nText.\n",
        zh: None,
    };

    #[tokio::test]
    async fn a_page_without_translation_shows_the_original_and_says_so() {
        let visit = Visit::new("/zh/docs/new", Urls::single("https://b.example"));
        let article = Article::build(&UNTRANSLATED, &visit, &Facts::new()).unwrap();
        let index = Index::build(std::slice::from_ref(&article));
        let response = page(&Shelf { articles: vec![article], index }, &visit, 0).await;
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let html = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(html.contains("<html lang=\"zh-Hans\">"), "the shell stays in the reader's language");
        assert!(html.contains("<article lang=\"en\">") && html.contains("Text."), "{html}");
        assert!(html.contains(visit.t().docs.page.untranslated), "the reader is told");
        assert!(
            html.contains("content=\"noindex\"") && !html.contains("hreflang=\"zh-Hans\" href"),
            "searchers get the original"
        );
    }
}
