//! Bodies under watch: an answer keeps its connection marked busy until its last byte, and a request body must keep coming.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::connection::Activity;

/// Least speed of a request body, bytes per second.
const MIN_BYTES_PER_S: u64 = 1024;

/// A request between its headers and the last byte of its answer.
pub struct InFlight(Arc<Activity>);

impl InFlight {
    pub fn begin(activity: Arc<Activity>) -> Self {
        activity.request_began();
        Self(activity)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.request_ended();
    }
}

/// An answer's body that holds its [`InFlight`].
pub struct Guarded {
    body: Body,
    _in_flight: InFlight,
}

impl Guarded {
    pub fn new(body: Body, in_flight: InFlight) -> Self {
        Self { body, _in_flight: in_flight }
    }
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Cuts a request body that comes slower than 1 KiB/s for longer than `patience`.
pub async fn slow_body_guard(State(patience): State<Duration>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    next.run(request.map(|body| Body::new(Unhurried::new(body, patience)))).await
}

/// A request body with a clock: every window of `patience` must bring its share of bytes.
struct Unhurried {
    body: Body,
    patience: Duration,
    window_end: Pin<Box<Sleep>>,
    bytes_in_window: u64,
}

/// The client sent its body too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the request body came too slowly")]
struct TooSlow;

impl Unhurried {
    fn new(body: Body, patience: Duration) -> Self {
        Self { body, patience, window_end: Box::pin(tokio::time::sleep(patience)), bytes_in_window: 0 }
    }

    /// Starts a new window if the last one brought enough.
    fn window_ended(&mut self) -> Result<(), TooSlow> {
        let wanted = MIN_BYTES_PER_S.saturating_mul(self.patience.as_secs());
        if self.bytes_in_window < wanted {
            return Err(TooSlow);
        }
        self.bytes_in_window = 0;
        self.window_end.as_mut().reset(Instant::now() + self.patience);
        Ok(())
    }
}

impl HttpBody for Unhurried {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            if let Some(Ok(data)) = frame.as_ref().map(|frame| frame.as_ref().map(Frame::data_ref)) {
                self.bytes_in_window += data.map_or(0, |data| data.len() as u64);
            }
            return Poll::Ready(frame);
        }
        while self.window_end.as_mut().poll(cx).is_ready() {
            if let Err(slow) = self.window_ended() {
                return Poll::Ready(Some(Err(axum::Error::new(slow))));
            }
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;

    /// A body of `pieces` pieces of `size` bytes, one each second.
    fn dripping(pieces: usize, size: usize) -> Body {
        Body::from_stream(stream::iter(0..pieces).then(move |_| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok::<_, std::io::Error>(Bytes::from(vec![b'a'; size]))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn s68_a_body_that_drips_is_cut_and_one_that_flows_is_not() {
        let patience = Duration::from_secs(20);
        assert!(Unhurried::new(dripping(60, 100), patience).collect().await.is_err());
        let whole = Unhurried::new(dripping(60, 2048), patience).collect().await.unwrap();
        assert_eq!(whole.to_bytes().len(), 60 * 2048);
    }
}
