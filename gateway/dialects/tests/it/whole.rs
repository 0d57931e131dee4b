//! Whole answers from one dialect to the other.

use bytespike_dialects::{Answer, Dialect, ErrorCode, StopReason, UpstreamFailure, response};
use serde_json::{Value, json};

use crate::support::*;

fn translated(from: Dialect, to: Dialect, body: &Value) -> (Value, Answer) {
    let answer = response::translate(from, to, body.to_string().as_bytes(), &context()).unwrap();
    (serde_json::from_slice(&answer.body).unwrap(), answer)
}

fn failure(from: Dialect, to: Dialect, body: &str) -> UpstreamFailure {
    response::translate(from, to, body.as_bytes(), &context()).unwrap_err()
}

fn completion(message: Value, finish_reason: &str) -> Value {
    json!({ "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "up",
        "choices": [{ "index": 0, "message": message, "finish_reason": finish_reason }],
        "usage": { "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120 } })
}

fn message(content: Value, stop_reason: &str) -> Value {
    json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "up", "content": content,
        "stop_reason": stop_reason, "stop_sequence": null, "usage": { "input_tokens": 7, "output_tokens": 3 } })
}

#[test]
fn a_chat_answer_becomes_a_message() {
    let body =
        completion(json!({ "role": "assistant", "content": "hello", "reasoning_content": "hm" }), "stop");
    let (message, answer) = translated(CHAT, MESSAGES, &body);
    assert_eq!(message["model"], "the-model");
    assert!(message["id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!(message["content"][0]["thinking"], "hm");
    assert!(message["content"][0]["signature"].as_str().unwrap().starts_with("gw1."));
    assert_eq!(message["content"][1], json!({ "type": "text", "text": "hello" }));
    assert_eq!(message["stop_reason"], "end_turn");
    assert_eq!(message["usage"]["input_tokens"], 100);
    assert!(answer.landed);
    let costed: Value = serde_json::from_slice(&answer.with_cost(Some(&cost()), &counted())).unwrap();
    assert_eq!(costed["usage"]["receipt_id"], "rcp_1");
    assert_eq!(costed["usage"]["input_tokens"], 100);
}

#[test]
fn v35_empty_arguments_become_an_empty_object() {
    for arguments in [json!(""), json!(null), json!(" ")] {
        let call = json!({ "id": "call_1", "type": "function", "function": { "name": "now", "arguments": arguments } });
        let body =
            completion(json!({ "role": "assistant", "content": null, "tool_calls": [call] }), "tool_calls");
        let (message, answer) = translated(CHAT, MESSAGES, &body);
        assert_eq!(
            message["content"],
            json!([{ "type": "tool_use", "id": "call_1", "name": "now", "input": {} }])
        );
        assert_eq!((message["stop_reason"].as_str(), answer.stop), (Some("tool_use"), StopReason::ToolUse));
    }
}

#[test]
fn parallel_calls_keep_their_order_and_arguments() {
    let call = |id: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": id, "arguments": arguments } });
    let calls = [call("a", r#"{"x":1}"#), call("b", r#"{"y":[2]}"#), call("c", "not json")];
    let (message, _) =
        translated(CHAT, MESSAGES, &completion(json!({ "content": "", "tool_calls": calls }), "stop"));
    let inputs: Vec<&Value> =
        message["content"].as_array().unwrap().iter().map(|block| &block["input"]).collect();
    assert_eq!(inputs, [&json!({ "x": 1 }), &json!({ "y": [2] }), &json!({ "_raw": "not json" })]);
    assert_eq!(message["stop_reason"], "tool_use");
}

#[test]
fn v52_a_message_with_tool_use_becomes_calls_with_finish_tool_calls() {
    let content = json!([{ "type": "text", "text": "Look:" }, { "type": "tool_use", "id": "toolu_1", "name": "Read", "input": { "p": "a" } }]);
    let (chat, answer) = translated(MESSAGES, CHAT, &message(content, "tool_use"));
    let choice = &chat["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], "Look:");
    assert_eq!(
        choice["message"]["tool_calls"][0]["function"],
        json!({ "name": "Read", "arguments": "{\"p\":\"a\"}" })
    );
    assert_eq!(answer.delivered.tool_calls, 1);
}

#[test]
fn a_refusal_is_one_on_both_sides() {
    let (chat, _) =
        translated(MESSAGES, CHAT, &message(json!([{ "type": "text", "text": "No." }]), "refusal"));
    let choice = &chat["choices"][0];
    assert_eq!((&choice["message"]["refusal"], &choice["message"]["content"]), (&json!("No."), &Value::Null));
    assert_eq!(choice["finish_reason"], "content_filter");
    let body = completion(json!({ "content": null, "refusal": "No." }), "stop");
    let (message, answer) = translated(CHAT, MESSAGES, &body);
    assert_eq!((&message["stop_reason"], &message["content"][0]["text"]), (&json!("refusal"), &json!("No.")));
    assert_eq!(answer.stop, StopReason::Refusal);
}

#[test]
fn stop_reasons_are_mapped() {
    for (stop, finish) in [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
    ] {
        let (chat, answer) =
            translated(MESSAGES, CHAT, &message(json!([{ "type": "text", "text": "x" }]), stop));
        assert_eq!(chat["choices"][0]["finish_reason"], finish);
        assert_eq!(answer.native_stop, stop);
    }
}

#[test]
fn an_error_inside_a_200_is_a_failure() {
    for to in [CHAT, MESSAGES] {
        let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert_eq!(failure(MESSAGES, to, overloaded).code, ErrorCode::UpstreamOverloaded);
        assert_eq!(
            failure(CHAT, to, r#"{"error":{"message":"nope","code":"rate_limit_exceeded"}}"#).code,
            ErrorCode::UpstreamRateLimited
        );
        for nonsense in ["", "null", "[]", "<html>502</html>", r#"{"ok":true}"#, r#"{"choices":[]}"#] {
            for from in [CHAT, MESSAGES] {
                assert_eq!(failure(from, to, nonsense).code, ErrorCode::UpstreamError, "{nonsense}");
            }
        }
    }
}

#[test]
fn an_answer_without_content_does_not_land() {
    let (_, answer) = translated(CHAT, MESSAGES, &completion(json!({ "content": "" }), "stop"));
    assert!(!answer.landed);
    let (_, answer) = translated(MESSAGES, CHAT, &message(json!([]), "refusal"));
    assert!(!answer.landed);
}

#[test]
fn without_usage_the_gateways_count_is_shown_with_the_cost() {
    let mut body = completion(json!({ "content": "hi" }), "stop");
    body.as_object_mut().unwrap().remove("usage");
    for (to, field) in [(MESSAGES, "input_tokens"), (CHAT, "prompt_tokens")] {
        let (_, answer) = translated(CHAT, to, &body);
        assert_eq!(answer.usage, None);
        let costed: Value = serde_json::from_slice(&answer.with_cost(Some(&cost()), &counted())).unwrap();
        assert_eq!(
            (&costed["usage"][field], &costed["usage"]["cost_credits"]),
            (&json!(11), &json!("1.250"))
        );
    }
}

#[test]
fn free_form_tools_answer_with_custom_calls() {
    let request = json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }],
        "tools": [{ "type": "custom", "custom": { "name": "shell" } }] });
    let (sent, upstream) = send(CHAT, &request, &target(MESSAGES, "anthropic", "claude-opus-4-6")).unwrap();
    assert_eq!(sent["tools"][0]["input_schema"]["required"], json!(["input"]));
    let mut context = context();
    context.tool_names = upstream.tool_names;
    let content =
        json!([{ "type": "tool_use", "id": "toolu_1", "name": "shell", "input": { "input": "ls -l" } }]);
    let body = message(content, "tool_use").to_string();
    let answer = response::translate(MESSAGES, CHAT, body.as_bytes(), &context).unwrap();
    let chat: Value = serde_json::from_slice(&answer.body).unwrap();
    let call = json!({ "id": "toolu_1", "type": "custom", "custom": { "name": "shell", "input": "ls -l" } });
    assert_eq!(chat["choices"][0]["message"]["tool_calls"][0], call);
}
