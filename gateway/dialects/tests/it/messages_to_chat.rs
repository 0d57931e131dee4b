//! A Messages stream for a client that speaks chat.

use bytespike_dialects::{ErrorCode, StopReason};
use serde_json::{Value, json};

use crate::grammar::assert_legal_chat;
use crate::support::*;

fn to_chat(events: &[Value]) -> Outcome {
    let outcome = run(MESSAGES, CHAT, context(), &messages_stream(events));
    assert_legal_chat(&outcome);
    outcome
}

fn answer(blocks: Vec<Value>, stop_reason: &str) -> Vec<Value> {
    let mut events = vec![message_start()];
    events.extend(blocks);
    events.extend(message_end(stop_reason));
    events
}

fn error_event(kind: &str) -> Value {
    json!({ "type": "error", "error": { "type": kind, "message": "Overloaded" } })
}

#[test]
fn v08_message_stop_does_not_overwrite_usage() {
    let outcome = to_chat(&answer(text_block(0, "hi"), "end_turn"));
    let usage = outcome.completion().usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (7, 9));
    assert_eq!(outcome.finish_reasons(), ["stop"]);
    assert_eq!(outcome.usage_chunks()[0]["completion_tokens"], 9);
}

#[test]
fn v10_a_repeated_message_start_is_passed_over() {
    for to in [CHAT, MESSAGES] {
        let mut events = answer(text_block(0, "hi"), "end_turn");
        events.insert(1, message_start());
        let outcome = run(MESSAGES, to, context(), &messages_stream(&events));
        assert!(outcome.end.is_ok());
        if to == MESSAGES {
            assert_eq!(outcome.named("message_start").len(), 1);
        }
    }
}

#[test]
fn v11_another_message_inside_the_answer_is_an_error() {
    let mut other = message_start();
    other["message"]["id"] = "msg_other".into();
    let mut events = vec![message_start()];
    events.extend(tool_block(0, "toolu_1", "A", "{\"x\"").into_iter().take(2));
    events.push(other);
    for to in [CHAT, MESSAGES] {
        let outcome = run(MESSAGES, to, context(), &messages_stream(&events));
        assert_eq!(outcome.failure().code, ErrorCode::StreamBroke);
        assert!(outcome.named("content_block_stop").is_empty(), "the cut call is not completed");
    }
}

#[test]
fn v15_an_error_in_mid_stream_is_an_error_frame_without_done() {
    let mut events = vec![message_start()];
    events.extend(text_block(0, "Hel").into_iter().take(2));
    events.push(error_event("overloaded_error"));
    let outcome = to_chat(&events);
    assert_eq!(outcome.failure().code, ErrorCode::UpstreamOverloaded);
    let error = &outcome.events.last().unwrap().data["error"];
    assert_eq!((&error["type"], &error["code"]), (&json!("server_error"), &json!("overloaded")));
    assert!(outcome.finish_reasons().is_empty() && !outcome.is_done);
}

#[test]
fn v16_an_error_before_anything_else_keeps_its_status() {
    let upstream = messages_stream(&[error_event("overloaded_error")]);
    for (to, status) in [(CHAT, 503), (MESSAGES, 529)] {
        let outcome = run(MESSAGES, to, context(), &upstream);
        assert!(outcome.body.is_empty(), "nothing was written, so the status is still free");
        assert_eq!(outcome.failure().error_info("m").render(to).0, status);
    }
}

#[test]
fn v20_a_connection_that_breaks_is_an_error_frame_without_done() {
    let mut events = vec![message_start()];
    events.extend(text_block(0, "Hel"));
    let outcome = to_chat(&events);
    assert_eq!(outcome.failure().code, ErrorCode::StreamBroke);
    assert_eq!(outcome.events.last().unwrap().data["error"]["code"], "stream_broke");
}

