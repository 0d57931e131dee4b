//! JSON without a tree: spans of a body, values borrowed from it, and edits that keep every other byte.

mod edit;
mod scan;
mod value;

pub(crate) use edit::{Editor, remove_paths};
pub(crate) use scan::{Member, elements, members, offset_in};
pub(crate) use value::{Raw, Text};

use serde::Deserialize;

use crate::request::FieldError;

/// Deeper bodies are refused: nothing legitimate nests like this, and parsers recurse.
const DEEPEST: usize = 128;

/// Checks that `body` is one JSON object, well formed and not too deep.
pub(crate) fn validate(body: &[u8]) -> Result<&str, FieldError> {
    if scan::depth(body) > DEEPEST {
        return Err(FieldError::new(format!("the body nests more than {DEEPEST} levels deep; flatten it")));
    }
    let body: &serde_json::value::RawValue = serde_json::from_slice(body)
        .map_err(|error| FieldError::new(format!("the body is not valid JSON: {error}")))?;
    if !body.get().starts_with('{') {
        return Err(FieldError::new("the body must be a JSON object"));
    }
    Ok(body.get())
}

/// Reads one value, borrowing from `text`. The error says what was expected, without positions.
pub(crate) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, FieldError> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let problem = message.split(" at line ").next().unwrap_or_default();
        FieldError::new(problem)
    })
}

/// The members of an object, taken one by one; what is left at the end is unknown.
pub(crate) struct Fields<'a> {
    rest: Vec<Member<'a>>,
}

impl<'a> Fields<'a> {
    /// `object` is the text of a JSON object. A name given twice is refused: readers disagree on which one counts.
    pub(crate) fn of(object: &'a str) -> Result<Self, FieldError> {
        let rest: Vec<Member<'a>> = members(object).collect();
        for (index, member) in rest.iter().enumerate() {
            if rest[..index].iter().any(|earlier| earlier.key == member.key) {
                return Err(FieldError::new("appears twice; send it once").within(&member.key));
            }
        }
        Ok(Self { rest })
    }

    /// The raw text of a member; `None` if it is absent or null.
    pub(crate) fn raw(&mut self, key: &str) -> Option<&'a str> {
        let index = self.rest.iter().position(|member| member.key == key)?;
        let member = self.rest.swap_remove(index);
        (member.value != "null").then_some(member.value)
    }

    /// The value of a member; `None` if it is absent or null.
    pub(crate) fn take<T: Deserialize<'a>>(&mut self, key: &str) -> Result<Option<T>, FieldError> {
        self.raw(key).map(parse).transpose().map_err(|error| error.within(key))
    }

    /// As [`take`](Self::take), and missing is an error.
    pub(crate) fn need<T: Deserialize<'a>>(&mut self, key: &str) -> Result<T, FieldError> {
        self.take(key)?.ok_or_else(|| FieldError::new("is required").within(key))
    }

    /// What nobody took, nulls left out, in the order of the body.
    pub(crate) fn rest(self) -> Vec<Member<'a>> {
        let mut rest = self.rest;
        rest.retain(|member| member.value != "null");
        rest.sort_by_key(|member| member.value.as_ptr() as usize);
        rest
    }
}
