//! The provider, in memory: it answers each call as it was told to, and remembers how much of it was read.
use crate::log::Log;
use bytes::Bytes;
use bytespike_dialects::Dialect;
use bytespike_gateway::Upstream;
use bytespike_gateway::upstream::{SendError, UpstreamBody};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// The provider's own key, which must never be seen by anybody else.
pub const SECRET: &str = "upstream-secret-canary-7f3a";

/// How one request is answered.
#[derive(Clone, Debug)]
pub struct Reply {
    pub head: Head,
    pub pieces: Vec<Piece>,
    /// Whoever is asked in another dialect does not answer like this.
    pub only_in: Option<Dialect>,
}

#[derive(Clone, Debug)]
pub enum Head {
    /// A status line, so many milliseconds after the request.
    Status(u16, u64),
    /// No head.
    Fails(SendError),
    Never,
}

#[derive(Clone, Debug)]
pub enum Piece {
    Bytes(Bytes),
    WaitMs(u64),
    /// The connection breaks.
    Break,
    /// Nothing more comes, and the connection stays.
    Hang,
}

/// What became of one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    pub label: String,
    /// Bytes that were read.
    pub read_bytes: usize,
    /// It was read to its end.
    pub is_read_out: bool,
    /// Its reader went away before that.
    pub is_abandoned: bool,
}

pub struct Provider {
    log: Log,
    replies: Mutex<HashMap<String, VecDeque<Reply>>>,
    served: Mutex<Vec<Arc<Mutex<Served>>>>,
}

impl Reply {
    /// The pieces after an ordinary head.
    pub fn ok(pieces: Vec<Piece>) -> Self {
        Self::of(Head::Status(200, 20), pieces)
    }

    /// All of it in one piece.
    pub fn whole(bytes: &'static [u8]) -> Self {
        Self::ok(vec![Piece::Bytes(Bytes::from_static(bytes))])
    }

    pub fn failing(head: Head) -> Self {
        Self::of(head, Vec::new())
    }

    /// From whichever channel is asked.
    pub fn of(head: Head, pieces: Vec<Piece>) -> Self {
        Self { head, pieces, only_in: None }
    }
}

impl Provider {
    pub fn new(log: Log) -> Self {
        Self { log, replies: Mutex::default(), served: Mutex::default() }
    }

    /// How the call of this label is answered, one reply for each try.
    pub fn expect(&self, label: &str, replies: Vec<Reply>) {
        lock(&self.replies).insert(label.to_owned(), replies.into());
    }

    /// What became of the answers to this call.
    pub fn served(&self, label: &str) -> Vec<Served> {
        let all = lock(&self.served).iter().map(|served| lock(served).clone()).collect::<Vec<_>>();
        all.into_iter().filter(|served| served.label == label).collect()
    }

    fn next(&self, label: &str, asked_in: Dialect) -> (Reply, Arc<Mutex<Served>>) {
        let planned = lock(&self.replies).get_mut(label).and_then(|replies| {
            let at = replies.iter().position(|reply| reply.only_in.is_none_or(|only| only == asked_in))?;
            replies.remove(at)
        });
        let nothing = Piece::Bytes(Bytes::from_static(b"{\"error\":{\"message\":\"nothing planned\"}}"));
        let reply = planned.unwrap_or_else(|| Reply::of(Head::Status(500, 1), vec![nothing]));
        let served = Arc::new(Mutex::new(Served { label: label.to_owned(), ..Served::default() }));
        lock(&self.served).push(served.clone());
        (reply, served)
    }
}

impl Upstream for Provider {
    fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> BoxFuture<'_, Result<Response<UpstreamBody>, SendError>> {
        Box::pin(async move {
            let path = request.uri().to_string();
            let Ok(body) = request.into_body().collect().await;
            let body = body.to_bytes();
            let label = label_in(&body);
            self.log.bytes(&format!("provider {label}"), &format!("is asked at {path}"), &body);
            let asked_in = if path.ends_with("/messages") { Dialect::Anthropic } else { Dialect::OpenAiChat };
            let (reply, served) = self.next(&label, asked_in);
            match reply.head {
                Head::Never => std::future::pending().await,
                Head::Fails(error) => Err(error),
                Head::Status(status, after_ms) => {
                    sleep(Duration::from_millis(after_ms)).await;
                    let sending = Sending { pieces: reply.pieces.into(), served, log: self.log.clone() };
                    let mut response = Response::new(body_of(sending));
                    *response.status_mut() =
                        http::StatusCode::from_u16(status).map_err(|_| SendError::Broken)?;
                    Ok(response)
                }
            }
        })
    }
}

/// `call-7` from wherever it stands in the request.
fn label_in(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let Some(at) = text.find("call-") else { return "unlabelled".to_owned() };
    text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// An answer that is being read.
struct Sending {
    pieces: VecDeque<Piece>,
    served: Arc<Mutex<Served>>,
    log: Log,
}

impl Sending {
    async fn next(&mut self) -> Option<Result<Bytes, SendError>> {
        loop {
            match self.pieces.pop_front() {
                None => {
                    lock(&self.served).is_read_out = true;
                    return None;
                }
                Some(Piece::WaitMs(ms)) => sleep(Duration::from_millis(ms)).await,
                Some(Piece::Hang) => std::future::pending().await,
                Some(Piece::Break) => {
                    lock(&self.served).is_read_out = true;
                    return Some(Err(SendError::Broken));
                }
                Some(Piece::Bytes(bytes)) => {
                    lock(&self.served).read_bytes += bytes.len();
                    return Some(Ok(bytes));
                }
            }
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let mut served = lock(&self.served);
        if !served.is_read_out {
            served.is_abandoned = true;
            let (label, read) = (&served.label, served.read_bytes);
            self.log.note(&format!("provider {label}"), format_args!("is left alone after {read} bytes"));
        }
    }
}

fn body_of(sending: Sending) -> UpstreamBody {
    let frames = futures_util::stream::unfold(sending, async |mut sending| {
        let next = sending.next().await?;
        Some((next.map(http_body::Frame::data), sending))
    });
    StreamBody::new(frames).boxed_unsync()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
