//! `bytespike serve`: brings everything up in order, serves, and takes it down again.

use axum::Router;
use bytespike_store::world::World;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Secret};
use crate::{listen, surfaces, telemetry};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Serves until a signal.
///
/// # Errors
/// What could not be started, in words for the operator.
pub async fn serve(config: Config) -> Result<(), Failure> {
    telemetry::start_logging(&config.log)?;
    let metrics = telemetry::start_metrics()?;
    let world = World::system();
    let listener = TcpListener::bind(config.server.listen).await?;
    let stop = CancellationToken::new();
    let health = surfaces::Health {
        world,
        store: None,
        stop: stop.clone(),
        metrics,
        metrics_token: Secret::default(),
    };
    let allowed = surfaces::AllowedHosts::new(&config.server, []);
    let router = surfaces::assemble(Router::new(), health, &config.server, allowed);
    listen::serve(listener, router, (&config.server).into(), stop).await;
    Ok(())
}
