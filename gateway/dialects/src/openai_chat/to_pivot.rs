//! A Chat Completions request as a Messages request.

use super::message::{Message, Part, ReasoningDetail, Role, ToolCall};
use super::request::{Request, ResponseFormat, Tool, ToolChoice};
use crate::anthropic::block::{Block, Source};
use crate::anthropic::request as pivot;
use crate::json::{Raw, Text};
use crate::request::{FieldError, Notes, data_uri, sniffed_type};

const JSON_ONLY: &str = "Answer with a single JSON object and nothing else.";

/// Converts what the pivot can carry; refuses what would change the meaning; notes what only tunes.
pub(crate) fn convert<'a>(request: Request<'a>, notes: &mut Notes) -> Result<pivot::Request<'a>, FieldError> {
    refuse(&request)?;
    let mut pivot = pivot::Request {
        max_tokens: request.output_limit(),
        tool_choice: tool_choice(&request)?,
        metadata: request
            .safety_identifier
            .clone()
            .or_else(|| request.user.clone())
            .map(|user_id| pivot::Metadata { user_id: Some(user_id) }),
        thinking: thinking(&request),
        model: request.model,
        stop_sequences: request.stop,
        temperature: request.temperature,
        top_p: request.top_p,
        stream: request.stream,
        ..pivot::Request::default()
    };
    pivot.output_config.effort =
        request.reasoning_effort.filter(|effort| **effort != *"none").map(known_effort);
    pivot.tools = tools(request.tools, request.tool_choice.as_ref(), notes)?;
    messages(request.messages, &mut pivot, notes)?;
    answer_format(request.response_format, &mut pivot, notes);
    service_tier(request.service_tier.as_ref(), &mut pivot, notes)?;
    extras(&request.extras, notes)?;
    Ok(pivot)
}

fn refuse(request: &Request<'_>) -> Result<(), FieldError> {
    if request.n > 1 {
        return Err(FieldError::unsupported(
            "n",
            "this model gives one answer per call; send n=1, or call more often",
        ));
    }
    if request.extra("logprobs") == Some("true") {
        return Err(FieldError::unsupported(
            "logprobs",
            "this model's provider gives no log probabilities; leave it out",
        ));
    }
    for field in ["audio", "web_search_options", "moderation"] {
        if request.extra(field).is_some() {
            return Err(FieldError::unsupported(
                field,
                "this model's provider does not offer it here; leave it out",
            ));
        }
    }
    if request.extra("modalities").is_some_and(|modalities| modalities.contains("audio")) {
        return Err(FieldError::unsupported("modalities", "this model answers in text only; leave it out"));
    }
    Ok(())
}

/// What is left only tunes the answer. Values that say the default are passed over.
fn extras(extras: &[(Text<'_>, Raw<'_>)], notes: &mut Notes) -> Result<(), FieldError> {
    for (name, value) in extras {
        let says_nothing = match &**name {
            "logprobs" | "modalities" | "thinking" => true,
            "presence_penalty" | "frequency_penalty" | "store" => {
                matches!(value.get(), "0" | "0.0" | "false")
            }
            _ => false,
        };
        if !says_nothing {
            notes.dropped(name)?;
        }
    }
    Ok(())
}

fn thinking(request: &Request<'_>) -> Option<pivot::Thinking> {
    let mode = match request.reasoning_effort.as_deref() {
        Some("none") => pivot::ThinkingMode::Disabled,
        Some(_) => pivot::ThinkingMode::Adaptive,
        None if request.extra("thinking").is_some() && request.asks_for_thinking() => {
            pivot::ThinkingMode::Adaptive
        }
        None => return None,
    };
    Some(pivot::Thinking { mode, budget_tokens: None, display: None })
}

/// The pivot's weakest level is `low`.
fn known_effort(effort: Text<'_>) -> Text<'_> {
    if *effort == *"minimal" { "low".into() } else { effort }
}

/// Consecutive tool results become one user turn, together with the user message that follows them.
fn messages<'a>(
    messages: Vec<Message<'a>>,
    pivot: &mut pivot::Request<'a>,
    notes: &mut Notes,
) -> Result<(), FieldError> {
    let mut leading = true;
    for (index, message) in messages.into_iter().enumerate() {
        if message.name.is_some() {
            notes.dropped("messages.name")?;
        }
        let role = message.role;
        leading = leading && role == Role::System;
        let blocks = blocks(message).map_err(|error| error.at("messages", index))?;
        match role {
            Role::System if leading => pivot.system.extend(blocks),
            Role::System => push(pivot, pivot::Role::System, blocks),
            Role::User => push_user(pivot, blocks),
            Role::Tool => push_results(pivot, blocks),
            Role::Assistant => push(pivot, pivot::Role::Assistant, blocks),
        }
    }
    match pivot.messages.first() {
        Some(message) if message.role == pivot::Role::User => Ok(()),
        _ => Err(FieldError::new(
            "the first message after the instructions must be from the user; put one there",
        )
        .within("messages")),
    }
}

