//! Messages requests for a provider that speaks chat.

use bytespike_dialects::request::{Target, warning_header};
use bytespike_dialects::{ErrorCode, response};
use serde_json::{Value, json};

use crate::support::*;

fn gpt() -> Target {
    target(CHAT, "openai", "gpt-5.4")
}

fn deepseek() -> Target {
    target(CHAT, "deepseek", "deepseek-v4-pro")
}

fn request(messages: Value) -> Value {
    json!({ "model": "m", "max_tokens": 2000, "messages": messages })
}

fn with(field: &str, value: Value) -> Value {
    let mut body = request(json!([{ "role": "user", "content": "hi" }]));
    body[field] = value;
    body
}

fn tool(name: &str) -> Value {
    json!({ "name": name, "description": "d", "input_schema": { "type": "object" } })
}

#[test]
fn a_conversation_with_parallel_tools_images_and_a_system_prompt() {
    let body = json!({ "model": "m", "max_tokens": 9, "stream": true,
    "system": [{ "type": "text", "text": "x-anthropic-billing-header: cch=1;" }, { "type": "text", "text": "Be brief.", "cache_control": { "type": "ephemeral" } }],
    "tools": [tool("Read")],
    "messages": [
        { "role": "user", "content": [{ "type": "text", "text": "What is this?" },
            { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "AAAA" } }] },
        { "role": "assistant", "content": [{ "type": "text", "text": "Let me see." },
            { "type": "tool_use", "id": "toolu_1", "name": "Read", "input": { "b": 1, "a": 2 } },
            { "type": "tool_use", "id": "toolu_2", "name": "Read", "input": {} }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "toolu_1", "content": "one" },
            { "type": "tool_result", "tool_use_id": "toolu_2", "is_error": true, "content": [{ "type": "text", "text": "no" }] },
            { "type": "text", "text": "Go on." }] },
    ]});
    let expected = json!({ "model": "gpt-5.4", "max_completion_tokens": 9, "stream": true, "stream_options": { "include_usage": true },
    "tools": [{ "type": "function", "function": { "name": "Read", "description": "d", "parameters": { "type": "object", "properties": {} } } }],
    "messages": [
        { "role": "developer", "content": "Be brief." },
        { "role": "user", "content": [{ "type": "text", "text": "What is this?" },
            { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } }] },
        { "role": "assistant", "content": "Let me see.", "tool_calls": [
            { "id": "toolu_1", "type": "function", "function": { "name": "Read", "arguments": "{\"b\":1,\"a\":2}" } },
            { "id": "toolu_2", "type": "function", "function": { "name": "Read", "arguments": "{}" } }] },
        { "role": "tool", "tool_call_id": "toolu_1", "content": "one" },
        { "role": "tool", "tool_call_id": "toolu_2", "content": "Error: no" },
        { "role": "user", "content": "Go on." },
    ]});
    assert_eq!(sent(MESSAGES, &body, &gpt()), expected);
}

#[test]
fn v88_a_line_that_changes_with_every_call_does_not_reach_others() {
    let system = |hash: &str| json!([{ "type": "text", "text": format!("x-anthropic-billing-header: cch={hash};") }, { "type": "text", "text": "s" }]);
    let [first, second] = ["1", "2"].map(|hash| sent(MESSAGES, &with("system", system(hash)), &deepseek()));
    assert_eq!(first, second);
    let opening = |hash: &str| read(MESSAGES, &with("system", system(hash))).unwrap().session;
    assert_eq!(opening("1"), opening("2"), "nor does it split a conversation");
}

#[test]
fn v43_media_in_a_result_follows_in_a_user_message() {
    let image =
        json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "AAAA" } });
    let body = request(json!([
        { "role": "user", "content": "x" },
        { "role": "assistant", "content": [{ "type": "tool_use", "id": "t1", "name": "f", "input": {} }, { "type": "tool_use", "id": "t2", "name": "f", "input": {} }] },
        { "role": "user", "content": [
            { "type": "tool_result", "tool_use_id": "t1", "content": [{ "type": "text", "text": "see" }, image] },
            { "type": "tool_result", "tool_use_id": "t2" }] },
    ]));
    let (sent, upstream) = send(MESSAGES, &body, &gpt()).unwrap();
    let messages = sent["messages"].as_array().unwrap();
    assert_eq!(messages[2]["content"], "see\n[attachment 1 follows below]");
    assert_eq!(messages[3]["content"], "(no output)");
    assert_eq!(messages[4]["role"], "user");
    assert_eq!(messages[4]["content"][0]["image_url"]["url"], "data:image/png;base64,AAAA");
    assert_eq!(warning_header(&upstream.warnings).as_deref(), Some("moved=tool_result_media"));
}

