//! A Chat Completions request as a client sends it.

use serde::Deserialize;

use super::message::Message;
use crate::json::{Fields, Raw, Text, elements, parse};
use crate::request::{FieldError, messages};

#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) model: Text<'a>,
    pub(crate) messages: Vec<Message<'a>>,
    pub(crate) max_completion_tokens: Option<u32>,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) stop: Vec<Text<'a>>,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
    pub(crate) n: u32,
    pub(crate) tools: Vec<Tool<'a>>,
    pub(crate) tool_choice: Option<ToolChoice<'a>>,
    pub(crate) parallel_tool_calls: Option<bool>,
    pub(crate) response_format: Option<ResponseFormat<'a>>,
    pub(crate) reasoning_effort: Option<Text<'a>>,
    pub(crate) prompt_cache_key: Option<Text<'a>>,
    pub(crate) user: Option<Text<'a>>,
    pub(crate) safety_identifier: Option<Text<'a>>,
    pub(crate) service_tier: Option<Text<'a>>,
    /// Everything else, for the target to judge.
    pub(crate) extras: Vec<(Text<'a>, Raw<'a>)>,
}

#[derive(Debug)]
pub(crate) enum Tool<'a> {
    Function(Function<'a>),
    /// Free-form input, perhaps with a grammar.
    Custom(Custom<'a>),
    /// A tool type of some provider's own.
    Other(Text<'a>),
}

#[derive(Debug, Deserialize)]
pub(crate) struct Function<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) description: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) parameters: Option<Raw<'a>>,
    #[serde(default)]
    pub(crate) strict: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Custom<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) description: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) format: Option<Raw<'a>>,
}

#[derive(Debug)]
pub(crate) enum ToolChoice<'a> {
    None,
    Auto,
    Required,
    Named(Text<'a>),
    /// Only these, in the given mode.
    Allowed {
        required: bool,
        names: Vec<Text<'a>>,
    },
}

#[derive(Debug)]
pub(crate) enum ResponseFormat<'a> {
    Text,
    JsonObject,
    JsonSchema { schema: Raw<'a> },
}

impl<'a> Request<'a> {
    /// Reads a body that [`crate::json::validate`] passed.
    pub(crate) fn read(body: &'a str) -> Result<Self, FieldError> {
        let mut fields = Fields::of(body)?;
        Ok(Self {
            model: fields.need("model")?,
            messages: messages(fields.raw("messages"), Message::read)?,
            max_completion_tokens: fields.take("max_completion_tokens")?,
            max_tokens: fields.take("max_tokens")?,
            temperature: fields.take("temperature")?,
            top_p: fields.take("top_p")?,
            stop: stop(fields.raw("stop"))?,
            stream: fields.take("stream")?.unwrap_or(false),
            include_usage: include_usage(&mut fields)?,
            n: fields.take("n")?.unwrap_or(1),
            tools: tools(&mut fields)?,
            tool_choice: tool_choice(fields.raw("tool_choice"))?,
            parallel_tool_calls: fields.take("parallel_tool_calls")?,
            response_format: response_format(fields.raw("response_format"))?,
            reasoning_effort: fields.take("reasoning_effort")?,
            prompt_cache_key: fields.take("prompt_cache_key")?,
            user: fields.take("user")?,
            safety_identifier: fields.take("safety_identifier")?,
            service_tier: fields.take("service_tier")?,
            extras: fields
                .rest()
                .into_iter()
                .map(|member| Ok((Text(member.key), parse(member.value)?)))
                .collect::<Result<_, FieldError>>()?,
        })
    }

    pub(crate) fn output_limit(&self) -> Option<u32> {
        self.max_completion_tokens.or(self.max_tokens)
    }

    /// Tools with free-form input, whose calls come back as `custom`.
    pub(crate) fn free_form_tools(&self) -> Vec<String> {
        let names = self.tools.iter().filter_map(|tool| match tool {
            Tool::Custom(custom) => Some(custom.name.to_string()),
            _ => None,
        });
        names.collect()
    }

    pub(crate) fn extra(&self, name: &str) -> Option<&str> {
        self.extras.iter().find(|(key, _)| **key == *name).map(|(_, value)| value.get())
    }
}

fn stop(raw: Option<&str>) -> Result<Vec<Text<'_>>, FieldError> {
    match raw {
        None => Ok(Vec::new()),
        Some(raw) if raw.starts_with('[') => parse(raw).map_err(|error| error.within("stop")),
        Some(raw) => parse(raw).map(|one| vec![one]).map_err(|error| error.within("stop")),
    }
}

