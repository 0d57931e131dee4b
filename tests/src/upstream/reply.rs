//! One scripted answer: what is written, where it waits, and how the connection ends.

use serde_json::Value;

use crate::gate::Gate;

/// A scripted answer, played step by step.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) steps: Vec<Step>,
    pub(super) ending: Ending,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Write(Vec<u8>),
    Wait(Gate),
}

/// What becomes of the connection after the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is ready for the next request.
    KeepAlive,
    /// It is closed in order, which cuts an answer whose end was not sent.
    Close,
    /// It is torn down with a TCP reset.
    Reset,
    /// Nothing more is sent until the caller hangs up.
    Abandoned,
}

impl Reply {
    /// A whole JSON answer.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::whole(status, "application/json", body.to_string().into_bytes())
    }

    /// A whole answer of any type.
    #[must_use]
    pub fn whole(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} Scripted\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
        );
        Self { steps: vec![Step::Write(head.into_bytes()), Step::Write(body)], ending: Ending::KeepAlive }
    }

    /// The start of an event stream; [`Reply::done`] ends it in order.
    #[must_use]
    pub fn stream() -> Self {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        Self { steps: vec![Step::Write(head.into())], ending: Ending::Close }
    }

    /// A complete event stream, one event per piece.
    #[must_use]
    pub fn events<T: AsRef<[u8]>>(events: impl IntoIterator<Item = T>) -> Self {
        Self::stream().pieces(events).done()
    }

    /// Reads the whole request and says nothing.
    #[must_use]
    pub fn silence() -> Self {
        Self { steps: Vec::new(), ending: Ending::Abandoned }
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Some(Step::Write(head)) = self.steps.iter_mut().find(|step| matches!(step, Step::Write(_))) {
            head.truncate(head.len() - 2);
            head.extend_from_slice(format!("{name}: {value}\r\n\r\n").as_bytes());
        }
        self
    }

    /// One piece of a stream: it reaches the reader in a read of its own, whatever bytes it cuts through.
    #[must_use]
    pub fn piece(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.steps.push(Step::Write(chunk));
        self
    }

    /// Several pieces of a stream.
    #[must_use]
    pub fn pieces<T: AsRef<[u8]>>(self, pieces: impl IntoIterator<Item = T>) -> Self {
        pieces.into_iter().fold(self, Reply::piece)
    }

    /// The stream cut into pieces of `size` bytes, across every boundary.
    #[must_use]
    pub fn cut_up(stream: &[u8], size: usize) -> Self {
        Self::stream().pieces(stream.chunks(size)).done()
    }

    /// Waits here until the gate opens.
    #[must_use]
    pub fn wait(mut self, gate: &Gate) -> Self {
        self.steps.push(Step::Wait(gate.clone()));
        self
    }

    /// Waits for the gate before the first byte.
    #[must_use]
    pub fn after(mut self, gate: &Gate) -> Self {
        self.steps.insert(0, Step::Wait(gate.clone()));
        self
    }

    /// Ends the stream in order.
    #[must_use]
    pub fn done(mut self) -> Self {
        self.steps.push(Step::Write(b"0\r\n\r\n".to_vec()));
        self.ending = Ending::KeepAlive;
        self
    }

    /// Tears the connection down with a TCP reset.
    #[must_use]
    pub fn reset(mut self) -> Self {
        self.ending = Ending::Reset;
        self
    }

    /// Says nothing more and leaves the connection open.
    #[must_use]
    pub fn hang(mut self) -> Self {
        self.ending = Ending::Abandoned;
        self
    }

    /// Closes after the first `n` bytes of what was scripted.
    #[must_use]
    pub fn cut_after(mut self, n: usize) -> Self {
        let mut left = n;
        self.steps.retain_mut(|step| match step {
            Step::Wait(_) => left > 0,
            Step::Write(bytes) => {
                let keep = left.min(bytes.len());
                left -= keep;
                bytes.truncate(keep);
                keep > 0
            }
        });
        self.ending = Ending::Close;
        self
    }
}
