//! A channel: one configured way to a provider, with the credentials, the wire format it speaks and the models it carries.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytespike_dialects::Dialect;
use http::{HeaderMap, HeaderValue, Uri, header};

/// The channels of this process, swapped whole when an operator changes one. A call keeps those it was planned with.
pub struct Channels(ArcSwap<Vec<Arc<Channel>>>);

impl Channels {
    #[must_use]
    pub fn new(channels: Vec<Channel>) -> Self {
        Self(ArcSwap::from_pointee(channels.into_iter().map(Arc::new).collect()))
    }

    /// Those in use now, in order of preference.
    #[must_use]
    pub fn current(&self) -> Arc<Vec<Arc<Channel>>> {
        self.0.load_full()
    }

    pub(crate) fn replace(&self, channels: Vec<Channel>) {
        self.0.store(Arc::new(channels.into_iter().map(Arc::new).collect()));
    }
}

/// One configured way to a provider.
#[derive(Debug, Clone)]
pub struct Channel {
    /// Operator's name for it, shown on receipts and in `x-served-by`.
    pub id: String,
    /// Whose models these are: `anthropic`, `openai`, `demo`, …
    pub provider: String,
    /// Where it keeps what it is sent, as the operator says: `us`, `eu`, `cn`, …
    pub region: Option<String>,
    /// The wire format spoken at `base_url`.
    pub dialect: Dialect,
    /// Where requests go, with or without a trailing `/v1`.
    pub base_url: String,
    /// Official API credentials; a conversation sticks to one of them.
    pub credentials: Vec<Credential>,
    /// Our slug → the id the provider knows it by.
    pub models: BTreeMap<String, String>,
    /// Its share of the conversations that several channels could take, as part of the sum of their weights; 0 makes it the
    /// last resort.
    pub weight: u32,
}

/// One upstream credential as the headers that carry it. Its value never prints.
#[derive(Clone)]
pub struct Credential {
    /// A public name for logs: `<channel>#<position>`.
    pub name: String,
    headers: HeaderMap,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential({}, [redacted])", self.name)
    }
}

/// What is wrong with a configured channel.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    #[error("channel `{channel}`: base_url is not a URL: {reason}")]
    BaseUrl { channel: String, reason: String },
    #[error("channel `{channel}`: a credential holds characters that cannot stand in a header")]
    Credential { channel: String },
    #[error("channel `{channel}`: region is 1 to 40 small letters, digits and `-`, such as `eu`")]
    Region { channel: String },
    #[error("channel `{channel}` has no credential")]
    NoCredential { channel: String },
    #[error("channel `{channel}` carries no model")]
    NoModel { channel: String },
}

impl Channel {
    /// A channel from its configured parts. `secrets` are plain upstream keys; they become headers marked sensitive.
    ///
    /// # Errors
    /// Names the channel and what is wrong with it.
    pub fn new(parts: ChannelParts, secrets: &[String]) -> Result<Self, ChannelError> {
        let ChannelParts { id, provider, region, dialect, base_url, models } = parts;
        let base_url = base_url.trim_end_matches('/').to_owned();
        let uri: Uri = base_url.parse().map_err(|e: http::uri::InvalidUri| ChannelError::BaseUrl {
            channel: id.clone(),
            reason: e.to_string(),
        })?;
        if uri.scheme().is_none() || uri.host().is_none() {
            let reason = "it needs a scheme and a host, such as https://api.example.com/v1".to_owned();
            return Err(ChannelError::BaseUrl { channel: id, reason });
        }
        let region = Some(region).filter(|region| !region.is_empty());
        if region.as_deref().is_some_and(|region| !is_place(region)) {
            return Err(ChannelError::Region { channel: id });
        }
        if models.is_empty() {
            return Err(ChannelError::NoModel { channel: id });
        }
        if secrets.is_empty() {
            return Err(ChannelError::NoCredential { channel: id });
        }
        let credentials = secrets
            .iter()
            .enumerate()
            .map(|(position, secret)| {
                let headers = auth_headers(&provider, dialect, secret)
                    .map_err(|_| ChannelError::Credential { channel: id.clone() })?;
                Ok(Credential { name: format!("{id}#{position}"), headers })
            })
            .collect::<Result<Vec<_>, ChannelError>>()?;
        Ok(Self { id, provider, region, dialect, base_url, credentials, models, weight: 1 })
    }

