//! Model lists as people write them: slugs, aliases, and `*` for any characters, made into the models they mean now.

use std::collections::BTreeSet;

use bytespike_accounts::keys::AllowList;
use bytespike_catalog::PriceBook;

/// Models in a list, at most.
pub const MOST_MODELS: usize = 500;

/// Why a list was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelListError {
    #[error("'{0}' is no model; GET /v1/models lists them")]
    Unknown(String),
    #[error("'{0}' matches no model")]
    MatchesNone(String),
    #[error("at most 500 models")]
    TooMany,
}

/// Reads a list. What a `*` matches is decided now: a model that comes later is not on the list. Nothing at all is any.
///
/// # Errors
/// The first entry that means no model.
pub fn read<'a>(
    book: &PriceBook,
    entries: impl IntoIterator<Item = &'a str>,
) -> Result<AllowList, ModelListError> {
    let mut models = BTreeSet::new();
    let mut is_empty = true;
    for entry in entries.into_iter().map(str::trim).filter(|entry| !entry.is_empty()) {
        is_empty = false;
        models.extend(meant(book, entry)?);
        if models.len() > MOST_MODELS {
            return Err(ModelListError::TooMany);
        }
    }
    Ok(if is_empty { AllowList::Any } else { AllowList::Only(models) })
}

fn meant(book: &PriceBook, entry: &str) -> Result<Vec<String>, ModelListError> {
    if !entry.contains('*') {
        let model = book.find(entry).ok_or_else(|| ModelListError::Unknown(shown(entry)))?;
        return Ok(vec![model.model.id.clone()]);
    }
    let ids = book.content.models.keys().map(String::as_str);
    let matching: Vec<String> = ids.filter(|id| matches(entry, id)).map(str::to_owned).collect();
    if matching.is_empty() { Err(ModelListError::MatchesNone(shown(entry))) } else { Ok(matching) }
}

/// Whether the text is the pattern with something, or nothing, for each `*`.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// At most a slug's length of what somebody typed.
fn shown(entry: &str) -> String {
    entry.chars().filter(|c| !c.is_control()).take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_or_nothing() {
        for (pattern, text, is_match) in [
            ("claude-*", "claude-sonnet-5-5", true),
            ("claude-*", "claude-", true),
            ("claude-*", "gpt-claude-", false),
            ("*-mini", "gpt-6-mini", true),
            ("*-mini", "gpt-6-mini-2", false),
            ("gpt-*-mini", "gpt-6-mini", true),
            ("gpt-*-mini", "gpt-mini", false),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
            ("*", "anything", true),
            ("**", "", true),
            ("aa*aa", "aaa", false),
        ] {
            assert_eq!(matches(pattern, text), is_match, "{pattern} {text}");
        }
    }
}
