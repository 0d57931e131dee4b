//! Accepts connections and speaks HTTP/1.1 and HTTP/2 on them, within bounds on time, number and size, until told to stop.

mod body;
mod caps;
mod connection;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Server;

pub use body::slow_body_guard;
use caps::Caps;

/// Bounds of every connection.
#[derive(Debug, Clone)]
pub struct Limits {
    pub header_read_timeout: Duration,
    pub keep_alive: Duration,
    pub max_connections: usize,
    pub max_connections_per_ip: usize,
}

impl From<&Server> for Limits {
    fn from(server: &Server) -> Self {
        Self {
            header_read_timeout: Duration::from_millis(server.header_read_timeout_ms),
            keep_alive: Duration::from_millis(server.keep_alive_ms),
            max_connections: server.max_connections,
            max_connections_per_ip: server.max_connections_per_ip,
        }
    }
}

/// Connections that were open when accepting stopped.
pub struct Remaining(TaskTracker);

/// Serves until `stop` is cancelled, then stops accepting and asks every connection to finish what it is doing.
/// Handlers get the peer's address as `ConnectInfo<SocketAddr>`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) -> Remaining {
    let caps = Arc::new(Caps::new(limits.max_connections, limits.max_connections_per_ip));
    let connections = TaskTracker::new();
    while let Some((stream, peer)) = accept(&listener, &stop).await {
        let Some(place) = caps.admit(peer.ip()) else {
            metrics::counter!("bytespike_connections_refused_total").increment(1);
            connections.spawn(caps::refuse(stream));
            continue;
        };
        let (router, limits, stop) = (router.clone(), limits.clone(), stop.clone());
        connections.spawn(async move {
            connection::serve(stream, peer, router, &limits, stop).await;
            drop(place);
        });
    }
    connections.close();
    Remaining(connections)
}

impl Remaining {
    /// Waits until all have finished, at most `grace`. False when some have not.
    pub async fn finish_within(&self, grace: Duration) -> bool {
        let finished = tokio::time::timeout(grace, self.0.wait()).await.is_ok();
        if !finished {
            tracing::warn!(running = self.0.len(), "answers are still running at the end of the grace");
        }
        finished
    }
}

/// The next connection; nothing once a stop is asked for. Failing to accept is this connection's problem, or a lack
/// of file handles that a pause may cure.
async fn accept(listener: &TcpListener, stop: &CancellationToken) -> Option<(TcpStream, SocketAddr)> {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return None,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Small events must not wait for more bytes; failing to set it only costs latency.
                drop(stream.set_nodelay(true));
                return Some((stream, peer));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
