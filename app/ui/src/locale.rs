//! The two languages, their addresses, and the texts of `locales/`, typed when this crate is built.

use std::fmt::Display;

pub mod catalogue {
    //! Generated from `locales/<lang>/*.toml`: one struct per file and table, one method per text with placeholders.
    #![allow(clippy::allow_attributes, clippy::too_many_arguments, missing_docs, reason = "generated source")]
    include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));
}

pub use catalogue::Catalogue;

/// A language of the product. English lives at `/…`, Chinese at `/zh/…`, with the same slugs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    #[default]
    En,
    Zh,
}

impl Locale {
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// Every text in this language.
    #[must_use]
    pub fn t(self) -> &'static Catalogue {
        match self {
            Self::En => &catalogue::EN,
            Self::Zh => &catalogue::ZH,
        }
    }

    /// The short code used in settings and content folders: `en`, `zh`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The BCP 47 tag for `lang` and `hreflang`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-Hans",
        }
    }

    /// The language's name in itself, as the switch shows it.
    #[must_use]
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Zh => "中文",
        }
    }

    /// What stands between two sentences of a paragraph: nothing in Chinese, whose full stop brings its own space. (A view
    /// writes an empty text as a space, so nothing is none.)
    #[must_use]
    pub const fn gap(self) -> Option<&'static str> {
        match self {
            Self::En => Some(" "),
            Self::Zh => None,
        }
    }

    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::En => Self::Zh,
            Self::Zh => Self::En,
        }
    }

    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.code() == code)
    }

    /// Splits an address into its language and the path both languages share.
    ///
    /// ```
    /// use bytespike_ui::Locale;
    /// assert_eq!(Locale::split("/zh/pricing"), (Locale::Zh, "/pricing"));
    /// assert_eq!(Locale::split("/zh"), (Locale::Zh, "/"));
    /// assert_eq!(Locale::split("/zhongguo"), (Locale::En, "/zhongguo"));
    /// ```
    #[must_use]
    pub fn split(path: &str) -> (Self, &str) {
        match path.strip_prefix("/zh") {
            Some("" | "/") => (Self::Zh, "/"),
            Some(rest) if rest.starts_with('/') => (Self::Zh, rest),
            _ => (Self::En, path),
        }
    }

    /// This language's address of a shared path: `/pricing` → `/zh/pricing`.
    #[must_use]
    pub fn path(self, shared: &str) -> String {
        match (self, shared) {
            (Self::En, _) => shared.to_owned(),
            (Self::Zh, "/") => "/zh".to_owned(),
            (Self::Zh, _) => format!("/zh{shared}"),
        }
    }
}

/// A text that depends on a count: English has two forms, Chinese one.
#[derive(Debug)]
pub struct Plural {
    pub(crate) one: &'static str,
    pub(crate) other: &'static str,
}

impl Plural {
    pub(crate) fn fill(&self, count: u64, args: &[(&str, &dyn Display)]) -> String {
        let text = if count == 1 { self.one } else { self.other };
        let grouped = crate::format::count(count);
        let count: (&str, &dyn Display) = ("count", &grouped);
        fill(text, &[&[count], args].concat())
    }
}

/// Replaces each `{name}` once, left to right; values are never searched for placeholders.
pub(crate) fn fill(text: &str, args: &[(&str, &dyn Display)]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        if let Some((_, value)) = args.iter().find(|(arg, _)| *arg == name) {
            let _ = write!(out, "{value}"); // writing to a String cannot fail
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}
