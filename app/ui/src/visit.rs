//! What a page needs to know about the request it answers: language, theme, path, and where the surfaces live.

use crate::{Announcement, Board, Locale, Numbers, Theme};
use axum::extract::{FromRef, FromRequestParts, OriginalUri};
use http::request::Parts;
use std::convert::Infallible;
use std::sync::Arc;

/// The public base URLs of the surfaces, without a trailing slash, and what is announced on their pages. The URLs are all
/// equal when one port serves everything.
#[derive(Clone, Debug)]
pub struct Urls {
    bases: Arc<Bases>,
    board: Board,
}

#[derive(Debug)]
struct Bases {
    site: String,
    docs: String,
    console: String,
    gateway: String,
}

/// A part of ByteSpike with a public address of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    Site,
    Docs,
    Console,
    Gateway,
}

impl Urls {
    /// Four base URLs such as `https://bytespike.example`; a trailing slash is dropped.
    #[must_use]
    pub fn new(site: &str, docs: &str, console: &str, gateway: &str) -> Self {
        let base = |url: &str| url.trim_end_matches('/').to_owned();
        let bases =
            Bases { site: base(site), docs: base(docs), console: base(console), gateway: base(gateway) };
        Self { bases: Arc::new(bases), board: Board::default() }
    }

    /// The same, with what is announced.
    #[must_use]
    pub fn with_board(self, board: Board) -> Self {
        Self { board, ..self }
    }

    /// What is announced.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Every surface under one base URL.
    #[must_use]
    pub fn single(base: &str) -> Self {
        Self::new(base, base, base, base)
    }

    #[must_use]
    pub fn base(&self, surface: Surface) -> &str {
        match surface {
            Surface::Site => &self.bases.site,
            Surface::Docs => &self.bases.docs,
            Surface::Console => &self.bases.console,
            Surface::Gateway => &self.bases.gateway,
        }
    }
}

impl Surface {
    /// The surface that answers a path (without its language prefix).
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        let first = path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default();
        match first {
            "docs" => Self::Docs,
            "console" | "oauth" | "device" | "admin" => Self::Console,
            "v1" | "v1beta" | "api" | "mcp" => Self::Gateway,
            _ => Self::Site,
        }
    }
}

/// One request for a page, as far as the page may depend on it. Extract it in a handler whose state gives [`Urls`].
#[derive(Clone, Debug)]
pub struct Visit {
    pub locale: Locale,
    pub theme: Theme,
    /// The path without its language prefix, starting with `/`: `/pricing`.
    pub path: String,
    /// The query as it came, without `?`; empty if there was none.
    pub query: String,
    pub urls: Urls,
    /// How the reader wants numbers written, where they are known.
    pub numbers: Numbers,
}

impl Visit {
    /// A visit from its parts, for pages outside a request: mail, feeds, previews, tests.
    #[must_use]
    pub fn new(path: &str, urls: Urls) -> Self {
        let (locale, shared) = Locale::split(path);
        Self {
            locale,
            theme: Theme::Auto,
            path: shared.to_owned(),
            query: String::new(),
            urls,
            numbers: Numbers::default(),
        }
    }

    /// What the request itself says; the language is in the path and nowhere else.
    #[must_use]
    pub fn from_parts(parts: &Parts, urls: Urls) -> Self {
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let mut visit = Self::new(uri.path(), urls);
        visit.query = uri.query().unwrap_or_default().to_owned();
        visit.theme = Theme::from_headers(&parts.headers);
        visit
    }

    /// What the page carries above everything else. Operators, who write it, are not told.
    #[must_use]
    pub fn announced(&self) -> Vec<Announcement> {
        let is_for_operators = self.path == "/admin" || self.path.starts_with("/admin/");
        if is_for_operators { Vec::new() } else { self.urls.board.on(Surface::of_path(&self.path)) }
    }

    /// Every text in the visit's language.
    #[must_use]
    pub fn t(&self) -> &'static crate::Catalogue {
        self.locale.t()
    }

    /// The address of a shared path in this language: relative on the same surface or base, absolute otherwise.
    /// A fragment or query in `shared` is kept.
    #[must_use]
    pub fn link(&self, shared: &str) -> String {
        self.link_in(self.locale, shared)
    }

    /// The same, in a language of choice.
    #[must_use]
    pub fn link_in(&self, locale: Locale, shared: &str) -> String {
        let (here, there) = (Surface::of_path(&self.path), Surface::of_path(shared));
        let path = locale.path(shared);
        if self.urls.base(here) == self.urls.base(there) {
            return path;
        }
        format!("{}{path}", self.urls.base(there))
    }

    /// The absolute address of a shared path, for canonical links, feeds and mail.
    #[must_use]
    pub fn absolute(&self, locale: Locale, shared: &str) -> String {
        format!("{}{}", self.urls.base(Surface::of_path(shared)), locale.path(shared))
    }

    /// The gateway's base URL, as a client is told to use it.
    #[must_use]
    pub fn gateway(&self) -> &str {
        self.urls.base(Surface::Gateway)
    }

    /// This very page, path and query, in its language: where a preference form returns to.
    #[must_use]
    pub fn here(&self) -> String {
        let path = self.locale.path(&self.path);
        if self.query.is_empty() { path } else { format!("{path}?{}", self.query) }
    }
}

impl<S> FromRequestParts<S> for Visit
where
    S: Send + Sync,
    Urls: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self::from_parts(parts, Urls::from_ref(state)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_relative_on_one_base() {
        let visit = Visit::new("/zh/pricing", Urls::single("https://b.example/"));
        assert_eq!(visit.path, "/pricing");
        assert_eq!(visit.link("/docs"), "/zh/docs");
        assert_eq!(visit.link_in(Locale::En, "/"), "/");
        assert_eq!(visit.absolute(Locale::Zh, "/"), "https://b.example/zh");
    }

    #[test]
    fn links_to_another_host_are_absolute() {
        let urls = Urls::new(
            "https://b.example",
            "https://docs.b.example",
            "https://c.b.example",
            "https://g.b.example",
        );
        let visit = Visit::new("/docs/quickstart", urls);
        assert_eq!(visit.link("/docs/errors"), "/docs/errors");
        assert_eq!(visit.link("/console?x=1"), "https://c.b.example/console?x=1");
        assert_eq!(visit.gateway(), "https://g.b.example");
    }
}
