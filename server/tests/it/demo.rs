//! The demo provider alone, in both dialects, well behaved and not.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Process, client};

struct Demo {
    base: String,
    _process: Process,
    _folder: TempDir,
}

impl Demo {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut process = Process::start(folder.path(), &["demo", "--listen", "127.0.0.1:0"], &[]);
        let base = process.line_after("demo provider on ").await;
        Self { base, _process: process, _folder: folder }
    }

    async fn messages(&self, mut body: Value) -> reqwest::Result<reqwest::Response> {
        body["max_tokens"] = body.get("max_tokens").cloned().unwrap_or(json!(500));
        let request =
            client().post(format!("{}/v1/messages", self.base)).header("anthropic-version", "2023-06-01");
        request.header("x-api-key", "any").json(&body).send().await
    }

    async fn chat(&self, body: Value) -> reqwest::Result<reqwest::Response> {
        client()
            .post(format!("{}/v1/chat/completions", self.base))
            .bearer_auth("any")
            .json(&body)
            .send()
            .await
    }

    async fn messages_json(&self, body: Value) -> Value {
        self.messages(body).await.expect("an answer").json().await.expect("JSON")
    }

    async fn chat_json(&self, body: Value) -> Value {
        self.chat(body).await.expect("an answer").json().await.expect("JSON")
    }
}

