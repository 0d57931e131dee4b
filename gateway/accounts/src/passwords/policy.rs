//! What a new password must be: long, and not one that guessers try first. No rules about character classes.
use super::common;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// NIST SP 800-63B-4 asks for 15 where the password is the only factor.
pub const LEAST_CHARACTERS: usize = 15;
pub const MOST_CHARACTERS: usize = 256;
/// What is hashed at most; a longer text is not a password of ours.
const MOST_BYTES: usize = 4_096;
/// A unit this short, repeated, is as easy to guess as itself.
const LONGEST_REPEATED_UNIT: usize = 8;
const SHORTEST_WORD: usize = 4;
const PRODUCT: &str = "bytespike";

/// A password as it is hashed: Unicode form KC, so that the same keys give the same password everywhere.
pub struct Password(Zeroizing<String>);

/// Why a new password is refused. Shown to whoever chose it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    #[error("the password needs at least {LEAST_CHARACTERS} characters")]
    TooShort,
    #[error("the password may have at most {MOST_CHARACTERS} characters")]
    TooLong,
    #[error("the password repeats a short piece")]
    Repeats,
    #[error("the password is on the list of those that were leaked and are tried first")]
    Common,
    #[error("the password is mostly `{word}`, which anyone would try for this account")]
    Derived { word: String },
}

impl Password {
    /// A new password, held against the rules. `about` are words that anyone would try for this person:
    /// the e-mail address, the names of person and org.
    pub fn choose(text: &str, about: &[&str]) -> Result<Self, PasswordProblem> {
        let password = Self(Zeroizing::new(text.nfkc().collect()));
        let characters = password.0.chars().count();
        if characters < LEAST_CHARACTERS {
            return Err(PasswordProblem::TooShort);
        }
        if characters > MOST_CHARACTERS || password.0.len() > MOST_BYTES {
            return Err(PasswordProblem::TooLong);
        }
        let folded = Zeroizing::new(password.0.to_lowercase());
        if repeats(&folded) {
            return Err(PasswordProblem::Repeats);
        }
        if common::contains(&folded) {
            return Err(PasswordProblem::Common);
        }
        match derived_from(&folded, about) {
            Some(word) => Err(PasswordProblem::Derived { word }),
            None => Ok(password),
        }
    }

    /// A password given to be checked. `None` when it is too long to be anyone's.
    pub fn presented(text: &str) -> Option<Self> {
        (text.len() <= MOST_BYTES).then(|| Self(Zeroizing::new(text.nfkc().collect())))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Whether the whole text is one short unit over and over.
fn repeats(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    (1..=LONGEST_REPEATED_UNIT)
        .any(|unit| characters.iter().zip(characters.iter().skip(unit)).all(|(a, b)| a == b))
}

/// The word that, taken out with the others, leaves too little of the password.
fn derived_from(folded: &str, about: &[&str]) -> Option<String> {
    let about = about.join(" ").to_lowercase();
    let words = about.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() >= SHORTEST_WORD);
    let (mut left, mut found) = (Zeroizing::new(folded.to_owned()), None);
    for word in words.chain([PRODUCT]) {
        if left.contains(word) {
            found = Some(word.to_owned());
            left = Zeroizing::new(left.replace(word, ""));
        }
    }
    found.filter(|_| left.chars().count() < LEAST_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Option<PasswordProblem> {
        Password::choose(text, &["margaret.hill@northwind.example", "Margaret Hill"]).err()
    }

    #[test]
    fn s41_long_and_unusual_is_enough() {
        for text in [
            "correct horse battery staple!",
            "我家的猫喜欢在下午四点半吃鱼罐头呢",
            "aaa bbb ccc ddd eee",
            "🦀🐙🦑🐡🐠🐟🐬🐳🐋🦈🐊🐅🐆🦓🦍",
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
    }

    #[test]
    fn s42_length_is_counted_in_characters_after_normalising() {
        assert_eq!(problem("fourteen-chars"), Some(PasswordProblem::TooShort));
        // Fifteen code points with combining marks become fourteen composed ones.
        assert_eq!(problem("e\u{301}ight-ten-char"), Some(PasswordProblem::TooShort));
        assert_eq!(problem("我家的猫喜欢吃鱼罐头"), Some(PasswordProblem::TooShort));
        let unusual: String = ('\u{4e00}'..).take(MOST_CHARACTERS + 1).collect();
        assert_eq!(problem(&unusual), Some(PasswordProblem::TooLong));
        assert_eq!(problem(&unusual[3..]), None);
    }

    #[test]
    fn s43_leaked_repeated_and_derived_ones_are_refused() {
        assert_eq!(problem("Qwertyuiopasdfghjkl"), Some(PasswordProblem::Common));
        assert_eq!(problem("1234567890123456"), Some(PasswordProblem::Common));
        assert_eq!(problem("abcabcabcabcabca"), Some(PasswordProblem::Repeats));
        assert!(matches!(problem("margaret-hill-northwind-1"), Some(PasswordProblem::Derived { .. })));
        assert_eq!(problem("ByteSpike-2026-hi"), Some(PasswordProblem::Derived { word: PRODUCT.into() }));
    }

    #[test]
    fn s42_a_presented_password_is_normalised_the_same_way() {
        let chosen = Password::choose("ｆｕｌｌ ｗｉｄｔｈ ｋｅｙｓ", &[]).expect("accepted");
        let presented = Password::presented("full width keys").expect("short enough");
        assert_eq!(chosen.as_bytes(), presented.as_bytes());
        assert!(Password::presented(&"x".repeat(MOST_BYTES + 1)).is_none());
    }
}
