//! Numbers and money with the marks that a reader chose. Dates are not numbers.
use crate::format;

/// The marks between thousands and before decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// As the language writes them; both languages write `1,234.56`.
    #[default]
    ByLanguage,
    /// `1,234.56`
    CommaPoint,
    /// `1.234,56`
    PointComma,
    /// `1 234,56`, with spaces that do not break
    SpaceComma,
}

impl Numbers {
    /// As [`format::count`].
    #[must_use]
    pub fn count(self, value: u64) -> String {
        self.marked(&format::count(value))
    }

    /// As [`format::credits`].
    #[must_use]
    pub fn credits(self, nano_usd: i64) -> String {
        self.marked(&format::credits(nano_usd))
    }

    /// As [`format::grouped`].
    #[must_use]
    pub fn grouped(self, decimal: &str) -> String {
        self.marked(&format::grouped(decimal))
    }

    /// As [`format::usd`].
    #[must_use]
    pub fn usd(self, nano_usd: i64) -> String {
        self.marked(&format::usd(nano_usd))
    }

    /// As [`format::cny`].
    #[must_use]
    pub fn cny(self, nano_cny: i64) -> String {
        self.marked(&format::cny(nano_cny))
    }

    /// As [`format::tokens`].
    #[must_use]
    pub fn tokens(self, value: u64) -> String {
        self.marked(&format::tokens(value))
    }

    /// A number that is written with a comma between thousands and a point before decimals.
    #[must_use]
    pub fn marked(self, written: &str) -> String {
        let (group, decimal) = match self {
            Self::ByLanguage | Self::CommaPoint => return written.to_owned(),
            Self::PointComma => ('.', ','),
            Self::SpaceComma => ('\u{a0}', ','),
        };
        let mark = |c| match c {
            ',' => group,
            '.' => decimal,
            other => other,
        };
        written.chars().map(mark).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_choice_has_its_marks_and_the_digits_stay() {
        let nano = -1_234_567_890_000_000;
        let written = [
            (Numbers::ByLanguage, "−$1,234,567.89"),
            (Numbers::CommaPoint, "−$1,234,567.89"),
            (Numbers::PointComma, "−$1.234.567,89"),
            (Numbers::SpaceComma, "−$1\u{a0}234\u{a0}567,89"),
        ];
        for (numbers, text) in written {
            assert_eq!(numbers.usd(nano), text);
        }
        assert_eq!(Numbers::PointComma.count(1_048_576), "1.048.576");
        assert_eq!(Numbers::PointComma.tokens(1_048_576), "1,05M");
        assert_eq!(Numbers::SpaceComma.credits(1_844_500), "1\u{a0}844,500");
        assert_eq!(Numbers::SpaceComma.grouped("16412.000"), "16\u{a0}412,000");
        assert_eq!(Numbers::PointComma.cny(21_400_000), "¥0,0214");
    }
}
