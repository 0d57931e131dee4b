//! Splits text into search terms: words where there are spaces, overlapping pairs where the script is Han.

use bytespike_ui::markdown::is_han;

/// The terms of a text to be found. `流式响应` gives 流式, 式响, 响应 and 应, so that a single character at the end of
/// a run is found by its beginning like any other. `x-receipt-id` gives itself and each of its words.
pub(crate) fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    for run in runs(text) {
        match run {
            Run::Han(characters) => {
                terms.extend(characters.windows(2).map(|pair| pair.iter().collect::<String>()));
                terms.extend(characters.last().map(char::to_string));
            }
            Run::Word(word) => {
                let parts: Vec<&str> = word.split(['-', '_']).filter(|part| !part.is_empty()).collect();
                if parts.len() > 1 {
                    terms.extend(parts.iter().map(|part| singular(part)));
                }
                terms.push(singular(&word));
            }
        }
    }
    terms
}

/// The terms of a query: as [`terms`], but a run of Han longer than one character is pairs alone.
pub(crate) fn query_terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    for run in runs(text) {
        match run {
            Run::Han(characters) if characters.len() == 1 => {
                terms.extend(characters.first().map(char::to_string));
            }
            Run::Han(characters) => {
                terms.extend(characters.windows(2).map(|pair| pair.iter().collect::<String>()));
            }
            Run::Word(word) => terms.push(singular(&word)),
        }
    }
    terms.dedup();
    terms
}

/// `receipts` and `receipt` are one term; `less` stays as it is.
fn singular(word: &str) -> String {
    let stem = word.strip_suffix('s').filter(|stem| stem.len() >= 3 && !stem.ends_with('s'));
    stem.unwrap_or(word).to_owned()
}

enum Run {
    Han(Vec<char>),
    Word(String),
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut last = None;
    for character in text.chars().flat_map(char::to_lowercase) {
        let kind = kind(character);
        match (kind, kind == last, runs.last_mut()) {
            (None, _, _) => {}
            (Some(_), true, Some(Run::Han(characters))) => characters.push(character),
            (Some(_), true, Some(Run::Word(word))) => word.push(character),
            (Some(Kind::Han), _, _) => runs.push(Run::Han(vec![character])),
            (Some(Kind::Word), _, _) => runs.push(Run::Word(character.to_string())),
        }
        last = kind;
    }
    runs
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Han,
    Word,
}

fn kind(character: char) -> Option<Kind> {
    match character {
        _ if is_han(character) && character.is_alphanumeric() => Some(Kind::Han),
        '-' | '_' => Some(Kind::Word),
        _ if character.is_alphanumeric() => Some(Kind::Word),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn han_is_split_into_overlapping_pairs() {
        assert_eq!(terms("流式响应，ok"), ["流式", "式响", "响应", "应", "ok"]);
        assert_eq!(query_terms("流式响应"), ["流式", "式响", "响应"]);
        assert_eq!(query_terms("流"), ["流"]);
    }

    #[test]
    fn compound_names_are_found_whole_and_in_parts() {
        assert_eq!(terms("X-Receipt-Id"), ["x", "receipt", "id", "x-receipt-id"]);
        assert_eq!(query_terms("X-Receipt-Id stream"), ["x-receipt-id", "stream"]);
        assert_eq!(query_terms("receipts less"), ["receipt", "less"]);
    }
}
