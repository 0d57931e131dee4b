//! JSON as people read it: a value a line. The text is taken as it is, whole or cut, valid or not; only space between values
//! changes, so that numbers, names and their order stay as they were.

/// Deeper values are not set further in, so that no text grows out of proportion.
const DEEPEST: usize = 24;

/// The text with lines and indents, if it begins as JSON; else as it is.
pub(crate) fn indented(text: &str) -> String {
    if !text.trim_start().starts_with(['{', '[']) {
        return text.to_owned();
    }
    let mut out = Lines { text: String::with_capacity(text.len() * 2), depth: 0 };
    let (mut in_string, mut is_escaped, mut is_open) = (false, false, false);
    for c in text.chars() {
        if in_string {
            out.text.push(c);
            in_string = c != '"' || is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            continue;
        }
        if c.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(c, '}' | ']');
        if is_open && !closes {
            out.line();
        }
        match c {
            '{' | '[' => {
                out.depth += 1;
                out.text.push(c);
            }
            '}' | ']' => {
                out.depth = out.depth.saturating_sub(1);
                if !is_open {
                    out.line();
                }
                out.text.push(c);
            }
            ',' => {
                out.text.push(c);
                out.line();
            }
            ':' => out.text.push_str(": "),
            _ => out.text.push(c),
        }
        is_open = matches!(c, '{' | '[');
        in_string = c == '"';
    }
    out.text
}

struct Lines {
    text: String,
    depth: usize,
}

impl Lines {
    fn line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", self.depth.min(DEEPEST)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_set_in_lines_and_stays_what_it_was() {
        let text = r#"{"b":[1.00,{"a\"]":"x, {y}\\"}],"empty":{},"none":[ ],"n":12345678901234567890}"#;
        let lines = indented(text);
        assert_eq!(
            lines,
            "{\n  \"b\": [\n    1.00,\n    {\n      \"a\\\"]\": \"x, {y}\\\\\"\n    }\n  ],\n  \"empty\": {},\n  \"none\": [],\n  \"n\": 12345678901234567890\n}"
        );
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(read(&lines), read(text));
        assert_eq!(indented(&lines), lines, "what is set in lines stays so");
    }

    #[test]
    fn what_is_cut_or_no_json_is_shown_all_the_same() {
        assert_eq!(indented("{\"a\":[1,\"b"), "{\n  \"a\": [\n    1,\n    \"b");
        for text in ["data: {\"a\":1}\n\n", "", "plain", "\u{fffd}{"] {
            assert_eq!(indented(text), text);
        }
        assert_eq!(indented("}]{"), "}]{");
        let deep = indented(&"[".repeat(10_000));
        assert!(deep.len() < 10_000 * 60, "{}", deep.len());
    }
}
