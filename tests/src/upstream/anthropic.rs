//! Well-formed answers of a provider that speaks Anthropic Messages.

use serde_json::{Value, json};

/// What an answer says it used.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Uncached input tokens.
    pub input: u64,
    pub cache_read: u64,
    pub output: u64,
}

/// A small, plain usage.
pub const USAGE: Usage = Usage { input: 12, cache_read: 0, output: 5 };

fn usage_json(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input, "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": 0, "output_tokens": usage.output,
    })
}

/// A whole message with the given content blocks.
#[must_use]
pub fn message(content: &Value, stop_reason: &str, usage: Usage) -> Value {
    json!({
        "id": "msg_scripted", "type": "message", "role": "assistant", "model": "upstream-model",
        "content": content, "stop_reason": stop_reason, "stop_sequence": null, "usage": usage_json(usage),
    })
}

/// A whole message of one text block.
#[must_use]
pub fn text(text: &str) -> Value {
    message(&json!([{"type": "text", "text": text}]), "end_turn", USAGE)
}

/// One server-sent event of this dialect: the name repeats the payload's type.
#[must_use]
pub fn event(payload: &Value) -> String {
    format!("event: {}\ndata: {payload}\n\n", payload["type"].as_str().expect("an event type"))
}

/// The opening event of a stream.
#[must_use]
pub fn start(usage: Usage) -> String {
    let mut message = message(&json!([]), "", Usage { output: 1, ..usage });
    message["stop_reason"] = Value::Null;
    event(&json!({"type": "message_start", "message": message}))
}

/// One content block: its start, one delta per piece, its stop.
#[must_use]
pub fn block(index: usize, opening: &Value, deltas: &[Value]) -> Vec<String> {
    let mut events =
        vec![event(&json!({"type": "content_block_start", "index": index, "content_block": opening}))];
    events.extend(
        deltas.iter().map(|d| event(&json!({"type": "content_block_delta", "index": index, "delta": d}))),
    );
    events.push(event(&json!({"type": "content_block_stop", "index": index})));
    events
}

/// A text block in the given pieces.
#[must_use]
pub fn text_block(index: usize, pieces: &[&str]) -> Vec<String> {
    let deltas: Vec<Value> = pieces.iter().map(|text| json!({"type": "text_delta", "text": text})).collect();
    block(index, &json!({"type": "text", "text": ""}), &deltas)
}

/// A tool call whose arguments come in the given pieces.
#[must_use]
pub fn tool_block(index: usize, id: &str, name: &str, pieces: &[&str]) -> Vec<String> {
    let deltas: Vec<Value> =
        pieces.iter().map(|json| json!({"type": "input_json_delta", "partial_json": json})).collect();
    block(index, &json!({"type": "tool_use", "id": id, "name": name, "input": {}}), &deltas)
}

/// The closing events of a stream.
#[must_use]
pub fn end(stop_reason: &str, usage: Usage) -> Vec<String> {
    let delta = json!({"stop_reason": stop_reason, "stop_sequence": null});
    vec![
        event(&json!({"type": "message_delta", "delta": delta, "usage": usage_json(usage)})),
        event(&json!({"type": "message_stop"})),
    ]
}

/// A whole stream of one text block in the given pieces.
#[must_use]
pub fn text_stream(pieces: &[&str]) -> Vec<String> {
    [vec![start(USAGE)], text_block(0, pieces), end("end_turn", USAGE)].concat()
}

/// An error body.
#[must_use]
pub fn error(kind: &str, message: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_upstream"})
}
