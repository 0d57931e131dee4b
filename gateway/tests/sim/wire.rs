//! What a client of each dialect reads out of the bytes: strictly, and knowing nothing of the code that wrote them.
use crate::client::Ask;
use bytespike_dialects::Dialect;
use serde_json::Value;

/// One event of a stream. `[DONE]` is an event without data.
#[derive(Debug)]
pub struct Event {
    pub name: String,
    pub data: Option<Value>,
}

/// How an answer ended, as far as its bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Well,
    InError,
    /// It does not say.
    Open,
}

pub fn path(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Anthropic => "/v1/messages",
        Dialect::OpenAiChat => "/v1/chat/completions",
    }
}

/// The whole events in the bytes; there must be nothing else.
pub fn events(bytes: &[u8]) -> Result<Vec<Event>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the client gets UTF-8".to_owned())?;
    let whole = text.is_empty() || text.ends_with("\n\n");
    if !whole {
        return Err(format!("an event is cut: {text}"));
    }
    let frames = text.split("\n\n").filter(|frame| !frame.is_empty() && !frame.starts_with(':'));
    frames.map(event).collect()
}

fn event(frame: &str) -> Result<Event, String> {
    let (name, data) = match frame.strip_prefix("event: ") {
        Some(rest) => rest.split_once('\n').ok_or(format!("an event without data: {frame}"))?,
        None => ("", frame),
    };
    let data = data.strip_prefix("data: ").ok_or(format!("a frame without data: {frame}"))?;
    let data = match data {
        "[DONE]" => None,
        json => Some(serde_json::from_str(json).map_err(|error| format!("{error}: {json}"))?),
    };
    Ok(Event { name: name.to_owned(), data })
}

/// Checks the order of events that a client of the dialect accepts, of a stream or of the beginning of one, and says
/// how it ended.
pub fn check_order(dialect: Dialect, events: &[Event]) -> Result<Ended, String> {
    match dialect {
        Dialect::Anthropic => check_messages(events),
        Dialect::OpenAiChat => check_chat(events),
    }
}

/// `message_start block* (message_delta message_stop | error)`, or an error alone.
fn check_messages(events: &[Event]) -> Result<Ended, String> {
    let (mut started, mut finishing, mut index) = (false, false, 0u64);
    let mut open: Option<String> = None;
    let mut ended = Ended::Open;
    for event in events {
        let data = event.data.as_ref().ok_or("[DONE] is not of this dialect")?;
        let is = |field: &str, wanted: &str| data[field] == wanted;
        let legal = ended == Ended::Open && data["type"] == event.name.as_str();
        let legal = legal
            && match event.name.as_str() {
                "message_start" => !std::mem::replace(&mut started, true),
                "content_block_start" => {
                    let free = open.is_none() && !finishing;
                    open = data["content_block"]["type"].as_str().map(str::to_owned);
                    started && free && data["index"] == index
                }
                "content_block_delta" => {
                    let kind = data["delta"]["type"].as_str().unwrap_or_default();
                    data["index"] == index && open.as_deref().is_some_and(|block| fits(block, kind))
                }
                "content_block_stop" => {
                    index += 1;
                    open.take().is_some() && data["index"] == index - 1
                }
                "message_delta" => {
                    let stop = data["delta"]["stop_reason"].is_string() && data["usage"].is_object();
                    started && stop && open.is_none() && !std::mem::replace(&mut finishing, true)
                }
                "message_stop" => {
                    ended = Ended::Well;
                    finishing
                }
                "error" => {
                    ended = Ended::InError;
                    !finishing && data["error"]["message"].is_string()
                }
                "ping" => is("type", "ping"),
                _ => false,
            };
        if !legal {
            return Err(format!("not legal here: {event:?}"));
        }
    }
    Ok(ended)
}