fn said(text: &str) -> Value {
    json!({"model": "demo-chat", "messages": [{"role": "user", "content": text}]})
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is easier to read at the call")]
fn with(mut body: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().expect("fields") {
        body[name] = value.clone();
    }
    body
}

/// The JSON of every `data:` line.
fn data_of(stream: &str) -> Vec<Value> {
    let lines = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    lines.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

#[tokio::test]
async fn both_dialects_answer_whole_with_usage_and_without() {
    let demo = Demo::start().await;
    let message = demo.messages_json(said("hello there")).await;
    assert!(message["content"][0]["text"].as_str().unwrap().contains("hello there"), "{message}");
    assert_eq!(
        (&message["stop_reason"], message["usage"]["input_tokens"].as_u64() > Some(0)),
        (&json!("end_turn"), true)
    );
    let completion = demo.chat_json(said("hello there")).await;
    assert_eq!(completion["choices"][0]["message"]["content"], message["content"][0]["text"]);
    assert_eq!(completion["usage"]["completion_tokens"], message["usage"]["output_tokens"]);
    let silent = demo.chat_json(with(said("hi"), json!({"model": "demo-no-usage"}))).await;
    assert!(silent.get("usage").is_none(), "{silent}");
}

#[tokio::test]
async fn a_stream_carries_the_same_text_as_the_whole_answer() {
    let demo = Demo::start().await;
    let whole = demo.messages_json(said("one two three")).await;
    let streamed = demo
        .messages(with(said("one two three"), json!({"stream": true})))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let events = data_of(&streamed);
    let text: String = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
    assert_eq!(json!(text), whole["content"][0]["text"]);
    assert_eq!(events.first().unwrap()["type"], "message_start");
    assert_eq!(events.last().unwrap()["type"], "message_stop");

    let asked = json!({"stream": true, "stream_options": {"include_usage": true}});
    let streamed = demo.chat(with(said("one two three"), asked)).await.unwrap().text().await.unwrap();
    let chunks = data_of(&streamed);
    let text: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(json!(text), whole["content"][0]["text"]);
    assert!(chunks.last().unwrap()["usage"]["total_tokens"].as_u64() > Some(0));
    assert!(streamed.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn tools_are_called_when_asked_for_or_forced_and_not_again_after_their_result() {
    let demo = Demo::start().await;
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let tools = json!({"tools": [{"name": "get_weather", "input_schema": schema}, {"name": "get_time", "input_schema": schema}]});
    let asked = demo.messages_json(with(said("What is the weather in Paris?"), tools.clone())).await;
    assert_eq!(
        (&asked["stop_reason"], &asked["content"][0]["name"]),
        (&json!("tool_use"), &json!("get_weather"))
    );
    assert_eq!(asked["content"][0]["input"], json!({"city": "Paris"}));
    let forced =
        with(with(said("Hi"), tools.clone()), json!({"tool_choice": {"type": "tool", "name": "get_time"}}));
    assert_eq!(demo.messages_json(forced).await["content"][0]["name"], "get_time");
    let two = demo.messages_json(with(said("Hi [demo: tools=2]"), tools.clone())).await;
    assert_eq!(two["content"].as_array().unwrap().len(), 2);

    let functions =
        json!({"tools": [{"type": "function", "function": {"name": "get_weather", "parameters": schema}}]});
    let history = json!({"messages": [
        {"role": "user", "content": "What is the weather in Paris?"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "sunny"}]});
    let after = demo.chat_json(with(with(said(""), functions), history)).await;
    assert_eq!(after["choices"][0]["message"]["content"], "The tool answered: sunny");
    assert_eq!(after["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn images_thinking_limits_and_schemas_are_honoured() {
    let demo = Demo::start().await;
    let image =
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}});
    let seen =
        json!({"messages": [{"role": "user", "content": [image, {"type": "text", "text": "what is this"}]}]});
    let text =
        demo.messages_json(with(said(""), seen)).await["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("1 image"), "{text}");
    let thought = demo
        .messages_json(with(said("hm"), json!({"thinking": {"type": "enabled", "budget_tokens": 1024}})))
        .await;
    assert_eq!(thought["content"][0]["type"], "thinking");
    let short = demo.messages_json(with(said("many words here"), json!({"max_tokens": 2}))).await;
    assert_eq!(
        (&short["stop_reason"], short["content"][0]["text"].as_str().unwrap().len()),
        (&json!("max_tokens"), 8)
    );
    let stopped = demo.messages_json(with(said("a"), json!({"stop_sequences": ["demo"]}))).await;
    assert_eq!(stopped["stop_sequence"], "demo");
    let format = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}});
    let filled = demo.chat_json(with(said("fill it"), json!({"response_format": format}))).await;
    assert_eq!(filled["choices"][0]["message"]["content"], "{\"n\":1}");
}

#[tokio::test]
async fn it_fails_as_it_is_told() {
    let demo = Demo::start().await;
    for (directive, status, kind) in [
        ("status=529", 529, "overloaded_error"),
        ("status=500", 500, "api_error"),
        ("status=429", 429, "rate_limit_error"),
    ] {
        let refused = demo.messages(said(&format!("hi [demo: {directive}]"))).await.unwrap();
        assert_eq!(refused.status(), status);
        assert_eq!(refused.json::<Value>().await.unwrap()["error"]["type"], kind);
    }
    let body = demo.chat_json(said("hi [demo: error-body]")).await;
    assert!(body["error"]["message"].is_string(), "{body}");
    let stream =
        |directive: &str| with(said(&format!("one two three [demo: {directive}]")), json!({"stream": true}));
    assert!(
        demo.messages(stream("cut=3")).await.unwrap().text().await.is_err(),
        "a cut body must not look whole"
    );
    assert!(demo.chat(said("hi [demo: cut=1]")).await.unwrap().text().await.is_err());
    let malformed = demo.chat(stream("malformed=2")).await.unwrap().text().await.unwrap();
    let broken = malformed.lines().filter_map(|line| line.strip_prefix("data: {")).nth(1).unwrap();
    assert!(serde_json::from_str::<Value>(&format!("{{{broken}")).is_err(), "{broken}");
    let misspelt = demo.messages(said("hi [demo: sttus=500]")).await.unwrap();
    assert_eq!(misspelt.status(), 400);
}

#[tokio::test]
async fn it_hangs_as_it_is_told() {
    let demo = Demo::start().await;
    let a_while = Duration::from_millis(300);
    let silent = tokio::time::timeout(a_while, demo.messages(said("hi [demo: hang]"))).await;
    assert!(silent.is_err(), "an answer came");
    let stream = with(said("hi [demo: hang-after=2]"), json!({"stream": true}));
    let mut stalled = demo.chat(stream).await.expect("headers come");
    assert!(stalled.chunk().await.unwrap().is_some());
    let rest = async { while stalled.chunk().await.unwrap().is_some() {} };
    assert!(tokio::time::timeout(a_while, rest).await.is_err(), "the stream ended");
}

#[tokio::test]
async fn tokens_are_counted_and_a_missing_key_is_refused() {
    let demo = Demo::start().await;
    let request = || {
        client()
            .post(format!("{}/v1/messages/count_tokens", demo.base))
            .header("anthropic-version", "2023-06-01")
    };
    let counted: Value =
        request().header("x-api-key", "k").json(&said("hello")).send().await.unwrap().json().await.unwrap();
    assert!(counted["input_tokens"].as_u64() > Some(5), "{counted}");
    assert_eq!(request().json(&said("hello")).send().await.unwrap().status(), 401);
}
