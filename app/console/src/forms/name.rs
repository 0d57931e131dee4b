//! Names that people give to things: shown on pages, so they hold only what can be shown honestly.
use unicode_normalization::UnicodeNormalization as _;

/// Longest name, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// Why a typed name was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    Missing,
    TooLong,
    Unshowable,
}

/// A typed name, composed (NFC) and trimmed. Control characters, characters that turn the writing direction
/// and invisible ones are refused, because two names that look alike must be alike.
pub fn parse_name(typed: &str) -> Result<String, NameError> {
    let name: String = typed.trim().nfc().collect();
    if name.is_empty() {
        return Err(NameError::Missing);
    }
    if name.chars().any(is_unshowable) {
        return Err(NameError::Unshowable);
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(NameError::TooLong);
    }
    Ok(name)
}

fn is_unshowable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{00AD}' | '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_script_are_taken_composed_and_trimmed() {
        assert_eq!(parse_name("  夜间任务 "), Ok("夜间任务".to_owned()));
        assert_eq!(parse_name("cafe\u{301}"), Ok("café".to_owned()));
        assert_eq!(parse_name("<script>"), Ok("<script>".to_owned()), "escaping is the page's work");
    }

    #[test]
    fn what_cannot_be_shown_honestly_is_refused() {
        assert_eq!(parse_name(" \t"), Err(NameError::Missing));
        assert_eq!(parse_name("a\u{202E}b"), Err(NameError::Unshowable));
        assert_eq!(parse_name("a\u{200B}b"), Err(NameError::Unshowable));
        assert_eq!(parse_name("a\r\nb"), Err(NameError::Unshowable));
        assert_eq!(parse_name(&"长".repeat(65)), Err(NameError::TooLong));
        assert!(parse_name(&"长".repeat(64)).is_ok());
    }
}
