//! Which routers one process serves, and what every request passes on its way to them.

mod client_ip;
mod health;
mod hosts;
mod plain_http;
mod routes;
mod undressed;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn_with_state, map_response_with_state};
use axum::response::{IntoResponse, Response};
use bytespike_store::world::World;
use http::StatusCode;
use tower_http::catch_panic::CatchPanicLayer;

use crate::config::Server;
use crate::{listen, telemetry};

pub use health::Health;
pub use hosts::AllowedHosts;
pub use routes::{Pages, routes, ui_urls};

/// How this process is reached.
pub struct Reached {
    pub hosts: AllowedHosts,
    /// The public addresses are https: a proxy in front of this process speaks TLS for it.
    pub https: bool,
}

/// Adds health checks to the surfaces' routes, and puts the outer layers around them all. From the outside in: whatever
/// is answered carries the headers that keep it from being misread, the host must be ours, what came in the clear goes
/// no further, the client's address is settled, the request gets its id, its log line and its span, a panic becomes a
/// 500, a body must keep coming.
pub fn assemble(surfaces: Router, health: Health, server: &Server, reached: Reached) -> Router {
    let world: World = health.world.clone();
    let trusted: Arc<[ipnet::IpNet]> = server.trusted_proxies.clone().into();
    let patience = Duration::from_millis(server.slow_body_timeout_ms);
    surfaces
        .merge(health::router(health))
        .layer(from_fn_with_state(patience, listen::slow_body_guard))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(world, telemetry::log_request))
        .layer(from_fn_with_state(trusted, client_ip::resolve_client))
        .layer(from_fn_with_state(plain_http::Plain::new(reached.https, server), plain_http::refuse))
        .layer(from_fn_with_state(reached.hosts, hosts::check_host))
        .layer(map_response_with_state(reached.https, undressed::dress))
}

/// The cause of a panic is for the log, where the panic hook puts it; the client learns that it was our fault.
fn panicked(_cause: Box<dyn std::any::Any + Send>) -> Response {
    metrics::counter!("bytespike_panics_total").increment(1);
    (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong on our side\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn falls() -> &'static str {
        panic!("CANARY in a panic")
    }

    fn assembled() -> Router {
        let surfaces = Router::new().route("/falls", get(falls)).route("/stands", get(|| async { "stands" }));
        let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
        let health = Health {
            world: World::system(),
            store: None,
            stop: tokio_util::sync::CancellationToken::new(),
            metrics,
            metrics_token: crate::config::Secret::default(),
        };
        let sources = crate::config::Sources { file: None, environment: Vec::new() };
        let server = crate::config::load(&sources).unwrap().server;
        let hosts = AllowedHosts::new(&server, ["https://spike.example"]);
        assemble(surfaces, health, &server, Reached { hosts, https: true })
    }

    #[tokio::test]
    async fn s58_s75_a_panic_is_a_plain_500_with_every_header_and_the_next_request_is_answered() {
        let router = assembled();
        let ask = |path: &str| {
            let request = Request::get(path).header("host", "spike.example").body(Body::empty()).unwrap();
            router.clone().oneshot(request)
        };
        let fallen = ask("/falls").await.unwrap();
        assert_eq!(fallen.status(), StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
            ("content-type", "text/plain; charset=utf-8"),
        ] {
            assert_eq!(fallen.headers()[name], value, "{name}");
        }
        let said = fallen.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(said, "something went wrong on our side\n");
        assert_eq!(ask("/stands").await.unwrap().status(), StatusCode::OK);
    }
}
