//! Writes the pivot as a Chat Completions request, within what the provider takes.

mod messages;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::anthropic::facts::is_client_tool;
use crate::anthropic::request::{
    CustomTool, Request, Thinking, ThinkingMode, Tool, ToolChoice, ToolMode, TypedTool,
};
use crate::anthropic::typed_tools;
use crate::json::{Editor, Raw, members};
use crate::quirks::{OutputLimitField, Quirks, ReasoningSwitch, StructuredOutput};
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
    tools: Vec<OutTool<'a>>,
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

#[derive(Serialize)]
struct OutTool<'a> {
    r#type: &'static str,
    function: OutFunction<'a>,
}

#[derive(Serialize)]
struct OutFunction<'a> {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    parameters: Raw<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
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
    body.tools = tools(request, quirks, &mut names, notes)?;
    tool_choice(&mut body, request, quirks, &mut names, notes)?;
    output_limit(&mut body, request, target, notes);
    sampling(&mut body, request, quirks, notes)?;
    body.stop = stop(request, quirks)?;
    reasoning(&mut body, request, target, notes)?;
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

fn tools<'a>(
    request: &'a Request<'_>,
    quirks: &Quirks,
    names: &mut ToolNames,
    notes: &mut Notes,
) -> Result<Vec<OutTool<'a>>, FieldError> {
    let mut tools = Vec::with_capacity(request.tools.len());
    for (index, tool) in request.tools.iter().enumerate() {
        let function = match tool {
            Tool::Custom(tool) => Some(custom(tool, quirks, names)),
            Tool::Typed(tool) => typed(tool, request, notes).map_err(|error| error.at("tools", index))?,
        };
        tools.extend(function.map(|function| OutTool { r#type: "function", function }));
    }
    Ok(tools)
}

fn custom<'a>(tool: &'a CustomTool<'_>, quirks: &Quirks, names: &mut ToolNames) -> OutFunction<'a> {
    OutFunction {
        name: names.send(&tool.name),
        description: tool.description.as_deref(),
        parameters: with_properties(tool.input_schema.get()),
        strict: tool.strict.filter(|_| quirks.takes_tool_strict),
    }
}

/// Some hosts refuse an object schema without `type` or `properties`.
fn with_properties(schema: &str) -> Raw<'_> {
    let mut editor = Editor::new(schema);
    for (key, value) in [("properties", "{}"), ("type", "\"object\"")] {
        if schema.starts_with('{') && !members(schema).any(|member| member.key == key) {
            editor.insert(schema, key, value);
        }
    }
    if editor.is_unchanged() {
        return Raw::borrowed(schema).unwrap_or_else(Raw::empty_object);
    }
    String::from_utf8(editor.finish().to_vec()).ok().and_then(Raw::owned).unwrap_or_else(Raw::empty_object)
}

/// Tools the client runs become functions; tools the provider runs cannot be moved to another provider.
fn typed<'a>(
    tool: &TypedTool<'_>,
    request: &Request<'_>,
    notes: &mut Notes,
) -> Result<Option<OutFunction<'a>>, FieldError> {
    if let Some((description, schema)) = typed_tools::as_function(&tool.kind) {
        notes.emulated(&tool.name);
        let name = tool.name.to_string();
        return Ok(Some(OutFunction {
            name,
            description: Some(description),
            parameters: Raw::of(&schema),
            strict: None,
        }));
    }
    let forced = request.tool_choice.as_ref().is_some_and(|choice| match choice.mode {
        ToolMode::Tool => choice.name.as_deref() == Some(&*tool.name),
        ToolMode::Any => request.tools.len() == 1,
        ToolMode::Auto | ToolMode::None => false,
    });
    if forced || is_client_tool(&tool.kind) {
        let problem = format!(
            "the tool '{}' is not available on this model; leave it out or choose a Claude model",
            &*tool.name
        );
        return Err(FieldError::unsupported("type", problem));
    }
    notes.dropped(&format!("server_tool:{}", &*tool.name))?;
    Ok(None)
}

