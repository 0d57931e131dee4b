//! Tool names that had to change on the way to a provider, and the way back.

use sha2::{Digest, Sha256};

use super::hex;

/// Longest function name OpenAI takes.
const LENGTH_MAX: usize = 64;
const HASH_DIGITS: usize = 8;

/// What the client called its tools, where the provider was told something else.
#[derive(Debug, Clone, Default)]
pub struct ToolNames {
    original_by_sent: Vec<(String, String)>,
    /// Tools with free-form input, which answer with `custom` calls.
    free_form: Vec<String>,
}

impl ToolNames {
    /// The name to send; long ones are cut and given a hash, the same in every turn.
    pub(crate) fn send(&mut self, name: &str) -> String {
        let sent = shortened(name);
        if sent != name && !self.original_by_sent.iter().any(|(known, _)| *known == sent) {
            self.original_by_sent.push((sent.clone(), name.to_owned()));
        }
        sent
    }

    pub(crate) fn original<'a>(&'a self, sent: &'a str) -> &'a str {
        self.original_by_sent.iter().find(|(known, _)| known == sent).map_or(sent, |(_, original)| original)
    }

    pub(crate) fn with_free_form(mut self, names: Vec<String>) -> Self {
        self.free_form = names;
        self
    }

    pub(crate) fn is_free_form(&self, name: &str) -> bool {
        self.free_form.iter().any(|known| known == name)
    }
}

fn shortened(name: &str) -> String {
    if name.len() <= LENGTH_MAX {
        return name.to_owned();
    }
    let hash = hex(&Sha256::digest(name.as_bytes()));
    let mut end = LENGTH_MAX - HASH_DIGITS - 1;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{}", &name[..end], &hash[..HASH_DIGITS])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v39_long_names_are_cut_apart_from_each_other_and_restored() {
        let (first, second) = (format!("{}a", "x".repeat(69)), format!("{}b", "x".repeat(69)));
        let mut names = ToolNames::default();
        let sent = [names.send(&first), names.send(&second)];
        assert!(sent.iter().all(|name| name.len() == LENGTH_MAX));
        assert_ne!(sent[0], sent[1]);
        assert_eq!(names.original(&sent[0]), first);
        assert_eq!(names.original(&sent[1]), second);
        assert_eq!(names.send("short"), "short");
        assert_eq!(names.original("short"), "short");
    }
}
