//! Every page in both languages, rendered once. Nothing here changes after the surface has started.

use crate::nav::{self, Entry};
use crate::search::index::Index;
use crate::{Options, facts};
use bytespike_ui::markdown::{self, Document, Fault};
use bytespike_ui::{Locale, Visit};

/// One page in one language.
pub(crate) struct Article {
    pub entry: &'static Entry,
    pub title: String,
    pub description: String,
    /// With placeholders filled in and links in this language: what the `.md` mirror serves.
    pub markdown: String,
    pub document: Document,
    /// The language the text is in, which is English while there is no translation.
    pub language: Locale,
}

pub(crate) struct Library {
    en: Shelf,
    zh: Shelf,
}

/// The pages of one language in reading order, and the index over them.
pub(crate) struct Shelf {
    pub articles: Vec<Article>,
    pub index: Index,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    title: String,
    description: String,
}

impl Library {
    pub(crate) fn build(options: &Options) -> Result<Self, Fault> {
        Ok(Self { en: Shelf::build(options, Locale::En)?, zh: Shelf::build(options, Locale::Zh)? })
    }

    pub(crate) fn shelf(&self, locale: Locale) -> &Shelf {
        match locale {
            Locale::En => &self.en,
            Locale::Zh => &self.zh,
        }
    }
}

impl Shelf {
    fn build(options: &Options, locale: Locale) -> Result<Self, Fault> {
        let facts = facts::of(options, locale)?;
        let build = |entry: &'static Entry| {
            Article::build(entry, &Visit::new(&locale.path(&entry.path()), options.urls.clone()), &facts)
                .map_err(|fault| Fault(format!("content/docs/{}/{}.md: {fault}", locale.code(), entry.slug)))
        };
        let articles: Vec<Article> = nav::entries().map(build).collect::<Result<_, _>>()?;
        let index = Index::build(&articles);
        Ok(Self { articles, index })
    }

    pub(crate) fn position(&self, slug: &str) -> Option<usize> {
        self.articles.iter().position(|article| article.entry.slug == slug)
    }
}

impl Article {
    pub(crate) fn build(
        entry: &'static Entry,
        visit: &Visit,
        facts: &markdown::Facts,
    ) -> Result<Self, Fault> {
        let (language, file) = match (visit.locale, entry.zh) {
            (Locale::Zh, Some(zh)) => (Locale::Zh, zh),
            _ => (Locale::En, entry.en),
        };
        let (front, body) = markdown::split::<Front>(file)?;
        let body = markdown::resolve(body, facts, &|path| visit.link(path))?;
        let document = markdown::render(&body, visit);
        let markdown = format!("# {}\n\n{body}", front.title);
        Ok(Self { entry, title: front.title, description: front.description, markdown, document, language })
    }
}
