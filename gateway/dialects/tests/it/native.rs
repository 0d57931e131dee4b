//! The same dialect on both sides: bytes are kept.

use bytes::Bytes;
use bytespike_dialects::request::{for_upstream, read, warning_header};
use bytespike_dialects::response;
use serde_json::{Value, json};

use crate::support::*;

fn forwarded(dialect: bytespike_dialects::Dialect, body: &str, provider: &str, model: &str) -> String {
    let request = read(dialect, &Bytes::from(body.to_owned())).unwrap();
    let upstream = for_upstream(&request, &target(dialect, provider, model)).unwrap();
    String::from_utf8(upstream.body.to_vec()).unwrap()
}

/// Odd key order, escapes, number spellings, unknown fields and blocks.
const ODD: &str = r#"{ "zeta":1e3,"messages" : [{"content":[{"type":"text","text":"caf\u00e9 \ud83c\udf0d"},{"type":"from_tomorrow","x":{"b":1,"a":2}}],"role":"user"},
  {"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"abc"},{"input":{"z":1.0,"y":1e3,"x":0.10},"type":"tool_use","id":"toolu_1","name":"f"}]},
  {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1"}]}],
  "model" :"claude-opus-4-6"  , "max_tokens":10}"#;

#[test]
fn v62_only_the_model_changes() {
    let sent = forwarded(MESSAGES, ODD, "anthropic", "claude-other");
    assert_eq!(sent, ODD.replace("\"claude-opus-4-6\"", "\"claude-other\""));
    assert_eq!(forwarded(MESSAGES, ODD, "anthropic", "claude-opus-4-6"), ODD);
}

#[test]
fn v61_an_omitted_thought_with_its_signature_goes_back_unchanged() {
    assert!(
        forwarded(MESSAGES, ODD, "anthropic", "m")
            .contains(r#"{"type":"thinking","thinking":"","signature":"abc"}"#)
    );
}

#[test]
fn a_missing_output_limit_is_added_and_a_given_one_kept() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
    let request = read(CHAT, &Bytes::from(body)).unwrap();
    let mut target = target(CHAT, "openai", "gpt-5.4");
    target.max_output_tokens = Some(99);
    let sent: Value = serde_json::from_slice(&for_upstream(&request, &target).unwrap().body).unwrap();
    assert_eq!(sent["max_completion_tokens"], 99);
    let body = r#"{"max_tokens":5,"model":"gpt-5.4","messages":[{"role":"user","content":"x"}]}"#;
    let request = read(CHAT, &Bytes::from(body)).unwrap();
    assert_eq!(for_upstream(&request, &target).unwrap().body, body);
}

#[test]
fn v04_usage_is_always_asked_for_where_the_provider_takes_it() {
    let plain = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}"#;
    let refusing = r#"{"stream_options":{"include_usage":false},"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}"#;
    for body in [plain, refusing] {
        let sent: Value = serde_json::from_str(&forwarded(CHAT, body, "openai", "m")).unwrap();
        assert_eq!(sent["stream_options"]["include_usage"], true);
        let sent: Value = serde_json::from_str(&forwarded(CHAT, body, "zhipu", "m")).unwrap();
        assert!(sent.get("stream_options").is_none());
    }
    let whole = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
    assert_eq!(forwarded(CHAT, whole, "openai", "m"), whole);
    let messages = json!({ "model": "m", "max_tokens": 5, "stream": true, "messages": [{ "role": "user", "content": "x" }] });
    assert_eq!(
        sent(MESSAGES, &messages, &target(CHAT, "openai", "m"))["stream_options"]["include_usage"],
        true
    );
}

#[test]
fn fields_a_provider_refuses_are_stripped_with_a_warning_or_refused() {
    let body =
        json!({ "model": "kimi", "temperature": 0.3, "messages": [{ "role": "user", "content": "x" }] });
    let mut kimi = target(CHAT, "moonshot", "kimi");
    let (sent, upstream) = send(CHAT, &body, &kimi).unwrap();
    assert!(sent.get("temperature").is_none());
    assert_eq!(warning_header(&upstream.warnings).as_deref(), Some("dropped=temperature"));
    kimi.strict = true;
    let error = refused(CHAT, &body, &kimi);
    assert_eq!(error.param.as_deref(), Some("temperature"));
}

#[test]
fn v72_system_messages_in_mid_conversation() {
    let body = json!({ "model": "m", "max_tokens": 5, "messages": [
        { "role": "user", "content": "hi" }, { "role": "system", "content": "be \"brief\"" },
    ]});
    let genuine = sent(MESSAGES, &body, &target(MESSAGES, "anthropic", "m"));
    assert_eq!(genuine, body);
    let other = sent(MESSAGES, &body, &target(MESSAGES, "deepseek", "m"));
    assert_eq!(
        other["messages"][1],
        json!({ "role": "user", "content": "<system-reminder>\nbe \"brief\"\n</system-reminder>" })
    );
    let chat = sent(MESSAGES, &body, &target(CHAT, "openai", "gpt-5.4"));
    assert_eq!(chat["messages"][1], json!({ "role": "developer", "content": "be \"brief\"" }));
    let gemini = sent(MESSAGES, &body, &target(CHAT, "google", "gemini"));
    assert_eq!(gemini["messages"][1]["role"], "user");
}

