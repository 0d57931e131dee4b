//! Reads server-sent events as a client would, by bytes. The product's own reader is not used: it is under test.

use serde_json::Value;

/// One event as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The `event:` field, empty when there was none.
    pub name: String,
    pub data: String,
}

impl Event {
    /// The payload as JSON, `null` for anything else.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or(Value::Null)
    }
}

/// Takes the first complete event off the buffer; comments alone are skipped.
pub fn next_event(buffer: &mut Vec<u8>) -> Option<Event> {
    loop {
        let end = buffer.windows(2).position(|pair| pair == b"\n\n")?;
        let frame: Vec<u8> = buffer.drain(..end + 2).collect();
        let frame = String::from_utf8(frame).expect("events are UTF-8");
        let event = read_event(&frame);
        if !(event.name.is_empty() && event.data.is_empty()) {
            return Some(event);
        }
    }
}

/// Every event of a finished stream; fails when bytes are left over.
#[must_use]
pub fn events(stream: &[u8]) -> Vec<Event> {
    let mut buffer = stream.to_vec();
    let events: Vec<Event> = std::iter::from_fn(|| next_event(&mut buffer)).collect();
    assert!(buffer.is_empty(), "the stream ends inside an event: {:?}", String::from_utf8_lossy(&buffer));
    events
}

fn read_event(frame: &str) -> Event {
    let field = |name: &str| -> Vec<&str> {
        frame
            .lines()
            .filter_map(|line| line.strip_prefix(name))
            .map(|value| value.trim_start_matches(' '))
            .collect()
    };
    Event { name: field("event:").concat(), data: field("data:").join("\n") }
}
