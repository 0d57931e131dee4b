//! What a call was asked and answered, for orgs that want it kept. A tape is taken along with such a call and writes what it
//! heard when it is dropped, however the call ended. Other calls carry none.
//!
//! Nothing waits for it: what is heard goes into a room of bounded size, is made short and sealed on a thread of its own, and
//! is written by a task that outlives the call. What finds no room, or no database in time, is counted and lost.

mod short;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use bytespike_accounts::bodies::Said;
use bytespike_accounts::keys::Caller;
use bytespike_dialects::ErrorInfo;
use futures_util::{Stream, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Gateway;
use crate::http::Inbound;

/// What waits to be written has this much room in each process.
const ROOM_KIB: usize = 64 << 10;
/// Calls whose bodies are sealed and written at once.
const WRITERS: usize = 2;
/// A database that takes longer has lost it.
const WRITTEN_WITHIN: Duration = Duration::from_secs(10);
/// No more of an answer is listened to; what is kept is shorter still.
const LISTENED_BYTES: usize = 1 << 20;

/// What the calls of this process share.
pub struct Shelf {
    room: Arc<Semaphore>,
    writers: Semaphore,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(ROOM_KIB)), writers: Semaphore::new(WRITERS) }
    }
}

/// What one call says, as far as it was heard.
pub struct Tape {
    gateway: Gateway,
    heard: Option<Heard>,
}

struct Heard {
    receipt_id: String,
    org_id: String,
    member_id: String,
    period_id: String,
    status: Option<u16>,
    request: Bytes,
    response: BytesMut,
    response_bytes: usize,
}

impl Tape {
    /// For a call that has a receipt, if its org wants what it says kept.
    #[must_use]
    pub fn of(gateway: &Gateway, caller: &Caller, (inbound, receipt_id): (&Inbound, &str)) -> Option<Self> {
        let period_id = caller.body_period.clone()?;
        let heard = Heard {
            receipt_id: receipt_id.to_owned(),
            org_id: caller.org_id.clone(),
            member_id: caller.member_id.clone(),
            period_id,
            status: None,
            request: inbound.body.clone(),
            response: BytesMut::new(),
            response_bytes: 0,
        };
        Some(Self { gateway: gateway.clone(), heard: Some(heard) })
    }

    /// The stream as it is sent, heard on its way.
    pub fn listen(
        mut self,
        events: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
    ) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        self.hear(200, &[]);
        let listening = Box::new(Listening { events: Box::pin(events), tape: self });
        futures_util::stream::unfold(listening, async |mut listening| {
            let Ok(bytes) = listening.events.next().await?;
            listening.tape.hear(200, &bytes);
            Some((Ok(bytes), listening))
        })
    }

    fn hear(&mut self, status: u16, bytes: &[u8]) {
        let Some(heard) = &mut self.heard else { return };
        let room = LISTENED_BYTES.saturating_sub(heard.response.len());
        heard.response.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        heard.response_bytes = heard.response_bytes.saturating_add(bytes.len());
        heard.status = Some(status);
    }
}

/// The answer came in one piece, or was an error.
pub fn answered(tape: Option<Tape>, status: u16, body: &[u8]) {
    if let Some(mut tape) = tape {
        tape.hear(status, body);
    }
}

/// The call failed: what its client reads is the error.
pub fn refused(tape: Option<Tape>, inbound: &Inbound, error: &ErrorInfo) {
    if tape.is_some() {
        let error = error.clone().with_request_id(inbound.request_id.clone());
        let (status, body) = error.render(inbound.dialect);
        answered(tape, status, &body);
    }
}

/// A stream and its tape; the stream ends first.
struct Listening<S> {
    events: Pin<Box<S>>,
    tape: Tape,
}

impl Drop for Tape {
    fn drop(&mut self) {
        let (Some(heard), Ok(runtime)) = (self.heard.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let kib = (heard.request.len() + heard.response.len()).div_ceil(1 << 10).max(1);
        let kib = u32::try_from(kib).unwrap_or(u32::MAX);
        match self.gateway.shelf.room.clone().try_acquire_many_owned(kib) {
            Ok(room) => {
                let gateway = self.gateway.clone();
                let tasks = gateway.tasks.clone();
                tasks.spawn_on(async move { keep(&gateway, heard, room).await }, &runtime);
            }
            Err(_) => lost("room"),
        }
    }
}

async fn keep(gateway: &Gateway, heard: Heard, _room: OwnedSemaphorePermit) {
    let Ok(_writer) = gateway.shelf.writers.acquire().await else { return };
    let bodies = gateway.accounts.bodies.clone();
    let receipt_id = heard.receipt_id.clone();
    let sealing = tokio::task::spawn_blocking(move || bodies.seal(&heard.said()));
    let Ok(sealed) = sealing.await else { return lost("fault") };
    match tokio::time::timeout(WRITTEN_WITHIN, gateway.accounts.bodies.put(&sealed)).await {
        Ok(Ok(true)) => metrics::counter!("bytespike_bodies_kept_total").increment(1),
        // The org has turned it off meanwhile.
        Ok(Ok(false)) => {}
        Ok(Err(error)) => {
            tracing::warn!(%receipt_id, %error, "what a call was asked and answered could not be kept");
            lost("database");
        }
        Err(_) => {
            tracing::warn!(%receipt_id, "what a call was asked and answered could not be kept in time");
            lost("database");
        }
    }
}

fn lost(why: &'static str) {
    metrics::counter!("bytespike_bodies_lost_total", "why" => why).increment(1);
}

impl Heard {
    fn said(self) -> Said {
        let Self { receipt_id, org_id, member_id, period_id, status, request, response, response_bytes } =
            self;
        Said {
            request: short::side(&request, request.len()),
            response: short::side(&response, response_bytes),
            receipt_id,
            org_id,
            member_id,
            period_id,
            status,
        }
    }
}