fn push<'a>(pivot: &mut pivot::Request<'a>, role: pivot::Role, content: Vec<Block<'a>>) {
    // An assistant message without content or calls says nothing.
    if !content.is_empty() {
        pivot.messages.push(pivot::Message { role, content });
    }
}

fn push_user<'a>(pivot: &mut pivot::Request<'a>, blocks: Vec<Block<'a>>) {
    match pivot.messages.last_mut() {
        Some(results) if results.role == pivot::Role::User && results.has_tool_results() => {
            results.content.extend(blocks);
        }
        _ => push(pivot, pivot::Role::User, blocks),
    }
}

/// Results come first in their turn, in the order of the calls.
fn push_results<'a>(pivot: &mut pivot::Request<'a>, blocks: Vec<Block<'a>>) {
    let order: Vec<String> = pivot
        .messages
        .iter()
        .rev()
        .find(|message| message.role == pivot::Role::Assistant)
        .map_or(Vec::new(), |calls| {
            calls.content.iter().filter_map(|block| call_id(block).map(str::to_owned)).collect()
        });
    let turn = match pivot.messages.last_mut() {
        Some(turn) if turn.role == pivot::Role::User && turn.has_tool_results() => turn,
        _ => {
            pivot.messages.push(pivot::Message { role: pivot::Role::User, content: Vec::new() });
            let Some(turn) = pivot.messages.last_mut() else { return };
            turn
        }
    };
    turn.content.extend(blocks);
    turn.content.sort_by_key(|block| match block {
        Block::ToolResult { tool_use_id, .. } => {
            order.iter().position(|id| **id == **tool_use_id).unwrap_or(order.len())
        }
        _ => usize::MAX,
    });
}

fn call_id<'b>(block: &'b Block<'_>) -> Option<&'b str> {
    match block {
        Block::ToolUse { id, .. } => Some(id),
        _ => None,
    }
}

