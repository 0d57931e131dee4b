//! One connection, from its first byte to its last.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use http::{HeaderValue, Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::Limits;
use super::body::{Guarded, InFlight};

/// HTTP/2 streams one client may have open on a connection.
const MAX_STREAMS: u32 = 100;
/// Largest header section of a request, bytes, and how many headers it may have.
const MAX_HEADER_BYTES: u32 = 32 << 10;
const MAX_HEADERS: usize = 100;
/// Read buffer of an HTTP/1 connection, bytes: a request line and headers must fit.
const MAX_BUFFER_BYTES: usize = 64 << 10;
/// Longest path and query, bytes.
const MAX_TARGET_BYTES: usize = 16 << 10;
/// Streams a client may reset before the connection is taken for an attack.
const MAX_RESETS: usize = 20;

/// Serves one connection until it ends, falls silent, or `stop` asks it to finish what it is doing.
pub async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: &Limits,
    stop: CancellationToken,
) {
    let activity = Arc::new(Activity::default());
    let service =
        service_fn(|request: Request<Incoming>| answer(request, peer, router.clone(), activity.clone()));
    let builder = builder(limits);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut stopping = false;
    loop {
        let deadline = activity.deadline(limits);
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "a connection ended badly");
                }
                return;
            }
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep_until(deadline) => {
                if activity.is_silent_since(limits) {
                    return;
                }
            }
        }
    }
}

async fn answer(
    mut request: Request<Incoming>,
    peer: SocketAddr,
    router: Router,
    activity: Arc<Activity>,
) -> Result<http::Response<Guarded>, std::convert::Infallible> {
    let in_flight = InFlight::begin(activity);
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES) {
        return Ok(StatusCode::URI_TOO_LONG.into_response().map(|body| Guarded::new(body, in_flight)));
    }
    // Hyper reads a body that gives both lengths as chunked and hides the other length. Where somebody before us read
    // the other one, what follows on this connection is not a request, so nothing may follow.
    let ends_connection = request.headers().contains_key(header::TRANSFER_ENCODING);
    request.extensions_mut().insert(ConnectInfo(peer));
    let mut response = router.oneshot(request.map(axum::body::Body::new)).await?;
    if ends_connection {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Guarded::new(body, in_flight)))
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_BYTES)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// What is going on, on a connection: hyper's own header timeout does not watch a client that has not yet shown which
/// version it speaks, nor an idle HTTP/2 one.
#[derive(Default)]
pub struct Activity(Mutex<ActivityState>);

struct ActivityState {
    requests_seen: u64,
    in_flight: u32,
    quiet_since: Instant,
}

impl Default for ActivityState {
    fn default() -> Self {
        Self { requests_seen: 0, in_flight: 0, quiet_since: Instant::now() }
    }
}

impl Activity {
    pub fn request_began(&self) {
        let mut state = self.lock();
        state.requests_seen += 1;
        state.in_flight += 1;
    }

    pub fn request_ended(&self) {
        let mut state = self.lock();
        state.in_flight -= 1;
        state.quiet_since = Instant::now();
    }

    /// When to look again whether the client is silent.
    fn deadline(&self, limits: &Limits) -> Instant {
        let state = self.lock();
        let allowed = state.allowed_silence(limits);
        if state.in_flight > 0 { Instant::now() + allowed } else { state.quiet_since + allowed }
    }

    fn is_silent_since(&self, limits: &Limits) -> bool {
        let state = self.lock();
        state.in_flight == 0 && state.quiet_since.elapsed() >= state.allowed_silence(limits)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ActivityState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActivityState {
    fn allowed_silence(&self, limits: &Limits) -> Duration {
        if self.requests_seen == 0 { limits.header_read_timeout } else { limits.keep_alive }
    }
}
