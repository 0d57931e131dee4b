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

    /// In millionths.
    pub fn micro(self) -> u64 {
        self.0
    }
}

/// A span of ratios, each 2 % wider than the one before, from 0.1 to about 50.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RatioBucket(u16);

const BUCKETS: usize = 314;
const BUCKET_ENDS_MICRO: [u64; BUCKETS] = bucket_ends();

const fn bucket_ends() -> [u64; BUCKETS] {
    let mut ends = [100_000; BUCKETS];
    let mut at = 1;
    while at < BUCKETS {
        ends[at] = ends[at - 1] + ends[at - 1] / 50;
        at += 1;
    }
    ends
}

impl RatioBucket {
    /// The bucket of a ratio in millionths; what is beyond the last is in the last.
    pub fn of(ratio_micro: u64) -> Self {
        let at = BUCKET_ENDS_MICRO.partition_point(|end| *end < ratio_micro).min(BUCKETS - 1);
        Self(u16::try_from(at).unwrap_or(u16::MAX))
    }

    pub fn number(self) -> i64 {
        i64::from(self.0)
    }

    /// `None` for a number no bucket has.
    pub fn numbered(number: i64) -> Option<Self> {
        let bucket = u16::try_from(number).ok().map(Self);
        bucket.filter(|bucket| usize::from(bucket.0) < BUCKETS)
    }

    /// The highest ratio in it, in millionths.
    pub fn most_micro(self) -> u64 {
        BUCKET_ENDS_MICRO.get(usize::from(self.0)).copied().unwrap_or(u64::MAX)
    }
}

/// Text with fewer tokens than this says little about how dense it is.
const TELLING_TOKENS: u64 = 100;

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
        let text = u128::from(self.text_per_mille()) * u128::from(factor.0) / 1_000_000_000 + 1;
        let text = u64::try_from(text).unwrap_or(u64::MAX).min(bytes.max(1));
        text.saturating_add(self.frame_tokens())
    }

    /// Tokens that are no text: what stands around messages and tools, and pictures.
    pub fn frame_tokens(&self) -> u64 {
        let tools = if self.tools > 0 { ANY_TOOLS + self.tools * PER_TOOL } else { 0 };
        (self.messages * PER_MESSAGE).saturating_add(tools).saturating_add(self.images * PER_IMAGE)
    }

    /// What a provider counted, less the frame, to the bare estimate of the text, in millionths. `None` when it tells
    /// nothing about text: there were pictures, or hardly any text.
    pub fn ratio_micro(&self, counted_tokens: u64) -> Option<u64> {
        let text = self.text_per_mille() / 1_000;
        let counted = counted_tokens.saturating_sub(self.frame_tokens());
        let telling = self.images == 0 && text >= TELLING_TOKENS;
        telling.then(|| counted.saturating_mul(1_000_000) / text)
    }

    fn text_per_mille(&self) -> u64 {
        self.latin * PER_1000_LATIN
            + self.code * PER_1000_CODE
            + self.wide * PER_1000_WIDE
            + self.base64 * PER_1000_BASE64
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
    fn a_ratio_learned_as_factor_would_have_been_enough() {
        let text = of(&"word ".repeat(1_000));
        let counted = 2 * text.tokens(Factor::FLOOR);
        let ratio = text.ratio_micro(counted).expect("enough text");
        let factor = Factor::learned(RatioBucket::of(ratio).most_micro());
        assert!(text.tokens(factor) >= counted);
        assert!(text.tokens(factor) <= counted * 103 / 100, "and not much more");
        assert_eq!(of("short").ratio_micro(100), None);
        assert_eq!(ContentBytes { images: 1, ..text }.ratio_micro(counted), None);
    }

    #[test]
    fn buckets_are_in_order_and_hold_what_is_put_into_them() {
        for ratio in [0, 99_999, 100_000, 100_001, 1_150_000, 2_000_000, 40_000_000] {
            let bucket = RatioBucket::of(ratio);
            assert!(bucket.most_micro() >= ratio, "{ratio}");
            assert_eq!(RatioBucket::numbered(bucket.number()), Some(bucket));
        }
        assert_eq!(RatioBucket::numbered(314), None);
        assert_eq!(RatioBucket::of(u64::MAX).number(), 313);
    }

    #[test]
    fn a_learned_factor_can_raise_the_estimate_only() {
        let text = of(&"word ".repeat(1_000));
        let at_floor = text.tokens(Factor::FLOOR);
        assert_eq!(text.tokens(Factor::learned(1)), at_floor);
        assert!(text.tokens(Factor::learned(2_300_000)) >= 2 * at_floor - 2);
    }
}
