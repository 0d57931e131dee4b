//! A client: asks, listens, and perhaps hangs up.
use crate::stage::Stage;
use crate::wire;
use axum::body::Body;
use bytes::Bytes;
use bytespike_dialects::Dialect;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use tower::ServiceExt as _;

/// What is asked, and how its answer is listened to.
#[derive(Clone, Debug)]
pub struct Ask {
    /// `call-7`: stands in the question, so that the provider knows it.
    pub label: String,
    pub key: usize,
    pub dialect: Dialect,
    pub model: &'static str,
    pub stream: bool,
    /// Asks for the thinking too, and for usage in a stream that would have none.
    pub wants_all: bool,
    pub max_tokens: Option<u32>,
    pub leaves: Leaves,
    /// Reads the next piece so many milliseconds after the last.
    pub pace_ms: u64,
}

/// When a client hangs up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    Never,
    /// Wherever the answer is by then.
    AfterMs(u64),
    /// When it has so many bytes of the answer. It waits for the next ones already, as a socket does.
    AfterBytes(usize),
}

/// What a client got.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// `None` when it left before the head.
    pub status: Option<u16>,
    pub headers: HeaderMap,
    pub pieces: Vec<Bytes>,
    /// So many of the pieces had been taken when the next one was waited for.
    pub taken: usize,
    /// The body was read to its end.
    pub is_whole: bool,
}

impl Ask {
    /// A plain question to the model, with everything else as most ask it.
    pub fn new(number: usize, dialect: Dialect, model: &'static str, stream: bool) -> Self {
        Self {
            label: format!("call-{number}"),
            key: 0,
            dialect,
            model,
            stream,
            wants_all: true,
            max_tokens: Some(64),
            leaves: Leaves::Never,
            pace_ms: 0,
        }
    }

    pub fn leaving(self, leaves: Leaves) -> Self {
        Self { leaves, ..self }
    }

    pub fn body(&self) -> Value {
        let question = format!(
            "{} asks: what is the weather like in the city that I named before, and how much are two and two? \
             Please take your time, look it up if you have to, and answer in one short sentence with a greeting.",
            self.label
        );
        let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        let mut body = json!({
            "model": self.model, "stream": self.stream, "messages": [{"role": "user", "content": question}],
        });
        match self.dialect {
            Dialect::Anthropic => {
                body["tools"] =
                    json!([{"name": "weather", "description": "The weather", "input_schema": schema}]);
                // This dialect requires a limit.
                body["max_tokens"] = self.max_tokens.unwrap_or(64).into();
                if self.wants_all {
                    body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
                    body["max_tokens"] = (self.max_tokens.unwrap_or(64) + 1024).into();
                }
            }
            Dialect::OpenAiChat => {
                let function = json!({"name": "weather", "description": "The weather", "parameters": schema});
                body["tools"] = json!([{"type": "function", "function": function}]);
                if let Some(limit) = self.max_tokens {
                    body["max_tokens"] = limit.into();
                }
                if self.stream && self.wants_all {
                    body["stream_options"] = json!({"include_usage": true});
                }
            }
        }
        body
    }

    fn request(&self, stage: &Stage) -> Request<Body> {
        let secret = &stage.prepared.keys[self.key].secret;
        let request = Request::post(wire::path(self.dialect)).header("content-type", "application/json");
        let request = match self.dialect {
            Dialect::Anthropic => {
                request.header("x-api-key", secret).header("anthropic-version", "2023-06-01")
            }
            Dialect::OpenAiChat => request.header("authorization", format!("Bearer {secret}")),
        };
        request.body(Body::from(self.body().to_string())).expect("a request")
    }
}

impl Heard {
    /// Everything that came.
    pub fn bytes(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    /// What had been taken for certain when the client left.
    pub fn taken_bytes(&self) -> Vec<u8> {
        self.pieces[..self.taken].concat()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Asks and listens until the end, or until it leaves.
pub async fn ask(stage: &Stage, ask: &Ask) -> Heard {
    let who = format!("client {}", ask.label);
    stage.log.bytes(&who, "asks", ask.body().to_string().as_bytes());
    let leaves_at = match ask.leaves {
        Leaves::AfterMs(ms) => Instant::now() + Duration::from_millis(ms),
        // Longer than any call.
        _ => Instant::now() + Duration::from_secs(3_600),
    };
    let mut heard = Heard::default();
    let response = tokio::select! {
        biased;
        response = stage.router.clone().oneshot(ask.request(stage)) => {
            let Ok(response) = response;
            response
        }
        () = sleep_until(leaves_at) => {
            stage.log.note(&who, "leaves before the head");
            return heard;
        }
    };
    let (head, mut body) = response.into_parts();
    heard.status = Some(head.status.as_u16());
    stage.log.note(&who, format_args!("gets {} {:?}", head.status, sorted(&head.headers)));
    heard.headers = head.headers;
    listen(ask, leaves_at, &mut body, &mut heard).await;
    for (n, piece) in heard.pieces.iter().enumerate() {
        stage.log.bytes(&who, if n < heard.taken { "took" } else { "got" }, piece);
    }
    stage.log.note(&who, if heard.is_whole { "has all of it" } else { "leaves" });
    heard
}

async fn listen(ask: &Ask, leaves_at: Instant, body: &mut Body, heard: &mut Heard) {
    let mut got = 0;
    loop {
        // Waiting for the next piece says that the last one was taken.
        heard.taken = heard.pieces.len();
        let enough = matches!(ask.leaves, Leaves::AfterBytes(bytes) if got >= bytes);
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = std::future::ready(()), if enough => return,
            () = sleep_until(leaves_at) => return,
        };
        let Some(frame) = frame else {
            heard.is_whole = true;
            return;
        };
        let Ok(frame) = frame else { panic!("{}: our own body broke", ask.label) };
        let Ok(piece) = frame.into_data() else { continue };
        got += piece.len();
        heard.pieces.push(piece);
        if enough {
            return;
        }
        if ask.pace_ms > 0 {
            sleep(Duration::from_millis(ask.pace_ms)).await;
        }
    }
}

/// In one order, whatever the map's; durations by the wall are no part of a run.
fn sorted(headers: &HeaderMap) -> Vec<String> {
    let mut lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or("?"))).collect();
    lines.sort();
    lines
}
