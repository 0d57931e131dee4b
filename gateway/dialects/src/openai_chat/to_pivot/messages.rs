//! The conversation as Messages turns.

use crate::anthropic::block::{Block, Source};
use crate::anthropic::request as pivot;
use crate::json::{Raw, Text};
use crate::openai_chat::message::{Message, Part, ReasoningDetail, Role, ToolCall};
use crate::request::{FieldError, Notes, data_uri, sniffed_type};

/// Consecutive tool results become one user turn, together with the user message that follows them.
pub(super) fn convert<'a>(
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
