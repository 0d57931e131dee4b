//! A streamed answer: opened on the first channel that produces content, pumped to the client, settled before its last event.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use bytespike_dialects::{Batch, Completion, End, ErrorInfo, StreamTranslator};
use bytespike_ledger::Ended;
use futures_util::{FutureExt as _, Stream};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::attempt::Outgoing;
use super::call::OpenCall;
use super::failed::Failed;
use super::source::{Heard, Source};

/// How long bytes that have come already go ahead of every question: a wait sets several timers, and a burst of
/// events would pay for them with each one.
const UNINTERRUPTED: Duration = Duration::from_millis(20);

/// A stream whose status line may be sent: it has content, has ended, or has waited long enough.
pub struct Opened {
    source: Source,
    translator: StreamTranslator,
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
        };
        first.extend_from_slice(&batch.frames);
        if batch.has_content {
            call.content_began();
        }
        let has_content = batch.has_content;
        match over(batch) {
            Some(Over::Failed(failed)) if !has_content => return Err(failed),
            end if has_content || end.is_some() => return Ok(Opened { source, translator, first, end }),
            _ => {}
        }
    }
    Ok(Opened { source, translator, first, end: None })
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
    source: Source,
    translator: StreamTranslator,
    ready: BytesMut,
    end: Option<Over>,
    spoke_at: Instant,
    /// When it last waited for everything that may happen.
    waited_at: Instant,
    over: bool,
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
        let Opened { source, translator, first, end } = opened;
        let now = Instant::now();
        Self { call, source, translator, ready: first, end, spoke_at: now, waited_at: now, over: false }
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.ready.is_empty() {
                self.spoke_at = Instant::now();
                return Some(self.ready.split().freeze());
            }
            if self.over {
                return None;
            }
            self.call.took(self.translator.delivered());
            match self.end.take() {
                Some(Over::Completed(completion)) => self.complete(completion).await,
                Some(Over::Failed(failed)) => self.fail(failed).await,
                None => self.advance().await,
            }
        }
    }

    async fn advance(&mut self) {
        let batch = match self.wait().await {
            Event::Silence => {
                self.ready.extend_from_slice(&self.translator.ping());
                return;
            }
            Event::Cut(ended) => return self.cut(ended).await,
            Event::Heard(Heard::Failed(failed)) => {
                self.end = Some(Over::Failed(failed));
                return;
            }
            Event::Heard(Heard::End) => self.translator.eof(),
            Event::Heard(Heard::Bytes(bytes)) => self.translator.push(&bytes),
        };
        if batch.has_content {
            self.call.content_began();
        }
        self.ready.extend_from_slice(&batch.frames);
        self.end = over(batch);
    }

    async fn wait(&mut self) -> Event {
        let finished = self.translator.finish_seen();
        let in_burst = Instant::now() < self.waited_at + UNINTERRUPTED;
        if in_burst && !self.call.gateway().cut.is_cancelled() {
            // Dropping the question loses nothing, so it may be asked without waiting.
            if let Some(heard) = self.source.next(finished).now_or_never() {
                return Event::Heard(heard);
            }
        }
        self.waited_at = Instant::now();
        let ping_at = self.spoke_at + self.call.gateway().options.ping_interval;
        tokio::select! {
            biased;
            ended = self.call.cut() => Event::Cut(ended),
            heard = self.source.next(finished) => Event::Heard(heard),
            () = sleep_until(ping_at) => Event::Silence,
        }
    }

    /// The answer is whole: settle first, so that no crash can undo what the last event says.
    async fn complete(&mut self, completion: Completion) {
        let settled = self.call.complete(completion).await;
        let closing = self.translator.close(settled.cost.as_ref(), &settled.usage);
        self.finish(&closing);
    }

    async fn fail(&mut self, failed: Failed) {
        let error = self.call.fail(failed).await;
        self.close_with(&error);
    }

    /// Ended by us or by the customer's side while it ran.
    async fn cut(&mut self, ended: Ended) {
        let error = self.call.end_cut(ended).await;
        self.close_with(&error);
    }

    fn close_with(&mut self, error: &ErrorInfo) {
        let closing = self.translator.fail(error);
        self.finish(&closing);
    }

    fn finish(&mut self, closing: &[u8]) {
        self.ready.extend_from_slice(closing);
        self.over = true;
    }
}
