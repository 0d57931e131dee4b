//! Whether a channel answers: one real, tiny call to the provider, at our cost and on nobody's wallet. It goes out through the
//! same connection as every other call, so it reaches no address that they may not.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytespike_dialects::Dialect;
use bytespike_store::world::World;
use http::{HeaderMap, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use serde_json::{Value, json};

use crate::Channel;
use crate::upstream::{SendError, Upstream};

/// As many tokens as a test asks for at most.
const MOST_OUTPUT_TOKENS: u32 = 16;
/// How much of an answer is read.
const MOST_BYTES: usize = 64 << 10;
/// How much of it is shown.
const MOST_SHOWN_CHARS: usize = 1_500;
const PATIENCE: Duration = Duration::from_secs(30);

/// A channel as this process uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelStatus {
    pub id: String,
    pub provider: String,
    pub region: Option<String>,
    pub dialect: &'static str,
    pub base_url: String,
    pub models: Vec<String>,
    /// Left alone for some seconds, after failures in a row.
    pub is_resting: bool,
    pub weight: u32,
}

/// Makes the call.
#[derive(Clone)]
pub struct ChannelTester {
    pub upstream: Arc<dyn Upstream>,
    pub world: World,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelAnswer {
    /// The provider's status, or why there is none.
    pub status: Result<u16, Unanswered>,
    pub took_ms: i64,
    /// The beginning of what the provider said, without credentials.
    pub said: String,
}

/// Why the provider gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// It could not be reached: refused, not resolved, not TLS, or no address that may be connected to.
    Unreachable,
    Late,
    Broken,
}

impl ChannelAnswer {
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self.status, Ok(200..=299))
    }
}

impl ChannelTester {
    /// Asks one of the channel's models for one word. `None` when the channel does not carry it.
    pub async fn test(&self, channel: &Channel, model: &str) -> Option<ChannelAnswer> {
        let request = request(channel, channel.models.get(model)?)?;
        let began_ms = self.world.now_ms();
        let answered = tokio::time::timeout(PATIENCE, self.ask(request)).await;
        let (status, body) = match answered {
            Err(_) => (Err(Unanswered::Late), Bytes::new()),
            Ok(Err(error)) => (Err(error.into()), Bytes::new()),
            Ok(Ok((status, body))) => (Ok(status), body),
        };
        let said = shown(channel, &body);
        Some(ChannelAnswer { status, took_ms: self.world.now_ms() - began_ms, said })
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), SendError> {
        let (head, body) = self.upstream.send(request).await?.into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).map_err(|_| SendError::Broken)?;
        Ok((head.status.as_u16(), body))
    }
}

impl From<SendError> for Unanswered {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Connect => Self::Unreachable,
            SendError::ConnectTimeout => Self::Late,
            SendError::Broken => Self::Broken,
        }
    }
}

fn request(channel: &Channel, upstream_model: &str) -> Option<Request<Full<Bytes>>> {
    let path = match channel.dialect {
        Dialect::Anthropic => "/messages",
        Dialect::OpenAiChat => "/chat/completions",
    };
    let body = body(channel.dialect, upstream_model).to_string();
    let request = Request::builder().method(Method::POST).uri(channel.url(path));
    let mut request = request.body(Full::new(Bytes::from(body))).ok()?;
    *request.headers_mut() = headers(channel.dialect);
    channel.credentials.first()?.apply(request.headers_mut());
    Some(request)
}

fn body(dialect: Dialect, upstream_model: &str) -> Value {
    let messages = json!([{"role": "user", "content": "Reply with the one word: OK"}]);
    match dialect {
        Dialect::Anthropic => {
            json!({"model": upstream_model, "max_tokens": MOST_OUTPUT_TOKENS, "messages": messages})
        }
        Dialect::OpenAiChat => json!({"model": upstream_model, "messages": messages}),
    }
}

fn headers(dialect: Dialect) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let agent = HeaderValue::from_static(concat!("ByteSpike/", env!("CARGO_PKG_VERSION")));
    headers.insert(header::USER_AGENT, agent);
    if dialect == Dialect::Anthropic {
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    headers
}

/// Credentials are cut out before the text is cut.
fn shown(channel: &Channel, body: &Bytes) -> String {
    let text = channel.without_credentials(&String::from_utf8_lossy(body));
    text.chars().take(MOST_SHOWN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ChannelParts;

    const KEY: &str = "sk-upstream-canary";

    fn channel() -> Channel {
        let parts = ChannelParts {
            id: "main".to_owned(),
            provider: "anthropic".to_owned(),
            region: String::new(),
            dialect: Dialect::Anthropic,
            base_url: "https://api.example.com".to_owned(),
            models: BTreeMap::from([("m".to_owned(), "up-m".to_owned())]),
        };
        Channel::new(parts, &[KEY.to_owned()]).expect("a channel")
    }

    #[test]
    fn the_request_asks_the_provider_s_own_model_for_little() {
        let channel = channel();
        let request = request(&channel, "up-m").expect("a request");
        assert_eq!(request.uri(), "https://api.example.com/v1/messages");
        assert_eq!(request.headers()["x-api-key"], KEY);
        assert_eq!(body(channel.dialect, "up-m")["max_tokens"], MOST_OUTPUT_TOKENS);
    }

    #[test]
    fn a_refused_key_is_not_repeated() {
        let body = Bytes::from(format!("{{\"error\": \"Incorrect API key provided: {KEY}\"}}"));
        let said = shown(&channel(), &body);
        assert!(said.contains("Incorrect") && !said.contains(KEY), "{said}");
        let long = shown(&channel(), &Bytes::from("é".repeat(9_000)));
        assert_eq!(long.chars().count(), MOST_SHOWN_CHARS);
    }
}