#[test]
fn our_own_signatures_do_not_reach_anthropic() {
    let body = json!({ "model": "m", "max_tokens": 5, "messages": [
        { "role": "user", "content": "hi" },
        { "role": "assistant", "content": [
            { "type": "thinking", "thinking": "t", "signature": "gw1.AAAA" }, { "type": "text", "text": "yes" },
        ]},
        { "role": "user", "content": "more" },
    ]});
    let sent = sent(MESSAGES, &body, &target(MESSAGES, "anthropic", "m"));
    assert_eq!(sent["messages"][1]["content"], json!([{ "type": "text", "text": "yes" }]));
}

#[test]
fn a_messages_stream_keeps_its_bytes_up_to_the_end() {
    let mut events = vec![message_start()];
    events.extend(text_block(0, "hi"));
    let upstream =
        messages_stream(&events) + "event: from_tomorrow\ndata: {\"type\": \"from_tomorrow\" }\n\n";
    let ended = upstream.clone() + &messages_stream(&message_end("end_turn"));
    let outcome = run(MESSAGES, MESSAGES, context(), &ended);
    let body = String::from_utf8(outcome.body.clone()).unwrap();
    assert_eq!(body, upstream.replace("upstream-model", "the-model"));
    let usage = &outcome.named("message_delta")[0]["usage"];
    assert_eq!(usage, &json!({ "cost_credits": "1.250", "receipt_id": "rcp_1", "output_tokens": 9 }));
}

#[test]
fn a_messages_stream_without_event_names_gets_them() {
    let mut events = vec![message_start()];
    events.extend(text_block(0, "hi"));
    events.extend(message_end("end_turn"));
    let upstream: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    let outcome = run(MESSAGES, MESSAGES, context(), &upstream);
    crate::grammar::assert_legal_native(&outcome);
    assert!(outcome.events.iter().all(|event| event.data["type"] == *event.name));
}

#[test]
fn a_chat_stream_keeps_its_bytes_up_to_the_finish() {
    let chunks =
        [text_chunk("a"), json!({ "choices": [{ "index": 0, "delta": { "content": "b", "new": 1e3 } }] })];
    let upstream = chat_stream(&chunks);
    let ended = upstream.clone() + &chat_stream(&[finish_chunk("stop"), Value::Null]);
    let outcome = run(CHAT, CHAT, context(), &ended);
    assert_eq!(
        String::from_utf8(outcome.body.clone()).unwrap(),
        upstream.replace("upstream-model", "the-model")
    );
    assert_eq!(outcome.finish_reasons(), ["stop"]);
    assert!(outcome.is_done);
    assert_eq!(outcome.usage_chunks()[0]["prompt_tokens"], 11, "counted by the gateway");
}

#[test]
fn v97_a_usage_chunk_without_choices_gets_them() {
    let usage = json!({ "id": "x", "usage": { "prompt_tokens": 3, "completion_tokens": 1 } });
    let outcome = run(
        CHAT,
        CHAT,
        context(),
        &chat_stream(&[text_chunk("a"), finish_chunk("stop"), usage, Value::Null]),
    );
    let last = &outcome.events.last().unwrap().data;
    assert_eq!(last["choices"], json!([]));
    assert_eq!((&last["usage"]["prompt_tokens"], &last["usage"]["receipt_id"]), (&json!(3), &json!("rcp_1")));
}

#[test]
fn usage_on_the_finish_chunk_is_shown_once_or_not_at_all() {
    let mut finish = finish_chunk("stop");
    finish["usage"] = json!({ "prompt_tokens": 3, "completion_tokens": 1 });
    for (wants_usage, expected) in [(true, 1), (false, 0)] {
        let mut context = context();
        context.wants_usage = wants_usage;
        let outcome = run(CHAT, CHAT, context, &chat_stream(&[text_chunk("a"), finish.clone(), Value::Null]));
        assert_eq!(outcome.usage_chunks().len(), expected);
        assert_eq!(outcome.completion().usage.unwrap().input_tokens, 3);
    }
}

#[test]
fn several_answers_in_one_stream_all_reach_the_client() {
    let choice = |index: u32, text: &str, finish: Value| json!({ "id": "x", "choices": [{ "index": index, "delta": { "content": text }, "finish_reason": finish }] });
    let chunks = [
        choice(0, "a", Value::Null),
        choice(1, "b", Value::Null),
        choice(0, "", "stop".into()),
        choice(1, "c", Value::Null),
        choice(1, "", "stop".into()),
        Value::Null,
    ];
    let outcome = run(CHAT, CHAT, context(), &chat_stream(&chunks));
    assert_eq!(outcome.content(), "abc");
    assert_eq!(outcome.finish_reasons().len(), 2);
    assert_eq!(outcome.completion().delivered.text.total_bytes(), 3);
}

#[test]
fn a_whole_answer_changes_only_its_model_and_its_cost() {
    let body = r#"{"id":"msg_1","type":"message","role":"assistant","model":"up","content":[{"type":"text","text":"caf\u00e9"}],"stop_reason":"end_turn","usage":{"input_tokens":1e0,"output_tokens":2},"new":[1.0]}"#;
    let body = body.replace("1e0", "1");
    let answer = response::translate(MESSAGES, MESSAGES, body.as_bytes(), &context()).unwrap();
    let renamed = body.replace("\"up\"", "\"the-model\"");
    assert_eq!(answer.body, renamed);
    let costed = renamed.replace(r#""usage":{"#, r#""usage":{"cost_credits":"1.250","receipt_id":"rcp_1","#);
    assert_eq!(answer.with_cost(Some(&cost()), &counted()), costed);
    assert_eq!(answer.with_cost(None, &counted()), renamed);
}
