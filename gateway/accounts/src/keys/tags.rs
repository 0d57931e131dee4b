//! Tags: what people sort keys by, in lists, in usage and in files. They mean nothing to the gateway.
use crate::names;
use std::collections::BTreeSet;

/// Tags on one key, at most.
pub const MOST_TAGS: usize = 10;
pub const MOST_TAG_CHARACTERS: usize = 32;

/// The tags of a key, in their order, in small letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(BTreeSet<String>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagProblem {
    #[error(
        "'{0}' is no tag: a tag has 1 to 32 letters and digits of any script, and - _ . : / between them"
    )]
    Form(String),
    #[error("a key has at most 10 tags")]
    TooMany,
}

impl Tags {
    /// Reads tags; what is empty is passed over, what comes twice is one.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, TagProblem> {
        let mut tags = BTreeSet::new();
        for text in texts.into_iter().map(str::trim).filter(|text| !text.is_empty()) {
            tags.insert(one(text)?);
        }
        if tags.len() > MOST_TAGS { Err(TagProblem::TooMany) } else { Ok(Self(tags)) }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, tag: &str) -> bool {
        self.0.contains(tag)
    }

    pub(super) fn from_stored(text: &str) -> Self {
        Self(text.split_ascii_whitespace().map(str::to_owned).collect())
    }

    /// `' prod batch '`, so that a tag is found between its spaces; empty without any.
    pub(super) fn to_stored(&self) -> String {
        let mut text = String::new();
        for tag in &self.0 {
            text.push(' ');
            text.push_str(tag);
        }
        if text.is_empty() { text } else { text + " " }
    }
}

/// One tag as it is kept.
fn one(text: &str) -> Result<String, TagProblem> {
    let tag = names::visible(text).to_lowercase();
    let fits = tag.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/'));
    match tag.chars().count() {
        1..=MOST_TAG_CHARACTERS if fits => Ok(tag),
        _ => Err(TagProblem::Form(text.chars().take(64).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_small_once_and_in_order() {
        let tags = Tags::parse(["Prod", " batch ", "", "prod", "团队:检索"]).expect("tags");
        assert_eq!(tags.names().collect::<Vec<_>>(), ["batch", "prod", "团队:检索"]);
        assert_eq!(Tags::from_stored(&tags.to_stored()), tags);
        assert_eq!(tags.to_stored(), " batch prod 团队:检索 ");
        assert_eq!(Tags::default().to_stored(), "");
    }

    #[test]
    fn what_is_no_tag_is_named() {
        for strange in ["two words", "a,b", "\"quoted\"", &"x".repeat(33)] {
            assert!(matches!(Tags::parse([strange]), Err(TagProblem::Form(_))), "{strange}");
        }
        let many: Vec<String> = (0..11).map(|n| format!("t{n}")).collect();
        assert_eq!(Tags::parse(many.iter().map(String::as_str)), Err(TagProblem::TooMany));
    }
}
