//! Patterns of `like`, whose wildcards stand for themselves.

/// The pattern that finds the text anywhere; to be used with `escape '!'`.
#[must_use]
pub fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    #[test]
    fn s_076_a_wildcard_stands_for_itself() {
        assert_eq!(super::containing("50%_off!"), "%50!%!_off!!%");
    }
}
