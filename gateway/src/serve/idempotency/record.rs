//! A stream that is kept while it goes by.

use std::convert::Infallible;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use super::Claim;
use super::answer::LONGEST_BYTES;
use crate::http::reply::EVENT_STREAM;

/// The bytes so far, and whom they are kept for.
struct Tape {
    claim: Claim,
    headers: HeaderMap,
    bytes: BytesMut,
}

/// Passes the stream on and keeps all of it once it has ended, unless it is too long. A client that went away before
/// the end leaves nothing to replay.
pub fn record(
    claim: Claim,
    mut headers: HeaderMap,
    events: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    let tape = Tape { claim, headers, bytes: BytesMut::new() };
    futures_util::stream::unfold((Box::pin(events), tape), async |(mut events, mut tape)| {
        if let Some(Ok(bytes)) = events.next().await {
            tape.push(&bytes);
            return Some((Ok(bytes), (events, tape)));
        }
        tape.keep().await;
        None
    })
}

impl Tape {
    /// One byte too many stays, so that it is seen to be too long.
    fn push(&mut self, bytes: &Bytes) {
        let room = (LONGEST_BYTES + 1).saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    async fn keep(self) {
        let Tape { claim, headers, bytes } = self;
        let tasks = claim.gateway.tasks.clone();
        // Whoever waits for the end may go away now; the answer is kept all the same.
        let kept = tasks.spawn(async move { claim.keep(&headers, &bytes.freeze()).await });
        if kept.await.is_err() {
            tracing::error!("keeping a stream for its idempotency key failed");
        }
    }
}
