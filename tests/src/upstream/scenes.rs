//! The provider that the SDK suites talk to: it speaks both dialects and plays the scene the last user message names.

use serde_json::{Value, json};

use super::{Reply, Request, anthropic, openai};

/// The text of `scene:text`, in the pieces it is streamed in.
pub const TEXT: [&str; 3] = ["Hello ", "from the ", "scripted provider. 你好🌍"];

/// Plays the scene that the request asks for.
///
/// * `scene:text`: a short text
/// * `scene:tools`: a word, then calls of `weather` and `clock` in parallel; once they are answered, a text with both results
/// * `scene:slow`: the first piece of the text, then silence until the caller hangs up
/// * `scene:break`: the first piece of the text, then an error event
/// * `scene:status-NNN`: that status with an error body
#[must_use]
pub fn play(request: &Request) -> Reply {
    let body = request.json();
    let speaks_anthropic = request.path.contains("/messages");
    if request.path.contains("count_tokens") {
        return Reply::json(200, &json!({"input_tokens": 42}));
    }
    let stream = body["stream"].as_bool().unwrap_or(false);
    if let Some(results) = tool_results(&body) {
        return text(speaks_anthropic, stream, &[&results.join("; ")]);
    }
    let asked = last_text(&body);
    let scene = asked.split_whitespace().find_map(|word| word.strip_prefix("scene:")).unwrap_or("text");
    match scene {
        "tools" => tools(speaks_anthropic, stream),
        "slow" => Reply::stream().pieces(opening(speaks_anthropic)).hang(),
        "break" => {
            Reply::stream().pieces(opening(speaks_anthropic)).piece(error_event(speaks_anthropic)).done()
        }
        _ => match scene.strip_prefix("status-").and_then(|status| status.parse().ok()) {
            Some(status) => Reply::json(status, &error(speaks_anthropic)),
            None => text(speaks_anthropic, stream, &TEXT),
        },
    }
}

fn text(speaks_anthropic: bool, stream: bool, pieces: &[&str]) -> Reply {
    match (speaks_anthropic, stream) {
        (true, true) => Reply::events(anthropic::text_stream(pieces)),
        (true, false) => Reply::json(200, &anthropic::text(&pieces.concat())),
        (false, true) => Reply::events(openai::text_stream(pieces)),
        (false, false) => Reply::json(200, &openai::text(&pieces.concat())),
    }
}

fn opening(speaks_anthropic: bool) -> Vec<String> {
    if speaks_anthropic {
        let mut events = anthropic::text_block(0, &TEXT[..1]);
        events.pop();
        [vec![anthropic::start(anthropic::USAGE)], events].concat()
    } else {
        openai::text_deltas(&TEXT[..1])
    }
}

fn tools(speaks_anthropic: bool, stream: bool) -> Reply {
    let (weather, clock) = (json!({"city": "Paris"}), json!({"zone": "Europe/Paris"}));
    match (speaks_anthropic, stream) {
        (true, false) => Reply::json(
            200,
            &anthropic::message(
                &json!([
                    {"type": "text", "text": "Looking."},
                    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": weather},
                    {"type": "tool_use", "id": "toolu_2", "name": "clock", "input": clock},
                ]),
                "tool_use",
                anthropic::USAGE,
            ),
        ),
        (true, true) => Reply::events(
            [
                vec![anthropic::start(anthropic::USAGE)],
                anthropic::text_block(0, &["Looking."]),
                anthropic::tool_block(1, "toolu_1", "weather", &["", "{\"city\":", "\"Paris\"}"]),
                anthropic::tool_block(2, "toolu_2", "clock", &["{\"zone\":\"Europe", "/Paris\"}"]),
                anthropic::end("tool_use", anthropic::USAGE),
            ]
            .concat(),
        ),
        (false, false) => Reply::json(
            200,
            &openai::completion(
                &json!({
                "role": "assistant", "content": "Looking.", "refusal": null, "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": weather.to_string()}},
                    {"id": "call_2", "type": "function", "function": {"name": "clock", "arguments": clock.to_string()}},
                ]}),
                "tool_calls",
            ),
        ),
        (false, true) => Reply::events(
            [
                openai::text_deltas(&["Looking."]),
                vec![
                    openai::tool_start(0, "call_1", "weather"),
                    openai::tool_start(1, "call_2", "clock"),
                    openai::tool_arguments(0, "{\"city\":"),
                    openai::tool_arguments(1, "{\"zone\":\"Europe"),
                    openai::tool_arguments(0, "\"Paris\"}"),
                    openai::tool_arguments(1, "/Paris\"}"),
                ],
                openai::end("tool_calls"),
            ]
            .concat(),
        ),
    }
}

fn error(speaks_anthropic: bool) -> Value {
    match speaks_anthropic {
        true => anthropic::error("api_error", "the scene failed"),
        false => openai::error("server_error", "the scene failed"),
    }
}

fn error_event(speaks_anthropic: bool) -> String {
    match speaks_anthropic {
        true => anthropic::event(&error(true)),
        false => openai::event(&error(false)),
    }
}

/// The results when the last turn answers tool calls, in order.
fn tool_results(body: &Value) -> Option<Vec<String>> {
    let messages = body["messages"].as_array()?;
    let trailing: Vec<&Value> = messages.iter().rev().take_while(|m| m["role"] == "tool").collect();
    let blocks = || messages.last()?["content"].as_array();
    let answered: Vec<&Value> = match trailing.is_empty() {
        false => trailing.into_iter().rev().collect(),
        true => blocks()?.iter().filter(|block| block["type"] == "tool_result").collect(),
    };
    (!answered.is_empty()).then(|| answered.iter().map(|result| text_of(&result["content"])).collect())
}

fn last_text(body: &Value) -> String {
    let messages = body["messages"].as_array();
    messages
        .into_iter()
        .flatten()
        .rev()
        .find(|m| m["role"] == "user")
        .map(|m| text_of(&m["content"]))
        .unwrap_or_default()
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}
