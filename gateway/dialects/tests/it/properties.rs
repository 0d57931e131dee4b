//! Whatever an upstream or a client sends: legal events, no panic.

use bytes::Bytes;
use bytespike_dialects::request::{for_counting, for_upstream, read, read_count, warning_header};
use bytespike_dialects::upstream_failure::FailureHeaders;
use bytespike_dialects::{UpstreamFailure, response};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::grammar::{assert_legal_chat, assert_legal_messages};
use crate::support::*;

/// Any chunk a host might send, in any combination of fields.
fn any_chunk() -> impl Strategy<Value = Value> {
    let call = (
        proptest::option::of(0u32..3),
        prop_oneof![Just(json!(null)), Just(json!("")), Just(json!("call_a")), Just(json!("call_b")), Just(json!("call c"))],
        prop_oneof![Just(json!(null)), Just(json!("")), Just(json!("f")), Just(json!("g"))],
        prop_oneof![Just(json!("")), Just(json!("{\"x\":")), Just(json!("1}")), Just(json!("{}")), Just(json!({})), Just(json!(" "))],
    )
        .prop_map(|(index, id, name, arguments)| json!({ "index": index, "id": id, "function": { "name": name, "arguments": arguments } }));
    let text = prop_oneof![
        Just(json!(null)),
        Just(json!("")),
        Just(json!("a")),
        Just(json!("你\n")),
        Just(json!("\n"))
    ];
    let finish = prop_oneof![6 => Just(json!(null)), 1 => Just(json!("stop")), 1 => Just(json!("tool_calls")), 1 => Just(json!("length"))];
    let usage =
        prop_oneof![3 => Just(json!(null)), 1 => Just(json!({ "prompt_tokens": 5, "completion_tokens": 2 }))];
    let delta = (text.clone(), text, proptest::collection::vec(call, 0..3));
    prop_oneof![
        12 => (delta, finish, usage).prop_map(|((content, reasoning, calls), finish, usage)| json!({
            "id": "up", "model": "m",
            "choices": [{ "index": 0, "delta": { "content": content, "reasoning_content": reasoning, "tool_calls": calls }, "finish_reason": finish }],
            "usage": usage,
        })),
        1 => Just(Value::Null),
        1 => Just(json!({ "choices": [], "usage": { "prompt_tokens": 5, "completion_tokens": 2 } })),
        1 => Just(json!({ "choices": [] })),
        1 => Just(json!({ "error": { "message": "no" } })),
    ]
}

/// Any Messages event, in any order.
fn any_event() -> impl Strategy<Value = Value> {
    let index = 0u32..3;
    let start = prop_oneof![
        Just(json!({ "type": "text", "text": "" })),
        Just(json!({ "type": "thinking", "thinking": "", "signature": "" })),
        Just(json!({ "type": "tool_use", "id": "toolu_1", "name": "f", "input": {} })),
        Just(json!({ "type": "redacted_thinking", "data": "blob" })),
        Just(json!({ "type": "server_tool_use", "id": "s", "name": "web_search", "input": {} })),
    ];
    let delta = prop_oneof![
        Just(json!({ "type": "text_delta", "text": "a" })),
        Just(json!({ "type": "thinking_delta", "thinking": "b" })),
        Just(json!({ "type": "signature_delta", "signature": "s" })),
        Just(json!({ "type": "input_json_delta", "partial_json": "{}" })),
        Just(json!({ "type": "from_tomorrow" })),
    ];
    prop_oneof![
        2 => Just(message_start()),
        4 => (index.clone(), start).prop_map(|(index, block)| json!({ "type": "content_block_start", "index": index, "content_block": block })),
        6 => (index.clone(), delta).prop_map(|(index, delta)| json!({ "type": "content_block_delta", "index": index, "delta": delta })),
        4 => index.prop_map(|index| json!({ "type": "content_block_stop", "index": index })),
        1 => Just(json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 3 } })),
        1 => Just(json!({ "type": "message_stop" })),
        1 => Just(json!({ "type": "ping" })),
        1 => Just(json!({ "type": "error", "error": { "type": "api_error", "message": "x" } })),
    ]
}

