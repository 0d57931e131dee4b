//! The demo provider in the OpenAI Chat Completions dialect.

use axum::Json;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::answer::{Answer, Stop, ToolCall, answer, in_two, pieces};
use super::digest;
use super::directives::Directives;
use super::prompt::{LastTurn, Prompt, Tool, ToolChoice, images_in, strings_of, text_of, tokens_of};
use super::wire::{self, ErrorSpelling};

const ERRORS: ErrorSpelling = ErrorSpelling { body: error_body, event: data };

/// `created` is fixed, so that the same request gets the same bytes: 2026-01-01T00:00:00Z.
const CREATED_S: i64 = 1_767_225_600;

/// `POST /v1/chat/completions`
pub async fn chat_completions(headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if !headers.contains_key("authorization") {
        return refused(StatusCode::UNAUTHORIZED, "You didn't provide an API key.");
    }
    let prompt = match read(&body) {
        Ok(prompt) => prompt,
        Err(message) => return refused(StatusCode::BAD_REQUEST, &message),
    };
    let include_usage = body["stream_options"]["include_usage"].as_bool().unwrap_or(false);
    wire::answer_or_fail(&prompt.directives, prompt.stream, &ERRORS, || reply(&prompt, include_usage)).await
}

fn refused(status: StatusCode, message: &str) -> Response {
    wire::json_response(status, error_body(status, message).to_string().into())
}

fn read(body: &Value) -> Result<Prompt, String> {
    let model = body["model"].as_str().ok_or("you must provide a model parameter")?.to_owned();
    if !body["messages"].is_array() {
        return Err("Missing required parameter: 'messages'.".to_owned());
    }
    let turn = last_turn(&body["messages"]);
    let directives = Directives::read(&model, &turn.text)?;
    Ok(Prompt {
        model,
        last_user_text: turn.text,
        tool_result: turn.tool_result,
        images: turn.images,
        tools: tools(&body["tools"]),
        tool_choice: tool_choice(&body["tool_choice"]),
        thinking: body["reasoning_effort"].as_str().is_some_and(|effort| effort != "none"),
        schema: schema(&body["response_format"]),
        max_tokens: body["max_completion_tokens"].as_u64().or_else(|| body["max_tokens"].as_u64()),
        stop_sequences: strings_of(&body["stop"]),
        stream: body["stream"].as_bool().unwrap_or(false),
        input_tokens: input_tokens(body),
        directives,
    })
}

fn last_turn(messages: &Value) -> LastTurn {
    let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
    let user = messages.iter().rev().find(|message| message["role"] == "user");
    let content = user.map_or(&Value::Null, |message| &message["content"]);
    let result = messages.last().filter(|message| message["role"] == "tool");
    LastTurn {
        text: text_of(content),
        tool_result: result.map(|message| text_of(&message["content"])),
        images: images_in(content),
    }
}

fn tools(declared: &Value) -> Vec<Tool> {
    let tools = declared.as_array().map(Vec::as_slice).unwrap_or_default();
    let read = |tool: &Value| {
        let function = &tool["function"];
        Some(Tool { name: function["name"].as_str()?.to_owned(), schema: function["parameters"].clone() })
    };
    tools.iter().filter_map(read).collect()
}

fn tool_choice(choice: &Value) -> ToolChoice {
    match (choice.as_str(), choice["function"]["name"].as_str()) {
        (Some("required"), _) => ToolChoice::Any,
        (Some("none"), _) => ToolChoice::Never,
        (_, Some(name)) => ToolChoice::Named(name.to_owned()),
        _ => ToolChoice::Auto,
    }
}

fn schema(format: &Value) -> Option<Value> {
    match format["type"].as_str()? {
        "json_schema" => Some(format["json_schema"]["schema"].clone()),
        "json_object" => Some(json!({})),
        _ => None,
    }
}

fn input_tokens(body: &Value) -> u64 {
    let said = ["messages", "tools"].iter().filter_map(|field| body.get(field));
    tokens_of(said.map(|value| value.to_string().len()).sum())
}

fn reply(prompt: &Prompt, include_usage: bool) -> Response {
    let answer = answer(prompt);
    if !prompt.stream {
        return wire::whole(&completion(prompt, &answer), &prompt.directives);
    }
    let broken = || data(&error_body(StatusCode::SERVICE_UNAVAILABLE, "the demo provider was told to fail"));
    let frames = frames(prompt, &answer, include_usage);
    wire::streamed(wire::end_with_error(frames, prompt.directives.error_after, broken), &prompt.directives)
}

