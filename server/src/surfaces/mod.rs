//! Which routers one process serves, and what every request passes on its way to them.

mod client_ip;
mod health;
mod hosts;
mod routes;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use bytespike_store::world::World;
use http::StatusCode;
use tower_http::catch_panic::CatchPanicLayer;

use crate::config::Server;
use crate::{listen, telemetry};

pub use health::Health;
pub use hosts::AllowedHosts;
pub use routes::{Pages, routes, ui_urls};

/// Adds health checks to the surfaces' routes, and puts the outer layers around them all. From the outside in: the
/// host must be ours, the client's address is settled, the request gets its id, its log line and its span, a panic
/// becomes a 500, a body must keep coming.
pub fn assemble(surfaces: Router, health: Health, server: &Server, allowed: AllowedHosts) -> Router {
    let world: World = health.world.clone();
    let trusted: Arc<[ipnet::IpNet]> = server.trusted_proxies.clone().into();
    let patience = Duration::from_millis(server.slow_body_timeout_ms);
    surfaces
        .merge(health::router(health))
        .layer(from_fn_with_state(patience, listen::slow_body_guard))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(world, telemetry::log_request))
        .layer(from_fn_with_state(trusted, client_ip::resolve_client))
        .layer(from_fn_with_state(allowed, hosts::check_host))
        .layer(map_response(never_sniff))
}

/// The cause of a panic is for the log, where the panic hook puts it; the client learns that it was our fault.
fn panicked(_cause: Box<dyn std::any::Any + Send>) -> Response {
    metrics::counter!("bytespike_panics_total").increment(1);
    (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong on our side\n").into_response()
}

/// Also on what no surface answered: 404, 405, 421 and 500.
async fn never_sniff(mut response: Response) -> Response {
    let header = http::header::X_CONTENT_TYPE_OPTIONS;
    response.headers_mut().entry(header).or_insert(http::HeaderValue::from_static("nosniff"));
    response
}
