//! Lists of providers and of data regions as people write them.

use std::collections::BTreeSet;

use bytespike_accounts::keys::AllowList;
use bytespike_catalog::PriceBook;

use crate::channel::is_place;

/// Entries of a list, at most.
pub const MOST_PLACES: usize = 50;

/// Why a list was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceListError {
    #[error("'{name}' is no provider here; there are {known}")]
    Unknown { name: String, known: String },
    #[error("'{0}' is no region: a region is 1 to 40 small letters, digits and hyphens, such as eu")]
    Form(String),
    #[error("at most {MOST_PLACES} entries")]
    TooMany,
}

/// Reads a list of providers, each one that some model in the book is of. Nothing at all is any.
///
/// # Errors
/// The first entry that is none.
pub fn providers<'a>(
    book: &PriceBook,
    entries: impl IntoIterator<Item = &'a str>,
) -> Result<AllowList, PlaceListError> {
    let known: BTreeSet<&str> = book.models().map(|priced| priced.model.provider.as_str()).collect();
    list(entries, |name| match known.contains(name) {
        true => Ok(()),
        false => Err(PlaceListError::Unknown {
            name: shown(name),
            known: known.iter().copied().collect::<Vec<_>>().join(", "),
        }),
    })
}

/// Reads a list of regions. Which there are is up to the channels, and those come and go, so only the form is looked at.
///
/// # Errors
/// The first entry that is none.
pub fn regions<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<AllowList, PlaceListError> {
    list(entries, |name| if is_place(name) { Ok(()) } else { Err(PlaceListError::Form(shown(name))) })
}

fn list<'a>(
    entries: impl IntoIterator<Item = &'a str>,
    check: impl Fn(&str) -> Result<(), PlaceListError>,
) -> Result<AllowList, PlaceListError> {
    let mut names = BTreeSet::new();
    for entry in entries.into_iter().map(|entry| entry.trim().to_ascii_lowercase()) {
        if entry.is_empty() {
            continue;
        }
        check(&entry)?;
        names.insert(entry);
    }
    match names.len() {
        0 => Ok(AllowList::Any),
        1..=MOST_PLACES => Ok(AllowList::Only(names)),
        _ => Err(PlaceListError::TooMany),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_read_in_small_letters_and_what_is_none_is_named() {
        let two = AllowList::Only(["eu".to_owned(), "us-east".to_owned()].into());
        assert_eq!(regions([" EU ", "us-east", ""]), Ok(two));
        assert_eq!(regions([]), Ok(AllowList::Any));
        assert_eq!(regions(["the moon"]), Err(PlaceListError::Form("the moon".to_owned())));
        let many: Vec<String> = (0..51).map(|n| format!("r{n}")).collect();
        assert_eq!(regions(many.iter().map(String::as_str)), Err(PlaceListError::TooMany));
    }
}
