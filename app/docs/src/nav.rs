//! Which pages there are, in which order, under which heading. The texts are embedded when the program is built.

use bytespike_ui::Catalogue;

/// One page: its address under `/docs/`, and its text in both languages.
pub(crate) struct Entry {
    /// Empty for `/docs` itself.
    pub slug: &'static str,
    pub en: &'static str,
    /// None while nobody has translated it: readers get the English text with a notice.
    pub zh: Option<&'static str>,
}

/// Pages under a common heading.
pub(crate) struct Group {
    pub title: fn(&Catalogue) -> &'static str,
    pub entries: &'static [Entry],
}

macro_rules! page {
    ($slug:literal) => {
        page!($slug, $slug)
    };
    ($slug:literal, $file:literal) => {
        Entry {
            slug: $slug,
            en: include_str!(concat!("../../../content/docs/en/", $file, ".md")),
            zh: Some(include_str!(concat!("../../../content/docs/zh/", $file, ".md"))),
        }
    };
}

pub(crate) static GROUPS: [Group; 4] = [
    Group {
        title: |t| t.docs.group.start,
        entries: &[page!("", "index"), page!("quickstart"), page!("authentication"), page!("oauth")],
    },
    Group {
        title: |t| t.docs.group.understand,
        entries: &[
            page!("billing"),
            page!("paying-in"),
            page!("proof"),
            page!("limits"),
            page!("members"),
            page!("idempotency"),
            page!("models"),
            page!("streaming"),
            page!("translation"),
            page!("errors"),
            page!("privacy"),
        ],
    },
    Group {
        title: |t| t.docs.group.reference,
        entries: &[
            page!("messages"),
            page!("chat-completions"),
            page!("count-tokens"),
            page!("list-models"),
            page!("estimate"),
            page!("receipts"),
            page!("verification"),
            page!("balance"),
            page!("usage"),
            page!("statements"),
            page!("exports"),
            page!("prices"),
            page!("keys-api"),
            page!("limits-api"),
            page!("alerts-api"),
            page!("webhooks"),
            page!("status"),
        ],
    },
    Group {
        title: |t| t.docs.group.operate,
        entries: &[
            page!("self-hosting"),
            page!("setting-prices"),
            page!("payments"),
            page!("operating"),
            page!("operator-pages"),
            page!("operator-api"),
            page!("demo-provider"),
        ],
    },
];

/// Every page in reading order.
pub(crate) fn entries() -> impl Iterator<Item = &'static Entry> {
    GROUPS.iter().flat_map(|group| group.entries)
}

impl Entry {
    /// The path both languages share: `/docs/billing`.
    pub(crate) fn path(&self) -> String {
        if self.slug.is_empty() { "/docs".to_owned() } else { format!("/docs/{}", self.slug) }
    }

    /// The path of the Markdown mirror.
    pub(crate) fn markdown_path(&self) -> String {
        let slug = if self.slug.is_empty() { "index" } else { self.slug };
        format!("/docs/{slug}.md")
    }
}
