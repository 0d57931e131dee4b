//! The same pages for programs: Markdown mirrors, `llms.txt`, and the documentation's part of the sitemap.

use crate::nav::{self, GROUPS};
use crate::{Docs, pages};
use axum::extract::State;
use axum::response::Response;
use bytespike_ui::page::text;
use bytespike_ui::{CachePolicy, Locale, Visit};
use http::HeaderValue;
use http::header::LINK;
use std::fmt::Write as _;

/// `GET /docs/<slug>.md`
pub(crate) async fn markdown(docs: &Docs, visit: &Visit, slug: &str) -> Response {
    let shelf = docs.library.shelf(visit.locale);
    let Some(article) = shelf.position(slug).and_then(|position| shelf.articles.get(position)) else {
        return pages::not_found(docs, visit, slug).await;
    };
    let mut response = text("text/markdown; charset=utf-8", article.markdown.clone(), CachePolicy::Text);
    let headers = response.headers_mut();
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    let canonical = format!("<{}>; rel=\"canonical\"", visit.absolute(visit.locale, &article.entry.path()));
    if let Ok(canonical) = HeaderValue::try_from(canonical) {
        headers.insert(LINK, canonical);
    }
    response
}

/// `GET /docs/llms.txt`: every page with one sentence, by group.
pub(crate) async fn llms(State(docs): State<Docs>, visit: Visit) -> Response {
    let t = visit.t();
    let shelf = docs.library.shelf(visit.locale);
    let mut out = String::from("# ByteSpike\n");
    if let Some(home) = shelf.articles.first() {
        let _ = write!(out, "\n> {}\n", home.description); // writing to a String cannot fail
    }
    let mut articles = shelf.articles.iter();
    for group in &GROUPS {
        let _ = write!(out, "\n## {}\n\n", (group.title)(t));
        for article in articles.by_ref().take(group.entries.len()) {
            let address = visit.absolute(visit.locale, &article.entry.markdown_path());
            let _ = writeln!(out, "- [{}]({address}): {}", article.title, article.description);
        }
    }
    text("text/plain; charset=utf-8", out, CachePolicy::Text)
}

/// `GET /docs/sitemap.xml`: each page in each language it is written in.
pub(crate) async fn sitemap(visit: Visit) -> Response {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for entry in nav::entries() {
        let locales = Locale::ALL.into_iter().filter(|locale| *locale == Locale::En || entry.zh.is_some());
        for locale in locales {
            let address = visit.absolute(locale, &entry.path()).replace('&', "&amp;");
            let _ = writeln!(out, "<url><loc>{address}</loc></url>");
        }
    }
    out.push_str("</urlset>\n");
    text("application/xml; charset=utf-8", out, CachePolicy::Text)
}