#[test]
fn v31_calls_are_numbered_among_calls() {
    let mut blocks = text_block(0, "Let me look.");
    blocks.extend(tool_block(1, "toolu_1", "Read", r#"{"path":"a"}"#));
    let outcome = to_chat(&answer(blocks, "tool_use"));
    let calls = outcome.deltas("tool_calls");
    assert_eq!(calls[0][0]["index"], 0);
    assert_eq!((&calls[0][0]["id"], &calls[0][0]["function"]["name"]), (&json!("toolu_1"), &json!("Read")));
    assert_eq!(calls[1][0]["function"]["arguments"], r#"{"path":"a"}"#);
    assert_eq!(outcome.content(), "Let me look.");
}

#[test]
fn v52_tool_use_gives_calls_and_finish_tool_calls() {
    let mut blocks = tool_block(0, "toolu_1", "A", "");
    blocks.extend(tool_block(1, "toolu_2", "B", r#"{"x":1}"#));
    let outcome = to_chat(&answer(blocks, "tool_use"));
    assert_eq!(outcome.finish_reasons(), ["tool_calls"]);
    assert_eq!(outcome.completion().stop, StopReason::ToolUse);
    let arguments = |index: u64| -> String {
        let fragments = outcome.deltas("tool_calls").into_iter().filter(|calls| calls[0]["index"] == index);
        fragments.filter_map(|calls| calls[0]["function"]["arguments"].as_str()).collect()
    };
    assert_eq!((arguments(0), arguments(1)), ("{}".into(), r#"{"x":1}"#.into()));
}

#[test]
fn thinking_comes_as_reasoning_with_its_signature() {
    let mut thinking = block(
        0,
        json!({ "type": "thinking", "thinking": "", "signature": "" }),
        json!({ "type": "thinking_delta", "thinking": "hm" }),
    );
    let signature = json!({ "type": "signature_delta", "signature": "EuYB" });
    thinking.insert(2, json!({ "type": "content_block_delta", "index": 0, "delta": signature }));
    thinking.extend(text_block(1, "yes"));
    let outcome = to_chat(&answer(thinking, "end_turn"));
    assert_eq!(outcome.deltas("reasoning_content"), [&json!("hm")]);
    assert_eq!(
        outcome.deltas("reasoning_details"),
        [&json!([{ "type": "reasoning.text", "text": "hm", "signature": "EuYB" }])]
    );
    assert_eq!(outcome.content(), "yes");
    assert!(outcome.had_content);
}

#[test]
fn server_tools_are_swallowed_and_their_citations_kept() {
    let search = block(
        0,
        json!({ "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {} }),
        json!({ "type": "input_json_delta", "partial_json": "{\"query\":\"x\"}" }),
    );
    let mut text = text_block(1, "Found.");
    let citation = json!({ "type": "web_search_result_location", "url": "https://a.example/p", "title": "P", "cited_text": "c", "encrypted_index": "e" });
    let delta = json!({ "type": "citations_delta", "citation": citation });
    text.insert(2, json!({ "type": "content_block_delta", "index": 1, "delta": delta }));
    let outcome = to_chat(&answer([search, text].concat(), "end_turn"));
    assert!(outcome.deltas("tool_calls").is_empty());
    assert_eq!(outcome.completion().delivered.tool_calls, 0);
    assert_eq!(outcome.deltas("annotations")[0][0]["url_citation"]["url"], "https://a.example/p");
    assert_eq!(outcome.deltas("annotations")[0][0]["url_citation"]["end_index"], 6);
}

#[test]
fn v95_usage_is_shown_exactly_when_it_was_asked_for() {
    for (wants_usage, expected) in [(false, 0), (true, 1)] {
        for from in [MESSAGES, CHAT] {
            let mut context = context();
            context.wants_usage = wants_usage;
            let mut chunks = vec![text_chunk("hi"), finish_chunk("stop")];
            let usage = json!({ "prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16 });
            chunks.push(json!({ "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage }));
            chunks.push(Value::Null);
            let upstream = match from {
                MESSAGES => messages_stream(&answer(text_block(0, "hi"), "end_turn")),
                CHAT => chat_stream(&chunks),
            };
            let outcome = run(from, CHAT, context, &upstream);
            assert_legal_if_translated(from, &outcome);
            assert_eq!(outcome.usage_chunks().len(), expected, "{from:?}, asked: {wants_usage}");
            let usage = outcome.completion().usage.unwrap();
            assert_eq!((usage.input_tokens, usage.output_tokens), (7, 9), "it is metered either way");
            if wants_usage {
                assert_eq!(outcome.usage_chunks()[0]["cost_credits"], "1.250");
            }
        }
    }
}

fn assert_legal_if_translated(from: bytespike_dialects::Dialect, outcome: &Outcome) {
    if from == MESSAGES {
        assert_legal_chat(outcome);
    }
}

#[test]
fn events_out_of_order_are_refused() {
    let stop = json!({ "type": "content_block_stop", "index": 0 });
    let gap: Vec<Value> = text_block(1, "x");
    let wrong_delta =
        block(0, json!({ "type": "text", "text": "" }), json!({ "type": "thinking_delta", "thinking": "x" }));
    for events in [
        vec![message_start(), stop],
        [vec![message_start()], gap].concat(),
        text_block(0, "x"),
        [vec![message_start()], wrong_delta].concat(),
    ] {
        for to in [CHAT, MESSAGES] {
            let outcome = run(MESSAGES, to, context(), &messages_stream(&events));
            assert_eq!(outcome.failure().code, ErrorCode::UpstreamError, "{events:?}");
        }
    }
}

#[test]
fn a_cut_tool_stream_without_its_block_stop_is_completed() {
    let mut events = vec![message_start()];
    events.extend(tool_block(0, "toolu_1", "A", "{\"x\":").into_iter().take(2));
    events.extend(message_end("max_tokens"));
    for to in [CHAT, MESSAGES] {
        let outcome = run(MESSAGES, to, context(), &messages_stream(&events));
        match to {
            CHAT => assert_legal_chat(&outcome),
            MESSAGES => crate::grammar::assert_legal_native(&outcome),
        }
        assert_eq!(outcome.completion().stop, StopReason::MaxTokens);
    }
}
