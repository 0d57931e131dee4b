//! What the gateway learns from a request, and how a bad one is refused.

use bytes::Bytes;
use bytespike_dialects::request::{self, CacheMarkers, Media, MediaKind, ServerTool, for_counting};
use bytespike_dialects::{Dialect, ErrorCode, ErrorInfo};
use serde_json::{Value, json};

use crate::support::*;

fn error(dialect: Dialect, body: &str) -> ErrorInfo {
    *request::read(dialect, &Bytes::from(body.to_owned())).expect_err("the request is refused").0
}

fn messages(messages: Value) -> Value {
    json!({ "model": "m", "max_tokens": 5, "messages": messages })
}

#[test]
fn a_messages_request_is_described() {
    let body = json!({ "model": "claude-opus-4-6", "max_tokens": 100, "stream": true,
        "thinking": { "type": "enabled", "budget_tokens": 2000 },
        "metadata": { "user_id": "u1" }, "service_tier": "auto",
        "system": [{ "type": "text", "text": "Sys", "cache_control": { "type": "ephemeral", "ttl": "1h" } }],
        "tools": [{ "name": "f", "input_schema": { "type": "object" } }, { "type": "web_search_20250305", "name": "web_search", "max_uses": 3 }],
        "messages": [{ "role": "user", "content": [{ "type": "text", "text": "你好" },
            { "type": "image", "source": { "type": "base64", "media_type": "image/gif", "data": "R0lGODlhEAAgAA==" } }] }] });
    let request = read(MESSAGES, &body).unwrap();
    assert_eq!(
        (&*request.model, request.stream, request.max_output_tokens),
        ("claude-opus-4-6", true, Some(100))
    );
    assert!(request.thinking_requested && request.wants_usage);
    assert_eq!(request.cache, CacheMarkers::OneHour);
    assert_eq!(request.tools, 2);
    assert_eq!(request.server_tools, [ServerTool { name: "web_search".into(), max_uses: Some(3) }]);
    assert_eq!(request.media, [Media { kind: MediaKind::Image, bytes: Some(10), pixels: Some((16, 32)) }]);
    assert_eq!(request.profile.han_bytes, 6);
    assert_eq!(request.session.user_id.as_deref(), Some("u1"));
    assert_eq!(request.billing_fields, [("service_tier", "auto".to_owned())]);
}

#[test]
fn a_chat_request_is_described() {
    let body = json!({ "model": "gpt", "max_tokens": 7, "n": 2, "stream": true, "stream_options": { "include_usage": true },
        "reasoning_effort": "low", "prompt_cache_key": "k", "user": "u", "service_tier": "priority", "web_search_options": {},
        "messages": [{ "role": "system", "content": "Sys" }, { "role": "user", "content": [{ "type": "text", "text": "hi" },
            { "type": "image_url", "image_url": { "url": "https://a.example/x.png" } }] }] });
    let request = read(CHAT, &body).unwrap();
    assert_eq!((request.max_output_tokens, request.choices, request.wants_usage), (Some(7), 2, true));
    assert!(request.thinking_requested);
    assert_eq!(request.session.prompt_cache_key.as_deref(), Some("k"));
    assert_eq!(request.media, [Media { kind: MediaKind::Image, bytes: None, pixels: None }]);
    assert_eq!(request.server_tools, [ServerTool { name: "web_search".into(), max_uses: None }]);
    assert!(request.billing_fields.contains(&("service_tier", "priority".to_owned())));
    assert_eq!(request.cache, CacheMarkers::None);
    assert!(
        !read(
            CHAT,
            &json!({ "model": "m", "stream": true, "messages": [{ "role": "user", "content": "x" }] })
        )
        .unwrap()
        .wants_usage
    );
}

#[test]
fn the_opening_of_a_conversation_stays_the_same_as_it_grows() {
    let short = messages(json!([{ "role": "user", "content": "first" }]));
    let long = messages(
        json!([{ "role": "user", "content": "first" }, { "role": "assistant", "content": "a" }, { "role": "user", "content": "b" }]),
    );
    let other = messages(json!([{ "role": "user", "content": "other" }]));
    let opening = |body: &Value| read(MESSAGES, body).unwrap().session.opening_sha256;
    assert_eq!(opening(&short), opening(&long));
    assert_ne!(opening(&short), opening(&other));
}

