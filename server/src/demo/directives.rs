//! How a request tells the demo provider to misbehave; the table is in the module's description.

use std::time::Duration;

/// What one request asked for. The default is a well-behaved answer.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Directives {
    pub status: Option<u16>,
    pub retry_after_s: Option<u64>,
    pub error_body: bool,
    pub error_after: Option<usize>,
    pub cut: Option<usize>,
    pub malformed: Option<usize>,
    pub hang: bool,
    pub hang_after: Option<usize>,
    pub slow: Duration,
    pub no_usage: bool,
    pub words: Option<usize>,
    pub tools: usize,
    pub think: bool,
    pub stop: Option<String>,
    pub cached_tokens: u64,
    pub cache_write_tokens: u64,
}

impl Directives {
    /// Reads the directives in a model name and in the last user message.
    ///
    /// # Errors
    /// The text of the first directive that is not understood, so that a typing mistake cannot pass for a good answer.
    pub fn read(model: &str, last_user_text: &str) -> Result<Self, String> {
        let mut read = Self { no_usage: model.starts_with("demo-no-usage"), ..Self::default() };
        for directive in model.split('+').skip(1) {
            read.apply(directive)?;
        }
        for (_, after) in
            last_user_text.match_indices("[demo:").map(|(at, tag)| (at, &last_user_text[at + tag.len()..]))
        {
            let inside = after.split(']').next().unwrap_or_default();
            for directive in inside.split([',', ' ']).filter(|text| !text.is_empty()) {
                read.apply(directive)?;
            }
        }
        Ok(read)
    }

    fn apply(&mut self, directive: &str) -> Result<(), String> {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let unreadable = || format!("the demo provider does not understand the directive `{directive}`");
        let number = || value.parse::<u64>().map_err(|_| unreadable());
        let count = || value.parse::<usize>().map_err(|_| unreadable());
        match name {
            "status" => self.status = Some(value.parse().map_err(|_| unreadable())?),
            "retry-after" => self.retry_after_s = Some(number()?),
            "error-body" => self.error_body = true,
            "error-after" => self.error_after = Some(count()?),
            "cut" => self.cut = Some(count()?),
            "malformed" => self.malformed = Some(count()?),
            "hang" => self.hang = true,
            "hang-first" => self.hang_after = Some(0),
            "hang-after" => self.hang_after = Some(count()?),
            "slow" => self.slow = Duration::from_millis(number()?),
            "no-usage" => self.no_usage = true,
            "words" => self.words = Some(count()?),
            "tools" => self.tools = count()?,
            "think" => self.think = true,
            "stop" => self.stop = Some(value.to_owned()),
            "cached" => self.cached_tokens = number()?,
            "cache-write" => self.cache_write_tokens = number()?,
            _ => return Err(unreadable()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_come_from_the_model_name_and_the_message_and_combine() {
        let read =
            Directives::read("demo-chat+cut=3+slow=50", "hello [demo: no-usage, words=7] there").unwrap();
        assert_eq!(
            read,
            Directives {
                cut: Some(3),
                slow: Duration::from_millis(50),
                no_usage: true,
                words: Some(7),
                ..Directives::default()
            }
        );
    }

    #[test]
    fn a_directive_that_is_not_understood_is_named() {
        assert!(Directives::read("demo-chat+cutt=3", "").unwrap_err().contains("`cutt=3`"));
        assert!(Directives::read("demo-chat", "[demo: cut=three]").unwrap_err().contains("`cut=three`"));
    }
}
