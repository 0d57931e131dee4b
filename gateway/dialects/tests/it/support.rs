//! Runs streams and requests, and shows their outcome as values.

use bytes::Bytes;
use bytespike_dialects::request::{self, ClientRequest, Target, UpstreamRequest};
use bytespike_dialects::{
    AnswerContext, Completion, Cost, Dialect, End, ErrorInfo, Quirks, RequestError, Seal, StreamTranslator,
    TokenUsage, UpstreamFailure,
};
use serde_json::Value;

pub const CHAT: Dialect = Dialect::OpenAiChat;
pub const MESSAGES: Dialect = Dialect::Anthropic;

pub fn seal() -> Seal {
    Seal::new([9; 32], "org_test")
}

pub fn context() -> AnswerContext {
    AnswerContext {
        model: "the-model".into(),
        wants_usage: true,
        thinking_requested: true,
        thinking_hidden: false,
        estimated_input_tokens: 12,
        created_at_s: 1_800_000_000,
        seed: [3; 16],
        family: "deepseek".into(),
        seal: Some(seal()),
        tool_names: Default::default(),
    }
}

pub fn cost() -> Cost {
    Cost { credits: "1.250".into(), receipt_id: "rcp_1".into() }
}

/// What the gateway counted itself, where the provider did not.
pub fn counted() -> TokenUsage {
    TokenUsage { input_tokens: 11, output_tokens: 5, ..TokenUsage::default() }
}

/// One event that a client got.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub name: String,
    pub data: Value,
}

/// What became of a stream.
#[derive(Debug)]
pub struct Outcome {
    pub events: Vec<Event>,
    /// The bytes before the close.
    pub body: Vec<u8>,
    pub is_done: bool,
    pub end: Result<Completion, UpstreamFailure>,
    pub had_content: bool,
}

/// Runs `upstream` in one piece and closes, or fails, as the gateway does.
pub fn run(from: Dialect, to: Dialect, context: AnswerContext, upstream: &str) -> Outcome {
    run_pieces(from, to, context, &[upstream.as_bytes()])
}

pub fn run_pieces(from: Dialect, to: Dialect, context: AnswerContext, pieces: &[&[u8]]) -> Outcome {
    let mut translator = StreamTranslator::new(from, to, context);
    let (mut body, mut had_content) = (Vec::new(), false);
    let mut end = None;
    for piece in pieces {
        let batch = translator.push(piece);
        body.extend_from_slice(&batch.frames);
        had_content |= batch.has_content;
        end = end.or(batch.end);
    }
    if end.is_none() {
        let batch = translator.eof();
        body.extend_from_slice(&batch.frames);
        had_content |= batch.has_content;
        end = batch.end;
    }
    let end = match end.expect("a stream that was ended has an end") {
        End::Completed(completion) => Ok(completion),
        End::Failed(failure) => Err(failure),
    };
    let last = match &end {
        Ok(_) => translator.close(Some(&cost()), &counted()),
        Err(failure) => translator.fail(&failure.error_info("the-model")),
    };
    let whole = [&body[..], &last[..]].concat();
    let (events, is_done) = events(&whole);
    Outcome { events, body, is_done, end, had_content }
}

/// Parses client bytes strictly: every frame is `event:`? `data:` blank, valid UTF-8 and JSON.
pub fn events(bytes: &[u8]) -> (Vec<Event>, bool) {
    let text = std::str::from_utf8(bytes).expect("the client gets UTF-8");
    let mut events = Vec::new();
    let mut is_done = false;
    for frame in text.split("\n\n").filter(|frame| !frame.is_empty()) {
        assert!(!is_done, "nothing follows [DONE]: {frame}");
        let (name, data) = match frame.strip_prefix("event: ") {
            Some(rest) => rest.split_once('\n').expect("an event has data"),
            None => ("", frame),
        };
        let data = data.strip_prefix("data: ").unwrap_or_else(|| panic!("a frame has data: {frame}"));
        if data == "[DONE]" {
            is_done = true;
            continue;
        }
        let data = serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"));
        events.push(Event { name: name.to_owned(), data });
    }
    (events, is_done)
}

impl Outcome {
    pub fn completion(&self) -> &Completion {
        self.end.as_ref().expect("the stream completes")
    }

    pub fn failure(&self) -> &UpstreamFailure {
        self.end.as_ref().expect_err("the stream fails")
    }

    /// The content of a Messages stream, block by block: (type, text or input, name).
    pub fn blocks(&self) -> Vec<(String, String, String)> {
        let mut blocks: Vec<(String, String, String)> = Vec::new();
        for event in &self.events {
            match &*event.name {
                "content_block_start" => {
                    let block = &event.data["content_block"];
                    let name = block["name"].as_str().unwrap_or_default().to_owned();
                    blocks.push((block["type"].as_str().unwrap().to_owned(), String::new(), name));
                }
                "content_block_delta" => {
                    let delta = &event.data["delta"];
                    let text =
                        ["text", "thinking", "partial_json"].iter().find_map(|field| delta[*field].as_str());
                    blocks.last_mut().unwrap().1.push_str(text.unwrap_or_default());
                }
                _ => {}
            }
        }
        blocks
    }