#[test]
fn a_marker_in_the_text_is_no_cache_marker() {
    let body = messages(json!([{ "role": "user", "content": r#"{"cache_control": {"type":"ephemeral"}}"# }]));
    assert_eq!(read(MESSAGES, &body).unwrap().cache, CacheMarkers::None);
    let marked = messages(
        json!([{ "role": "user", "content": [{ "type": "from_tomorrow", "cache_control": { "type": "ephemeral" } }] }]),
    );
    assert_eq!(read(MESSAGES, &marked).unwrap().cache, CacheMarkers::FiveMinutes);
}

#[test]
fn counting_needs_no_output_limit_and_sees_everything() {
    let body = json!({ "model": "m", "system": "Sys", "tools": [{ "name": "f", "input_schema": { "type": "object" } }],
        "messages": [{ "role": "user", "content": "hi" }] });
    let request = request::read_count(&Bytes::from(body.to_string())).unwrap();
    assert_eq!(for_counting(&request), ["Sys", "f", r#"{"type":"object"}"#, "hi"]);
    assert_eq!(error(MESSAGES, &body.to_string()).param.as_deref(), Some("max_tokens"));
}

#[test]
fn bad_bodies_are_refused_with_the_path_and_the_remedy() {
    let user = json!([{ "role": "user", "content": "x" }]);
    for (body, param) in [
        (json!({ "max_tokens": 5, "messages": user }), "model"),
        (json!({ "model": 7, "max_tokens": 5, "messages": user }), "model"),
        (json!({ "model": "m", "max_tokens": -1, "messages": user }), "max_tokens"),
        (json!({ "model": "m", "max_tokens": 5 }), "messages"),
        (messages(json!([])), "messages"),
        (messages(json!(["x"])), "messages.0"),
        (messages(json!([{ "role": "tool", "content": "x" }])), "messages.0.role"),
        (messages(json!([{ "role": "user" }])), "messages.0.content"),
        (messages(json!([{ "role": "user", "content": 5 }])), "messages.0.content"),
        (messages(json!([{ "role": "user", "content": [{ "type": "text" }] }])), "messages.0.content.0.text"),
        (
            messages(
                json!([{ "role": "user", "content": [{ "type": "image", "source": { "type": "x" } }] }]),
            ),
            "messages.0.content.0.source.type",
        ),
    ] {
        let error = error(MESSAGES, &body.to_string());
        assert_eq!(
            (error.code, error.param.as_deref()),
            (ErrorCode::InvalidRequest, Some(param)),
            "{}",
            error.message
        );
        assert!(error.message.starts_with(param));
    }
}

#[test]
fn text_that_is_no_json_object_is_refused() {
    for body in ["", "nonsense", "[]", "\"x\"", "{\"model\":", "{\"model\":\"m\"} trailing"] {
        for dialect in [CHAT, MESSAGES] {
            assert_eq!(error(dialect, body).code, ErrorCode::InvalidRequest, "{body}");
        }
    }
}

#[test]
fn a_name_given_twice_is_refused() {
    let body =
        r#"{"model":"cheap","max_tokens":5,"messages":[{"role":"user","content":"x"}],"model":"dear"}"#;
    assert_eq!(error(MESSAGES, body).param.as_deref(), Some("model"));
}

#[test]
fn nesting_ends_at_128() {
    let nested = |levels: usize| {
        let deep = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"model":"m","max_tokens":5,"messages":[{{"role":"user","content":"x"}}],"x":{deep}}}"#)
    };
    assert!(request::read(MESSAGES, &Bytes::from(nested(127))).is_ok());
    assert!(error(MESSAGES, &nested(128)).message.contains("128 levels"));
    assert!(error(CHAT, &nested(1_000_000)).message.contains("128 levels"));
}

#[test]
fn broken_tool_pairing_names_the_id_at_fault() {
    let call = |id: &str| json!({ "role": "assistant", "content": [{ "type": "tool_use", "id": id, "name": "f", "input": {} }] });
    let result =
        |id: &str| json!({ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": id }] });
    let user = json!({ "role": "user", "content": "x" });
    for broken in [
        json!([user, call("t1")]),
        json!([user, call("t1"), user]),
        json!([user, result("t1")]),
        json!([user, call("t2"), result("t2"), result("t1")]),
    ] {
        let error = error(MESSAGES, &messages(broken).to_string());
        assert!(error.message.contains("'t1'"), "{}", error.message);
    }
    assert!(
        read(MESSAGES, &messages(json!([user, call("t1"), result("t1"), call("t2"), result("t2")]))).is_ok()
    );
}

#[test]
fn broken_chat_tool_pairing_names_the_id_at_fault() {
    let call = |id: &str| json!({ "role": "assistant", "tool_calls": [{ "id": id, "type": "function", "function": { "name": "f", "arguments": "{}" } }] });
    let result = |id: &str| json!({ "role": "tool", "tool_call_id": id, "content": "ok" });
    let user = json!({ "role": "user", "content": "x" });
    for broken in [
        json!([user, call("t1")]),
        json!([user, call("t1"), user]),
        json!([user, result("t1")]),
        json!([user, call("t2"), result("t2"), result("t1")]),
    ] {
        let body = json!({ "model": "m", "messages": broken }).to_string();
        let error = error(CHAT, &body);
        assert!(error.message.contains("'t1'"), "{}", error.message);
        assert_eq!(error.render(CHAT).0, 400);
    }
}
