//! Writes the pivot for a host of the Anthropic wire: fills in what it requires, and takes out what it refuses.

use bytes::Bytes;

use super::block::Block;
use super::request::{Message, Request, Role, Thinking, ThinkingMode, Tool, ToolMode};
use super::schema;
use crate::request::{FieldError, Notes, Target, reminder};
use crate::seal::{Seal, tool_id};

/// Sent where neither the client nor the catalogue knows a limit.
const DEFAULT_OUTPUT_TOKENS: u32 = 4096;
/// The least thinking budget Anthropic takes.
const LEAST_BUDGET_TOKENS: u32 = 1024;

/// The body for `target`, from a request of another dialect.
pub(crate) fn body(
    mut request: Request<'_>,
    target: &Target,
    notes: &mut Notes,
) -> Result<Bytes, FieldError> {
    request.model = target.upstream_model.clone().into();
    output_limit(&mut request, target, notes);
    tools(&mut request, target);
    structured_output(&mut request, target, notes);
    request.messages.iter_mut().for_each(|message| history(message, target));
    request.messages.retain(|message| !message.content.is_empty());
    thinking(&mut request, target, notes)?;
    sampling(&mut request, notes)?;
    stop_sequences(&mut request, notes)?;
    let body =
        serde_json::to_vec(&request).map_err(|_| FieldError::new("the request cannot be written as JSON"))?;
    Ok(Bytes::from(body))
}

fn output_limit(request: &mut Request<'_>, target: &Target, notes: &mut Notes) {
    let most = target.max_output_tokens;
    request.max_tokens = Some(match (request.max_tokens, most) {
        (Some(asked), Some(most)) if asked > most => {
            notes.clamped("max_tokens");
            most
        }
        (Some(asked), _) => asked,
        (None, most) => most.unwrap_or(DEFAULT_OUTPUT_TOKENS),
    });
}

fn tools(request: &mut Request<'_>, target: &Target) {
    for tool in &mut request.tools {
        if let Tool::Custom(tool) = tool {
            tool.strict = tool.strict.filter(|_| target.quirks.takes_tool_strict);
        }
    }
    if request.tools.is_empty() {
        request.tool_choice = None;
    }
}

/// Other hosts of this wire are asked in words.
fn structured_output(request: &mut Request<'_>, target: &Target, notes: &mut Notes) {
    if target.quirks.genuine_anthropic {
        if let Some(format) = &mut request.output_config.format {
            format.schema = schema::closed(format.schema.get());
        }
    } else if let Some(format) = request.output_config.format.take() {
        notes.emulated("response_format");
        request.system.push(Block::text(schema::instruction(format.schema.get())));
    }
}

/// Anthropic refuses thinking beside a forced tool, and in the middle of a tool turn that began without it.
fn thinking(request: &mut Request<'_>, target: &Target, notes: &mut Notes) -> Result<(), FieldError> {
    let asked = request.thinking.is_some_and(Thinking::is_on);
    let forced = request
        .tool_choice
        .as_ref()
        .is_some_and(|choice| matches!(choice.mode, ToolMode::Any | ToolMode::Tool));
    if asked && (forced || has_unthought_calls(&request.messages)) {
        request.thinking = None;
        request.output_config.effort = None;
        return notes.dropped("reasoning_effort");
    }
    if asked && !target.quirks.takes_adaptive_thinking {
        budget(request, target);
    }
    Ok(())
}

/// Turns an effort into a token budget, and raises the output limit so that there is room for an answer.
fn budget(request: &mut Request<'_>, target: &Target) {
    let effort = request.output_config.effort.take();
    let wanted = match effort.as_deref() {
        Some("low") => 1024,
        None | Some("medium") => 8192,
        Some("high") => 16_384,
        Some(_) => 32_000,
    };
    let limit = request.max_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS);
    let most = target.max_output_tokens.unwrap_or(u32::MAX);
    let least = limit.min(LEAST_BUDGET_TOKENS) + LEAST_BUDGET_TOKENS;
    let raised = limit.saturating_add(wanted).min(most).max(limit).max(least);
    let room_for_answer = limit.min(raised / 2);
    request.max_tokens = Some(raised);
    if let Some(thinking) = &mut request.thinking {
        thinking.mode = ThinkingMode::Enabled;
        thinking.budget_tokens = Some(wanted.min(raised - room_for_answer));
    }
}

/// The conversation ends in tool results whose calls came without thinking.
fn has_unthought_calls(messages: &[Message<'_>]) -> bool {
    let in_tool_turn = messages.last().is_some_and(Message::has_tool_results);
    let thought = |message: &Message<'_>| {
        message
            .content
            .iter()
            .any(|block| matches!(block, Block::Thinking { .. } | Block::RedactedThinking { .. }))
    };
    let calls = messages.iter().rev().find(|message| message.role == Role::Assistant);
    in_tool_turn && calls.is_some_and(|message| !thought(message))
}

/// OpenAI's temperatures reach 2, Anthropic's 1; newer models take only one of temperature and `top_p`.
fn sampling(request: &mut Request<'_>, notes: &mut Notes) -> Result<(), FieldError> {
    let is_default = |value: &f64| (*value - 1.0).abs() < f64::EPSILON;
    request.temperature = request.temperature.filter(|value| !is_default(value));
    request.top_p = request.top_p.filter(|value| !is_default(value));
    if request.thinking.is_some_and(Thinking::is_on) {
        for (name, value) in [("temperature", request.temperature.take()), ("top_p", request.top_p.take())] {
            if value.is_some() {
                notes.dropped(name)?;
            }
        }
    }
    if request.temperature.is_some_and(|value| value > 1.0) {
        request.temperature = Some(1.0);
        notes.clamped("temperature");
    }
    if request.temperature.is_some() && request.top_p.take().is_some() {
        notes.dropped("top_p")?;
    }
    Ok(())
}

fn stop_sequences(request: &mut Request<'_>, notes: &mut Notes) -> Result<(), FieldError> {
    let before = request.stop_sequences.len();
    request.stop_sequences.retain(|stop| !stop.trim().is_empty());
    if request.stop_sequences.len() < before { notes.dropped("stop") } else { Ok(()) }
}

/// Ids in Anthropic's alphabet, instructions as users say them, and no thinking that Anthropic did not sign.
fn history(message: &mut Message<'_>, target: &Target) {
    for block in &mut message.content {
        match block {
            Block::ToolUse { id, .. } => *id = tool_id::for_anthropic(id).into_owned().into(),
            Block::ToolResult { tool_use_id, .. } => {
                *tool_use_id = tool_id::for_anthropic(tool_use_id).into_owned().into();
            }
            _ => {}
        }
    }
    let is_ours = |block: &Block<'_>| matches!(block, Block::Thinking { signature, .. } if signature.starts_with(Seal::PREFIX));
    if target.quirks.genuine_anthropic {
        message.content.retain(|block| !is_ours(block));
    }
    if message.role == Role::System {
        message.role = Role::User;
        for block in &mut message.content {
            if let Block::Text { text, .. } = block {
                *text = reminder(text).into();
            }
        }
    }
}
