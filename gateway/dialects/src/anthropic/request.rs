//! A Messages request: read from a client, or built from another dialect.

use serde::{Deserialize, Serialize};

use super::block::{Block, content};
use crate::json::{Fields, Raw, Text, elements, parse};
use crate::request::{FieldError, messages};

/// The pivot of every request translation.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Request<'a> {
    pub(crate) model: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) system: Vec<Block<'a>>,
    pub(crate) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_choice: Option<ToolChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "OutputConfig::is_empty")]
    pub(crate) output_config: OutputConfig<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stop_sequences: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Metadata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_tier: Option<Text<'a>>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) stream: bool,
    /// Fields that are not translated one by one: this dialect's rare ones, or another's tuning.
    #[serde(skip)]
    pub(crate) extras: Vec<(Text<'a>, Raw<'a>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    User,
    Assistant,
    /// Instructions in the middle of a conversation.
    System,
}

#[derive(Debug, Serialize)]
pub(crate) struct Message<'a> {
    pub(crate) role: Role,
    pub(crate) content: Vec<Block<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Tool<'a> {
    Custom(CustomTool<'a>),
    /// A tool with a meaning of Anthropic's own: run by the server, or by the client to a published schema.
    Typed(TypedTool<'a>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CustomTool<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) input_schema: Raw<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) strict: Option<bool>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<Raw<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct TypedTool<'a> {
    pub(crate) raw: Raw<'a>,
    #[serde(skip)]
    pub(crate) kind: Text<'a>,
    #[serde(skip)]
    pub(crate) name: Text<'a>,
    #[serde(skip)]
    pub(crate) max_uses: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ToolChoice<'a> {
    #[serde(rename = "type")]
    pub(crate) mode: ToolMode,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) disable_parallel_tool_use: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ToolMode {
    Auto,
    Any,
    Tool,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Thinking {
    #[serde(rename = "type")]
    pub(crate) mode: ThinkingMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) budget_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) display: Option<Display>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ThinkingMode {
    Enabled,
    Adaptive,
    Disabled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Display {
    Summarized,
    Omitted,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct OutputConfig<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) effort: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<Format<'a>>,
    #[serde(borrow, default, skip_serializing)]
    pub(crate) task_budget: Option<Raw<'a>>,
}

/// Structured output: the answer is JSON of this schema.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Format<'a> {
    #[serde(rename = "type", borrow)]
    pub(crate) kind: Text<'a>,
    #[serde(borrow)]
    pub(crate) schema: Raw<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Metadata<'a> {
    #[serde(borrow, default)]
    pub(crate) user_id: Option<Text<'a>>,
}

impl OutputConfig<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.effort.is_none() && self.format.is_none()
    }
}

impl Thinking {
    pub(crate) fn is_on(self) -> bool {
        self.mode != ThinkingMode::Disabled
    }

    pub(crate) fn is_hidden(self) -> bool {
        self.display == Some(Display::Omitted)
    }
}

impl<'a> Request<'a> {
    /// Reads a body that [`crate::json::validate`] passed. An output limit is asked for by the caller.
    pub(crate) fn read(body: &'a str) -> Result<Self, FieldError> {
        let mut fields = Fields::of(body)?;
        Ok(Self {
            model: fields.need("model")?,
            max_tokens: fields.take("max_tokens")?,
            system: fields
                .raw("system")
                .map_or(Ok(Vec::new()), content)
                .map_err(|error| error.within("system"))?,
            messages: messages(fields.raw("messages"), Message::read)?,
            tools: tools(fields.raw("tools"))?,
            tool_choice: fields.take("tool_choice")?,
            thinking: fields.take("thinking")?,
            output_config: output_config(&mut fields)?,
            stop_sequences: fields.take("stop_sequences")?.unwrap_or_default(),
            temperature: fields.take("temperature")?,
            top_p: fields.take("top_p")?,
            top_k: fields.take("top_k")?,
            metadata: fields.take("metadata")?,
            service_tier: fields.take("service_tier")?,
            stream: fields.take("stream")?.unwrap_or(false),
            extras: extras(fields)?,
        })
    }

    pub(crate) fn extra(&self, name: &str) -> Option<&str> {
        self.extras.iter().find(|(key, _)| **key == *name).map(|(_, value)| value.get())
    }
}

impl<'a> Message<'a> {
    fn read(raw: &'a str) -> Result<Self, FieldError> {
        if !raw.starts_with('{') {
            return Err(FieldError::new("must be an object with role and content"));
        }
        let mut fields = Fields::of(raw)?;
        let role: Text<'a> = fields.need("role")?;
        let role = match &*role {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            other => {
                let problem = format!("'{other}' is not a role; use user, assistant or system");
                return Err(FieldError::new(problem).within("role"));
            }
        };
        let raw_content =
            fields.raw("content").ok_or_else(|| FieldError::new("is required").within("content"))?;
        Ok(Self { role, content: content(raw_content).map_err(|error| error.within("content"))? })
    }
}

fn tools(raw: Option<&str>) -> Result<Vec<Tool<'_>>, FieldError> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    if !raw.starts_with('[') {
        return Err(FieldError::new("must be an array of tools").within("tools"));
    }
    elements(raw)
        .enumerate()
        .map(|(index, element)| read_tool(element).map_err(|error| error.at("tools", index)))
        .collect()
}

fn read_tool(raw: &str) -> Result<Tool<'_>, FieldError> {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(rename = "type", borrow, default)]
        kind: Option<Text<'a>>,
        #[serde(borrow, default)]
        name: Option<Text<'a>>,
        #[serde(default)]
        max_uses: Option<u32>,
    }
    let Kind { kind, name, max_uses } = parse(raw)?;
    match kind {
        Some(kind) if *kind != *"custom" => {
            let name = name.unwrap_or_else(|| kind.clone());
            Ok(Tool::Typed(TypedTool { raw: parse(raw)?, kind, name, max_uses }))
        }
        _ => parse(raw).map(Tool::Custom),
    }
}

/// `output_config`, or the beta field `output_format` that came before it.
fn output_config<'a>(fields: &mut Fields<'a>) -> Result<OutputConfig<'a>, FieldError> {
    let mut config: OutputConfig<'a> = fields.take("output_config")?.unwrap_or_default();
    let earlier: Option<Format<'a>> = fields.take("output_format")?;
    config.format = config.format.or(earlier);
    Ok(config)
}

fn extras(fields: Fields<'_>) -> Result<Vec<(Text<'_>, Raw<'_>)>, FieldError> {
    let rest = fields.rest().into_iter();
    rest.map(|member| Ok((Text(member.key), parse(member.value)?))).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
