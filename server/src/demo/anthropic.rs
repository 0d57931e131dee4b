//! The demo provider in the Anthropic Messages dialect.

use axum::Json;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::answer::{Answer, Stop, ToolCall, answer, in_two, pieces};
use super::digest;
use super::directives::Directives;
use super::prompt::{LastTurn, Prompt, Tool, ToolChoice, images_in, strings_of, text_of, tokens_of};
use super::wire::{self, ErrorSpelling};

const ERRORS: ErrorSpelling = ErrorSpelling { body: error_body, event: |error| event("error", error) };

/// `POST /v1/messages`
pub async fn messages(headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if let Err(problem) = check(&headers, &body, true) {
        return refused(problem);
    }
    let prompt = match read(&body) {
        Ok(prompt) => prompt,
        Err(message) => return refused((StatusCode::BAD_REQUEST, message)),
    };
    wire::answer_or_fail(&prompt.directives, prompt.stream, &ERRORS, || reply(&prompt)).await
}

/// `POST /v1/messages/count_tokens`
pub async fn count_tokens(headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if let Err(problem) = check(&headers, &body, false) {
        return refused(problem);
    }
    let counted = json!({"input_tokens": input_tokens(&body)});
    wire::json_response(StatusCode::OK, counted.to_string().into())
}

fn refused((status, message): (StatusCode, String)) -> Response {
    wire::json_response(status, error_body(status, &message).to_string().into())
}

fn check(headers: &HeaderMap, body: &Value, needs_max_tokens: bool) -> Result<(), (StatusCode, String)> {
    let missing = |what: &str| Err((StatusCode::BAD_REQUEST, format!("{what}: Field required")));
    if !headers.contains_key("x-api-key") && !headers.contains_key("authorization") {
        return Err((StatusCode::UNAUTHORIZED, "x-api-key header is required".to_owned()));
    }
    if !headers.contains_key("anthropic-version") {
        return missing("anthropic-version");
    }
    if !body["messages"].is_array() {
        return missing("messages");
    }
    if needs_max_tokens && !body["max_tokens"].is_u64() {
        return missing("max_tokens");
    }
    Ok(())
}

fn read(body: &Value) -> Result<Prompt, String> {
    let model = body["model"].as_str().ok_or("model: Field required")?.to_owned();
    let turn = last_turn(&body["messages"]);
    let directives = Directives::read(&model, &turn.text)?;
    Ok(Prompt {
        model,
        last_user_text: turn.text,
        tool_result: turn.tool_result,
        images: turn.images,
        tools: tools(&body["tools"]),
        tool_choice: tool_choice(&body["tool_choice"]),
        thinking: matches!(body["thinking"]["type"].as_str(), Some("enabled" | "adaptive")),
        schema: body["output_config"]["format"].get("schema").cloned(),
        max_tokens: body["max_tokens"].as_u64(),
        stop_sequences: strings_of(&body["stop_sequences"]),
        stream: body["stream"].as_bool().unwrap_or(false),
        input_tokens: input_tokens(body),
        directives,
    })
}

/// The last user message that says something; tool results count only in the last message of all.
fn last_turn(messages: &Value) -> LastTurn {
    let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
    let users = || messages.iter().rev().filter(|message| message["role"] == "user");
    let text = users().map(|message| text_of(&message["content"])).find(|text| !text.is_empty());
    let last = messages.last().map_or(&Value::Null, |message| &message["content"]);
    let parts = last.as_array().map(Vec::as_slice).unwrap_or_default();
    let result = parts.iter().find(|part| part["type"] == "tool_result");
    LastTurn {
        text: text.unwrap_or_default(),
        tool_result: result.map(|part| text_of(&part["content"])),
        images: images_in(last),
    }
}

fn tools(declared: &Value) -> Vec<Tool> {
    let tools = declared.as_array().map(Vec::as_slice).unwrap_or_default();
    let read = |tool: &Value| {
        Some(Tool { name: tool["name"].as_str()?.to_owned(), schema: tool["input_schema"].clone() })
    };
    tools.iter().filter_map(read).collect()
}

fn tool_choice(choice: &Value) -> ToolChoice {
    match choice["type"].as_str() {
        Some("any") => ToolChoice::Any,
        Some("none") => ToolChoice::Never,
        Some("tool") => ToolChoice::Named(choice["name"].as_str().unwrap_or_default().to_owned()),
        _ => ToolChoice::Auto,
    }
}

fn input_tokens(body: &Value) -> u64 {
    let said = ["system", "messages", "tools"].iter().filter_map(|field| body.get(field));
    tokens_of(said.map(|value| value.to_string().len()).sum())
}

fn reply(prompt: &Prompt) -> Response {
    let answer = answer(prompt);
    if !prompt.stream {
        return wire::whole(&message(prompt, &answer), &prompt.directives);
    }
    let broken = || event("error", &error_body(StatusCode::from_u16(529).unwrap_or_default(), "Overloaded"));
    let frames = wire::end_with_error(frames(prompt, &answer), prompt.directives.error_after, broken);
    wire::streamed(frames, &prompt.directives)
}