#[test]
fn v44_an_image_for_a_model_without_eyes_is_refused() {
    let image = json!([{ "role": "user", "content": [{ "type": "image", "source": { "type": "url", "url": "https://a.example/i.png" } }] }]);
    let error = refused(MESSAGES, &request(image.clone()), &deepseek());
    assert!(error.message.contains("does not read images"), "{}", error.message);
    assert_eq!(error.render(MESSAGES).0, 400);
    assert_eq!(
        sent(MESSAGES, &request(image), &gpt())["messages"][0]["content"][0]["image_url"]["url"],
        "https://a.example/i.png"
    );
}

#[test]
fn v47_one_call_at_a_time() {
    let mut body = with("tool_choice", json!({ "type": "auto", "disable_parallel_tool_use": true }));
    body["tools"] = json!([tool("f")]);
    let sent_body = sent(MESSAGES, &body, &gpt());
    assert_eq!(
        (&sent_body["parallel_tool_calls"], &sent_body["tool_choice"]),
        (&json!(false), &json!("auto"))
    );
    body["tools"] = json!([]);
    let sent_body = sent(MESSAGES, &body, &gpt());
    assert!(sent_body.get("parallel_tool_calls").is_none() && sent_body.get("tool_choice").is_none());
}

#[test]
fn v50_object_schemas_get_properties() {
    assert_eq!(
        sent(MESSAGES, &with("tools", json!([tool("f")])), &gpt())["tools"][0]["function"]["parameters"],
        json!({ "type": "object", "properties": {} })
    );
    let bare = json!([{ "name": "f", "input_schema": {} }]);
    assert_eq!(
        sent(MESSAGES, &with("tools", bare), &gpt())["tools"][0]["function"]["parameters"],
        json!({ "type": "object", "properties": {} })
    );
}

#[test]
fn v53_a_server_tool_is_never_turned_into_a_function() {
    let search = json!([{ "type": "web_search_20250305", "name": "web_search", "max_uses": 8 }]);
    let mut body = with("tools", search);
    body["tool_choice"] = json!({ "type": "tool", "name": "web_search" });
    let error = refused(MESSAGES, &body, &deepseek());
    assert_eq!(error.code, ErrorCode::UnsupportedParameter);
    assert!(error.message.contains("'web_search' is not available on this model"), "{}", error.message);
    body.as_object_mut().unwrap().remove("tool_choice");
    let (sent, upstream) = send(MESSAGES, &body, &deepseek()).unwrap();
    assert!(sent.get("tools").is_none());
    assert_eq!(warning_header(&upstream.warnings).as_deref(), Some("dropped=server_tool:web_search"));
}

#[test]
fn client_tools_of_anthropics_own_become_functions() {
    let sent_body =
        sent(MESSAGES, &with("tools", json!([{ "type": "bash_20250124", "name": "bash" }])), &gpt());
    assert_eq!(sent_body["tools"][0]["function"]["name"], "bash");
    assert!(sent_body["tools"][0]["function"]["parameters"]["properties"]["command"].is_object());
    let computer = with("tools", json!([{ "type": "computer_20250124", "name": "computer" }]));
    assert_eq!(refused(MESSAGES, &computer, &gpt()).code, ErrorCode::UnsupportedParameter);
}

/// The thinking block a client got from `family` for `text`.
fn thinking_from(family: &str, text: &str) -> Value {
    let mut context = context();
    context.family = family.to_owned();
    let body = json!({ "choices": [{ "index": 0, "message": { "content": "x", "reasoning_content": text }, "finish_reason": "stop" }] });
    let answer = response::translate(CHAT, MESSAGES, body.to_string().as_bytes(), &context).unwrap();
    let message: Value = serde_json::from_slice(&answer.body).unwrap();
    message["content"][0].clone()
}

