//! Chat requests for a provider that speaks Messages.

use bytespike_dialects::ErrorCode;
use bytespike_dialects::request::{Target, warning_header};
use serde_json::{Value, json};

use crate::support::*;

fn claude() -> Target {
    target(MESSAGES, "anthropic", "claude-opus-4-6")
}

fn to_claude(body: &Value) -> Value {
    sent(CHAT, body, &claude())
}

fn with(field: &str, value: Value) -> Value {
    let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] });
    body[field] = value;
    body
}

fn function(name: &str) -> Value {
    json!({ "type": "function", "function": { "name": name, "parameters": { "type": "object", "properties": {} } } })
}

fn call(id: &str, arguments: Value) -> Value {
    json!({ "id": id, "type": "function", "function": { "name": "f", "arguments": arguments } })
}

fn result(id: &str, content: Value) -> Value {
    json!({ "role": "tool", "tool_call_id": id, "content": content })
}

#[test]
fn instructions_text_and_limits() {
    let body = json!({ "model": "m", "max_completion_tokens": 50, "stop": "END", "stream": true, "messages": [
        { "role": "developer", "content": "Be brief." },
        { "role": "system", "content": [{ "type": "text", "text": "Be kind." }] },
        { "role": "user", "content": "hi" },
    ]});
    let expected = json!({ "model": "claude-opus-4-6", "max_tokens": 50,
        "system": [{ "type": "text", "text": "Be brief." }, { "type": "text", "text": "Be kind." }],
        "messages": [{ "role": "user", "content": [{ "type": "text", "text": "hi" }] }],
        "stop_sequences": ["END"], "stream": true });
    assert_eq!(to_claude(&body), expected);
}

#[test]
fn v34_arguments_that_say_nothing_are_an_empty_object() {
    for arguments in [json!(""), json!(null), json!(" "), json!("null"), json!({})] {
        let body = json!({ "model": "m", "messages": [
            { "role": "user", "content": "x" },
            { "role": "assistant", "content": null, "tool_calls": [call("c", arguments)] },
            result("c", json!("ok")),
        ]});
        assert_eq!(to_claude(&body)["messages"][1]["content"][0]["input"], json!({}));
    }
}

#[test]
fn arguments_that_are_no_object_are_wrapped() {
    for (arguments, input) in [
        ("[1]", json!({ "value": [1] })),
        ("{bad", json!({ "_raw": "{bad" })),
        (r#"{"b":1e3}"#, json!({ "b": 1000.0 })),
    ] {
        let body = json!({ "model": "m", "messages": [
            { "role": "user", "content": "x" },
            { "role": "assistant", "tool_calls": [call("c", json!(arguments))] },
            result("c", json!("ok")),
        ]});
        assert_eq!(to_claude(&body)["messages"][1]["content"][0]["input"], input);
    }
}

#[test]
fn v41_results_become_one_user_turn_in_the_order_of_the_calls() {
    let calls = json!([call("a", json!("{}")), call("b", json!("{}")), call("c", json!("{}"))]);
    let body = json!({ "model": "m", "messages": [
        { "role": "user", "content": "x" },
        { "role": "assistant", "tool_calls": calls },
        result("b", json!("2")), result("a", json!("1")), result("c", json!("3")),
        { "role": "user", "content": "and?" },
    ]});
    let sent = to_claude(&body);
    let turn = sent["messages"][2]["content"].as_array().unwrap();
    let ids: Vec<&Value> = turn.iter().map(|block| &block["tool_use_id"]).collect();
    assert_eq!(ids, [&json!("a"), &json!("b"), &json!("c"), &Value::Null]);
    assert_eq!(turn[3]["text"], "and?");
    assert_eq!(sent["messages"].as_array().unwrap().len(), 3);
}

#[test]
fn v43_an_image_in_a_result_stays_in_the_result() {
    let image = json!([{ "type": "text", "text": "see" }, { "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==" } }]);
    let body = json!({ "model": "m", "messages": [
        { "role": "user", "content": "x" },
        { "role": "assistant", "tool_calls": [call("a", json!("{}"))] },
        result("a", image),
    ]});
    let content = to_claude(&body)["messages"][2]["content"][0]["content"].clone();
    assert_eq!(content[0]["text"], "see");
    assert_eq!(
        content[1]["source"],
        json!({ "type": "base64", "media_type": "image/png", "data": "iVBORw0KGgoAAAANSUhEUg==" })
    );
}