/// A Messages answer whose events are in order, cut after any of them.
fn cut_answer() -> impl Strategy<Value = Vec<Value>> {
    let blocks = proptest::collection::vec(0u8..3, 0..4);
    (blocks, any::<prop::sample::Index>()).prop_map(|(kinds, cut)| {
        let mut events = vec![message_start()];
        for (index, kind) in (0u32..).zip(kinds) {
            events.extend(match kind {
                0 => text_block(index, "text"),
                1 => tool_block(index, &format!("toolu_{index}"), "f", "{\"x\":1}"),
                _ => block(
                    index,
                    json!({ "type": "thinking", "thinking": "", "signature": "" }),
                    json!({ "type": "thinking_delta", "thinking": "t" }),
                ),
            });
        }
        events.extend(message_end("end_turn"));
        events.truncate(cut.index(events.len() + 1));
        events
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_chunks_give_legal_messages(chunks in proptest::collection::vec(any_chunk(), 0..14)) {
        assert_legal_messages(&run(CHAT, MESSAGES, context(), &chat_stream(&chunks)));
    }

    #[test]
    fn any_chunks_end_or_fail_in_the_native_lane(chunks in proptest::collection::vec(any_chunk(), 0..14)) {
        let outcome = run(CHAT, CHAT, context(), &chat_stream(&chunks));
        prop_assert_eq!(outcome.is_done, outcome.end.is_ok());
        prop_assert!(outcome.usage_chunks().len() <= 1);
    }

    #[test]
    fn any_events_give_legal_chat(events in proptest::collection::vec(any_event(), 0..12)) {
        assert_legal_chat(&run(MESSAGES, CHAT, context(), &messages_stream(&events)));
    }

    #[test]
    fn answers_cut_anywhere_give_legal_chat_and_native_events(events in cut_answer()) {
        assert_legal_chat(&run(MESSAGES, CHAT, context(), &messages_stream(&events)));
        let native = run(MESSAGES, MESSAGES, context(), &messages_stream(&events));
        prop_assert_eq!(native.end.is_ok(), native.events.last().is_some_and(|event| event.name == "message_stop"));
    }

    #[test]
    fn what_is_delivered_is_what_was_written(words in proptest::collection::vec("[a-z ]{1,9}", 1..6)) {
        let mut chunks: Vec<Value> = words.iter().map(|word| text_chunk(word)).collect();
        chunks.push(finish_chunk("stop"));
        for to in [CHAT, MESSAGES] {
            let outcome = run(CHAT, to, context(), &chat_stream(&chunks));
            prop_assert_eq!(outcome.completion().delivered.text.total_bytes(), words.concat().len() as u64);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), status in 0u16..700) {
        swallow(&bytes, status);
    }

    #[test]
    fn arbitrary_json_never_panics(value in any_json(), status in 0u16..700) {
        swallow(value.to_string().as_bytes(), status);
        swallow(format!("event: x\ndata: {value}\n\n").as_bytes(), status);
    }

    #[test]
    fn requests_with_a_field_of_any_shape_never_panic(field in request_field(), value in any_json()) {
        let mut body = json!({ "model": "m", "max_tokens": 9, "messages": [{ "role": "user", "content": "x" }] });
        body[field] = value;
        swallow(body.to_string().as_bytes(), 400);
    }
}

fn request_field() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "messages",
        "tools",
        "system",
        "tool_choice",
        "thinking",
        "output_config",
        "stop",
        "stream_options",
        "response_format",
        "metadata",
        "stop_sequences",
        "model",
        "n",
        "functions",
    ])
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = proptest::sample::select(vec![
        "type",
        "text",
        "content",
        "role",
        "user",
        "assistant",
        "tool",
        "id",
        "name",
        "tool_use",
        "tool_result",
        "tool_calls",
        "function",
        "arguments",
        "choices",
        "delta",
        "error",
        "message",
        "index",
        "image",
        "source",
        "base64",
        "data",
        "usage",
    ]);
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        let key = words.clone();
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..5)
                .prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// Sends the bytes through every public door.
fn swallow(bytes: &[u8], status: u16) {
    let body = Bytes::copy_from_slice(bytes);
    let targets = [
        target(MESSAGES, "anthropic", "m"),
        target(MESSAGES, "deepseek", "m"),
        target(CHAT, "openai", "gpt-5"),
        target(CHAT, "zhipu", "glm"),
    ];
    let requests = [read(MESSAGES, &body), read(CHAT, &body), read_count(&body)];
    for request in requests.into_iter().flatten() {
        for_counting(&request);
        for target in &targets {
            if let Ok(upstream) = for_upstream(&request, target) {
                warning_header(&upstream.warnings);
                serde_json::from_slice::<Value>(&upstream.body).expect("the provider gets JSON");
            }
        }
    }
    UpstreamFailure::classify(status, FailureHeaders::default(), bytes).error_info("m");
    for from in [CHAT, MESSAGES] {
        for to in [CHAT, MESSAGES] {
            if let Ok(answer) = response::translate(from, to, bytes, &context()) {
                answer.with_cost(Some(&cost()), &counted());
            }
            run_pieces(from, to, context(), &[bytes, bytes]);
        }
    }
}
