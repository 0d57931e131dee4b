//! For how long whom may keep a response. The enum is closed: a new kind of page needs a new line here.

use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue};

/// Every `Cache-Control` this product sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CachePolicy {
    /// `/_a/<name>.<hash>.<ext>`: the address changes with the bytes.
    HashedAsset,
    /// Home, docs, blog: five minutes in a shared cache, a day of grace.
    Content,
    /// `/pricing` and models: a price change shows within 90 seconds.
    Prices,
    /// A public page that carries an announcement: it is gone within a minute of its end, without a day of grace.
    Announced,
    /// `/status`.
    Status,
    /// Feeds, Markdown mirrors, sitemap, robots.
    Text,
    /// Results of a search: an unbounded space of addresses, so never shared.
    Search,
    /// Favicon and manifest, whose names are fixed.
    FixedName,
    /// A public page in the theme its visitor chose: kept by nobody else, checked each time.
    Personal,
    /// Console, forms, anything with a cookie.
    Private,
    /// Answers to forms, faults, health.
    NoStore,
    /// 301 and 308.
    PermanentRedirect,
    /// A page that does not exist.
    NotFound,
}

impl CachePolicy {
    #[must_use]
    pub const fn header(self) -> &'static str {
        match self {
            Self::HashedAsset => "public, max-age=31536000, immutable",
            Self::Content => {
                "public, max-age=0, s-maxage=300, stale-while-revalidate=86400, stale-if-error=86400"
            }
            Self::Prices => "public, max-age=0, s-maxage=60, stale-while-revalidate=600",
            Self::Announced => "public, max-age=0, s-maxage=60",
            Self::Status => "public, max-age=0, s-maxage=10, stale-if-error=60",
            Self::Text => "public, max-age=300, s-maxage=3600",
            Self::Search => "private, max-age=60",
            Self::FixedName => "public, max-age=86400",
            Self::Personal => "private, max-age=0",
            Self::Private => "private, no-store",
            Self::NoStore => "no-store",
            Self::PermanentRedirect => "public, max-age=3600",
            Self::NotFound => "public, max-age=0, s-maxage=30",
        }
    }

    pub fn apply(self, headers: &mut HeaderMap) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(self.header()));
    }

    /// What remains of this policy on a page that carries an announcement.
    #[must_use]
    pub(crate) const fn announced(self) -> Self {
        match self {
            Self::Content | Self::Prices => Self::Announced,
            _ => self,
        }
    }

    /// What remains of this policy when the response depends on who asked.
    #[must_use]
    pub(crate) const fn personal(self) -> Self {
        match self {
            Self::Private | Self::NoStore | Self::Search => self,
            _ => Self::Personal,
        }
    }
}
