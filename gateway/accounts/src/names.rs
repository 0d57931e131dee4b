//! Names that people give to things: normalised, without characters that hide or reorder text.
use unicode_normalization::UnicodeNormalization as _;

pub const MOST_CHARACTERS: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    #[error("the name is empty")]
    Empty,
    #[error("the name is longer than 64 characters")]
    TooLong,
}

/// The name in Unicode form C, trimmed, without control, bidirectional and invisible characters; 1 to 64 characters.
pub fn clean(text: &str) -> Result<String, NameProblem> {
    let name = visible(text);
    match name.chars().count() {
        0 => Err(NameProblem::Empty),
        1..=MOST_CHARACTERS => Ok(name),
        _ => Err(NameProblem::TooLong),
    }
}

/// A line of text in Unicode form C, trimmed, without control, bidirectional and invisible characters.
pub fn visible(text: &str) -> String {
    let shown: String = text.nfc().filter(|c| !is_deceptive(*c)).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Control characters but white space; zero-width characters; bidirectional marks, embeddings and isolates (UAX #9).
fn is_deceptive(c: char) -> bool {
    let control = c.is_control() && !c.is_whitespace();
    let invisible = matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}');
    let reordering = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    control || invisible || reordering
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s138_names_are_normalised_and_trimmed() {
        assert_eq!(clean("  生产 \t环境 "), Ok("生产 环境".to_owned()));
        assert_eq!(clean("Cafe\u{301}"), Ok("Café".to_owned()));
        assert_eq!(clean("line\r\nbreak"), Ok("line break".to_owned()));
    }

    #[test]
    fn s138_hiding_characters_are_removed() {
        assert_eq!(clean("a\u{202E}b\u{200B}c\u{0}d"), Ok("abcd".to_owned()));
        assert_eq!(clean("\u{200B}\u{202E}"), Err(NameProblem::Empty));
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(clean(&"字".repeat(64)).is_ok());
        assert_eq!(clean(&"字".repeat(65)), Err(NameProblem::TooLong));
    }
}
