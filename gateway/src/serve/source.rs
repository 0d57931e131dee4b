//! The upstream side of a stream: from the request being sent to the last byte, with every wait bounded.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::attempt::{self, Answering, Outgoing};
use super::failed::Failed;
use crate::Gateway;
use crate::upstream::UpstreamBody;

type Sending = Pin<Box<dyn Future<Output = Result<Answering, Failed>> + Send>>;

/// How long a finished answer may take to send its usage and its terminator.
const AFTER_FINISH: Duration = Duration::from_secs(2);

/// Bytes of one upstream answer, as they come.
pub struct Source {
    state: State,
    idle: Duration,
    heard_at: Instant,
}

enum State {
    /// No head yet. The wait for it is bounded inside.
    Sending(Sending),
    Reading(UpstreamBody),
}

/// What came of waiting for more.
pub enum Heard {
    /// The provider's head has come, with what it calls the request.
    Head(Option<String>),
    Bytes(Bytes),
    /// The upstream closed, or broke off or stayed silent after it had finished.
    End,
    Failed(Failed),
}

impl Source {
    /// Begins to send.
    #[must_use]
    pub fn open(gateway: &Gateway, outgoing: Outgoing) -> Self {
        let (upstream, options) = (gateway.upstream.clone(), gateway.options.clone());
        let idle = options.idle_timeout;
        let sending = Box::pin(async move { attempt::send(upstream.as_ref(), &options, outgoing).await });
        Self { state: State::Sending(sending), idle, heard_at: Instant::now() }
    }

    /// Waits for the next bytes. Dropping the returned future loses nothing. `finished` says that the answer is
    /// complete and only its tail is awaited.
    pub async fn next(&mut self, finished: bool) -> Heard {
        loop {
            match &mut self.state {
                State::Sending(sending) => match sending.await {
                    Err(failure) => return Heard::Failed(failure),
                    Ok(Answering { body, request_id }) => {
                        self.heard_at = Instant::now();
                        self.state = State::Reading(body);
                        return Heard::Head(request_id);
                    }
                },
                State::Reading(body) => {
                    let silence = if finished { AFTER_FINISH } else { self.idle };
                    let heard = match timeout_at(self.heard_at + silence, body.frame()).await {
                        Ok(None) => Heard::End,
                        // A finished answer lacks nothing but its terminator.
                        Err(_) | Ok(Some(Err(_))) if finished => Heard::End,
                        Err(_) => Heard::Failed(Failed::silent()),
                        Ok(Some(Err(error))) => Heard::Failed(error.into()),
                        Ok(Some(Ok(frame))) => {
                            let Ok(bytes) = frame.into_data() else { continue };
                            self.heard_at = Instant::now();
                            Heard::Bytes(bytes)
                        }
                    };
                    return heard;
                }
            }
        }
    }
}
