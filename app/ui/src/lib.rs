//! Design system, page rendering, locales, cache policy: everything a browser surface is built from.
//!
//! A handler extracts a [`Visit`], loads its data, and answers with a [`Page`] whose body is one of the
//! [`layout`] shells around [`components`]. [`http::layers`] wraps the finished router.

pub mod assets;
pub mod board;
pub mod components;
pub mod error_page;
pub mod format;
pub mod highlight;
pub mod http;
pub mod layout;
pub mod locale;
pub mod markdown;
mod numbers;
pub mod page;
pub mod price_words;
pub mod theme;
mod visit;

pub use board::{Announcement, AnnouncementLevel, Board};
pub use locale::{Catalogue, Locale};
pub use numbers::Numbers;
pub use page::{CachePolicy, Head, Page, Robots, escape};
pub use theme::Theme;
pub use visit::{Surface, Urls, Visit};