fn completion(prompt: &Prompt, answer: &Answer) -> Value {
    let content = if answer.text.is_empty() { Value::Null } else { json!(answer.text) };
    let mut message = json!({"role": "assistant", "content": content, "refusal": null});
    if let Some(thinking) = &answer.thinking {
        message["reasoning_content"] = json!(thinking);
    }
    if !answer.tool_calls.is_empty() {
        message["tool_calls"] =
            answer.tool_calls.iter().map(|call| whole_call(call, &call.input.to_string())).collect();
    }
    let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason(&answer.stop)});
    let mut completion = head(prompt, "chat.completion");
    completion["choices"] = json!([choice]);
    if !prompt.directives.no_usage {
        completion["usage"] = usage(prompt, answer);
    }
    completion
}

fn frames(prompt: &Prompt, answer: &Answer, include_usage: bool) -> Vec<String> {
    let with_usage = include_usage && !prompt.directives.no_usage;
    let chunk = |delta: Value, finish_reason: Option<String>| {
        let mut chunk = head(prompt, "chat.completion.chunk");
        chunk["choices"] =
            json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason}]);
        if with_usage {
            chunk["usage"] = Value::Null;
        }
        data(&chunk)
    };
    let mut frames = vec![chunk(json!({"role": "assistant", "content": ""}), None)];
    frames.extend(deltas(answer).into_iter().map(|delta| chunk(delta, None)));
    frames.push(chunk(json!({}), Some(finish_reason(&answer.stop))));
    if with_usage {
        let mut last = head(prompt, "chat.completion.chunk");
        last["choices"] = json!([]);
        last["usage"] = usage(prompt, answer);
        frames.push(data(&last));
    }
    frames.push("data: [DONE]\n\n".to_owned());
    frames
}

fn deltas(answer: &Answer) -> Vec<Value> {
    let thinking = answer.thinking.as_deref().unwrap_or_default();
    let thought = pieces(thinking).into_iter().map(|piece| json!({"reasoning_content": piece}));
    let text = pieces(&answer.text).into_iter().map(|piece| json!({"content": piece}));
    let calls = answer.tool_calls.iter().flat_map(call_deltas);
    thought.chain(text).chain(calls).collect()
}

/// A call opens with its id and name and no arguments; these follow in pieces.
fn call_deltas(call: &ToolCall) -> Vec<Value> {
    let arguments = call.input.to_string();
    let opening = json!({"tool_calls": [with_index(call, whole_call(call, ""))]});
    let piece =
        |text: &str| json!({"tool_calls": [with_index(call, json!({"function": {"arguments": text}}))]});
    let (head, tail) = in_two(&arguments);
    vec![opening, piece(head), piece(tail)]
}

fn whole_call(call: &ToolCall, arguments: &str) -> Value {
    let id = digest(&[&call.index.to_string(), &call.name, &call.input.to_string()]);
    json!({"id": format!("call_demo{id}"), "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

fn with_index(call: &ToolCall, mut value: Value) -> Value {
    value["index"] = json!(call.index);
    value
}

fn head(prompt: &Prompt, object: &str) -> Value {
    let id = format!("chatcmpl-demo{}", digest(&[&prompt.model, &prompt.last_user_text]));
    json!({"id": id, "object": object, "created": CREATED_S, "model": prompt.model, "system_fingerprint": "demo"})
}

/// `prompt_tokens` includes what came from the cache, as OpenAI's does.
fn usage(prompt: &Prompt, answer: &Answer) -> Value {
    let Directives { cached_tokens, cache_write_tokens, .. } = prompt.directives;
    let prompt_tokens = prompt.input_tokens.max(cached_tokens + cache_write_tokens);
    json!({
        "prompt_tokens": prompt_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": prompt_tokens + answer.output_tokens,
        "prompt_tokens_details": {"cached_tokens": cached_tokens, "cache_write_tokens": cache_write_tokens},
        "completion_tokens_details": {"reasoning_tokens": answer.thinking_tokens},
    })
}

fn finish_reason(stop: &Stop) -> String {
    match stop {
        Stop::End | Stop::Sequence(_) => "stop".to_owned(),
        Stop::MaxTokens => "length".to_owned(),
        Stop::Tool => "tool_calls".to_owned(),
        Stop::Directed(word) => word.clone(),
    }
}

fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn error_body(status: StatusCode, message: &str) -> Value {
    let (kind, code) = match status.as_u16() {
        401 => ("authentication_error", Some("invalid_api_key")),
        403 => ("permission_error", None),
        404 => ("not_found_error", Some("model_not_found")),
        429 => ("rate_limit_error", Some("rate_limit_exceeded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}
