//! What a provider still sends when its client has gone: read on for a while, only to learn what the call really cost us.
//! The call is resolved by then, and nothing here can change what its customer pays.

use bytespike_catalog::Usage;
use bytespike_dialects::{End, StreamTranslator, TokenUsage};
use bytespike_ledger::LateUsage;
use tokio::time::timeout;

use super::call::CallBook;
use super::cost;
use super::source::{Heard, Source};
use super::usage;

/// An answer on its way, and what its bytes mean.
pub struct Feed {
    pub source: Source,
    pub translator: StreamTranslator,
}

/// Reads on within the limits of the options, and writes down what was learned.
pub async fn drain(book: &CallBook, feed: Feed) {
    let options = &book.gateway.options;
    let Ok(_permit) = book.gateway.drains.clone().try_acquire_owned() else {
        metrics::counter!("bytespike_drains_refused_total").increment(1);
        return;
    };
    let reading = timeout(options.drain_for, read_on(feed, options.drain_bytes));
    // Nobody waits for this, least of all a process that is to end.
    let read = book.gateway.cut.run_until_cancelled(reading).await;
    match read.and_then(Result::ok).flatten() {
        Some(used) => note(book, usage::priced(used)).await,
        None => metrics::counter!("bytespike_drains_total", "learned" => "nothing").increment(1),
    }
}

async fn read_on(mut feed: Feed, max_bytes: usize) -> Option<TokenUsage> {
    let mut left = max_bytes;
    loop {
        let batch = match feed.source.next(feed.translator.finish_seen()).await {
            Heard::Bytes(bytes) => {
                left = left.checked_sub(bytes.len())?;
                feed.translator.push(&bytes)
            }
            Heard::Head(_) => continue,
            Heard::End => return counted(feed.translator.eof().end),
            Heard::Failed(_) => return None,
        };
        if batch.end.is_some() {
            return counted(batch.end);
        }
    }
}

fn counted(end: Option<End>) -> Option<TokenUsage> {
    match end {
        Some(End::Completed(completion)) => completion.usage,
        Some(End::Failed(_)) | None => None,
    }
}

/// What the attempt was already known to cost is paid for or absorbed; the rest of it is absorbed now.
async fn note(book: &CallBook, used: Usage) {
    let known_pico = book.attempts.last().and_then(|attempt| attempt.cost_pico).unwrap_or(0);
    let cost_pico = cost::of_last_attempt(book, &used);
    let late = LateUsage {
        reservation_id: book.held.reservation_id.clone(),
        attempt: i64::try_from(book.attempts.len()).unwrap_or(i64::MAX),
        usage: used,
        cost_pico,
        absorbed_pico: cost_pico.unwrap_or(0).saturating_sub(known_pico).max(0),
    };
    metrics::counter!("bytespike_drains_total", "learned" => "usage").increment(1);
    if let Err(error) = book.gateway.ledger.note_late_usage(&late).await {
        let receipt_id = &late.reservation_id;
        tracing::warn!(%receipt_id, %error, "what a call cost us was learned and could not be written down");
    }
}
