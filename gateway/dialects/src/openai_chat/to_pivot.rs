//! A Chat Completions request as a Messages request.

mod messages;
mod tools;

use super::request::{Request, ResponseFormat};
use crate::anthropic::block::Block;
use crate::anthropic::request as pivot;
use crate::json::{Raw, Text};
use crate::request::{FieldError, Notes};

const JSON_ONLY: &str = "Answer with a single JSON object and nothing else.";

/// Converts what the pivot can carry; refuses what would change the meaning; notes what only tunes.
pub(crate) fn convert<'a>(request: Request<'a>, notes: &mut Notes) -> Result<pivot::Request<'a>, FieldError> {
    refuse(&request)?;
    let mut pivot = pivot::Request {
        max_tokens: request.output_limit(),
        tool_choice: tools::choice(&request)?,
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
    pivot.tools = tools::convert(request.tools, request.tool_choice.as_ref(), notes)?;
    messages::convert(request.messages, &mut pivot, notes)?;
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
