//! What crawlers and programs ask the public site for: `robots.txt`, `sitemap.xml`, `llms.txt`.

use crate::{SiteState, blog};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use bytespike_ui::page::text;
use bytespike_ui::{CachePolicy, Locale, Visit};
use std::fmt::Write as _;

pub(crate) fn router() -> Router<SiteState> {
    Router::new()
        .route("/robots.txt", get(robots))
        .route("/sitemap.xml", get(sitemap))
        .route("/llms.txt", get(llms))
}

/// The console is nobody's search result, and the API is no page.
async fn robots(visit: Visit) -> Response {
    let sitemaps = ["/sitemap.xml", "/docs/sitemap.xml"].map(|path| visit.absolute(Locale::En, path));
    let body = format!(
        "User-agent: *\nDisallow: /console\nDisallow: /zh/console\nDisallow: /v1/\nDisallow: /docs/search\n\
         Disallow: /zh/docs/search\n\nSitemap: {}\nSitemap: {}\n",
        sitemaps[0], sitemaps[1],
    );
    text("text/plain; charset=utf-8", body, CachePolicy::Text)
}

/// The public pages in both languages; the documentation has a sitemap of its own.
async fn sitemap(State(state): State<SiteState>, visit: Visit) -> Response {
    let snapshot = state.prices.now();
    let models = snapshot.models().iter().map(|model| format!("/pricing/{}", model.priced.model.id));
    let paths = ["/", "/pricing"].into_iter().map(str::to_owned).chain(blog::paths()).chain(models);
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for path in paths {
        for locale in Locale::ALL {
            let address = visit.absolute(locale, &path).replace('&', "&amp;");
            let _ = writeln!(out, "<url><loc>{address}</loc></url>"); // writing to a String cannot fail
        }
    }
    out.push_str("</urlset>\n");
    text("application/xml; charset=utf-8", out, CachePolicy::Text)
}

/// Where a program should read on.
async fn llms(visit: Visit) -> Response {
    let docs = visit.absolute(Locale::En, "/docs/llms.txt");
    let prices = visit.absolute(Locale::En, "/v1/prices");
    let body = format!(
        "# ByteSpike\n\n> One key for models from many providers. Failures don't bill.\n\n\
         - [Documentation]({docs}): every page as Markdown\n- [Prices]({prices}): the signed price export, JSON\n"
    );
    text("text/plain; charset=utf-8", body, CachePolicy::Text)
}
