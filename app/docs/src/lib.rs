//! Documentation pages: the Markdown of `content/docs`, rendered once when the surface starts, with a search over it
//! and a plain mirror of every page for programs. Opens no database and holds no secret.

mod crossings;
mod errors;
mod facts;
mod library;
mod mirror;
mod nav;
mod pages;
mod search;
mod view;

pub use bytespike_ui::markdown::Fault;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use bytespike_ui::{Locale, Urls};
use library::Library;
use std::sync::Arc;

/// What the documentation says about the installation it describes.
#[derive(Clone, Debug)]
pub struct Options {
    pub urls: Urls,
    pub sample_models: SampleModels,
}

/// A model for the samples of each language: one that a new org of its readers can call, because the language it signs
/// up in chooses its preset.
#[derive(Clone, Debug)]
pub struct SampleModels {
    pub en: String,
    pub zh: String,
}

impl SampleModels {
    fn of(&self, locale: Locale) -> &str {
        match locale {
            Locale::En => &self.en,
            Locale::Zh => &self.zh,
        }
    }
}

/// Every documentation address, in both languages. Wrap it in [`bytespike_ui::http::layers`].
///
/// # Errors
/// A page is not valid, with its file named. The tests of this crate find that before anyone else does.
pub fn router(options: Options) -> Result<Router, Fault> {
    let docs = Docs { library: Arc::new(Library::build(&options)?), urls: options.urls };
    Ok(addresses().nest("/zh", addresses()).with_state(docs))
}

fn addresses() -> Router<Docs> {
    Router::new()
        .route("/docs", get(pages::home))
        .route("/docs/", get(pages::without_slash))
        .route("/docs/search", get(search::page::results))
        .route("/docs/llms.txt", get(mirror::llms))
        .route("/docs/sitemap.xml", get(mirror::sitemap))
        .route("/docs/{slug}", get(pages::named))
        .route("/docs/{slug}/{*rest}", get(pages::missing))
}

/// What a handler needs.
#[derive(Clone)]
struct Docs {
    library: Arc<Library>,
    urls: Urls,
}

impl FromRef<Docs> for Urls {
    fn from_ref(docs: &Docs) -> Self {
        docs.urls.clone()
    }
}
