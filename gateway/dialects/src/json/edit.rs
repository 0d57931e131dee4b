//! Changes to a body that leave every other byte where it was.

use std::ops::Range;

use bytes::Bytes;

use super::scan::{elements, members, offset_in};

/// Collects edits to one text and applies them in one copy.
pub(crate) struct Editor<'a> {
    source: &'a str,
    edits: Vec<(Range<usize>, String)>,
}

impl<'a> Editor<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self { source, edits: Vec::new() }
    }

    /// Puts `text` in the place of `part`, a slice of the source.
    pub(crate) fn replace(&mut self, part: &str, text: impl Into<String>) {
        let start = offset_in(self.source, part);
        self.edits.push((start..start + part.len(), text.into()));
    }

    /// Adds a member at the front of `object`, a slice of the source, behind those added before.
    pub(crate) fn insert(&mut self, object: &str, key: &str, value: &str) {
        let start = offset_in(self.source, object) + 1;
        let is_second = self.edits.iter().any(|(range, _)| *range == (start..start));
        let (before, after) = match members(object).next() {
            Some(_) => ("", ","),
            None if is_second => (",", ""),
            None => ("", ""),
        };
        self.edits.push((start..start, format!("{before}\"{key}\":{value}{after}")));
    }

    /// Removes every member of `object` that `doomed` names, with its comma.
    pub(crate) fn remove(&mut self, object: &str, doomed: impl Fn(&str) -> bool) {
        let spans: Vec<(Range<usize>, bool)> = members(object)
            .map(|member| {
                let start = offset_in(self.source, member.raw_key);
                let end = offset_in(self.source, member.value) + member.value.len();
                (start..end, doomed(&member.key))
            })
            .collect();
        let leading = spans.iter().take_while(|(_, doomed)| *doomed).count();
        if leading > 0 {
            let end = spans.get(leading).map_or(spans[leading - 1].0.end, |(kept, _)| kept.start);
            self.edits.push((spans[0].0.start..end, String::new()));
        }
        for pair in spans.windows(2).skip(leading) {
            if pair[1].1 {
                self.edits.push((pair[0].0.end..pair[1].0.end, String::new()));
            }
        }
    }

    pub(crate) fn is_unchanged(&self) -> bool {
        self.edits.is_empty()
    }

    pub(crate) fn finish(mut self) -> Bytes {
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let added: usize = self.edits.iter().map(|(_, text)| text.len()).sum();
        let mut out = Vec::with_capacity(self.source.len() + added);
        let mut at = 0;
        for (range, text) in &self.edits {
            // An edit inside a removed span has nothing left to change.
            if range.start < at {
                continue;
            }
            out.extend_from_slice(&self.source.as_bytes()[at..range.start]);
            out.extend_from_slice(text.as_bytes());
            at = range.end;
        }
        out.extend_from_slice(&self.source.as_bytes()[at..]);
        Bytes::from(out)
    }
}

/// Removes what `paths` name (`a.b`, `tools[].strict`) from `object`, and reports which paths were there.
pub(crate) fn remove_paths<'p>(editor: &mut Editor<'_>, object: &str, paths: &[&'p str]) -> Vec<&'p str> {
    let mut found = Vec::new();
    let whole: Vec<_> = paths.iter().map(|path| (*path, *path)).collect();
    remove_steps(editor, object, &whole, &mut found);
    found.dedup();
    found
}

/// `paths` are (whole path, what is left of it below `object`). Siblings go together, so that commas add up.
fn remove_steps<'p>(
    editor: &mut Editor<'_>,
    object: &str,
    paths: &[(&'p str, &'p str)],
    found: &mut Vec<&'p str>,
) {
    let (leaves, deeper): (Vec<_>, Vec<_>) = paths.iter().partition(|(_, rest)| !rest.contains('.'));
    editor.remove(object, |key| leaves.iter().any(|(_, leaf)| *leaf == key));
    for member in members(object) {
        found.extend(leaves.iter().filter(|(_, leaf)| *leaf == member.key).map(|(whole, _)| *whole));
        let below = |step: &str| -> Vec<(&'p str, &'p str)> {
            deeper
                .iter()
                .filter_map(|(whole, rest)| Some((*whole, rest.strip_prefix(step)?.strip_prefix('.')?)))
                .collect()
        };
        let in_object = below(&member.key);
        if !in_object.is_empty() {
            remove_steps(editor, member.value, &in_object, found);
        }
        let in_array = below(&format!("{}[]", member.key));
        if !in_array.is_empty() {
            elements(member.value).for_each(|element| remove_steps(editor, element, &in_array, found));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(source: &str, doomed: &[&str]) -> Bytes {
        let mut editor = Editor::new(source);
        editor.remove(source, |key| doomed.contains(&key));
        editor.finish()
    }

    #[test]
    fn removal_takes_the_right_comma() {
        let source = r#"{"a":1, "b":2 ,"c":3}"#;
        assert_eq!(removed(source, &["a"]), r#"{"b":2 ,"c":3}"#);
        assert_eq!(removed(source, &["b"]), r#"{"a":1 ,"c":3}"#);
        assert_eq!(removed(source, &["c"]), r#"{"a":1, "b":2}"#);
        assert_eq!(removed(source, &["a", "b"]), r#"{"c":3}"#);
        assert_eq!(removed(source, &["a", "c"]), r#"{"b":2}"#);
        assert_eq!(removed(source, &["a", "b", "c"]), "{}");
        assert_eq!(removed(source, &["x"]), source);
    }

    #[test]
    fn paths_step_into_arrays() {
        let source =
            r#"{"tools":[{"function":{"strict":true,"name":"a"}},{"function":{"name":"b"}}],"o":{"p":1}}"#;
        let mut editor = Editor::new(source);
        let found = remove_paths(&mut editor, source, &["tools[].function.strict", "o.p", "o.q", "x.y"]);
        assert_eq!(found, ["tools[].function.strict", "o.p"]);
        assert_eq!(
            editor.finish(),
            r#"{"tools":[{"function":{"name":"a"}},{"function":{"name":"b"}}],"o":{}}"#
        );
    }

    #[test]
    fn neighbours_removed_by_separate_paths_leave_no_comma() {
        let source = r#"{"a":1,"b":2,"c":3}"#;
        let mut editor = Editor::new(source);
        assert_eq!(remove_paths(&mut editor, source, &["a", "b"]), ["a", "b"]);
        assert_eq!(editor.finish(), r#"{"c":3}"#);
    }

    #[test]
    fn several_members_go_into_an_empty_object() {
        for (source, expected) in [("{}", r#"{"a":1,"b":2}"#), (r#"{"c":3}"#, r#"{"a":1,"b":2,"c":3}"#)] {
            let mut editor = Editor::new(source);
            editor.insert(source, "a", "1");
            editor.insert(source, "b", "2");
            assert_eq!(editor.finish(), expected);
        }
    }

    #[test]
    fn replacing_and_inserting_keeps_the_rest() {
        let source = r#"{ "model" : "x", "n": 1e3 }"#;
        let mut editor = Editor::new(source);
        let model = members(source).next().map(|member| member.value).unwrap();
        editor.replace(model, "\"y\"");
        editor.insert(source, "max_tokens", "5");
        assert_eq!(editor.finish(), r#"{"max_tokens":5, "model" : "y", "n": 1e3 }"#);
    }
}
