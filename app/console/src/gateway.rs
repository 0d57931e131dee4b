//! The gateway of the same process, as the console sees it: the prices in force, and the API, called as anyone would.
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use bytespike_catalog::{PriceBook, PriceExport};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt as _;

/// Given by whoever starts the console. Clones share it.
#[derive(Clone)]
pub struct LocalGateway {
    /// Every route of the API.
    pub api: Router,
    /// The price book in force: every model by any of its names.
    pub book: Arc<dyn Fn() -> Arc<PriceBook> + Send + Sync>,
    /// What is priced now, and what of it can be called.
    pub prices: Arc<dyn Fn() -> PriceExport + Send + Sync>,
}

/// What the API answered. A body that is no JSON is `null`; every answer of the API is JSON.
pub(crate) struct ApiAnswer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl LocalGateway {
    /// Posts JSON with a key, through the same routes as a caller from outside.
    pub(crate) async fn post(&self, path: &'static str, key: &str, body: &Value) -> ApiAnswer {
        let request = Request::post(path)
            .header("x-api-key", key)
            .header("anthropic-version", "2023-06-01")
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()));
        let Ok(request) = request else {
            return ApiAnswer {
                status: StatusCode::BAD_REQUEST,
                headers: HeaderMap::new(),
                body: Value::Null,
            };
        };
        let Ok(response) = self.api.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        ApiAnswer { status: parts.status, headers: parts.headers, body }
    }
}

impl ApiAnswer {
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    /// The sentence of an error, in English as the API speaks.
    pub fn message(&self) -> String {
        let message = self.body.pointer("/error/message").and_then(Value::as_str);
        message.map_or_else(|| self.status.to_string(), str::to_owned)
    }
}
