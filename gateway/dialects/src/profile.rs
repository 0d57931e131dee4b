//! Content measured by class of bytes, from which tokens are estimated.

/// Text is classed in windows of this size, so that a long message can be part prose, part code.
const WINDOW_BYTES: usize = 256;
/// From this share of symbols and digits on, a window counts as code.
const CODE_PERCENT: usize = 20;
/// A window this long without a space is an encoding, not language.
const BASE64_WINDOW_BYTES: usize = 200;

/// How much of each kind of content there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ContentProfile {
    /// Bytes of prose in Latin and every other script that is not Han.
    pub latin_bytes: u64,
    /// Bytes of Han, Kana and Hangul text (three per character).
    pub han_bytes: u64,
    /// Bytes of code, JSON and other symbol-heavy text.
    pub code_bytes: u64,
    /// Bytes of base64 and the like carried inside text; files and images are counted apart.
    pub base64_bytes: u64,
}

impl ContentProfile {
    pub fn total_bytes(&self) -> u64 {
        self.latin_bytes + self.han_bytes + self.code_bytes + self.base64_bytes
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds text of unknown kind.
    pub fn add_text(&mut self, text: &str) {
        for window in windows(text) {
            let counts = Counts::of(window.as_bytes());
            self.han_bytes += counts.han as u64;
            *self.class(&counts, window.len()) += (window.len() - counts.han) as u64;
        }
    }

    /// Adds what is known to be JSON or code; Han inside it still counts as Han.
    pub fn add_code(&mut self, text: &str) {
        let han = Counts::of(text.as_bytes()).han;
        self.han_bytes += han as u64;
        self.code_bytes += (text.len() - han) as u64;
    }

    fn class(&mut self, counts: &Counts, window_len: usize) -> &mut u64 {
        let other = window_len - counts.han;
        if other >= BASE64_WINDOW_BYTES && counts.is_unbroken() {
            &mut self.base64_bytes
        } else if counts.symbols * 100 >= other * CODE_PERCENT && counts.symbols > 0 {
            &mut self.code_bytes
        } else {
            &mut self.latin_bytes
        }
    }
}

/// Pieces of about the window's size that cut no character in two.
fn windows(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = (WINDOW_BYTES..rest.len()).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
        let (window, after) = rest.split_at(end);
        rest = after;
        (!window.is_empty()).then_some(window)
    })
}

#[derive(Default)]
struct Counts {
    han: usize,
    /// Lead bytes of any character beyond ASCII.
    wide: usize,
    spaces: usize,
    /// Brackets and quotes, which no encoding uses.
    brackets: usize,
    /// What code has more of than prose, brackets included.
    symbols: usize,
}

impl Counts {
    fn of(window: &[u8]) -> Self {
        let mut counts = Self::default();
        for &byte in window {
            match byte {
                // Lead bytes of U+3000–U+DFFF (CJK, Kana, Hangul) and of the full-width forms.
                0xe3..=0xed | 0xef => {
                    counts.han += 3;
                    counts.wide += 1;
                }
                0xc0..=0xff => counts.wide += 1,
                b' ' | b'\n' | b'\t' | b'\r' => counts.spaces += 1,
                b'{' | b'}' | b'[' | b']' | b'(' | b')' | b'<' | b'>' | b'"' => {
                    counts.brackets += 1;
                    counts.symbols += 1;
                }
                b';' | b'=' | b'_' | b'/' | b'\\' | b'|' | b'&' | b'#' | b'$' | b'+' | b'*' | b'0'..=b'9' => {
                    counts.symbols += 1;
                }
                _ => {}
            }
        }
        counts.han = counts.han.min(window.len());
        counts
    }

    /// One long word of the ASCII alphabet, as an encoding is.
    fn is_unbroken(&self) -> bool {
        self.spaces == 0 && self.wide == 0 && self.brackets == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(text: &str) -> ContentProfile {
        let mut profile = ContentProfile::default();
        profile.add_text(text);
        profile
    }

    #[test]
    fn each_kind_lands_in_its_class() {
        let prose = "The quick brown fox jumps over the lazy dog, again and again. ".repeat(8);
        assert_eq!(profile(&prose).latin_bytes, prose.len() as u64);
        let han = "你好，世界。这是一个测试".repeat(40);
        assert_eq!(profile(&han).han_bytes, han.len() as u64);
        let code = r#"{"a":[1,2,3],"b":{"c":"d"}}"#.repeat(20);
        assert_eq!(profile(&code).code_bytes, code.len() as u64);
        let base64 = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w".repeat(8);
        assert!(profile(&base64).base64_bytes > base64.len() as u64 / 2);
    }

    #[test]
    fn every_byte_is_counted_once() {
        for text in ["", "a", "你", "é🌍你 {1}", &"混ざった text 123 {} ".repeat(60)] {
            assert_eq!(profile(text).total_bytes(), text.len() as u64, "{text}");
        }
    }
}