#[test]
fn an_images_type_is_what_its_bytes_say() {
    let url = "data:image/png;base64,/9j/4AAQSkZJRgABAQAAAQABAAD/2w==";
    let body = with(
        "messages",
        json!([{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": url } }] }]),
    );
    assert_eq!(to_claude(&body)["messages"][0]["content"][0]["source"]["media_type"], "image/jpeg");
}

#[test]
fn v46_no_parallel_calls_is_not_a_forced_call() {
    let mut body = with("parallel_tool_calls", json!(false));
    body["tools"] = json!([function("f")]);
    assert_eq!(to_claude(&body)["tool_choice"], json!({ "type": "auto", "disable_parallel_tool_use": true }));
    assert!(to_claude(&with("parallel_tool_calls", json!(false))).get("tool_choice").is_none());
}

#[test]
fn tool_choices_are_mapped() {
    let named = json!({ "type": "function", "function": { "name": "f" } });
    let allowed =
        json!({ "type": "allowed_tools", "allowed_tools": { "mode": "required", "tools": [function("f")] } });
    for (choice, expected) in [
        (json!("none"), json!({ "type": "none" })),
        (json!("auto"), json!({ "type": "auto" })),
        (json!("required"), json!({ "type": "any" })),
        (named, json!({ "type": "tool", "name": "f" })),
        (allowed.clone(), json!({ "type": "any" })),
    ] {
        let mut body = with("tool_choice", choice);
        body["tools"] = json!([function("f"), function("g")]);
        assert_eq!(to_claude(&body)["tool_choice"], expected);
    }
    let mut body = with("tool_choice", allowed);
    body["tools"] = json!([function("f"), function("g")]);
    assert_eq!(to_claude(&body)["tools"].as_array().unwrap().len(), 1);
    let mut body = with("tool_choice", json!({ "type": "function", "function": { "name": "other" } }));
    body["tools"] = json!([function("f")]);
    assert_eq!(refused(CHAT, &body, &claude()).param.as_deref(), Some("tool_choice"));
}

#[test]
fn v49_schemas_get_the_type_they_lack() {
    let tools = json!([
        { "type": "function", "function": { "name": "a", "parameters": { "properties": { "x": { "type": "string" } } } } },
        { "type": "function", "function": { "name": "b" } },
    ]);
    let sent = to_claude(&with("tools", tools));
    assert_eq!(
        sent["tools"][0]["input_schema"],
        json!({ "type": "object", "properties": { "x": { "type": "string" } } })
    );
    assert_eq!(sent["tools"][1]["input_schema"], json!({ "type": "object", "properties": {} }));
}

#[test]
fn v74_no_empty_text_block_beside_calls() {
    for content in [json!(""), json!(null), json!("  "), json!([])] {
        let body = json!({ "model": "m", "messages": [
            { "role": "user", "content": "x" },
            { "role": "assistant", "content": content, "tool_calls": [call("a", json!("{}"))] },
            result("a", json!("")),
        ]});
        let sent = to_claude(&body);
        assert_eq!(sent["messages"][1]["content"].as_array().unwrap().len(), 1);
        assert_eq!(sent["messages"][1]["content"][0]["type"], "tool_use");
    }
}

#[test]
fn v71_a_budget_leaves_room_for_the_answer() {
    let old = target(MESSAGES, "anthropic", "claude-haiku-4-5");
    for limit in [10, 1000, 60_000] {
        let mut body = with("reasoning_effort", json!("high"));
        body["max_tokens"] = limit.into();
        let sent = sent(CHAT, &body, &old);
        let budget = sent["thinking"]["budget_tokens"].as_u64().unwrap();
        assert!(budget >= 1024 && budget < sent["max_tokens"].as_u64().unwrap(), "{sent}");
    }
    let mut body = with("reasoning_effort", json!("high"));
    body["tools"] = json!([function("f")]);
    body["tool_choice"] = json!("required");
    let (sent, upstream) = send(CHAT, &body, &old).unwrap();
    assert!(sent.get("thinking").is_none());
    assert_eq!(warning_header(&upstream.warnings).as_deref(), Some("dropped=reasoning_effort"));
}

#[test]
fn effort_is_passed_to_models_that_know_it() {
    let sent = to_claude(&with("reasoning_effort", json!("high")));
    assert_eq!(
        (&sent["thinking"], &sent["output_config"]),
        (&json!({ "type": "adaptive" }), &json!({ "effort": "high" }))
    );
    let off = to_claude(&with("reasoning_effort", json!("none")));
    assert_eq!(off["thinking"], json!({ "type": "disabled" }));
}

#[test]
fn sampling_is_kept_within_what_anthropic_takes() {
    let mut body = with("temperature", json!(1.7));
    body["top_p"] = json!(0.5);
    body["seed"] = json!(7);
    body["presence_penalty"] = json!(0);
    let (sent, upstream) = send(CHAT, &body, &claude()).unwrap();
    assert_eq!((&sent["temperature"], sent.get("top_p")), (&json!(1.0), None));
    assert_eq!(
        warning_header(&upstream.warnings).as_deref(),
        Some("dropped=seed, clamped=temperature, dropped=top_p")
    );
}

#[test]
fn v79_a_json_schema_goes_into_output_config() {
    let format = json!({ "type": "json_schema", "json_schema": { "name": "r", "strict": true, "schema": { "type": "object", "properties": {} } } });
    let sent = to_claude(&with("response_format", format));
    let expected = json!({ "type": "json_schema", "schema": { "type": "object", "properties": {}, "additionalProperties": false } });
    assert_eq!(sent["output_config"]["format"], expected);
    assert!(sent.get("response_format").is_none());
}

#[test]
fn what_changes_the_meaning_is_refused_by_name() {
    let audio = json!([{ "role": "user", "content": [{ "type": "input_audio", "input_audio": { "data": "", "format": "wav" } }] }]);
    let opening = json!([{ "role": "assistant", "content": "hello" }, { "role": "user", "content": "x" }]);
    for (field, value, param) in [
        ("n", json!(2), "n"),
        ("logprobs", json!(true), "logprobs"),
        ("web_search_options", json!({}), "web_search_options"),
        ("modalities", json!(["text", "audio"]), "modalities"),
        ("messages", audio, "messages.0.content.0.type"),
        ("messages", opening, "messages"),
        ("tools", json!([{ "type": "code_interpreter" }]), "tools.0.type"),
    ] {
        let error = refused(CHAT, &with(field, value), &claude());
        assert_eq!(error.param.as_deref(), Some(param), "{}", error.message);
        assert_eq!(error.render(CHAT).0, 400);
    }
}

#[test]
fn strict_keys_get_a_400_instead_of_a_warning() {
    let mut strict = claude();
    strict.strict = true;
    let error = refused(CHAT, &with("seed", json!(7)), &strict);
    assert_eq!((error.code, error.param.as_deref()), (ErrorCode::UnsupportedParameter, Some("seed")));
}

#[test]
fn a_later_system_message_becomes_a_reminder_in_its_place() {
    let messages = json!([{ "role": "user", "content": "a" }, { "role": "system", "content": "now!" }, { "role": "user", "content": "b" }]);
    let sent = to_claude(&with("messages", messages));
    assert_eq!(sent["messages"][1]["content"][0]["text"], "<system-reminder>\nnow!\n</system-reminder>");
    assert_eq!(sent["messages"][1]["role"], "user");
}

#[test]
fn signed_reasoning_goes_back_and_unsigned_does_not() {
    let details = json!([{ "type": "reasoning.text", "text": "hm", "signature": "EuYB" }, { "type": "reasoning.encrypted", "data": "blob" }]);
    let messages = json!([
        { "role": "user", "content": "a" },
        { "role": "assistant", "content": "b", "reasoning_content": "hm", "reasoning_details": details },
        { "role": "user", "content": "c" },
        { "role": "assistant", "content": "d", "reasoning_content": "unsigned" },
        { "role": "user", "content": "e" },
    ]);
    let sent = to_claude(&with("messages", messages));
    assert_eq!(
        sent["messages"][1]["content"],
        json!([
            { "type": "thinking", "thinking": "hm", "signature": "EuYB" },
            { "type": "redacted_thinking", "data": "blob" },
            { "type": "text", "text": "b" },
        ])
    );
    assert_eq!(sent["messages"][3]["content"], json!([{ "type": "text", "text": "d" }]));
}

#[test]
fn reasoning_of_others_is_left_out_and_takes_no_turn() {
    let details = json!([{ "type": "reasoning.text", "text": "hm", "signature": "gw1.AAAA" }]);
    let messages = json!([
        { "role": "user", "content": "a" },
        { "role": "assistant", "content": "", "reasoning_details": details },
        { "role": "user", "content": "b" },
    ]);
    let roles = to_claude(&with("messages", messages))["messages"].as_array().unwrap().len();
    assert_eq!(roles, 2);
}

#[test]
fn ids_outside_anthropics_alphabet_are_escaped_on_both_sides() {
    let body = json!({ "model": "m", "messages": [
        { "role": "user", "content": "x" },
        { "role": "assistant", "tool_calls": [call("functions.f:0", json!("{}"))] },
        result("functions.f:0", json!("ok")),
    ]});
    let sent = to_claude(&body);
    assert_eq!(sent["messages"][1]["content"][0]["id"], "gwt_functions_2ef_3a0");
    assert_eq!(sent["messages"][2]["content"][0]["tool_use_id"], "gwt_functions_2ef_3a0");
}
