//! A streamed answer: opened on the first channel that produces content, pumped to the client, settled before its last event.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use bytespike_dialects::{Batch, Completion, End, StreamTranslator};
use bytespike_ledger::Ended;
use futures_util::{FutureExt as _, Stream};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::attempt::Outgoing;
use super::call::OpenCall;
use super::drain::Feed;
use super::failed::Failed;
use super::source::{Heard, Source};

/// How long bytes that have come already go ahead of every question: a wait sets several timers, and a burst of
/// events would pay for them with each one.
const UNINTERRUPTED: Duration = Duration::from_millis(20);

/// A stream whose status line may be sent: it has content, has ended, or has waited long enough.
pub struct Opened {
    feed: Feed,
    /// Frames that were read while the status line waited.
    first: BytesMut,
    end: Option<Over>,
}

/// How a stream is over, before it was told to anybody.
enum Over {
    Completed(Completion),
    Failed(Failed),
}

/// Sends the request and reads until the first content, the end, or `status_at`.
///
/// # Errors
/// When the upstream failed before any content: another channel may be tried.
pub async fn open(
    call: &mut OpenCall,
    outgoing: Outgoing,
    mut translator: StreamTranslator,
    status_at: Instant,
) -> Result<Opened, Failed> {
    let mut source = Source::open(call.gateway(), outgoing);
    let mut first = BytesMut::new();
    while let Ok(heard) = timeout_at(status_at, source.next(translator.finish_seen())).await {
        let batch = match heard {
            Heard::Bytes(bytes) => translator.push(&bytes),
            Heard::End => translator.eof(),
            Heard::Failed(failure) => return Err(failure),
            Heard::Head(request_id) => {
                call.upstream_named(request_id);
                continue;
            }
        };
        first.extend_from_slice(&batch.frames);
        if batch.has_content {
            call.content_began();
        }
        let has_content = batch.has_content;
        match over(batch) {
            Some(Over::Failed(failed)) if !has_content => return Err(failed),
            end if has_content || end.is_some() => {
                return Ok(Opened { feed: Feed { source, translator }, first, end });
            }
            _ => {}
        }
    }
    Ok(Opened { feed: Feed { source, translator }, first, end: None })
}

fn over(batch: Batch) -> Option<Over> {
    batch.end.map(|end| match end {
        End::Completed(completion) => Over::Completed(completion),
        End::Failed(failure) => Over::Failed(Failed::inside(failure)),
    })
}

/// The body of the answer. Dropping it before its end is the client going away.
pub fn body(
    call: OpenCall,
    opened: Opened,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send {
    // Handed on with every event, so it must not be copied.
    let pump = Box::new(Pump::new(call, opened));
    futures_util::stream::unfold(pump, async |mut pump| pump.next().await.map(|bytes| (Ok(bytes), pump)))
}

/// Carries a stream from its channel to its client. Each call of `next` means that what it gave before was taken.
struct Pump {
    call: OpenCall,
    /// `None` once the answer is over.
    feed: Option<Feed>,
    ready: BytesMut,
    end: Option<Over>,
    spoke_at: Instant,
    /// When it last waited for everything that may happen.
    waited_at: Instant,
}

/// What happened first.
enum Event {
    Heard(Heard),
    Silence,
    /// By us or by the customer's side.
    Cut(Ended),
}

impl Pump {
    fn new(call: OpenCall, opened: Opened) -> Self {
        let Opened { feed, first, end } = opened;
        let now = Instant::now();
        Self { call, feed: Some(feed), ready: first, end, spoke_at: now, waited_at: now }
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.ready.is_empty() {
                self.spoke_at = Instant::now();
                return Some(self.ready.split().freeze());
            }
            let Self { call, feed, end, spoke_at, waited_at, .. } = self;
            let feed = feed.as_mut()?;
            call.took(feed.translator.delivered());
            let closing = match end.take() {
                Some(Over::Completed(completion)) => complete(call, &mut feed.translator, completion).await,
                Some(Over::Failed(failed)) => feed.translator.fail(&call.fail(failed).await),
                None => match advance(call, feed, (*spoke_at, waited_at)).await {
                    Ok((frames, over)) => {
                        *end = over;
                        self.ready.extend_from_slice(&frames);
                        continue;
                    }
                    Err(ended) => feed.translator.fail(&call.end_cut(ended).await),
                },
            };
            self.ready.extend_from_slice(&closing);
            self.feed = None;
        }
    }
}

impl Drop for Pump {
    /// The client went away before the end.
    fn drop(&mut self) {
        if let Some(feed) = self.feed.take() {
            self.call.left(feed);
        }
    }
}

/// The next frames for the client, perhaps none, and whether the answer is over with them.
///
/// # Errors
/// The call has to end for another reason than its own.
async fn advance(
    call: &mut OpenCall,
    feed: &mut Feed,
    (spoke_at, waited_at): (Instant, &mut Instant),
) -> Result<(Bytes, Option<Over>), Ended> {
    let batch = match wait(call, feed, (spoke_at, waited_at)).await {
        Event::Silence => return Ok((feed.translator.ping(), None)),
        Event::Cut(ended) => return Err(ended),
        Event::Heard(Heard::Failed(failed)) => {
            return Ok((Bytes::new(), Some(Over::Failed(failed))));
        }
        Event::Heard(Heard::Head(request_id)) => {
            call.upstream_named(request_id);
            return Ok((Bytes::new(), None));
        }
        Event::Heard(Heard::End) => feed.translator.eof(),
        Event::Heard(Heard::Bytes(bytes)) => feed.translator.push(&bytes),
    };
    if batch.has_content {
        call.content_began();
    }
    Ok((batch.frames.clone(), over(batch)))
}

async fn wait(call: &mut OpenCall, feed: &mut Feed, (spoke_at, waited_at): (Instant, &mut Instant)) -> Event {
    let finished = feed.translator.finish_seen();
    let in_burst = Instant::now() < *waited_at + UNINTERRUPTED;
    if in_burst && !call.gateway().cut.is_cancelled() {
        // Dropping the question loses nothing, so it may be asked without waiting.
        if let Some(heard) = feed.source.next(finished).now_or_never() {
            return Event::Heard(heard);
        }
    }
    *waited_at = Instant::now();
    let ping_at = spoke_at + call.gateway().options.ping_interval;
    tokio::select! {
        biased;
        ended = call.cut() => Event::Cut(ended),
        heard = feed.source.next(finished) => Event::Heard(heard),
        () = sleep_until(ping_at) => Event::Silence,
    }
}

/// The answer is whole: settle first, so that no crash can undo what the last event says.
async fn complete(call: &mut OpenCall, translator: &mut StreamTranslator, completion: Completion) -> Bytes {
    let settled = call.complete(completion).await;
    translator.close(settled.cost.as_ref(), &settled.usage)
}
