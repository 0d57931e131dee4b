//! How many tokens a text may be, from its bytes alone. Quick, and meant to be too high rather than too low.

/// Bytes of a request by how densely tokenizers cut them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentBytes {
    /// ASCII letters and single spaces.
    pub latin: u64,
    /// Digits, punctuation, line breaks and indentation.
    pub code: u64,
    /// Everything outside ASCII: Han, kana, Cyrillic, emoji.
    pub wide: u64,
    /// Long unbroken runs of letters and digits.
    pub base64: u64,
    pub messages: u64,
    pub tools: u64,
    pub images: u64,
}

/// Parts per million that an estimate is multiplied with; learned per model, never below the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Factor(u64);

impl Factor {
    /// Before anything is learned, and never less: 1.15.
    pub const FLOOR: Self = Self(1_150_000);

    /// From the ratio of actual to estimated tokens in millionths.
    pub fn learned(ratio_micro: u64) -> Self {
        Self(ratio_micro).max(Self::FLOOR)
    }
}

/// Tokens per thousand bytes of each class, at the dense end of current tokenizers.
const PER_1000_LATIN: u64 = 300;
const PER_1000_CODE: u64 = 550;
const PER_1000_WIDE: u64 = 420;
const PER_1000_BASE64: u64 = 780;
const PER_MESSAGE: u64 = 8;
const PER_TOOL: u64 = 40;
/// Providers add a preamble when tools are offered (Anthropic documents some 350 tokens).
const ANY_TOOLS: u64 = 600;
/// The most one picture costs at the providers we know (Anthropic's high-resolution models).
const PER_IMAGE: u64 = 5_000;
/// A run this long without a break is data, not a word.
const BASE64_RUN: u64 = 64;

impl ContentBytes {
    /// Counts a text in.
    pub fn add_text(&mut self, text: &str) {
        let mut run = 0;
        for byte in text.bytes() {
            let in_run = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
            if in_run {
                run += 1;
                self.count_in_run(byte, run);
                continue;
            }
            run = 0;
            match byte {
                b' ' => self.latin += 1,
                0x80.. => self.wide += 1,
                _ => self.code += 1,
            }
        }
    }

    /// The first bytes of a run count as words; once it is too long to be one, the rest is data.
    fn count_in_run(&mut self, byte: u8, run: u64) {
        if run > BASE64_RUN {
            self.base64 += 1;
        } else if byte.is_ascii_alphabetic() {
            self.latin += 1;
        } else {
            self.code += 1;
        }
    }

    /// An upper estimate of the input tokens, at most one per byte of text.
    pub fn tokens(&self, factor: Factor) -> u64 {
        let bytes = self.latin + self.code + self.wide + self.base64;
        let per_mille = self.latin * PER_1000_LATIN
            + self.code * PER_1000_CODE
            + self.wide * PER_1000_WIDE
            + self.base64 * PER_1000_BASE64;
        let text = u128::from(per_mille) * u128::from(factor.0) / 1_000_000_000 + 1;
        let text = u64::try_from(text).unwrap_or(u64::MAX).min(bytes.max(1));
        let tools = if self.tools > 0 { ANY_TOOLS + self.tools * PER_TOOL } else { 0 };
        text.saturating_add(self.messages * PER_MESSAGE)
            .saturating_add(tools)
            .saturating_add(self.images * PER_IMAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> ContentBytes {
        let mut content = ContentBytes::default();
        content.add_text(text);
        content
    }

    #[test]
    fn each_kind_of_text_is_told_apart() {
        let prose = of("The quick brown fox jumps over the lazy dog.");
        assert_eq!((prose.latin, prose.code, prose.wide, prose.base64), (43, 1, 0, 0));
        let han = of("敏捷的棕色狐狸");
        assert_eq!((han.wide, han.latin), (21, 0));
        let data = of(&"QUJD".repeat(100));
        assert_eq!((data.base64, data.latin), (336, 64));
        assert!(of("fn main() {\n    println!();\n}").code > 8);
    }

    #[test]
    fn the_estimate_is_above_known_counts_and_never_more_than_the_bytes() {
        // Nine words and a full stop are ten tokens in the common English tokenizers; seven Han characters at most seven or eight.
        assert!(of("The quick brown fox jumps over the lazy dog.").tokens(Factor::FLOOR) >= 10);
        assert!(of("敏捷的棕色狐狸").tokens(Factor::FLOOR) >= 8);
        assert!(of("a").tokens(Factor::FLOOR) <= 1);
        let long = of(&"1234567890".repeat(1_000));
        assert!(long.tokens(Factor::FLOOR) <= 10_000);
    }

    #[test]
    fn a_learned_factor_can_raise_the_estimate_only() {
        let text = of(&"word ".repeat(1_000));
        let at_floor = text.tokens(Factor::FLOOR);
        assert_eq!(text.tokens(Factor::learned(1)), at_floor);
        assert!(text.tokens(Factor::learned(2_300_000)) >= 2 * at_floor - 2);
    }
}
