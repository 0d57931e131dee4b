//! A chat stream for a client that speaks Messages.

use bytespike_dialects::{ErrorCode, StopReason};
use serde_json::{Value, json};

use crate::grammar::assert_legal_messages;
use crate::support::*;

fn to_messages(chunks: &[Value]) -> Outcome {
    let outcome = run(CHAT, MESSAGES, context(), &chat_stream(chunks));
    assert_legal_messages(&outcome);
    outcome
}

fn usage_chunk(usage: Value) -> Value {
    json!({ "id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage })
}

fn stop_reason(outcome: &Outcome) -> &str {
    outcome.named("message_delta")[0]["delta"]["stop_reason"].as_str().unwrap()
}

#[test]
fn v01_a_tool_call_without_finish_reason_is_closed_once() {
    let outcome = to_messages(&[tool_chunk(0, "call_1", "Read", r#"{"path":"a"}"#), Value::Null]);
    assert_eq!(outcome.blocks(), [("tool_use".into(), r#"{"path":"a"}"#.into(), "Read".into())]);
    assert_eq!(stop_reason(&outcome), "tool_use");
    assert_eq!(outcome.named("message_stop").len(), 1);
}

#[test]
fn v02_without_a_usage_chunk_the_gateways_count_is_shown() {
    let outcome = to_messages(&[text_chunk("Hel"), text_chunk("lo"), finish_chunk("stop"), Value::Null]);
    assert_eq!(outcome.completion().usage, None);
    assert_eq!(outcome.completion().delivered.text.total_bytes(), 5);
    let usage = &outcome.named("message_delta")[0]["usage"];
    assert_eq!((&usage["input_tokens"], &usage["output_tokens"]), (&json!(11), &json!(5)));
    assert_eq!(stop_reason(&outcome), "end_turn");
}

#[test]
fn v05_usage_after_the_finish_is_in_the_one_message_delta() {
    let usage = json!({ "prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107,
        "prompt_tokens_details": { "cached_tokens": 60 } });
    let outcome = to_messages(&[text_chunk("x"), finish_chunk("stop"), usage_chunk(usage), Value::Null]);
    let deltas = outcome.named("message_delta");
    assert_eq!(deltas.len(), 1);
    let usage = &deltas[0]["usage"];
    assert_eq!(
        (&usage["input_tokens"], &usage["cache_read_input_tokens"], &usage["output_tokens"]),
        (&json!(40), &json!(60), &json!(7))
    );
    assert_eq!((&usage["cost_credits"], &usage["receipt_id"]), (&json!("1.250"), &json!("rcp_1")));
}

#[test]
fn v07_input_and_output_are_in_the_last_usage_and_an_estimate_in_the_first() {
    let outcome = to_messages(&[text_chunk("x"), finish_chunk("stop"), Value::Null]);
    assert_eq!(outcome.named("message_start")[0]["message"]["usage"]["input_tokens"], 12);
    let usage = &outcome.named("message_delta")[0]["usage"];
    assert!(usage["input_tokens"].is_u64() && usage["output_tokens"].is_u64());
}

#[test]
fn v17_an_error_inside_a_200_is_an_error_not_an_empty_answer() {
    let upstream = chat_stream(&[json!({ "error": { "code": 502, "message": "bad" }, "choices": [] })]);
    for to in [CHAT, MESSAGES] {
        let outcome = run(CHAT, to, context(), &upstream);
        assert_eq!(outcome.failure().code, ErrorCode::UpstreamError);
        assert!(!outcome.had_content && !outcome.is_done);
    }
    let outcome = run(CHAT, MESSAGES, context(), &upstream);
    assert_eq!(outcome.events.len(), 1);
    assert_eq!(outcome.named("error")[0]["error"]["type"], "api_error");
}

#[test]
fn an_error_body_instead_of_a_stream_is_read_as_one() {
    let body = r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#;
    for from in [CHAT, MESSAGES] {
        for to in [CHAT, MESSAGES] {
            let outcome = run(from, to, context(), body);
            assert_eq!(outcome.failure().code, ErrorCode::UpstreamRateLimited);
            assert!(outcome.body.is_empty());
        }
    }
}

#[test]
fn v20_a_connection_that_breaks_is_an_error_event() {
    let outcome = to_messages(&[text_chunk("Hel")]);
    assert_eq!(outcome.failure().code, ErrorCode::StreamBroke);
    assert!(outcome.had_content);
    assert_eq!(outcome.named("message_stop").len(), 0);
    assert_eq!(outcome.named("error").len(), 1);
}

#[test]
fn v22_every_frame_is_named_after_its_type() {
    let outcome = to_messages(&[text_chunk("x"), finish_chunk("stop"), Value::Null]);
    let names: Vec<&str> = outcome.events.iter().map(|event| &*event.name).collect();
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
}

#[test]
fn v23_interleaved_calls_become_two_whole_blocks() {
    let outcome = to_messages(&[
        tool_chunk(0, "call_a", "A", ""),
        tool_chunk(1, "call_b", "B", ""),
        tool_chunk(0, "", "", r#"{"x":"#),
        tool_chunk(1, "", "", r#"{"y":"#),
        tool_chunk(0, "", "", "1}"),
        tool_chunk(1, "", "", "2}"),
        finish_chunk("tool_calls"),
        Value::Null,
    ]);
    let expected = [("tool_use", r#"{"x":1}"#, "A"), ("tool_use", r#"{"y":2}"#, "B")];
    assert_eq!(
        outcome.blocks(),
        expected.map(|(kind, input, name)| (kind.into(), input.into(), name.into()))
    );
    assert_eq!(stop_reason(&outcome), "tool_use");
    assert_eq!(outcome.completion().delivered.tool_calls, 2);
}

#[test]
fn v25_text_inside_a_call_does_not_cut_the_call() {
    let outcome = to_messages(&[
        tool_chunk(0, "call_a", "A", r#"{"x":"#),
        text_chunk("\n"),
        tool_chunk(0, "", "", "1}"),
        finish_chunk("tool_calls"),
        Value::Null,
    ]);
    let expected = [("tool_use", r#"{"x":1}"#, "A"), ("text", "\n", "")];
    assert_eq!(outcome.blocks(), expected.map(|(kind, text, name)| (kind.into(), text.into(), name.into())));
}

#[test]
fn v26_two_calls_then_text_have_indices_of_their_own() {
    let outcome = to_messages(&[
        tool_chunk(0, "call_a", "A", "{}"),
        tool_chunk(1, "call_b", "B", "{}"),
        text_chunk("done"),
        finish_chunk("stop"),
        Value::Null,
    ]);
    let kinds: Vec<String> = outcome.blocks().into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["tool_use", "tool_use", "text"]);
}

#[test]
fn v28_a_name_that_comes_late_still_starts_its_block() {
    let outcome = to_messages(&[
        tool_chunk(0, "call_a", "", ""),
        tool_chunk(0, "", "Read", r#"{"a":1}"#),
        finish_chunk("tool_calls"),
        Value::Null,
    ]);
    assert_eq!(outcome.blocks(), [("tool_use".into(), r#"{"a":1}"#.into(), "Read".into())]);
    assert_eq!(outcome.named("content_block_start")[0]["content_block"]["id"], "call_a");
}

#[test]
fn v29_a_call_without_a_name_is_an_error() {
    let outcome = to_messages(&[
        tool_chunk(0, "call_a", "", r#"{"file_path":"x"}"#),
        finish_chunk("tool_calls"),
        Value::Null,
    ]);
    let error = &outcome.named("error")[0]["error"];
    assert_eq!(error["type"], "api_error");
    assert!(error["message"].as_str().unwrap().contains("returned a tool call without a name"));
}

#[test]
fn v35_empty_arguments_are_an_empty_object() {
    let outcome = to_messages(&[tool_chunk(0, "call_a", "now", ""), finish_chunk("tool_calls"), Value::Null]);
    let [(_, input, _)] = &outcome.blocks()[..] else { panic!("one block") };
    assert!(input.is_empty() || input == "{}");
}

#[test]
fn v38_calls_without_ids_get_their_own() {
    let outcome = to_messages(&[
        tool_chunk(0, "", "A", "{}"),
        tool_chunk(1, "", "B", "{}"),
        finish_chunk("tool_calls"),
        Value::Null,
    ]);
    let starts = outcome.named("content_block_start");
    let ids: Vec<&str> = starts.iter().map(|start| start["content_block"]["id"].as_str().unwrap()).collect();
    assert!(!ids[0].is_empty() && ids[0] != ids[1], "{ids:?}");
}

#[test]
fn a_host_that_reuses_its_index_makes_two_calls() {
    let outcome = to_messages(&[
        tool_chunk(0, "call_a", "A", r#"{"x":1}"#),
        tool_chunk(0, "call_b", "B", r#"{"y":2}"#),
        finish_chunk("tool_calls"),
        Value::Null,
    ]);
    let names: Vec<String> = outcome.blocks().into_iter().map(|(_, _, name)| name).collect();
    assert_eq!(names, ["A", "B"]);
}

#[test]
fn v67_reasoning_and_text_in_one_delta_are_two_blocks_in_order() {
    let both = chunk(json!({ "reasoning_content": "x", "content": "x" }), Value::Null);
    let outcome = to_messages(&[both, finish_chunk("stop"), Value::Null]);
    let expected = [("thinking", "x"), ("text", "x")];
    assert_eq!(outcome.blocks(), expected.map(|(kind, text)| (kind.into(), text.into(), String::new())));
}

#[test]
fn reasoning_is_signed_before_its_block_ends() {
    let thought = chunk(json!({ "reasoning_content": "hm" }), Value::Null);
    let outcome = to_messages(&[thought, text_chunk("yes"), finish_chunk("stop"), Value::Null]);
    let deltas = outcome.named("content_block_delta");
    let signature = deltas.iter().find_map(|delta| delta["delta"]["signature"].as_str()).unwrap();
    assert!(signature.starts_with("gw1."));
}

#[test]
fn unasked_thinking_is_passed_on_but_is_not_content() {
    let mut context = context();
    context.thinking_requested = false;
    let thought = chunk(json!({ "reasoning_content": "hm" }), Value::Null);
    let outcome = run(CHAT, MESSAGES, context, &chat_stream(&[thought, finish_chunk("stop"), Value::Null]));
    assert!(!outcome.had_content);
    assert!(!outcome.completion().landed);
    assert_eq!(outcome.blocks()[0].0, "thinking");
}

#[test]
fn finish_reasons_are_mapped() {
    for (finish, expected, stop) in [
        ("stop", "end_turn", StopReason::EndTurn),
        ("length", "max_tokens", StopReason::MaxTokens),
        ("content_filter", "refusal", StopReason::Refusal),
        ("tool_calls", "end_turn", StopReason::EndTurn),
    ] {
        let outcome = to_messages(&[text_chunk("x"), finish_chunk(finish), Value::Null]);
        assert_eq!(stop_reason(&outcome), expected);
        assert_eq!(outcome.completion().stop, stop);
        assert_eq!(outcome.completion().native_stop, finish);
    }
}

#[test]
fn an_answer_without_content_does_not_land() {
    let outcome = to_messages(&[
        chunk(json!({ "role": "assistant", "content": "" }), Value::Null),
        finish_chunk("stop"),
        Value::Null,
    ]);
    assert!(!outcome.completion().landed && !outcome.had_content);
}

#[test]
fn usage_on_the_finish_chunk_counts_and_ends_only_with_the_stream() {
    let mut finish = finish_chunk("stop");
    finish["usage"] = json!({ "prompt_tokens": 10, "completion_tokens": 2, "prompt_cache_hit_tokens": 4 });
    let outcome = to_messages(&[text_chunk("x"), finish]);
    let usage = outcome.completion().usage.unwrap();
    assert_eq!((usage.input_tokens, usage.cache_read_tokens, usage.output_tokens), (6, 4, 2));
}