fn include_usage(fields: &mut Fields<'_>) -> Result<bool, FieldError> {
    #[derive(Default, Deserialize)]
    struct StreamOptions {
        #[serde(default)]
        include_usage: Option<bool>,
    }
    let options: StreamOptions = fields.take("stream_options")?.unwrap_or_default();
    Ok(options.include_usage.unwrap_or(false))
}

/// `tools`, and `functions` from before there were tools.
fn tools<'a>(fields: &mut Fields<'a>) -> Result<Vec<Tool<'a>>, FieldError> {
    let mut tools = Vec::new();
    if let Some(raw) = fields.raw("tools") {
        if !raw.starts_with('[') {
            return Err(FieldError::new("must be an array of tools").within("tools"));
        }
        for (index, element) in elements(raw).enumerate() {
            tools.push(tool(element).map_err(|error| error.at("tools", index))?);
        }
    }
    let functions: Option<Vec<Function<'a>>> = fields.take("functions")?;
    tools.extend(functions.unwrap_or_default().into_iter().map(Tool::Function));
    Ok(tools)
}

fn tool(raw: &str) -> Result<Tool<'_>, FieldError> {
    let mut fields = Fields::of(raw)?;
    let kind: Text<'_> = fields.take("type")?.unwrap_or_else(|| "function".into());
    Ok(match &*kind {
        "function" => Tool::Function(fields.need("function")?),
        "custom" => Tool::Custom(fields.need("custom")?),
        _ => Tool::Other(kind),
    })
}

fn tool_choice(raw: Option<&str>) -> Result<Option<ToolChoice<'_>>, FieldError> {
    let Some(raw) = raw else { return Ok(None) };
    read_tool_choice(raw).map(Some).map_err(|error| error.within("tool_choice"))
}

fn read_tool_choice(raw: &str) -> Result<ToolChoice<'_>, FieldError> {
    if raw.starts_with('"') {
        return match raw {
            "\"none\"" => Ok(ToolChoice::None),
            "\"auto\"" => Ok(ToolChoice::Auto),
            "\"required\"" => Ok(ToolChoice::Required),
            _ => Err(FieldError::new("must be none, auto, required or an object naming a tool")),
        };
    }
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        name: Text<'a>,
    }
    let mut fields = Fields::of(raw)?;
    let kind: Text<'_> = fields.need("type")?;
    match &*kind {
        "function" | "custom" => Ok(ToolChoice::Named(fields.need::<Named<'_>>(&kind)?.name)),
        "allowed_tools" => allowed_tools(fields.raw("allowed_tools").unwrap_or("{}")),
        _ => Err(FieldError::new("must be function, custom or allowed_tools").within("type")),
    }
}

fn allowed_tools(raw: &str) -> Result<ToolChoice<'_>, FieldError> {
    let mut fields = Fields::of(raw)?;
    let mode: Text<'_> = fields.take("mode")?.unwrap_or_else(|| "auto".into());
    let mut names = Vec::new();
    for (index, element) in elements(fields.raw("tools").unwrap_or("[]")).enumerate() {
        match tool(element).map_err(|error| error.at("tools", index))? {
            Tool::Function(function) => names.push(function.name),
            Tool::Custom(custom) => names.push(custom.name),
            Tool::Other(_) => {}
        }
    }
    Ok(ToolChoice::Allowed { required: *mode == *"required", names })
}

fn response_format(raw: Option<&str>) -> Result<Option<ResponseFormat<'_>>, FieldError> {
    let Some(raw) = raw else { return Ok(None) };
    read_response_format(raw).map(Some).map_err(|error| error.within("response_format"))
}

fn read_response_format(raw: &str) -> Result<ResponseFormat<'_>, FieldError> {
    #[derive(Deserialize)]
    struct JsonSchema<'a> {
        #[serde(borrow)]
        schema: Raw<'a>,
    }
    let mut fields = Fields::of(raw)?;
    let kind: Text<'_> = fields.need("type")?;
    match &*kind {
        "text" => Ok(ResponseFormat::Text),
        "json_object" => Ok(ResponseFormat::JsonObject),
        "json_schema" => {
            let JsonSchema { schema } = fields.need("json_schema")?;
            Ok(ResponseFormat::JsonSchema { schema })
        }
        _ => Err(FieldError::new("must be text, json_object or json_schema").within("type")),
    }
}