fn with_thought_call(thinking: Value) -> Value {
    request(json!([
        { "role": "user", "content": "x" },
        { "role": "assistant", "content": [thinking, { "type": "tool_use", "id": "t1", "name": "f", "input": {} }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t1", "content": "ok" }] },
    ]))
}

#[test]
fn v55_reasoning_goes_back_word_for_word_to_who_reasoned() {
    let text = "first, \u{4f60}\u{597d}\n second";
    let sent = sent(MESSAGES, &with_thought_call(thinking_from("deepseek", text)), &deepseek());
    assert_eq!(sent["messages"][1]["reasoning_content"], text);
    assert!(sent.get("thinking").is_none());
}

#[test]
fn v56_without_its_reasoning_a_tool_turn_goes_on_without_thinking() {
    let foreign = json!({ "type": "thinking", "thinking": "t", "signature": "EuYB" });
    for thinking in [thinking_from("moonshot", "t"), foreign] {
        let mut body = with_thought_call(thinking);
        body["thinking"] = json!({ "type": "enabled", "budget_tokens": 1500 });
        let (sent, upstream) = send(MESSAGES, &body, &deepseek()).unwrap();
        assert!(sent["messages"][1].get("reasoning_content").is_none());
        assert_eq!(sent["thinking"], json!({ "type": "disabled" }));
        assert_eq!(warning_header(&upstream.warnings).as_deref(), Some("dropped=thinking"));
    }
}

#[test]
fn a_withheld_thought_still_goes_back_word_for_word() {
    let mut context = context();
    context.thinking_hidden = true;
    let thought = chunk(json!({ "reasoning_content": "a plan" }), Value::Null);
    let call = tool_chunk(0, "t1", "f", "{}");
    let upstream = chat_stream(&[thought, call, finish_chunk("tool_calls"), Value::Null]);
    let outcome = run(CHAT, MESSAGES, context, &upstream);
    assert_eq!(outcome.blocks()[0], ("thinking".into(), String::new(), String::new()));
    let signature = outcome.named("content_block_delta")[0]["delta"]["signature"].clone();
    let thinking = json!({ "type": "thinking", "thinking": "", "signature": signature });
    let sent = sent(MESSAGES, &with_thought_call(thinking), &deepseek());
    assert_eq!(sent["messages"][1]["reasoning_content"], "a plan");
}

#[test]
fn v76_stop_is_always_a_list() {
    assert_eq!(sent(MESSAGES, &with("stop_sequences", json!(["END"])), &gpt())["stop"], json!(["END"]));
    let many = with("stop_sequences", json!(["1", "2", "3", "4", "5"]));
    assert_eq!(refused(MESSAGES, &many, &gpt()).param.as_deref(), Some("stop_sequences"));
}

#[test]
fn v77_reasoning_models_get_their_own_limit_field_and_no_temperature() {
    let (sent, upstream) = send(MESSAGES, &with("temperature", json!(0.2)), &gpt()).unwrap();
    assert_eq!(sent["max_completion_tokens"], 2000);
    assert!(sent.get("temperature").is_none() && sent.get("max_tokens").is_none());
    assert_eq!(warning_header(&upstream.warnings).as_deref(), Some("dropped=temperature"));
}

#[test]
fn thinking_is_said_the_way_each_provider_understands() {
    let body = with("thinking", json!({ "type": "enabled", "budget_tokens": 1999 }));
    assert_eq!(sent(MESSAGES, &body, &gpt())["reasoning_effort"], "low");
    let to_deepseek = sent(MESSAGES, &body, &deepseek());
    assert_eq!(to_deepseek["thinking"], json!({ "type": "enabled" }));
    let qwen = sent(MESSAGES, &body, &target(CHAT, "alibaba", "qwen"));
    assert_eq!((&qwen["enable_thinking"], &qwen["thinking_budget"]), (&json!(true), &json!(1999)));
    let off = with("thinking", json!({ "type": "disabled" }));
    assert_eq!(sent(MESSAGES, &off, &deepseek())["thinking"], json!({ "type": "disabled" }));
    assert_eq!(sent(MESSAGES, &off, &gpt())["reasoning_effort"], "none");
}

#[test]
fn v39_a_long_tool_name_is_short_upstream_and_long_for_the_client() {
    let name = "n".repeat(70);
    let mut body = with("tools", json!([tool(&name)]));
    body["tool_choice"] = json!({ "type": "tool", "name": name });
    let (sent, upstream) = send(MESSAGES, &body, &gpt()).unwrap();
    let short = sent["tools"][0]["function"]["name"].as_str().unwrap();
    assert!(short.len() <= 64);
    assert_eq!(sent["tool_choice"]["function"]["name"], short);
    let mut context = context();
    context.tool_names = upstream.tool_names;
    let upstream =
        chat_stream(&[tool_chunk(0, "call_1", short, "{}"), finish_chunk("tool_calls"), Value::Null]);
    assert_eq!(run(CHAT, MESSAGES, context, &upstream).blocks()[0].2, name);
}

#[test]
fn v37_ids_come_back_as_they_were_minted() {
    let body = request(json!([
        { "role": "user", "content": "x" },
        { "role": "assistant", "content": [{ "type": "tool_use", "id": "gwt_functions_2eBash_3a0", "name": "Bash", "input": {} }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "gwt_functions_2eBash_3a0", "content": "ok" }] },
    ]));
    let sent = sent(MESSAGES, &body, &target(CHAT, "moonshot", "kimi-k2.6"));
    assert_eq!(sent["messages"][1]["tool_calls"][0]["id"], "functions.Bash:0");
    assert_eq!(sent["messages"][2]["tool_call_id"], "functions.Bash:0");
}

#[test]
fn what_changes_the_meaning_is_refused_by_name() {
    for (field, value) in [
        ("mcp_servers", json!([])),
        ("container", json!("c")),
        ("inference_geo", json!("eu")),
        ("fallbacks", json!([])),
        ("max_tokens", json!(0)),
        ("speed", json!("fast")),
    ] {
        let error = refused(MESSAGES, &with(field, value), &gpt());
        assert_eq!((error.code, error.param.as_deref()), (ErrorCode::UnsupportedParameter, Some(field)));
    }
    let unknown = request(json!([{ "role": "user", "content": [{ "type": "from_tomorrow" }] }]));
    assert_eq!(refused(MESSAGES, &unknown, &gpt()).param.as_deref(), Some("messages.0.content.0.type"));
    let prefill =
        request(json!([{ "role": "user", "content": "x" }, { "role": "assistant", "content": "{" }]));
    assert_eq!(refused(MESSAGES, &prefill, &gpt()).param.as_deref(), Some("messages"));
}

#[test]
fn what_only_tunes_is_dropped_with_a_warning_or_refused_to_strict_keys() {
    let mut body = with("top_k", json!(5));
    body["context_management"] = json!({ "edits": [] });
    body["cache_control"] = json!({ "type": "ephemeral" });
    body["metadata"] = json!({ "user_id": "u" });
    let mut target = deepseek();
    let (sent, upstream) = send(MESSAGES, &body, &target).unwrap();
    assert!(sent.get("top_k").is_none() && sent.get("metadata").is_none());
    assert_eq!(
        warning_header(&upstream.warnings).as_deref(),
        Some("dropped=top_k, dropped=context_management")
    );
    target.strict = true;
    assert_eq!(refused(MESSAGES, &body, &target).param.as_deref(), Some("top_k"));
}

#[test]
fn a_schema_is_enforced_where_it_can_be_and_asked_for_where_not() {
    let body =
        with("output_config", json!({ "format": { "type": "json_schema", "schema": { "type": "object" } } }));
    assert_eq!(sent(MESSAGES, &body, &gpt())["response_format"]["json_schema"]["strict"], true);
    let sent = sent(MESSAGES, &body, &deepseek());
    assert_eq!(sent["response_format"], json!({ "type": "json_object" }));
    assert!(sent["messages"][0]["content"].as_str().unwrap().contains("JSON Schema"));
}
