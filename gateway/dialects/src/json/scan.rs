//! Finds the members of an object and the elements of an array in text that is already known to be valid JSON.

use std::borrow::Cow;

use memchr::memchr2;

/// One `"key": value` of an object.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    pub(crate) key: Cow<'a, str>,
    /// The key with its quotes.
    pub(crate) raw_key: &'a str,
    pub(crate) value: &'a str,
}

/// How deep `bytes` nests. Works on any bytes; strings are skipped.
pub(crate) fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut at) = (0usize, 0usize, 0usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at) - 1,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    deepest
}

/// The members of the object that `text` is; nothing if it is no object.
pub(crate) fn members(text: &str) -> impl Iterator<Item = Member<'_>> {
    let mut at = open(text, b'{');
    std::iter::from_fn(move || {
        let key_start = skip_space(text, at?);
        let key_end = value_end(text, key_start);
        let raw_key = text.get(key_start..key_end).filter(|key| key.starts_with('"'))?;
        let value_start = skip_space(text, skip_space(text, key_end) + 1);
        let value_stop = value_end(text, value_start);
        at = next(text, value_stop);
        Some(Member { key: unquote(raw_key), raw_key, value: text.get(value_start..value_stop)? })
    })
}

/// The elements of the array that `text` is; nothing if it is no array.
pub(crate) fn elements(text: &str) -> impl Iterator<Item = &str> {
    let mut at = open(text, b'[');
    std::iter::from_fn(move || {
        let start = skip_space(text, at?);
        let end = value_end(text, start);
        at = next(text, end);
        text.get(start..end).filter(|element| !element.is_empty())
    })
}

/// Where `part`, a slice of `whole`, begins.
pub(crate) fn offset_in(whole: &str, part: &str) -> usize {
    part.as_ptr() as usize - whole.as_ptr() as usize
}

fn open(text: &str, bracket: u8) -> Option<usize> {
    let start = skip_space(text, 0);
    (text.as_bytes().get(start) == Some(&bracket)).then_some(start + 1)
}

/// The position after the comma that follows, or `None` at the closing bracket.
fn next(text: &str, end: usize) -> Option<usize> {
    let at = skip_space(text, end);
    (text.as_bytes().get(at) == Some(&b',')).then_some(at + 1)
}

fn skip_space(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes().get(at..).unwrap_or_default();
    at + bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

fn value_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    match bytes.get(start) {
        Some(b'"') => string_end(bytes, start),
        Some(b'{' | b'[') => container_end(bytes, start),
        Some(_) => bytes
            .iter()
            .enumerate()
            .skip(start)
            .find(|(_, byte)| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'))
            .map_or(bytes.len(), |(at, _)| at),
        None => bytes.len(),
    }
}

fn container_end(bytes: &[u8], start: usize) -> usize {
    let (mut depth, mut at) = (0usize, start);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at) - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return at + 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The position after the closing quote of the string that opens at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    bytes.len().max(start + 1)
}

fn unquote(raw: &str) -> Cow<'_, str> {
    match raw.get(1..raw.len().saturating_sub(1)) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        _ => Cow::Owned(serde_json::from_str(raw).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_with_their_spans() {
        let text = r#" { "a" : [1, {"x":"]}"}] ,"b\u0062":"q\"}", "c":true } "#;
        let found: Vec<_> = members(text).map(|member| (member.key.into_owned(), member.value)).collect();
        let expected =
            [("a", r#"[1, {"x":"]}"}]"#), ("bb", r#""q\"}""#), ("c", "true")].map(|(k, v)| (k.to_owned(), v));
        assert_eq!(found, expected);
    }

    #[test]
    fn elements_of_empty_and_nested_arrays() {
        assert_eq!(elements("[]").count(), 0);
        assert_eq!(elements("[ ]").count(), 0);
        assert_eq!(elements(r#"[1 , [2,3],"a,b"]"#).collect::<Vec<_>>(), ["1", "[2,3]", r#""a,b""#]);
        assert_eq!(members("{}").count(), 0);
    }

    #[test]
    fn depth_ignores_brackets_in_strings() {
        assert_eq!(depth(br#"{"a":"[[[[","b":[{"c":"\\"}]}"#), 3);
        assert_eq!(depth(b"\"unclosed [["), 0);
    }
}
