//! `bytespike serve`: brings everything up in order, serves, and takes it down again.

use std::time::Duration;

use axum::Router;
use bytespike_store::world::World;
use bytespike_ui::Board;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::config::{Config, PublicUrls, Surface};
use crate::listen::{self, Remaining};
use crate::price_feed::{Exports, Remote};
use crate::product::{Outside, Product};
use crate::surfaces::{self, AllowedHosts, Health, Pages, Reached};
use crate::{announced, signals, telemetry, welcome};

/// What answers may still say once they were told to end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves until a signal.
///
/// # Errors
/// What could not be started, in words for the operator.
pub async fn serve(config: Config) -> Result<(), Failure> {
    telemetry::start_logging(&config.log)?;
    let metrics = telemetry::start_metrics()?;
    let world = World::system();
    let listen = config.server.listen;
    let listener =
        TcpListener::bind(listen).await.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let urls = PublicUrls::new(&config, listener.local_addr()?);
    let stop = CancellationToken::new();
    signals::stop_on_signal(stop.clone())?;

    let (exports, latest) = watch::channel(None);
    let board = Board::default();
    let product = if has_database(config.server.surface) {
        let (world, board, stop) = (world.clone(), board.clone(), stop.clone());
        Some(Product::start(&config, &urls, Outside { world, exports, board, stop }).await?)
    } else {
        fetch_prices(&config, &urls, exports, &stop)?;
        let fetching = announced::Remote::new(&urls)?.run(board.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(fetching));
        None
    };
    let pages = Pages {
        urls: urls.clone(),
        latest,
        board,
        world: world.clone(),
        sample_models: welcome::sample_models(product.as_ref()),
    };
    let health = Health {
        world,
        store: product.as_ref().map(|product| product.core.store.clone()),
        stop: stop.clone(),
        metrics,
        metrics_token: config.metrics.bearer_token.clone(),
    };
    let routes: Router = surfaces::routes(&config, &pages, product.as_ref())?;
    let hosts = AllowedHosts::new(&config.server, urls.all());
    let https = urls.all().into_iter().all(|url| url.starts_with("https://"));
    let router = surfaces::assemble(routes, health, &config.server, Reached { hosts, https });
    welcome::print(&config, &urls, product.as_ref()).await?;
    let remaining = listen::serve(listener, router, (&config.server).into(), stop).await;
    Box::pin(finish(&config, remaining, product)).await;
    Ok(())
}

fn has_database(surface: Surface) -> bool {
    matches!(surface, Surface::All | Surface::Console | Surface::Gateway)
}

/// A process without a gateway reads its prices from one that has it.
fn fetch_prices(
    config: &Config,
    urls: &PublicUrls,
    exports: Exports,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    if config.server.surface == Surface::Site {
        let fetching = Remote::new(config, urls)?.run(exports);
        tokio::spawn(stop.clone().run_until_cancelled_owned(fetching));
    }
    Ok(())
}

/// Lets running answers finish within the grace, ends what is left in their dialect and free, then writes what is owed.
async fn finish(config: &Config, remaining: Remaining, product: Option<Product>) {
    tracing::info!("stopping: no new requests; running answers may finish");
    let in_time = remaining.finish_within(Duration::from_millis(config.server.shutdown_grace_ms)).await;
    let Some(product) = product else { return };
    if !in_time {
        product.gateway.cut_and_drain().await;
        remaining.finish_within(LAST_WORDS).await;
    }
    Box::pin(product.end()).await;
    tracing::info!("stopped");
}