    /// The same with another weight than 1.
    #[must_use]
    pub fn weighing(self, weight: u32) -> Self {
        Self { weight, ..self }
    }

    /// The full URL of `path` (as `/messages`, `/chat/completions`) at this channel. Anthropic's SDKs and documents
    /// write base URLs without the version, OpenAI's with it; both ways work for the former.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        match (self.dialect, self.base_url.ends_with("/v1")) {
            (Dialect::Anthropic, false) => format!("{}/v1{path}", self.base_url),
            _ => format!("{}{path}", self.base_url),
        }
    }

    /// What the provider said, without any of the credentials: providers repeat the key that they refuse.
    #[must_use]
    pub fn without_credentials(&self, text: &str) -> String {
        self.credentials.iter().fold(text.to_owned(), |text, credential| credential.cut_from(&text))
    }
}

impl Credential {
    /// The text without this credential in it.
    fn cut_from(&self, text: &str) -> String {
        let secrets = self.headers.values().filter_map(|value| value.to_str().ok());
        secrets.fold(text.to_owned(), |text, secret| {
            text.replace(secret.strip_prefix("Bearer ").unwrap_or(secret), "[redacted]")
        })
    }

    /// Adds this credential to the headers of an upstream request.
    pub fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
    }
}

/// The plain parts of a [`Channel`].
#[derive(Debug, Clone)]
pub struct ChannelParts {
    pub id: String,
    pub provider: String,
    /// Empty: not said.
    pub region: String,
    pub dialect: Dialect,
    pub base_url: String,
    pub models: BTreeMap<String, String>,
}

/// Whether the text can name a region, or a provider in a key's list.
#[must_use]
pub fn is_place(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(plain)
}

/// Anthropic itself takes only `x-api-key`; other hosts of its wire format differ in which of the two they read, so they get both.
fn auth_headers(
    provider: &str,
    dialect: Dialect,
    secret: &str,
) -> Result<HeaderMap, header::InvalidHeaderValue> {
    let mut headers = HeaderMap::new();
    if dialect == Dialect::Anthropic {
        headers.insert("x-api-key", sensitive(secret)?);
    }
    if dialect != Dialect::Anthropic || provider != "anthropic" {
        headers.insert(header::AUTHORIZATION, sensitive(&format!("Bearer {secret}"))?);
    }
    Ok(headers)
}

fn sensitive(value: &str) -> Result<HeaderValue, header::InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(value)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(dialect: Dialect, base_url: &str) -> Result<Channel, ChannelError> {
        let models = BTreeMap::from([("m".to_owned(), "up-m".to_owned())]);
        let parts = ChannelParts {
            id: "c".into(),
            provider: "p".into(),
            region: String::new(),
            dialect,
            base_url: base_url.into(),
            models,
        };
        Channel::new(parts, &["secret-value".to_owned()])
    }

    #[test]
    fn url_takes_base_with_and_without_v1() {
        let at = |dialect, base, path| channel(dialect, base).unwrap().url(path);
        assert_eq!(at(Dialect::Anthropic, "http://h", "/messages"), "http://h/v1/messages");
        assert_eq!(at(Dialect::Anthropic, "http://h/v1/", "/messages"), "http://h/v1/messages");
        assert_eq!(
            at(Dialect::OpenAiChat, "http://h/v1", "/chat/completions"),
            "http://h/v1/chat/completions"
        );
        assert_eq!(
            at(Dialect::OpenAiChat, "http://h/api/v4", "/chat/completions"),
            "http://h/api/v4/chat/completions"
        );
    }

    #[test]
    fn a_bad_base_url_is_named() {
        let error = channel(Dialect::Anthropic, "not a url").unwrap_err().to_string();
        assert!(error.contains("channel `c`"), "{error}");
        assert!(channel(Dialect::Anthropic, "example.com").is_err());
    }

    #[test]
    fn s127_a_credential_does_not_print() {
        let printed = format!("{:?}", channel(Dialect::OpenAiChat, "http://h/v1").unwrap());
        assert!(!printed.contains("secret-value"), "{printed}");
    }
}
