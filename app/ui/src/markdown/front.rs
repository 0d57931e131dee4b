//! Front matter: TOML between two lines of `+++` at the top of a file.

use serde::de::DeserializeOwned;

const FENCE: &str = "+++\n";

/// What is wrong with a content file, in words for the one who writes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault(pub String);

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

/// The front matter, read as `T`, and the Markdown below it.
///
/// # Errors
/// There is no front matter, or it does not fit `T`.
pub fn split<T: DeserializeOwned>(file: &str) -> Result<(T, &str), Fault> {
    let inside = file
        .strip_prefix(FENCE)
        .ok_or_else(|| Fault("the file does not begin with a line `+++`".to_owned()))?;
    let (front, body) = inside
        .split_once(FENCE)
        .ok_or_else(|| Fault("the front matter is not closed by a line `+++`".to_owned()))?;
    let read =
        toml::from_str(front).map_err(|error| Fault(format!("the front matter is not valid: {error}")))?;
    Ok((read, body.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Front {
        title: String,
    }

    #[test]
    fn front_matter_and_body_come_apart() {
        let (front, body) = split::<Front>("+++\ntitle = \"A\"\n+++\n\nText\n").unwrap();
        assert_eq!((front.title.as_str(), body), ("A", "Text\n"));
    }

    #[test]
    fn a_fault_says_what_is_missing() {
        assert!(split::<Front>("title = 1").is_err_and(|fault| fault.0.contains("does not begin")));
        assert!(split::<Front>("+++\ntitle = \"A\"\n").is_err_and(|fault| fault.0.contains("not closed")));
        assert!(
            split::<Front>("+++\nname = \"A\"\n+++\n")
                .is_err_and(|fault| fault.0.contains("missing field `title`"))
        );
    }
}
