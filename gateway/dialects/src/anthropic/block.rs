//! Content blocks of a message, as they are sent and as they come back.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::json::{Raw, Text, elements, parse};
use crate::request::FieldError;

/// One block. What is not listed is kept whole in `Other`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Block<'a> {
    Text {
        text: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Raw<'a>>,
    },
    Image {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Raw<'a>>,
    },
    Document {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        citations: Option<Raw<'a>>,
    },
    SearchResult {
        source: Text<'a>,
        title: Text<'a>,
        content: Vec<Block<'a>>,
    },
    Thinking {
        thinking: Text<'a>,
        signature: Text<'a>,
    },
    RedactedThinking {
        data: Text<'a>,
    },
    ToolUse {
        id: Text<'a>,
        name: Text<'a>,
        input: Raw<'a>,
    },
    ToolResult {
        tool_use_id: Text<'a>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "is_false")]
        is_error: bool,
    },
    /// System text in the middle of a conversation.
    #[serde(rename = "mid_conv_system")]
    System {
        content: Vec<Block<'a>>,
    },
    /// A kind that is only passed on, never translated.
    #[serde(untagged)]
    Other(Other<'a>),
}

/// A block kind that is not translated.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct Other<'a> {
    pub(crate) raw: Raw<'a>,
    #[serde(skip)]
    pub(crate) kind: Text<'a>,
}

/// Where an image or document comes from.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Source<'a> {
    Base64 { media_type: Text<'a>, data: Text<'a> },
    Url { url: Text<'a> },
    File { file_id: Text<'a> },
    Text { media_type: Text<'a>, data: Text<'a> },
    Content { content: Vec<Block<'a>> },
}

const KNOWN: [&str; 9] = [
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "mid_conv_system",
];

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    name: Text<'a>,
}

/// Every field a known block can have; which ones it must have depends on its kind.
#[derive(Deserialize)]
struct BlockFields<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    cache_control: Option<Raw<'a>>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    title: Option<Text<'a>>,
    #[serde(borrow)]
    citations: Option<Raw<'a>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    thinking: Option<Text<'a>>,
    #[serde(borrow)]
    signature: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<Text<'a>>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    input: Option<Raw<'a>>,
    #[serde(borrow)]
    tool_use_id: Option<Text<'a>>,
    #[serde(default)]
    is_error: Option<bool>,
}

#[derive(Deserialize)]
struct SourceFields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    media_type: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<Text<'a>>,
    #[serde(borrow)]
    url: Option<Text<'a>>,
    #[serde(borrow)]
    file_id: Option<Text<'a>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// Content given as a string or as an array of blocks. An empty string is no block.
pub(crate) fn content<'a>(text: &'a str) -> Result<Vec<Block<'a>>, FieldError> {
    if text.starts_with('[') {
        return elements(text)
            .enumerate()
            .map(|(index, element)| Block::read(element).map_err(|error| error.within(&index.to_string())))
            .collect();
    }
    let text: Text<'a> =
        parse(text).map_err(|_| FieldError::new("must be a string or an array of blocks"))?;
    Ok(if text.is_empty() { Vec::new() } else { vec![Block::Text { text, cache_control: None }] })
}

impl<'a> Block<'a> {
    pub(crate) fn text(text: impl Into<Text<'a>>) -> Self {
        Self::Text { text: text.into(), cache_control: None }
    }

    fn read(raw: &'a str) -> Result<Self, FieldError> {
        let kind: Kind<'a> = parse(raw)?;
        if !KNOWN.contains(&&*kind.name) {
            return Ok(Self::Other(Other { raw: parse(raw)?, kind: kind.name }));
        }
        let fields: BlockFields<'a> = parse(raw)?;
        Ok(match &*kind.name {
            "text" => Self::Text { text: need(fields.text, "text")?, cache_control: fields.cache_control },
            "image" => Self::Image { source: source(fields.source)?, cache_control: fields.cache_control },
            "document" => Self::Document {
                source: source(fields.source)?,
                title: fields.title,
                citations: fields.citations,
            },
            "search_result" => Self::SearchResult {
                source: text_of(fields.source, "source")?,
                title: fields.title.unwrap_or_default(),
                content: nested(fields.content)?,
            },
            "thinking" => Self::Thinking {
                thinking: need(fields.thinking, "thinking")?,
                signature: fields.signature.unwrap_or_default(),
            },
            "redacted_thinking" => Self::RedactedThinking { data: need(fields.data, "data")? },
            "tool_use" => Self::ToolUse {
                id: need(fields.id, "id")?,
                name: need(fields.name, "name")?,
                input: object(fields.input)?,
            },
            "tool_result" => Self::ToolResult {
                tool_use_id: need(fields.tool_use_id, "tool_use_id")?,
                content: nested(fields.content)?,
                is_error: fields.is_error.unwrap_or(false),
            },
            // The last of KNOWN.
            _ => Self::System { content: nested(fields.content)? },
        })
    }
}

fn source(raw: Option<&RawValue>) -> Result<Source<'_>, FieldError> {
    read_source(need(raw, "source")?.get()).map_err(|error| error.within("source"))
}

fn read_source(raw: &str) -> Result<Source<'_>, FieldError> {
    let fields: SourceFields<'_> = parse(raw)?;
    Ok(match &*fields.kind {
        "base64" => Source::Base64 {
            media_type: need(fields.media_type, "media_type")?,
            data: need(fields.data, "data")?,
        },
        "url" => Source::Url { url: need(fields.url, "url")? },
        "file" => Source::File { file_id: need(fields.file_id, "file_id")? },
        "text" => Source::Text {
            media_type: fields.media_type.unwrap_or_else(|| "text/plain".into()),
            data: need(fields.data, "data")?,
        },
        "content" => Source::Content { content: nested(fields.content)? },
        kind => {
            let problem = format!("'{kind}' is not a source type; use base64, url, file, text or content");
            return Err(FieldError::new(problem).within("type"));
        }
    })
}

fn nested(raw: Option<&RawValue>) -> Result<Vec<Block<'_>>, FieldError> {
    raw.map_or(Ok(Vec::new()), |raw| content(raw.get())).map_err(|error| error.within("content"))
}

fn object(raw: Option<Raw<'_>>) -> Result<Raw<'_>, FieldError> {
    let raw = raw.unwrap_or_else(Raw::empty_object);
    if raw.get().starts_with('{') {
        return Ok(raw);
    }
    Err(FieldError::new("must be an object").within("input"))
}

fn text_of<'a>(raw: Option<&'a RawValue>, field: &str) -> Result<Text<'a>, FieldError> {
    parse(need(raw, field)?.get()).map_err(|error| error.within(field))
}

fn need<T>(value: Option<T>, field: &str) -> Result<T, FieldError> {
    value.ok_or_else(|| FieldError::new("is required").within(field))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