fn tool_choice(
    body: &mut Body<'_>,
    request: &Request<'_>,
    quirks: &Quirks,
    names: &mut ToolNames,
    notes: &mut Notes,
) -> Result<(), FieldError> {
    let Some(choice) = request.tool_choice.as_ref().filter(|_| !body.tools.is_empty()) else { return Ok(()) };
    let value = choice_value(choice, body, names)?;
    if quirks.tool_choice_auto_only && choice.mode != ToolMode::Auto {
        // Where calls may not be forbidden, the tools are left away instead.
        if choice.mode == ToolMode::None {
            body.tools.clear();
        } else {
            notes.dropped("tool_choice")?;
        }
        return Ok(());
    }
    body.tool_choice = Some(value);
    if choice.disable_parallel_tool_use {
        if quirks.takes_parallel_tool_calls {
            body.parallel_tool_calls = Some(false);
        } else {
            notes.dropped("tool_choice.disable_parallel_tool_use")?;
        }
    }
    Ok(())
}

fn choice_value(
    choice: &ToolChoice<'_>,
    body: &Body<'_>,
    names: &mut ToolNames,
) -> Result<Value, FieldError> {
    match (choice.mode, choice.name.as_deref()) {
        (ToolMode::Auto, _) => Ok("auto".into()),
        (ToolMode::Any, _) => Ok("required".into()),
        (ToolMode::None, _) => Ok("none".into()),
        (ToolMode::Tool, Some(name)) => {
            let sent = names.send(name);
            if body.tools.iter().any(|tool| tool.function.name == sent) {
                return Ok(json!({ "type": "function", "function": { "name": sent } }));
            }
            let problem = format!("names the tool '{name}', which is not in tools; declare it there");
            Err(FieldError::new(problem).within("tool_choice"))
        }
        (ToolMode::Tool, None) => {
            Err(FieldError::new("is required with type tool").within("name").within("tool_choice"))
        }
    }
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

/// How hard to think, said the way the provider understands; off where a forced tool or lost history demands it.
fn reasoning(
    body: &mut Body<'_>,
    request: &Request<'_>,
    target: &Target,
    notes: &mut Notes,
) -> Result<(), FieldError> {
    let rules = target.quirks.reasoning;
    let asked = request.thinking.is_some_and(Thinking::is_on) || request.output_config.effort.is_some();
    let forced = matches!(body.tool_choice.as_ref(), Some(choice) if choice != "auto" && choice != "none");
    let impossible = (rules.forbids_forced_tool && forced)
        || (rules.needs_history && messages::lack_reasoning(&body.messages));
    let on = match request.thinking.map(|thinking| thinking.mode) {
        _ if impossible => Some(false),
        Some(ThinkingMode::Disabled) => Some(false),
        _ if asked => Some(true),
        _ => None,
    };
    if asked && impossible && rules.switch != ReasoningSwitch::None {
        notes.dropped("thinking")?;
    }
    let budget = request.thinking.and_then(|thinking| thinking.budget_tokens);
    match (rules.switch, on) {
        (ReasoningSwitch::Thinking, Some(on)) => {
            body.thinking = Some(json!({ "type": if on { "enabled" } else { "disabled" } }));
        }
        (ReasoningSwitch::EnableThinking, Some(on)) => {
            body.enable_thinking = Some(on);
            body.thinking_budget = budget.filter(|_| on);
        }
        _ => {}
    }
    body.reasoning_effort = match on {
        Some(true) => nearest(rules.efforts, effort(request)),
        Some(false) => {
            rules.efforts.first().copied().filter(|weakest| matches!(*weakest, "none" | "minimal"))
        }
        None => None,
    };
    if on == Some(true) && rules.switch == ReasoningSwitch::None && rules.efforts.is_empty() {
        notes.dropped("thinking")?;
    }
    Ok(())
}

/// The level asked for, or the one that stands for the token budget.
fn effort<'a>(request: &'a Request<'_>) -> &'a str {
    let budget = request.thinking.and_then(|thinking| thinking.budget_tokens);
    match (&request.output_config.effort, budget) {
        (Some(effort), _) => effort,
        (None, Some(..=2048)) => "low",
        (None, None | Some(..=8192)) => "medium",
        (None, Some(..=24_576)) => "high",
        (None, Some(_)) => "xhigh",
    }
}

/// The strongest level the provider takes that is not above `wanted`, or its weakest.
fn nearest(taken: &'static [&'static str], wanted: &str) -> Option<&'static str> {
    const ALL: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    let rank = |level: &str| ALL.iter().position(|known| *known == level);
    let wanted = rank(wanted).unwrap_or(3);
    let thinks = |level: &&&str| **level != "none";
    let below = taken.iter().filter(thinks).rfind(|level| rank(level).is_some_and(|rank| rank <= wanted));
    below.or_else(|| taken.iter().find(thinks)).copied()
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
    let instruction = format!("Answer with JSON only, following this JSON Schema:\n{}", format.schema.get());
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
