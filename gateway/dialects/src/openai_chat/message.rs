//! Messages of a Chat Completions request.

use serde::{Deserialize, Serialize};

use crate::json::{Fields, Raw, Text, elements, parse};
use crate::request::FieldError;

#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) role: Role,
    pub(crate) content: Vec<Part<'a>>,
    pub(crate) name: Option<Text<'a>>,
    pub(crate) tool_calls: Vec<ToolCall<'a>>,
    pub(crate) tool_call_id: Option<Text<'a>>,
    pub(crate) reasoning: Option<Text<'a>>,
    pub(crate) reasoning_details: Vec<ReasoningDetail<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    System,
    User,
    Assistant,
    Tool,
}

#[derive(Debug)]
pub(crate) enum Part<'a> {
    Text {
        text: Text<'a>,
        cache_control: Option<Raw<'a>>,
    },
    Image {
        url: Text<'a>,
    },
    File {
        data: Text<'a>,
        name: Option<Text<'a>>,
    },
    /// By its type: `input_audio`, a file by id, or something newer.
    Other(Text<'a>),
}

/// A call in the assistant's history, function or custom.
#[derive(Debug)]
pub(crate) struct ToolCall<'a> {
    pub(crate) id: Text<'a>,
    pub(crate) name: Text<'a>,
    /// JSON text of a function's arguments, or free text.
    pub(crate) arguments: Text<'a>,
    pub(crate) is_custom: bool,
}

/// One item of `reasoning_details`, in which reasoning travels with its signature.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ReasoningDetail<'a> {
    #[serde(rename = "type", borrow)]
    pub(crate) kind: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Text<'a>>,
}

impl<'a> Message<'a> {
    pub(crate) fn read(raw: &'a str) -> Result<Self, FieldError> {
        if !raw.starts_with('{') {
            return Err(FieldError::new("must be an object with role and content"));
        }
        let mut fields = Fields::of(raw)?;
        let reasoning: Option<Text<'a>> = fields.take("reasoning_content").ok().flatten();
        Ok(Self {
            role: role(&mut fields)?,
            content: content(fields.raw("content")).map_err(|error| error.within("content"))?,
            name: fields.take("name")?,
            tool_calls: tool_calls(fields.raw("tool_calls"))?,
            tool_call_id: fields.take("tool_call_id")?,
            reasoning: reasoning.filter(|text| !text.is_empty()),
            // An extension of several providers: a shape we do not know is left out, not refused.
            reasoning_details: fields.take("reasoning_details").ok().flatten().unwrap_or_default(),
        })
    }
}

fn role(fields: &mut Fields<'_>) -> Result<Role, FieldError> {
    let role: Text<'_> = fields.need("role")?;
    match &*role {
        "system" | "developer" => Ok(Role::System),
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "tool" => Ok(Role::Tool),
        "function" => {
            Err(FieldError::new("'function' messages are the old form; send role 'tool' with tool_call_id")
                .within("role"))
        }
        other => {
            let problem = format!("'{other}' is not a role; use system, developer, user, assistant or tool");
            Err(FieldError::new(problem).within("role"))
        }
    }
}

fn content(raw: Option<&str>) -> Result<Vec<Part<'_>>, FieldError> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    if raw.starts_with('[') {
        return elements(raw)
            .enumerate()
            .map(|(index, element)| part(element).map_err(|error| error.within(&index.to_string())))
            .collect();
    }
    let text: Text<'_> = parse(raw).map_err(|_| FieldError::new("must be a string or an array of parts"))?;
    Ok(if text.is_empty() { Vec::new() } else { vec![Part::Text { text, cache_control: None }] })
}

fn part(raw: &str) -> Result<Part<'_>, FieldError> {
    #[derive(Deserialize)]
    struct ImageUrl<'a> {
        #[serde(borrow)]
        url: Text<'a>,
    }
    #[derive(Deserialize)]
    struct File<'a> {
        #[serde(borrow, default)]
        file_data: Option<Text<'a>>,
        #[serde(borrow, default)]
        filename: Option<Text<'a>>,
    }
    if !raw.starts_with('{') {
        return Err(FieldError::new("must be an object with a type"));
    }
    let mut fields = Fields::of(raw)?;
    let kind: Text<'_> = fields.need("type")?;
    Ok(match &*kind {
        "text" => Part::Text { text: fields.need("text")?, cache_control: cache_marker(&mut fields)? },
        "refusal" => Part::Text { text: fields.need("refusal")?, cache_control: None },
        "image_url" => Part::Image { url: fields.need::<ImageUrl<'_>>("image_url")?.url },
        "file" => {
            let File { file_data, filename } = fields.need("file")?;
            file_data.map_or(Part::Other("file_id".into()), |data| Part::File { data, name: filename })
        }
        _ => Part::Other(kind),
    })
}

/// `cache_control` as some clients send it, or `prompt_cache_breakpoint`, which means the same.
fn cache_marker<'a>(fields: &mut Fields<'a>) -> Result<Option<Raw<'a>>, FieldError> {
    let breakpoint = fields.raw("prompt_cache_breakpoint");
    let cache_control: Option<Raw<'a>> = fields.take("cache_control")?;
    Ok(cache_control.or_else(|| breakpoint.and_then(|_| Raw::borrowed(r#"{"type":"ephemeral"}"#))))
}

fn tool_calls(raw: Option<&str>) -> Result<Vec<ToolCall<'_>>, FieldError> {
    elements(raw.unwrap_or("[]"))
        .enumerate()
        .map(|(index, element)| tool_call(element).map_err(|error| error.at("tool_calls", index)))
        .collect()
}

fn tool_call(raw: &str) -> Result<ToolCall<'_>, FieldError> {
    #[derive(Deserialize)]
    struct Function<'a> {
        #[serde(borrow)]
        name: Text<'a>,
        /// A string by the book; some clients send null or the object itself.
        #[serde(borrow, default)]
        arguments: Option<Raw<'a>>,
    }
    #[derive(Deserialize)]
    struct Custom<'a> {
        #[serde(borrow)]
        name: Text<'a>,
        #[serde(borrow)]
        input: Text<'a>,
    }
    let mut fields = Fields::of(raw)?;
    let id = fields.need("id")?;
    if let Some(Custom { name, input }) = fields.take("custom")? {
        return Ok(ToolCall { id, name, arguments: input, is_custom: true });
    }
    let Function { name, arguments } = fields.need("function")?;
    let arguments = match arguments {
        Some(raw) if raw.get().starts_with('"') => Text::from(parse::<String>(raw.get())?),
        Some(raw) => Text::from(raw.get().to_owned()),
        None => Text::default(),
    };
    Ok(ToolCall { id, name, arguments, is_custom: false })
}
