//! The typed `<head>`: nothing reaches it unescaped.

use serde_json::Value;

/// Whether search engines may list the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Robots {
    #[default]
    Index,
    NoIndex,
}

/// What a page says about itself. Canonical address, language alternates and Open Graph follow from the visit.
#[derive(Clone, Debug)]
pub struct Head {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) robots: Robots,
    pub(crate) kind: &'static str,
    pub(crate) has_alternates: bool,
    pub(crate) json_ld: Vec<Value>,
    pub(crate) feed: Option<(String, String)>,
    pub(crate) onward: Option<String>,
}

impl Head {
    /// `title` is printed as it is given, with the product's name after it unless it is there already.
    #[must_use]
    pub fn new(title: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            description: description.into(),
            robots: Robots::Index,
            kind: "website",
            has_alternates: true,
            json_ld: Vec::new(),
            feed: None,
            onward: None,
        }
    }

    /// A page for one person: no search engine, no alternates.
    #[must_use]
    pub fn private(title: impl Into<String>) -> Self {
        let mut head = Self::new(title, "");
        head.robots = Robots::NoIndex;
        head.has_alternates = false;
        head
    }

    #[must_use]
    pub fn no_index(mut self) -> Self {
        self.robots = Robots::NoIndex;
        self
    }

    /// An article rather than a web site, for Open Graph.
    #[must_use]
    pub fn article(mut self) -> Self {
        self.kind = "article";
        self
    }

    /// The page exists in this language alone.
    #[must_use]
    pub fn untranslated(mut self) -> Self {
        self.has_alternates = false;
        self
    }

    /// A schema.org block; escaped when written.
    #[must_use]
    pub fn json_ld(mut self, value: Value) -> Self {
        self.json_ld.push(value);
        self
    }

    /// The browser goes on to this address by itself; the page must also link to it.
    #[must_use]
    pub fn onward(mut self, address: impl Into<String>) -> Self {
        self.onward = Some(address.into());
        self
    }

    /// An Atom feed to discover: its title and its address.
    #[must_use]
    pub fn feed(mut self, title: impl Into<String>, href: impl Into<String>) -> Self {
        self.feed = Some((title.into(), href.into()));
        self
    }
}
