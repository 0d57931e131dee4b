//! What machines ask: is it alive, is it ready, how is it doing.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytespike_store::Store;
use bytespike_store::world::World;
use http::{HeaderMap, StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::client_ip::is_local;
use crate::config::Secret;

/// A clock further than this from the database's makes windows and expiries disagree between processes.
const MAX_CLOCK_SKEW_MS: u64 = 2000;

/// What the answers depend on.
pub struct Health {
    pub world: World,
    /// None on surfaces that have no database.
    pub store: Option<Store>,
    pub stop: CancellationToken,
    pub metrics: PrometheusHandle,
    pub metrics_token: Secret,
}

/// `/healthz`, `/readyz` and `/metrics`.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(render_metrics))
        .with_state(Arc::new(health))
}

/// Ready once everything was recovered at start (the listener opens after that), while the database answers, its
/// clock agrees, and no stop was asked for.
async fn ready(State(health): State<Arc<Health>>) -> Response {
    let problem = match &health.store {
        _ if health.stop.is_cancelled() => Some("shutting down"),
        None => None,
        Some(store) => database_problem(store, &health.world).await,
    };
    match problem {
        None => Json(json!({"ready": true})).into_response(),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"ready": false, "problem": problem})))
            .into_response(),
    }
}

async fn database_problem(store: &Store, world: &World) -> Option<&'static str> {
    if let Err(error) = store.ping().await {
        tracing::warn!(%error, "the database does not answer");
        return Some("the database does not answer");
    }
    match store.clock_skew_ms(world).await {
        Ok(skew_ms) if skew_ms.unsigned_abs() <= MAX_CLOCK_SKEW_MS => None,
        Ok(skew_ms) => {
            tracing::warn!(skew_ms, "the clocks of this machine and the database disagree");
            Some("the clocks of this machine and the database disagree")
        }
        Err(_) => Some("the database does not answer"),
    }
}

async fn render_metrics(
    State(health): State<Arc<Health>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    if !is_local(client, &headers) && !carries(&health.metrics_token, &headers) {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], health.metrics.render())
        .into_response()
}

/// Digests are compared, so that the time taken says nothing about the token.
fn carries(token: &Secret, headers: &HeaderMap) -> bool {
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match (token.reveal(), given) {
        (Some(token), Some(given)) => Sha256::digest(token) == Sha256::digest(given),
        _ => false,
    }
}
