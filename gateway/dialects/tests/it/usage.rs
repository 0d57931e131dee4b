//! Token arithmetic between the dialects.

use bytespike_dialects::{TokenUsage, response};
use serde_json::{Value, json};

use crate::support::*;

fn from_chat(usage: Value) -> (TokenUsage, Value) {
    let body = json!({ "id": "x", "choices": [{ "index": 0, "message": { "content": "hi" }, "finish_reason": "stop" }], "usage": usage });
    let answer = response::translate(CHAT, MESSAGES, body.to_string().as_bytes(), &context()).unwrap();
    let message: Value = serde_json::from_slice(&answer.body).unwrap();
    (answer.usage.unwrap(), message["usage"].clone())
}

#[test]
fn v91_cached_tokens_are_taken_out_of_the_prompt() {
    let (_, usage) = from_chat(
        json!({ "prompt_tokens": 100, "completion_tokens": 1, "prompt_tokens_details": { "cached_tokens": 75 } }),
    );
    assert_eq!((&usage["input_tokens"], &usage["cache_read_input_tokens"]), (&json!(25), &json!(75)));
}

#[test]
fn v92_anthropics_buckets_add_up_to_the_prompt() {
    let body = json!({ "id": "msg_1", "type": "message", "content": [{ "type": "text", "text": "x" }], "stop_reason": "end_turn",
        "usage": { "input_tokens": 7, "cache_read_input_tokens": 9000, "cache_creation_input_tokens": 1000, "output_tokens": 2 } });
    let answer = response::translate(MESSAGES, CHAT, body.to_string().as_bytes(), &context()).unwrap();
    let chat: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(chat["usage"]["prompt_tokens"], 10_007);
    assert_eq!(
        chat["usage"]["prompt_tokens_details"],
        json!({ "cached_tokens": 9000, "cache_write_tokens": 1000 })
    );
    assert_eq!(chat["usage"]["total_tokens"], 10_009);
}

#[test]
fn v94_more_cached_than_sent_is_counted_apart() {
    let (usage, _) = from_chat(
        json!({ "prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": { "cached_tokens": 120 } }),
    );
    assert_eq!((usage.input_tokens, usage.cache_read_tokens), (10, 120));
}

#[test]
fn reasoning_beside_the_completion_is_added_to_it() {
    let details = json!({ "reasoning_tokens": 30 });
    let beside = json!({ "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 45, "completion_tokens_details": details });
    assert_eq!(from_chat(beside).0.output_tokens, 35);
    let inside = json!({ "prompt_tokens": 10, "completion_tokens": 35, "total_tokens": 45, "completion_tokens_details": details });
    assert_eq!((from_chat(inside.clone()).0.output_tokens, from_chat(inside).0.reasoning_tokens), (35, 30));
}

#[test]
fn the_split_of_cache_writes_comes_from_the_start_of_a_stream() {
    let mut start = message_start();
    start["message"]["usage"] = json!({ "input_tokens": 5, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 20,
        "cache_creation": { "ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200 }, "output_tokens": 1 });
    let mut events = vec![start];
    events.extend(text_block(0, "x"));
    events.push(json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" },
        "usage": { "output_tokens": 9, "server_tool_use": { "web_search_requests": 2 } } }));
    events.push(json!({ "type": "message_stop" }));
    for to in [CHAT, MESSAGES] {
        let usage = run(MESSAGES, to, context(), &messages_stream(&events)).completion().usage.unwrap();
        let expected = TokenUsage {
            input_tokens: 5,
            cache_read_tokens: 20,
            cache_write_5m_tokens: 100,
            cache_write_1h_tokens: 200,
            output_tokens: 9,
            reasoning_tokens: 0,
            web_searches: 2,
        };
        assert_eq!(usage, expected);
    }
}

#[test]
fn zeros_are_no_count() {
    let body = json!({ "choices": [{ "index": 0, "message": { "content": "hi" }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 0, "completion_tokens": 0 } });
    let answer = response::translate(CHAT, CHAT, body.to_string().as_bytes(), &context()).unwrap();
    assert_eq!(answer.usage, None);
}
