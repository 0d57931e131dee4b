//! A scripted provider: real sockets, exact bytes, and every way to fail. What to answer is a function of the request.

pub mod anthropic;
pub mod openai;
mod reply;
pub mod scenes;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub use self::reply::Reply;
use self::reply::{Ending, Step};
use crate::gate::Counter;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case, in the order sent.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The body as JSON, `null` when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

type Answer = Box<dyn FnMut(&Request) -> Reply + Send>;

struct Inner {
    answer: Mutex<Answer>,
    requests: Mutex<Vec<Request>>,
    arrived: Counter,
    abandoned: Counter,
}

/// A provider under the test's control. It stops when dropped.
pub struct Upstream {
    address: SocketAddr,
    inner: Arc<Inner>,
    listening: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Upstream {
    /// Listens on a free port and answers each request with what `answer` makes of it.
    pub async fn start(answer: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        Self::start_at("127.0.0.1:0", answer).await
    }

    /// As [`Upstream::start`], on a given address.
    pub async fn start_at(address: &str, answer: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free loopback port");
        let address = listener.local_addr().expect("a bound address");
        let inner = Arc::new(Inner {
            answer: Mutex::new(Box::new(answer)),
            requests: Mutex::default(),
            arrived: Counter::default(),
            abandoned: Counter::default(),
        });
        let listening = tokio::spawn(accept(listener, inner.clone()));
        Self { address, inner, listening }
    }

    /// Answers differently from now on.
    pub fn answer_with(&self, answer: impl FnMut(&Request) -> Reply + Send + 'static) {
        *self.inner.answer.lock().expect("no answer panicked") = Box::new(answer);
    }

    /// `http://127.0.0.1:port`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.inner.requests.lock().expect("no answer panicked").clone()
    }

    /// The latest request.
    #[must_use]
    pub fn last(&self) -> Request {
        self.requests().pop().expect("the provider was called")
    }

    /// How many requests arrived; can be waited for.
    #[must_use]
    pub fn arrived(&self) -> &Counter {
        &self.inner.arrived
    }

    /// How many answers the caller hung up on; can be waited for.
    #[must_use]
    pub fn abandoned(&self) -> &Counter {
        &self.inner.abandoned
    }
}

/// An address where nothing listens.
pub async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
    format!("http://{}", listener.local_addr().expect("a bound address"))
}

async fn accept(listener: TcpListener, inner: Arc<Inner>) {
    while let Ok((socket, _)) = listener.accept().await {
        // A piece is sent when it is written, not when the one before was acknowledged.
        socket.set_nodelay(true).ok();
        tokio::spawn(serve(socket, inner.clone()));
    }
}

/// Answers requests on one connection until either side ends it.
async fn serve(socket: TcpStream, inner: Arc<Inner>) {
    let mut connection = Connection { socket, unread: Vec::new() };
    while let Some(request) = connection.request().await {
        let reply = (inner.answer.lock().expect("no answer panicked"))(&request);
        inner.requests.lock().expect("no answer panicked").push(request);
        inner.arrived.bump();
        match connection.play(reply).await {
            Ending::KeepAlive => {}
            Ending::Close => return,
            Ending::Abandoned => return inner.abandoned.bump(),
            Ending::Reset => {
                connection.socket.set_zero_linger().ok();
                return;
            }
        }
    }
}

struct Connection {
    socket: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    /// The next request, or nothing when the caller is gone.
    async fn request(&mut self) -> Option<Request> {
        loop {
            if let Some((mut request, head, length)) = parse_head(&self.unread) {
                while self.unread.len() < head + length {
                    self.fill().await?;
                }
                request.body = self.unread[head..head + length].to_vec();
                self.unread.drain(..head + length);
                return Some(request);
            }
            self.fill().await?;
        }
    }

    /// Reads what has come; nothing when the caller is gone.
    async fn fill(&mut self) -> Option<()> {
        match self.socket.read_buf(&mut self.unread).await {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(()),
        }
    }

    async fn play(&mut self, reply: Reply) -> Ending {
        for step in reply.steps {
            let gone = match step {
                Step::Write(bytes) => self.write(&bytes).await.is_err(),
                Step::Wait(gate) => tokio::select! {
                    () = gate.passed() => false,
                    () = self.hung_up() => true,
                },
            };
            if gone {
                return Ending::Abandoned;
            }
        }
        if reply.ending == Ending::Abandoned {
            self.hung_up().await;
        }
        reply.ending
    }

    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.socket.write_all(bytes).await?;
        self.socket.flush().await
    }

    /// Returns once the caller has closed its side.
    async fn hung_up(&mut self) {
        while self.fill().await.is_some() {}
    }
}

/// The request whose head is complete in `bytes`, with the lengths of its head and body.
fn parse_head(bytes: &[u8]) -> Option<(Request, usize, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head_length) = head.parse(bytes).expect("a request the provider can read")
    else {
        return None;
    };
    let headers: Vec<(String, String)> = (head.headers.iter())
        .map(|h| (h.name.to_lowercase(), String::from_utf8_lossy(h.value).into_owned()))
        .collect();
    let (method, path) = (head.method?.to_owned(), head.path?.to_owned());
    let request = Request { method, path, headers, body: Vec::new() };
    let body_length =
        request.header("content-length").map_or(0, |n| n.parse().expect("a numeric content-length"));
    Some((request, head_length, body_length))
}
