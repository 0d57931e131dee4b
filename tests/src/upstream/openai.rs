//! Well-formed answers of a provider that speaks OpenAI Chat Completions.

use serde_json::{Value, json};

/// A small, plain usage: 12 prompt and 5 completion tokens.
#[must_use]
pub fn usage() -> Value {
    json!({"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17})
}

/// A whole completion with the given message.
#[must_use]
pub fn completion(message: &Value, finish_reason: &str) -> Value {
    json!({
        "id": "chatcmpl-scripted", "object": "chat.completion", "created": 1_760_000_000, "model": "upstream-model",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": null}],
        "usage": usage(),
    })
}

/// A whole completion of one text.
#[must_use]
pub fn text(text: &str) -> Value {
    completion(&json!({"role": "assistant", "content": text, "refusal": null}), "stop")
}

/// One event of a stream.
#[must_use]
pub fn event(payload: &Value) -> String {
    format!("data: {payload}\n\n")
}

/// One chunk with the given choices.
#[must_use]
pub fn chunk(choices: &Value) -> Value {
    json!({
        "id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 1_760_000_000,
        "model": "upstream-model", "choices": choices,
    })
}

/// One event with the given delta of the only choice.
#[must_use]
pub fn delta(delta: &Value) -> String {
    event(&chunk(&json!([{"index": 0, "delta": delta, "finish_reason": null}])))
}

/// The event that says why the answer ended.
#[must_use]
pub fn finish(reason: &str) -> String {
    event(&chunk(&json!([{"index": 0, "delta": {}, "finish_reason": reason}])))
}

/// The event that carries usage and nothing else.
#[must_use]
pub fn usage_event(usage: &Value) -> String {
    let mut chunk = chunk(&json!([]));
    chunk["usage"] = usage.clone();
    event(&chunk)
}

/// The event after the last.
pub const DONE: &str = "data: [DONE]\n\n";

/// Text in the given pieces, role first.
#[must_use]
pub fn text_deltas(pieces: &[&str]) -> Vec<String> {
    let mut events = vec![delta(&json!({"role": "assistant", "content": ""}))];
    events.extend(pieces.iter().map(|text| delta(&json!({"content": text}))));
    events
}

/// A fragment of tool call number `index`; the first names it.
#[must_use]
pub fn tool_start(index: usize, id: &str, name: &str) -> String {
    delta(&json!({"tool_calls": [{"index": index, "id": id, "type": "function",
        "function": {"name": name, "arguments": ""}}]}))
}

/// More arguments of tool call number `index`.
#[must_use]
pub fn tool_arguments(index: usize, arguments: &str) -> String {
    delta(&json!({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}))
}

/// The closing events: why it ended, what it used, and the end mark.
#[must_use]
pub fn end(reason: &str) -> Vec<String> {
    vec![finish(reason), usage_event(&usage()), DONE.to_owned()]
}

/// A whole stream of text in the given pieces.
#[must_use]
pub fn text_stream(pieces: &[&str]) -> Vec<String> {
    [text_deltas(pieces), end("stop")].concat()
}

/// An error body.
#[must_use]
pub fn error(kind: &str, message: &str) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": null}})
}