fn fits(block: &str, delta: &str) -> bool {
    match block {
        "text" => matches!(delta, "text_delta" | "citations_delta"),
        "thinking" => matches!(delta, "thinking_delta" | "signature_delta"),
        "tool_use" => delta == "input_json_delta",
        _ => false,
    }
}

/// Role first, deltas, one finish, usage at most once, `[DONE]`; or an error and no `[DONE]`.
fn check_chat(events: &[Event]) -> Result<Ended, String> {
    let (mut begun, mut finished, mut counted, mut calls) = (false, false, false, 0u64);
    let mut ended = Ended::Open;
    for event in events {
        let legal = ended == Ended::Open && event.name.is_empty();
        let legal = legal
            && match &event.data {
                None => {
                    ended = Ended::Well;
                    finished
                }
                Some(data) if data["error"].is_object() => {
                    ended = Ended::InError;
                    data["error"]["message"].is_string()
                }
                Some(data) => match data["choices"].as_array().map(Vec::as_slice) {
                    Some([]) if data["usage"].is_object() => {
                        finished && !std::mem::replace(&mut counted, true)
                    }
                    // Some hosts send such a chunk about something of their own.
                    Some([]) => true,
                    Some([choice]) => {
                        let first = !std::mem::replace(&mut begun, true);
                        let open = !finished;
                        finished = choice["finish_reason"].is_string();
                        open && first == choice["delta"]["role"].is_string()
                            && check_calls(choice, &mut calls)
                    }
                    _ => false,
                },
            };
        if !legal {
            return Err(format!("not legal here: {event:?}"));
        }
    }
    Ok(ended)
}

/// Calls are numbered from 0, and each begins with its id.
fn check_calls(choice: &Value, calls: &mut u64) -> bool {
    choice["delta"]["tool_calls"].as_array().into_iter().flatten().all(|call| {
        let in_order = !call["id"].is_string() || call["index"] == *calls;
        *calls += u64::from(call["id"].is_string());
        in_order && call["index"].as_u64().is_some_and(|index| index < *calls)
    })
}

/// Whether any of it is text, tool input or thinking that was asked for: what a caller that leaves then pays for. The
/// chat clients here never ask for thinking; they are shown it all the same.
pub fn has_content(ask: &Ask, events: &[Event]) -> bool {
    let fields: &[&str] = match ask.wants_all {
        true => &["text", "thinking", "partial_json"],
        false => &["text", "partial_json"],
    };
    let filled = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    events.iter().filter_map(|event| event.data.as_ref()).any(|data| match ask.dialect {
        Dialect::Anthropic => {
            let named = data["content_block"]["type"] == "tool_use";
            named || fields.iter().any(|field| filled(&data["delta"][*field]))
        }
        Dialect::OpenAiChat => {
            let delta = &data["choices"][0]["delta"];
            let called = delta["tool_calls"].is_array();
            called || filled(&delta["content"])
        }
    })
}

/// What the answer says it cost, and its receipt: in the last usage that says so.
pub fn cost(usages: impl DoubleEndedIterator<Item = Value>) -> Option<(String, String)> {
    usages.rev().find_map(|usage| {
        let text = |name: &str| usage[name].as_str().map(str::to_owned);
        Some((text("cost_credits")?, text("receipt_id")?))
    })
}

/// Every usage object of a stream, in order.
pub fn usages(events: &[Event]) -> impl DoubleEndedIterator<Item = Value> + '_ {
    events.iter().filter_map(|event| event.data.as_ref()).map(|data| data["usage"].clone())
}

/// Credits with three decimals as nano-USD.
pub fn nano(credits: &str) -> i64 {
    let (whole, thousandths) =
        credits.split_once('.').unwrap_or_else(|| panic!("three decimals, not {credits}"));
    assert_eq!(thousandths.len(), 3, "three decimals, not {credits}");
    whole.parse::<i64>().expect("whole credits") * 1_000 + thousandths.parse::<i64>().expect("thousandths")
}
