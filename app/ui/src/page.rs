//! A page: its head, its body, its status, and for how long anyone may keep it. Rendering turns it into bytes that
//! are the same for the same input, with a strong entity tag.

mod cache;
mod document;
mod head;

pub use cache::CachePolicy;
pub use document::escape;
pub use head::{Head, Robots};

use crate::Visit;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{CONTENT_TYPE, ETAG, VARY};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt as _;
use leptos::prelude::*;
use sha2::{Digest as _, Sha256};
use std::pin::Pin;

/// A page ready to be rendered. It cannot exist without a [`CachePolicy`].
pub struct Page {
    head: Head,
    policy: CachePolicy,
    status: StatusCode,
    body: Box<dyn FnOnce() -> AnyView + Send>,
}

impl Page {
    /// `body` is the content of `<body>`, built when the page is rendered; use a layout from [`crate::layout`].
    pub fn new(head: Head, policy: CachePolicy, body: impl FnOnce() -> AnyView + Send + 'static) -> Self {
        Self { head, policy, status: StatusCode::OK, body: Box::new(body) }
    }

    /// Another status than 200: 422 for a form that has faults, 404, 500.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Renders the page for this visit. Answering `If-None-Match` and compressing is the work of [`crate::http::layers`].
    pub async fn render(self, visit: &Visit) -> Response {
        let Self { head, policy, status, body } = self;
        let html = document::write(visit, &head, &body_html(body).await);
        let tag = entity_tag(html.as_bytes());
        let mut response = (status, Body::from(html)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        if head.robots == Robots::NoIndex {
            headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
        }
        if status == StatusCode::OK {
            headers.insert(ETAG, tag);
        }
        let policy = if visit.announced().is_empty() { policy } else { policy.announced() };
        let policy = if visit.theme == crate::Theme::Auto { policy } else { policy.personal() };
        policy.apply(headers);
        response
    }
}

/// Text that is not a page (feeds, robots, Markdown mirrors) under the same rules: policy, strong entity tag.
#[must_use]
pub fn text(media_type: &'static str, body: impl Into<Bytes>, policy: CachePolicy) -> Response {
    let body = body.into();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(ETAG, entity_tag(&body));
    policy.apply(&mut headers);
    (headers, body).into_response()
}

/// A strong tag over the identity bytes; a coding adds its own suffix.
#[must_use]
pub(crate) fn entity_tag(bytes: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(bytes);
    let tag = format!("\"{}\"", hex::encode(digest.get(..16).unwrap_or_default()));
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Renders a view to HTML outside a page, for mail and feeds.
#[must_use]
pub fn fragment(view: impl FnOnce() -> AnyView) -> String {
    let owner = Owner::new_root(None);
    let html = owner.with(|| view().to_html());
    owner.unset_with_forced_cleanup();
    html
}

type HtmlStream = Pin<Box<dyn futures_util::Stream<Item = String> + Send>>;

async fn body_html(body: Box<dyn FnOnce() -> AnyView + Send>) -> String {
    let _ = any_spawner::Executor::init_tokio(); // an error only means that an earlier page did it
    let response = leptos_axum::handle_response_inner(
        || (),
        body,
        Request::new(Body::empty()),
        |view, chunks, _| {
            let stream = view.to_html_stream_in_order();
            Box::pin(async move {
                let html = drain(stream).await;
                drain(chunks()).await; // left unread, the renderer's context would never be freed
                Box::pin(futures_util::stream::once(async move { html })) as HtmlStream
            })
        },
    )
    .await;
    let bytes =
        response.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn drain(stream: impl futures_util::Stream<Item = String>) -> String {
    let mut stream = std::pin::pin!(stream);
    let mut html = String::with_capacity(16 * 1024);
    while let Some(chunk) = stream.next().await {
        html.push_str(&chunk);
    }
    html
}

/// The one value of `Vary` any response of ours carries.
pub(crate) fn vary_by_encoding(headers: &mut HeaderMap) {
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
}