fn message(prompt: &Prompt, answer: &Answer) -> Value {
    let (stop_reason, stop_sequence) = stop(&answer.stop);
    json!({
        "id": message_id(prompt), "type": "message", "role": "assistant", "model": prompt.model,
        "content": blocks(answer), "stop_reason": stop_reason, "stop_sequence": stop_sequence,
        "usage": usage(prompt, answer.output_tokens),
    })
}

fn blocks(answer: &Answer) -> Vec<Value> {
    let thinking = answer.thinking.as_ref();
    let thinking =
        thinking.map(|text| json!({"type": "thinking", "thinking": text, "signature": signature(text)}));
    let text = (!answer.text.is_empty()).then(|| json!({"type": "text", "text": answer.text}));
    let calls = answer.tool_calls.iter();
    let calls = calls
        .map(|call| json!({"type": "tool_use", "id": tool_id(call), "name": call.name, "input": call.input}));
    thinking.into_iter().chain(text).chain(calls).collect()
}

fn frames(prompt: &Prompt, answer: &Answer) -> Vec<String> {
    let mut started = message(prompt, answer);
    started["content"] = json!([]);
    started["stop_reason"] = Value::Null;
    started["stop_sequence"] = Value::Null;
    started["usage"] = usage(prompt, 1);
    let mut frames = vec![event("message_start", &json!({"type": "message_start", "message": started}))];
    frames.push(event("ping", &json!({"type": "ping"})));
    for (index, block) in blocks(answer).iter().enumerate() {
        frames.extend(block_frames(index, block));
    }
    let (stop_reason, stop_sequence) = stop(&answer.stop);
    let usage =
        if prompt.directives.no_usage { json!({}) } else { json!({"output_tokens": answer.output_tokens}) };
    let delta = json!({"stop_reason": stop_reason, "stop_sequence": stop_sequence});
    frames.push(event("message_delta", &json!({"type": "message_delta", "delta": delta, "usage": usage})));
    frames.push(event("message_stop", &json!({"type": "message_stop"})));
    frames
}

/// One block of a stream: its opening, its content word by word, its end.
fn block_frames(index: usize, block: &Value) -> Vec<String> {
    let (opening, deltas) = match block["type"].as_str() {
        Some("thinking") => {
            let thought = block["thinking"].as_str().unwrap_or_default();
            let mut deltas = deltas("thinking_delta", "thinking", &pieces(thought));
            deltas.push(json!({"type": "signature_delta", "signature": block["signature"]}));
            (json!({"type": "thinking", "thinking": "", "signature": ""}), deltas)
        }
        Some("tool_use") => {
            let input = block["input"].to_string();
            let (head, tail) = in_two(&input);
            let opening = json!({"type": "tool_use", "id": block["id"], "name": block["name"], "input": {}});
            (opening, deltas("input_json_delta", "partial_json", &["", head, tail]))
        }
        _ => {
            let text = block["text"].as_str().unwrap_or_default();
            (json!({"type": "text", "text": ""}), deltas("text_delta", "text", &pieces(text)))
        }
    };
    let start = json!({"type": "content_block_start", "index": index, "content_block": opening});
    let mut frames = vec![event("content_block_start", &start)];
    frames.extend(deltas.iter().map(|delta| {
        event("content_block_delta", &json!({"type": "content_block_delta", "index": index, "delta": delta}))
    }));
    frames.push(event("content_block_stop", &json!({"type": "content_block_stop", "index": index})));
    frames
}

fn deltas(kind: &str, field: &str, pieces: &[&str]) -> Vec<Value> {
    pieces.iter().map(|piece| json!({"type": kind, field: piece})).collect()
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// Input counts exclude what came from or went to the cache, as Anthropic's do.
fn usage(prompt: &Prompt, output_tokens: u64) -> Value {
    let Directives { cached_tokens, cache_write_tokens, no_usage, .. } = prompt.directives;
    if no_usage {
        return json!({});
    }
    json!({
        "input_tokens": prompt.input_tokens.saturating_sub(cached_tokens + cache_write_tokens),
        "cache_creation_input_tokens": cache_write_tokens,
        "cache_read_input_tokens": cached_tokens,
        "cache_creation": {"ephemeral_5m_input_tokens": cache_write_tokens, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output_tokens,
        "service_tier": "standard",
    })
}

fn stop(stop: &Stop) -> (String, Option<String>) {
    match stop {
        Stop::End => ("end_turn".to_owned(), None),
        Stop::MaxTokens => ("max_tokens".to_owned(), None),
        Stop::Sequence(sequence) => ("stop_sequence".to_owned(), Some(sequence.clone())),
        Stop::Tool => ("tool_use".to_owned(), None),
        Stop::Directed(word) => (word.clone(), None),
    }
}

fn error_body(status: StatusCode, message: &str) -> Value {
    let kind = match status.as_u16() {
        400 | 422 => "invalid_request_error",
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_demo"})
}

fn message_id(prompt: &Prompt) -> String {
    format!("msg_demo{}", digest(&[&prompt.model, &prompt.last_user_text]))
}

fn tool_id(call: &ToolCall) -> String {
    format!("toolu_demo{}", digest(&[&call.index.to_string(), &call.name, &call.input.to_string()]))
}

fn signature(thinking: &str) -> String {
    format!("demo-signature-{}", digest(&[thinking]))
}
