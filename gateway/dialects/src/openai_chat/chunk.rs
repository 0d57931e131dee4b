//! One chunk of a Chat Completions stream, and the message of a whole answer, borrowed from their bytes.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::usage::Usage;
use crate::UpstreamFailure;
use crate::json::Text;

#[derive(Debug, Deserialize)]
pub(crate) struct Chunk<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    pub(crate) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Choice<'a> {
    #[serde(default)]
    pub(crate) index: u32,
    /// `delta` in a stream, `message` in a whole answer.
    #[serde(borrow, default, alias = "message")]
    pub(crate) delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    pub(crate) finish_reason: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<Text<'a>>,
    #[serde(borrow, default)]
    refusal: Option<Text<'a>>,
    #[serde(borrow, default)]
    reasoning_content: Option<Text<'a>>,
    /// What aggregators call it.
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) tool_calls: Option<Vec<ToolDelta<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ToolDelta<'a> {
    #[serde(default)]
    pub(crate) index: Option<u32>,
    #[serde(borrow, default)]
    id: Option<Text<'a>>,
    #[serde(borrow, default)]
    function: Option<FunctionDelta<'a>>,
}

#[derive(Debug, Deserialize)]
struct FunctionDelta<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

impl<'a> Chunk<'a> {
    /// Refuses what is no chunk, and what reports an error inside a 200.
    pub(crate) fn read(data: &'a [u8]) -> Result<Self, UpstreamFailure> {
        let chunk: Self = serde_json::from_slice(data).map_err(|_| {
            UpstreamFailure::invalid("it sent an answer that is not valid JSON of its dialect.")
        })?;
        match chunk.error {
            Some(_) => Err(UpstreamFailure::inside(data)),
            None => Ok(chunk),
        }
    }

    pub(crate) fn choices(&self) -> &[Choice<'a>] {
        self.choices.as_deref().unwrap_or_default()
    }

    pub(crate) fn has_choices(&self) -> bool {
        self.choices.is_some()
    }

    pub(crate) fn usage(&self) -> Option<Usage> {
        self.usage.and_then(|raw| serde_json::from_str(raw.get()).ok())
    }
}

impl<'a> Delta<'a> {
    pub(crate) fn content(&self) -> &str {
        self.content.as_deref().unwrap_or_default()
    }

    pub(crate) fn refusal(&self) -> &str {
        self.refusal.as_deref().unwrap_or_default()
    }

    pub(crate) fn reasoning(&self) -> Text<'a> {
        match (&self.reasoning_content, self.reasoning) {
            (Some(text), _) => text.clone(),
            // Elsewhere the name stands for an object; that is no text.
            (None, Some(raw)) => serde_json::from_str(raw.get()).unwrap_or_default(),
            (None, None) => Text::default(),
        }
    }

    pub(crate) fn tool_calls(&self) -> &[ToolDelta<'a>] {
        self.tool_calls.as_deref().unwrap_or_default()
    }
}

impl<'a> ToolDelta<'a> {
    pub(crate) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        self.function.as_ref().and_then(|function| function.name.as_deref()).unwrap_or_default()
    }

    /// A string by the book; an object is taken as its own text.
    pub(crate) fn arguments(&self) -> Text<'a> {
        match self.function.as_ref().and_then(|function| function.arguments) {
            Some(raw) if raw.get().starts_with('"') => serde_json::from_str(raw.get()).unwrap_or_default(),
            Some(raw) if raw.get() != "null" => Text::from(raw.get()),
            _ => Text::default(),
        }
    }
}
