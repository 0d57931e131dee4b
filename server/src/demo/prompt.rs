//! What the demo provider reads from a request, the same for both dialects.

use serde_json::Value;

use super::directives::Directives;

/// A request, as far as an answer depends on it.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// As the request spells it, directives included.
    pub model: String,
    pub last_user_text: String,
    /// The text of the last message when it is the result of a tool.
    pub tool_result: Option<String>,
    pub images: usize,
    pub tools: Vec<Tool>,
    pub tool_choice: ToolChoice,
    pub thinking: bool,
    /// The JSON schema the answer must follow; `{}` when any JSON object will do.
    pub schema: Option<Value>,
    pub max_tokens: Option<u64>,
    pub stop_sequences: Vec<String>,
    pub stream: bool,
    pub input_tokens: u64,
    pub directives: Directives,
}

/// A tool the request declares.
#[derive(Debug, Clone)]
pub struct Tool {
    pub name: String,
    pub schema: Value,
}

/// Whether a tool may, must or must not be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    Auto,
    Never,
    Any,
    Named(String),
}

/// The last user turn of a conversation.
#[derive(Debug, Default)]
pub struct LastTurn {
    pub text: String,
    pub tool_result: Option<String>,
    pub images: usize,
}

/// Four bytes to a token, never none: the demo provider's own measure.
pub fn tokens_of(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX).max(1)
}

/// All text inside a `content` field, which may be a string or a list of parts.
pub fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(part_text).collect::<Vec<_>>().join(""),
        _ => String::new(),
    }
}

/// How many parts of a `content` field are images.
pub fn images_in(content: &Value) -> usize {
    let is_image = |part: &&Value| matches!(part["type"].as_str(), Some("image" | "image_url"));
    content.as_array().map_or(0, |parts| parts.iter().filter(is_image).count())
}

fn part_text(part: &Value) -> String {
    part["text"].as_str().unwrap_or_default().to_owned()
}

/// The strings of a field that is a string or a list of strings.
pub fn strings_of(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}
