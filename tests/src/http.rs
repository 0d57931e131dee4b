//! A plain HTTP client for tests: whole answers, streams read event by event, nothing retried and nothing followed.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::PATIENCE;
use crate::canary;
use crate::sse::{self, Event};

/// A request under construction.
#[derive(Debug, Clone)]
pub struct Call {
    method: http::Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
}

/// An answer whose body is still arriving. Dropping it hangs up, and searches what had come for secrets.
pub struct Streaming {
    pub status: u16,
    pub headers: http::HeaderMap,
    /// Method and path of the request.
    place: String,
    /// What its address asked after `?`, which a page repeats to link to itself in the other language.
    query: String,
    body: Incoming,
    /// All that came, and how much of it was read as events.
    received: Vec<u8>,
    unread: Vec<u8>,
}

impl Drop for Streaming {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers: Vec<_> =
                self.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            let mut body = String::from_utf8_lossy(&self.received).into_owned();
            if !self.query.is_empty() {
                body = body.replace(&format!("?{}", self.query), "");
            }
            canary::check_answer(canary::Answer {
                place: &self.place,
                headers: &headers,
                body: body.as_bytes(),
            });
        }
    }
}

impl Call {
    /// A request with the given method, such as `GET`.
    #[must_use]
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        let method = method.parse().expect("a method");
        Self { method, url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A JSON request.
    #[must_use]
    pub fn post(url: impl Into<String>, body: &Value) -> Self {
        Self::new("POST", url).header("content-type", "application/json").body(body.to_string())
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Answer {
        self.stream().await.rest().await
    }

    /// Sends it and returns once the head of the answer is there.
    pub async fn stream(self) -> Streaming {
        let what = format!("{} {}", self.method, self.url);
        self.try_stream().await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// As [`Call::stream`], for a server that may not answer at all.
    ///
    /// # Errors
    /// Says why there was no answer.
    pub async fn try_stream(self) -> Result<Streaming, String> {
        let (path, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let query = query.replace('&', "&amp;");
        let path = path.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
        let place = format!("{} {}", self.method, path.unwrap_or("/"));
        let mut request = http::Request::builder().method(self.method).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(self.body))).expect("a well-formed request");
        let answer = tokio::time::timeout(PATIENCE, client().request(request))
            .await
            .map_err(|_| format!("no answer within {PATIENCE:?}"))?
            .map_err(|error| format!("{error:?}"))?;
        let (head, body) = answer.into_parts();
        let (received, unread) = (Vec::new(), Vec::new());
        let (status, headers) = (head.status.as_u16(), head.headers);
        Ok(Streaming { status, headers, place, query, body, received, unread })
    }
}

/// Each test has its own runtime, and pooled connections belong to one: no connection is kept.
fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http()
}

impl Streaming {
    /// The next event, or nothing when the stream ended in order.
    pub async fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = sse::next_event(&mut self.unread) {
                return Some(event);
            }
            if !self.fill().await.expect("the stream goes on or ends in order") {
                return None;
            }
        }
    }

    /// Reads on until an event satisfies the condition, and returns it.
    pub async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        while let Some(event) = self.next_event().await {
            if wanted(&event) {
                return event;
            }
        }
        panic!("the stream ended before the awaited event");
    }

    /// Everything that is left.
    pub async fn rest(mut self) -> Answer {
        while self.fill().await.expect("the answer arrives whole") {}
        self.answer()
    }

    /// Reads on to the end, however it ends; says whether it ended in order.
    pub async fn rest_or_cut(mut self) -> (Answer, bool) {
        let in_order = loop {
            match self.fill().await {
                Ok(true) => {}
                Ok(false) => break true,
                Err(_) => break false,
            }
        };
        (self.answer(), in_order)
    }

    /// What was not read as events.
    fn answer(&mut self) -> Answer {
        let body = std::mem::take(&mut self.unread);
        Answer { status: self.status, headers: self.headers.clone(), body }
    }

    /// Reads the next bytes; `false` at the end.
    async fn fill(&mut self) -> Result<bool, String> {
        let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await;
        match frame.map_err(|_| format!("nothing came within {PATIENCE:?}"))? {
            None => Ok(false),
            Some(Err(error)) => Err(error.to_string()),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    self.received.extend_from_slice(&data);
                    self.unread.extend_from_slice(&data);
                }
                Ok(true)
            }
        }
    }
}

impl Answer {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("status {}, not JSON: {}", self.status, self.text()))
    }

    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header that must be there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.maybe(name).unwrap_or_else(|| panic!("no header {name} in {:?}", self.headers))
    }

    /// A header that may be there.
    #[must_use]
    pub fn maybe(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as server-sent events.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        sse::events(&self.body)
    }

    /// This answer, after checking its status.
    #[must_use]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}
