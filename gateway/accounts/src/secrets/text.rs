//! Secret text: never printed, wiped when dropped.
use std::fmt;
use zeroize::Zeroizing;

/// A secret that is shown or sent once. Has no `Display`; `Debug` says `[redacted]`. It has no `==` either: what somebody
/// presents is compared as a MAC, in constant time.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself, for the one place that has to show or send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<Zeroizing<String>> for SecretText {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says of a type whether it has `==`, `Display` and a wiping end, which only the compiler knows.
    struct Of<T>(std::marker::PhantomData<T>);

    trait Otherwise {
        const HAS_EQUALITY: bool = false;
        const HAS_TEXT: bool = false;
    }
    impl<T> Otherwise for Of<T> {}
    impl<T: PartialEq> Of<T> {
        const HAS_EQUALITY: bool = true;
    }
    impl<T: fmt::Display> Of<T> {
        const HAS_TEXT: bool = true;
    }

    #[test]
    fn s122_s126_s127_a_secret_cannot_be_compared_byte_by_byte_nor_printed_and_is_wiped() {
        const { assert!(Of::<String>::HAS_EQUALITY && Of::<String>::HAS_TEXT) };
        const { assert!(!Of::<SecretText>::HAS_EQUALITY && !Of::<SecretText>::HAS_TEXT) };
        fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        wiped(&SecretText::new("hunter2").0);
    }

    #[test]
    fn s127_debug_output_hides_the_secret() {
        assert_eq!(format!("{:?}", SecretText::new("hunter2")), "[redacted]");
    }
}
