//! The posts themselves, newest first, embedded when the program is built.

use bytespike_ui::markdown::{self, Document, Facts, Fault};
use bytespike_ui::{Locale, Urls, Visit};

/// Newest first.
pub(crate) const SLUGS: [&str; 3] =
    ["how-failures-dont-bill", "live-or-estimate", "two-scripts-no-javascript"];

macro_rules! texts {
    ($language:literal) => {
        [
            include_str!(concat!("../../../../content/blog/", $language, "/how-failures-dont-bill.md")),
            include_str!(concat!("../../../../content/blog/", $language, "/live-or-estimate.md")),
            include_str!(concat!("../../../../content/blog/", $language, "/two-scripts-no-javascript.md")),
        ]
    };
}

static EN: [&str; 3] = texts!("en");
static ZH: [&str; 3] = texts!("zh");

/// One post in one language.
pub(crate) struct Post {
    pub slug: &'static str,
    pub title: String,
    pub description: String,
    /// ISO: `2026-11-24`.
    pub date: String,
    pub document: Document,
    /// The same text with absolute links, for the feed.
    pub feed_html: String,
}

pub(crate) struct Posts {
    en: Vec<Post>,
    zh: Vec<Post>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    title: String,
    description: String,
    date: String,
}

/// The path both languages share.
pub(crate) fn path(slug: &str) -> String {
    format!("/blog/{slug}")
}

impl Posts {
    pub(crate) fn build(urls: &Urls) -> Result<Self, Fault> {
        let all = |locale: Locale, texts: &[&str]| {
            let posts = SLUGS.into_iter().zip(texts).map(|(slug, text)| {
                Post::build(slug, text, &Visit::new(&locale.path(&path(slug)), urls.clone()))
                    .map_err(|fault| Fault(format!("content/blog/{}/{slug}.md: {fault}", locale.code())))
            });
            posts.collect::<Result<Vec<_>, _>>()
        };
        Ok(Self { en: all(Locale::En, &EN)?, zh: all(Locale::Zh, &ZH)? })
    }

    pub(crate) fn of(&self, locale: Locale) -> &[Post] {
        match locale {
            Locale::En => &self.en,
            Locale::Zh => &self.zh,
        }
    }
}

impl Post {
    fn build(slug: &'static str, text: &str, visit: &Visit) -> Result<Self, Fault> {
        let (front, body) = markdown::split::<Front>(text)?;
        let facts = Facts::new();
        let here = markdown::resolve(body, &facts, &|path| visit.link(path))?;
        let anywhere = markdown::resolve(body, &facts, &|path| visit.absolute(visit.locale, path))?;
        Ok(Self {
            slug,
            title: front.title,
            description: front.description,
            date: front.date,
            document: markdown::render(&here, visit),
            feed_html: markdown::render(&anywhere, visit).html,
        })
    }
}
