//! Writes the pivot as a Chat Completions request, within what the provider takes.

mod content;
mod messages;
mod reasoning;
mod tools;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::anthropic::request::Request;
use crate::anthropic::schema;
use crate::quirks::{OutputLimitField, Quirks, StructuredOutput};
use crate::request::{FieldError, Notes, Target};
use crate::response::ToolNames;
use crate::seal::hex;

/// The request in the order OpenAI documents it. Absent fields are not written.
#[derive(Default, Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<messages::Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<tools::Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_thinking: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_budget: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safety_identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<Value>,
}

/// The body for `target`, and the names its answer has to be mapped back to.
pub(crate) fn body(
    request: &Request<'_>,
    target: &Target,
    notes: &mut Notes,
) -> Result<(Bytes, ToolNames), FieldError> {
    refuse(request, target)?;
    let quirks = &target.quirks;
    let mut names = ToolNames::default();
    let mut body = Body { model: &target.upstream_model, stream: request.stream, ..Body::default() };
    body.messages = messages::write(request, target, &mut names, notes)?;
    body.tools = tools::write(request, quirks, &mut names, notes)?;
    tools::choose(&mut body, request, quirks, &mut names, notes)?;
    output_limit(&mut body, request, target, notes);
    sampling(&mut body, request, quirks, notes)?;
    body.stop = stop(request, quirks)?;
    reasoning::write(&mut body, request, target, notes)?;
    answer_format(&mut body, request, quirks, notes);
    body.safety_identifier = safety_identifier(request, quirks);
    body.service_tier = service_tier(request, quirks);
    body.stream_options =
        (request.stream && quirks.takes_include_usage).then(|| json!({ "include_usage": true }));
    extras(request, notes)?;
    let bytes =
        serde_json::to_vec(&body).map_err(|_| FieldError::new("the request cannot be written as JSON"))?;
    Ok((Bytes::from(bytes), names))
}

/// What changes meaning, safety or the bill, and cannot be said on this wire.
fn refuse(request: &Request<'_>, target: &Target) -> Result<(), FieldError> {
    if request.max_tokens == Some(0) {
        let problem = "0 only warms Anthropic's prompt cache, which this model's provider does not have; send at least 1";
        return Err(FieldError::unsupported("max_tokens", problem));
    }
    for field in ["mcp_servers", "container", "fallbacks", "inference_geo", "speed"] {
        if request.extra(field).is_some() {
            let problem = format!(
                "the provider of '{}' does not have it; leave it out or choose a Claude model",
                target.upstream_model
            );
            return Err(FieldError::unsupported(field, problem));
        }
    }
    Ok(())
}

/// Caching is implicit here, so the marker says nothing; the rest only tunes.
fn extras(request: &Request<'_>, notes: &mut Notes) -> Result<(), FieldError> {
    if request.output_config.task_budget.is_some() {
        notes.dropped("output_config.task_budget")?;
    }
    request
        .extras
        .iter()
        .filter(|(name, _)| **name != *"cache_control")
        .try_for_each(|(name, _)| notes.dropped(name))
}

fn output_limit(body: &mut Body<'_>, request: &Request<'_>, target: &Target, notes: &mut Notes) {
    let limit = match (request.max_tokens, target.max_output_tokens) {
        (Some(asked), Some(most)) if asked > most => {
            notes.clamped("max_tokens");
            Some(most)
        }
        (asked, most) => asked.or(most),
    };
    match target.quirks.output_limit {
        OutputLimitField::MaxTokens => body.max_tokens = limit,
        OutputLimitField::MaxCompletionTokens => body.max_completion_tokens = limit,
    }
}

fn sampling(
    body: &mut Body<'_>,
    request: &Request<'_>,
    quirks: &Quirks,
    notes: &mut Notes,
) -> Result<(), FieldError> {
    let is_default = |value: &f64| (*value - 1.0).abs() < f64::EPSILON;
    let (temperature, top_p) = (request.temperature, request.top_p);
    if quirks.fixed_sampling {
        for (name, value) in [("temperature", temperature), ("top_p", top_p)] {
            if value.is_some_and(|value| !is_default(&value)) {
                notes.dropped(name)?;
            }
        }
    } else {
        (body.temperature, body.top_p) = (temperature, top_p);
    }
    if quirks.takes_top_k {
        body.top_k = request.top_k;
    } else if request.top_k.is_some() {
        notes.dropped("top_k")?;
    }
    Ok(())
}

fn stop<'a>(request: &'a Request<'_>, quirks: &Quirks) -> Result<Vec<&'a str>, FieldError> {
    match quirks.stop_sequences_max {
        Some(most) if request.stop_sequences.len() > most => Err(FieldError::unsupported(
            "stop_sequences",
            format!("this model's provider takes at most {most}; send fewer"),
        )),
        _ => Ok(request.stop_sequences.iter().map(|stop| &**stop).collect()),
    }
}

fn answer_format(body: &mut Body<'_>, request: &Request<'_>, quirks: &Quirks, notes: &mut Notes) {
    let Some(format) = &request.output_config.format else { return };
    match quirks.structured_output {
        StructuredOutput::JsonSchema => {
            let schema: Value = serde_json::from_str(format.schema.get()).unwrap_or_default();
            body.response_format = Some(json!({
                "type": "json_schema", "json_schema": { "name": "output", "schema": schema, "strict": true },
            }));
            return;
        }
        StructuredOutput::JsonObject => body.response_format = Some(json!({ "type": "json_object" })),
        StructuredOutput::Instructions => {}
    }
    notes.emulated("output_config.format");
    let instruction = schema::instruction(format.schema.get());
    body.messages.insert(0, messages::Message::system(quirks.system_role, instruction));
}

/// OpenAI takes at most 64 characters; what clients put there is longer, and nobody else's business.
fn safety_identifier(request: &Request<'_>, quirks: &Quirks) -> Option<String> {
    use sha2::{Digest, Sha256};
    let user_id = request.metadata.as_ref()?.user_id.as_deref()?;
    (quirks.family == "openai").then(|| hex(&Sha256::digest(user_id.as_bytes())))
}

fn service_tier(request: &Request<'_>, quirks: &Quirks) -> Option<&'static str> {
    match request.service_tier.as_deref() {
        Some("standard_only") if quirks.family == "openai" => Some("default"),
        _ => None,
    }
}
