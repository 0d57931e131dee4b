//! The connection to providers: one pooled client, behind a trait so that a simulation can answer in memory.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::egress::{Allowed, Connector};

/// Largest head of a provider's answer: with HTTP/1.1 it must fit into the read buffer.
const MAX_HEADER_BYTES: usize = 64 << 10;
const MAX_HEADER_LIST_BYTES: u32 = 64 << 10;

/// The body of an upstream answer, read frame by frame.
pub type UpstreamBody = UnsyncBoxBody<Bytes, SendError>;

/// Sends one request to a provider and answers with its head; the body streams.
pub trait Upstream: Send + Sync {
    /// # Errors
    /// When no response head arrived.
    fn send(&self, request: Request<Full<Bytes>>)
    -> BoxFuture<'_, Result<Response<UpstreamBody>, SendError>>;
}

/// Why an upstream could not be reached or its answer broke off. Carries no address and no credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("the provider refused the connection")]
    Connect,
    #[error("the connection to the provider could not be made in time")]
    ConnectTimeout,
    #[error("the connection to the provider broke")]
    Broken,
}

/// The real client: HTTP/1.1 and HTTP/2, TLS, keep-alive.
pub struct HttpUpstream {
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
}

impl HttpUpstream {
    /// A client that connects to what is allowed, within `connect_timeout`. It follows no redirect.
    #[must_use]
    pub fn new(connect_timeout: Duration, allowed: Allowed) -> Self {
        let tls = hyper_rustls::HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(Connector::new(allowed, connect_timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .http1_max_buf_size(MAX_HEADER_BYTES)
            .http2_max_header_list_size(MAX_HEADER_LIST_BYTES)
            .build(tls);
        Self { client }
    }
}

impl Upstream for HttpUpstream {
    fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> BoxFuture<'_, Result<Response<UpstreamBody>, SendError>> {
        Box::pin(async move {
            let response = self.client.request(request).await.map_err(|error| classify(&error))?;
            Ok(response.map(|body| body.map_err(|_| SendError::Broken).boxed_unsync()))
        })
    }
}

fn classify(error: &hyper_util::client::legacy::Error) -> SendError {
    if !error.is_connect() {
        return SendError::Broken;
    }
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = source {
        let timed_out =
            cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::TimedOut);
        if timed_out {
            return SendError::ConnectTimeout;
        }
        source = cause.source();
    }
    SendError::Connect
}