fn blocks(message: Message<'_>) -> Result<Vec<Block<'_>>, FieldError> {
    let parts = message
        .content
        .into_iter()
        .enumerate()
        .map(|(index, part)| block(part).map_err(|error| error.at("content", index)))
        .filter_map(Result::transpose)
        .collect::<Result<Vec<_>, _>>()?;
    match message.role {
        Role::Tool => Ok(vec![Block::ToolResult {
            tool_use_id: message.tool_call_id.unwrap_or_default(),
            content: parts,
            is_error: false,
        }]),
        Role::Assistant => {
            let thinking = message.reasoning_details.into_iter().filter_map(thinking_block);
            let calls = message.tool_calls.into_iter().map(tool_use);
            Ok(thinking.chain(parts).chain(calls).collect())
        }
        Role::System | Role::User => Ok(parts),
    }
}

/// `None` for text that is empty or only space, which Anthropic refuses.
fn block(part: Part<'_>) -> Result<Option<Block<'_>>, FieldError> {
    Ok(Some(match part {
        Part::Text { text, .. } if text.trim().is_empty() => return Ok(None),
        Part::Text { text, cache_control } => Block::Text { text, cache_control },
        Part::Image { url } => Block::Image { source: image(url)?, cache_control: None },
        Part::File { data, name } => Block::Document { source: file(&data)?, title: name, citations: None },
        Part::Other(kind) => {
            let problem = format!(
                "a '{}' part cannot be sent to this model; send text, image_url or a PDF as file_data",
                &*kind
            );
            return Err(FieldError::unsupported("type", problem));
        }
    }))
}

fn image(url: Text<'_>) -> Result<Source<'_>, FieldError> {
    if let Some((named, data)) = data_uri(&url) {
        let media_type = sniffed_type(data).unwrap_or(named).to_owned().into();
        return Ok(Source::Base64 { media_type, data: data.to_owned().into() });
    }
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(Source::Url { url });
    }
    Err(FieldError::new("must be an http(s) URL or a base64 data URI").within("url").within("image_url"))
}

fn file<'a>(data: &str) -> Result<Source<'a>, FieldError> {
    match data_uri(data) {
        Some(("application/pdf", pdf)) => {
            Ok(Source::Base64 { media_type: "application/pdf".into(), data: pdf.to_owned().into() })
        }
        _ => Err(FieldError::unsupported(
            "file.file_data",
            "must be a data URI of a PDF: data:application/pdf;base64,…",
        )),
    }
}

/// Reasoning goes back only with a signature somebody else made; none is invented.
fn thinking_block(detail: ReasoningDetail<'_>) -> Option<Block<'_>> {
    match (detail.signature, detail.data) {
        (Some(signature), _) => {
            Some(Block::Thinking { thinking: detail.text.unwrap_or_default(), signature })
        }
        (None, Some(data)) => Some(Block::RedactedThinking { data }),
        (None, None) => None,
    }
}

fn tool_use(call: ToolCall<'_>) -> Block<'_> {
    let input = if call.is_custom {
        Raw::of(&serde_json::json!({ "input": &*call.arguments }))
    } else {
        Raw::object(&call.arguments)
    };
    Block::ToolUse { id: call.id, name: call.name, input }
}

fn tools<'a>(
    tools: Vec<Tool<'a>>,
    choice: Option<&ToolChoice<'a>>,
    notes: &mut Notes,
) -> Result<Vec<pivot::Tool<'a>>, FieldError> {
    let mut converted = Vec::with_capacity(tools.len());
    for (index, tool) in tools.into_iter().enumerate() {
        let custom = match tool {
            Tool::Function(function) => pivot::CustomTool {
                name: function.name,
                description: function.description,
                input_schema: object_schema(function.parameters),
                strict: function.strict,
                cache_control: None,
            },
            Tool::Custom(custom) => {
                if custom.format.is_some() {
                    notes.dropped("grammar")?;
                }
                pivot::CustomTool {
                    name: custom.name,
                    description: custom.description,
                    input_schema: Raw::of(&serde_json::json!({
                        "type": "object", "properties": { "input": { "type": "string" } }, "required": ["input"],
                    })),
                    strict: None,
                    cache_control: None,
                }
            }
            Tool::Other(kind) => {
                let problem =
                    format!("the tool type '{}' cannot be sent to this model; use function tools", &*kind);
                return Err(FieldError::unsupported("type", problem).at("tools", index));
            }
        };
        converted.push(custom);
    }
    if let Some(ToolChoice::Allowed { names, .. }) = choice {
        converted.retain(|tool| names.contains(&tool.name));
    }
    Ok(converted.into_iter().map(pivot::Tool::Custom).collect())
}

/// A schema that says `type: object`, as Anthropic requires.
fn object_schema(parameters: Option<Raw<'_>>) -> Raw<'_> {
    let Some(parameters) = parameters.filter(|raw| raw.get().starts_with('{')) else {
        return Raw::of(&serde_json::json!({ "type": "object", "properties": {} }));
    };
    if crate::json::members(parameters.get()).any(|member| member.key == "type") {
        return parameters;
    }
    let mut editor = crate::json::Editor::new(parameters.get());
    editor.insert(parameters.get(), "type", "\"object\"");
    String::from_utf8(editor.finish().to_vec()).ok().and_then(Raw::owned).unwrap_or_else(Raw::empty_object)
}

/// Nothing is said about tools where there are none.
fn tool_choice<'a>(request: &Request<'a>) -> Result<Option<pivot::ToolChoice<'a>>, FieldError> {
    if request.tools.is_empty() {
        return Ok(None);
    }
    let (mode, name) = match &request.tool_choice {
        None | Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => {
            (pivot::ToolMode::Auto, None)
        }
        Some(ToolChoice::None) => (pivot::ToolMode::None, None),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => {
            (pivot::ToolMode::Any, None)
        }
        Some(ToolChoice::Named(name)) => (pivot::ToolMode::Tool, Some(declared(request, name)?)),
    };
    let disable_parallel_tool_use =
        request.parallel_tool_calls == Some(false) && mode != pivot::ToolMode::None;
    let says_something = request.tool_choice.is_some() || disable_parallel_tool_use;
    Ok(says_something.then_some(pivot::ToolChoice { mode, name, disable_parallel_tool_use }))
}

fn declared<'a>(request: &Request<'a>, name: &Text<'a>) -> Result<Text<'a>, FieldError> {
    let is_declared = request.tools.iter().any(|tool| match tool {
        Tool::Function(function) => function.name == *name,
        Tool::Custom(custom) => custom.name == *name,
        Tool::Other(_) => false,
    });
    if is_declared {
        return Ok(name.clone());
    }
    Err(FieldError::new(format!("names the tool '{}', which is not in tools; declare it there", &**name))
        .within("tool_choice"))
}

fn answer_format<'a>(format: Option<ResponseFormat<'a>>, pivot: &mut pivot::Request<'a>, notes: &mut Notes) {
    match format {
        None | Some(ResponseFormat::Text) => {}
        Some(ResponseFormat::JsonObject) => {
            notes.emulated("json_object");
            pivot.system.push(Block::text(JSON_ONLY));
        }
        Some(ResponseFormat::JsonSchema { schema }) => {
            pivot.output_config.format = Some(pivot::Format { kind: "json_schema".into(), schema });
        }
    }
}

fn service_tier(
    tier: Option<&Text<'_>>,
    pivot: &mut pivot::Request<'_>,
    notes: &mut Notes,
) -> Result<(), FieldError> {
    match tier.map(|tier| &**tier) {
        None => {}
        Some("auto") => pivot.service_tier = Some("auto".into()),
        Some("default") => pivot.service_tier = Some("standard_only".into()),
        Some(_) => notes.dropped("service_tier")?,
    }
    Ok(())
}
