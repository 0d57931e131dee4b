//! Strings and values that borrow from the body wherever they can.

use std::borrow::Cow;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A string, borrowed where the JSON had no escapes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

/// Any JSON value as its own text: numbers, key order and escapes stay as they were.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct Raw<'a>(Cow<'a, RawValue>);

impl<'a> Raw<'a> {
    /// `None` if `text` is not valid JSON.
    pub(crate) fn borrowed(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok().map(|raw: &RawValue| Self(Cow::Borrowed(raw)))
    }

    /// `None` if `text` is not valid JSON.
    pub(crate) fn owned(text: String) -> Option<Self> {
        RawValue::from_string(text).ok().map(|raw| Self(Cow::Owned(raw)))
    }

    /// The JSON text of `value`.
    pub(crate) fn of(value: &serde_json::Value) -> Self {
        Self::owned(value.to_string()).unwrap_or_else(Self::empty_object)
    }

    pub(crate) fn empty_object() -> Self {
        Self(Cow::Owned(RawValue::from_string("{}".to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())))
    }

    /// A tool's arguments as an object: nothing is `{}`, other values are wrapped, text that is no JSON is kept.
    pub(crate) fn object(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() || text == "null" {
            return Self::empty_object();
        }
        match Self::owned(text.to_owned()) {
            Some(raw) if text.starts_with('{') => raw,
            Some(_) => Self::owned(format!("{{\"value\":{text}}}")).unwrap_or_else(Self::empty_object),
            None => Self::of(&serde_json::json!({ "_raw": text })),
        }
    }

    pub(crate) fn get(&self) -> &str {
        self.0.get()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(deserializer).map(|raw| Self(Cow::Borrowed(raw)))
    }
}
