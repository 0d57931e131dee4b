//! The order of events each dialect's clients accept, checked independently of the code that writes them.

use serde_json::Value;

use crate::support::Outcome;

/// `message_start block* (message_delta message_stop | error)`, or an error alone.
pub fn assert_legal_messages(outcome: &Outcome) {
    let mut names = outcome.events.iter().peekable();
    let mut index = 0;
    let mut open: Option<String> = None;
    let mut started = false;
    let mut over = false;
    while let Some(event) = names.next() {
        assert_eq!(event.data["type"], event.name.as_str(), "the event is named after its type");
        assert!(!over, "nothing follows the end: {event:?}");
        match &*event.name {
            "message_start" => {
                assert!(!started, "one message_start");
                started = true;
                assert!(event.data["message"]["usage"]["input_tokens"].as_u64().unwrap() > 0);
            }
            "content_block_start" => {
                assert!(started && open.is_none(), "a block begins between blocks");
                assert_eq!(event.data["index"], index);
                open = Some(event.data["content_block"]["type"].as_str().unwrap().to_owned());
            }
            "content_block_delta" => {
                assert_eq!(event.data["index"], index);
                assert_fits(open.as_deref().expect("a delta is inside a block"), &event.data["delta"]);
            }
            "content_block_stop" => {
                assert_eq!(event.data["index"], index);
                assert!(open.take().is_some());
                index += 1;
            }
            "message_delta" => {
                assert!(started && open.is_none());
                assert!(event.data["delta"]["stop_reason"].is_string());
                let usage = &event.data["usage"];
                assert!(usage["input_tokens"].is_u64() && usage["output_tokens"].is_u64(), "{usage}");
                assert_eq!(names.peek().map(|next| &*next.name), Some("message_stop"));
            }
            "message_stop" | "error" => over = true,
            "ping" => {}
            other => panic!("unknown event {other}"),
        }
    }
    assert!(over, "a stream has an end");
    assert!(!outcome.is_done, "[DONE] is not of this dialect");
    assert_eq!(outcome.end.is_err(), outcome.events.last().is_some_and(|event| event.name == "error"));
}

fn assert_fits(block: &str, delta: &Value) {
    let fitting: &[&str] = match block {
        "text" => &["text_delta", "citations_delta"],
        "thinking" => &["thinking_delta", "signature_delta"],
        "tool_use" => &["input_json_delta"],
        other => panic!("no delta belongs into {other}"),
    };
    assert!(fitting.contains(&delta["type"].as_str().unwrap()), "{delta} in {block}");
}

/// Role first, deltas, one finish, usage at most once, `[DONE]`; or an error frame and no `[DONE]`.
pub fn assert_legal_chat(outcome: &Outcome) {
    let mut finished = false;
    let mut usage_chunks = 0;
    let mut calls = 0;
    for (position, event) in outcome.events.iter().enumerate() {
        assert_eq!(event.name, "", "chat frames have no name");
        if event.data["error"].is_object() {
            assert_eq!(position + 1, outcome.events.len(), "nothing follows an error");
            continue;
        }
        let choices = event.data["choices"].as_array().expect("every chunk has choices");
        if choices.is_empty() {
            assert!(finished, "usage follows the finish");
            usage_chunks += 1;
            continue;
        }
        assert!(!finished, "no delta follows the finish: {event:?}");
        let delta = &choices[0]["delta"];
        assert_eq!(position == 0, delta["role"].is_string(), "the first delta names the role");
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            if call["id"].is_string() {
                assert_eq!(call["index"], calls, "calls are numbered from 0");
                calls += 1;
            }
            assert!(call["index"].as_u64().unwrap() < calls, "a call begins with its id");
        }
        finished = choices[0]["finish_reason"].is_string();
    }
    assert!(usage_chunks <= 1);
    assert_eq!(outcome.is_done, outcome.end.is_ok(), "[DONE] says that the answer is whole");
    assert_eq!(finished, outcome.end.is_ok());
}

/// As [`assert_legal_messages`] for a stream whose bytes are the provider's own: usage may come in parts.
pub fn assert_legal_native(outcome: &Outcome) {
    let starts = outcome.named("content_block_start").len();
    assert_eq!(starts, outcome.named("content_block_stop").len(), "every block ends");
    assert_eq!(outcome.named("message_start").len(), 1);
    assert_eq!(outcome.named("message_delta").len(), 1);
    assert_eq!(outcome.events.last().map(|event| &*event.name), Some("message_stop"));
}