    pub fn named(&self, name: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event.name == name).map(|event| &event.data).collect()
    }

    /// The text of a chat stream.
    pub fn content(&self) -> String {
        self.deltas("content").iter().filter_map(|text| text.as_str()).collect()
    }

    /// One field of every delta of a chat stream, absent ones left out.
    pub fn deltas(&self, field: &str) -> Vec<&Value> {
        let deltas = self.events.iter().map(|event| &event.data["choices"][0]["delta"][field]);
        deltas.filter(|value| !value.is_null()).collect()
    }

    pub fn finish_reasons(&self) -> Vec<&str> {
        self.events.iter().filter_map(|event| event.data["choices"][0]["finish_reason"].as_str()).collect()
    }

    pub fn usage_chunks(&self) -> Vec<&Value> {
        self.events.iter().map(|event| &event.data["usage"]).filter(|usage| usage.is_object()).collect()
    }
}

/// Chat chunks as an upstream sends them; a `null` stands for `[DONE]`.
pub fn chat_stream(chunks: &[Value]) -> String {
    chunks
        .iter()
        .map(
            |chunk| {
                if chunk.is_null() { "data: [DONE]\n\n".to_owned() } else { format!("data: {chunk}\n\n") }
            },
        )
        .collect()
}

pub fn chunk(delta: Value, finish_reason: Value) -> Value {
    serde_json::json!({
        "id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 1, "model": "upstream-model",
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }],
    })
}

pub fn text_chunk(text: &str) -> Value {
    chunk(serde_json::json!({ "content": text }), Value::Null)
}

pub fn finish_chunk(reason: &str) -> Value {
    chunk(serde_json::json!({}), reason.into())
}

/// A fragment of a tool call.
pub fn tool_chunk(index: u32, id: &str, name: &str, arguments: &str) -> Value {
    let mut call = serde_json::json!({ "index": index, "function": { "arguments": arguments } });
    if !id.is_empty() {
        call["id"] = id.into();
        call["type"] = "function".into();
    }
    if !name.is_empty() {
        call["function"]["name"] = name.into();
    }
    chunk(serde_json::json!({ "tool_calls": [call] }), Value::Null)
}

/// Messages events as an upstream sends them.
pub fn messages_stream(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect()
}

pub fn message_start() -> Value {
    serde_json::json!({ "type": "message_start", "message": {
        "id": "msg_up", "type": "message", "role": "assistant", "model": "upstream-model", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 7, "output_tokens": 1 },
    }})
}

/// A whole block of text with one delta.
pub fn text_block(index: u32, text: &str) -> Vec<Value> {
    block(
        index,
        serde_json::json!({ "type": "text", "text": "" }),
        serde_json::json!({ "type": "text_delta", "text": text }),
    )
}

pub fn tool_block(index: u32, id: &str, name: &str, input: &str) -> Vec<Value> {
    let start = serde_json::json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
    block(index, start, serde_json::json!({ "type": "input_json_delta", "partial_json": input }))
}

pub fn block(index: u32, start: Value, delta: Value) -> Vec<Value> {
    vec![
        serde_json::json!({ "type": "content_block_start", "index": index, "content_block": start }),
        serde_json::json!({ "type": "content_block_delta", "index": index, "delta": delta }),
        serde_json::json!({ "type": "content_block_stop", "index": index }),
    ]
}

pub fn message_end(stop_reason: &str) -> Vec<Value> {
    vec![
        serde_json::json!({ "type": "message_delta", "delta": { "stop_reason": stop_reason, "stop_sequence": null },
            "usage": { "output_tokens": 9 } }),
        serde_json::json!({ "type": "message_stop" }),
    ]
}

pub fn target(dialect: Dialect, provider: &str, model: &str) -> Target {
    Target {
        dialect,
        upstream_model: model.to_owned(),
        max_output_tokens: None,
        quirks: Quirks::of(provider, model),
        strict: false,
        seal: Some(seal()),
    }
}

pub fn read(dialect: Dialect, body: &Value) -> Result<ClientRequest, RequestError> {
    request::read(dialect, &Bytes::from(body.to_string()))
}

/// Reads and sends, and gives the body the provider gets.
pub fn send(from: Dialect, body: &Value, target: &Target) -> Result<(Value, UpstreamRequest), RequestError> {
    let upstream = request::for_upstream(&read(from, body)?, target)?;
    Ok((serde_json::from_slice(&upstream.body).expect("the provider gets JSON"), upstream))
}

pub fn sent(from: Dialect, body: &Value, target: &Target) -> Value {
    send(from, body, target).unwrap_or_else(|error| panic!("{error}")).0
}

pub fn refused(from: Dialect, body: &Value, target: &Target) -> ErrorInfo {
    *send(from, body, target).expect_err("the request is refused").0
}
