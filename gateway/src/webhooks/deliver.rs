//! Sending: one message at a time to an endpoint, several endpoints at once, each try written down with what follows.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytespike_store::sqlx;
use bytespike_store::webhook::{self, EndpointRow};
use bytespike_store::webhook_delivery::{self, AttemptRow, Next, Taken};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Webhooks, signature};
use crate::upstream::UpstreamBody;

/// Messages on their way from this process at once.
const AT_ONCE: usize = 16;
/// Messages that other processes made, and those that are due again, are looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// At the end, what is on its way may arrive for this long.
const LAST: Duration = Duration::from_secs(5);
/// An endpoint that failed rests, but not for longer than this: the next message may be one it takes.
const LONGEST_REST_MS: i64 = 60_000;
/// A lease outlives its try by this much.
const LEASE_MARGIN_MS: i64 = 2_000;
/// The part of an answer that is kept.
const EXCERPT_BYTES: usize = 1_024;

/// What a try brought.
struct Tried {
    status: Option<StatusCode>,
    excerpt: String,
    duration_ms: i64,
}

impl Webhooks {
    /// Sends what is due until `stop`, and what is on its way to its end.
    pub async fn run(&self, stop: CancellationToken) {
        let (places, mut sending) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
        while !stop.is_cancelled() {
            while sending.try_join_next().is_some() {}
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match self.take().await {
                Ok(Some(taken)) => {
                    let webhooks = self.clone();
                    sending.spawn(async move {
                        webhooks.send_and_record(&taken).await;
                        drop(place);
                        // Its endpoint is free for the next one.
                        webhooks.wake.notify_one();
                    });
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "waiting webhooks could not be read; it is tried again"),
            }
            drop(place);
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        let arriving = async { while sending.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST, arriving).await.is_err() {
            tracing::info!("some webhooks were on their way at the end; they are sent again");
        }
    }

    /// Sends the message that has waited longest, to its end; false when none is due.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn send_one(&self) -> sqlx::Result<bool> {
        let Some(taken) = self.take().await? else { return Ok(false) };
        self.send_and_record(&taken).await;
        Ok(true)
    }

    async fn take(&self) -> sqlx::Result<Option<Taken>> {
        let now_ms = self.parts.world.now_ms();
        let timeout_ms = i64::try_from(self.parts.options.timeout.as_millis()).unwrap_or(i64::MAX / 2);
        webhook_delivery::take(&self.parts.store, now_ms, now_ms + timeout_ms + LEASE_MARGIN_MS).await
    }

    /// What cannot be written down is sent again when the lease ends, under the same id.
    async fn send_and_record(&self, taken: &Taken) {
        if let Err(error) = self.send(taken).await {
            tracing::warn!(%error, message = taken.id, "a webhook's try could not be recorded; it is sent again");
        }
    }

    async fn send(&self, taken: &Taken) -> sqlx::Result<()> {
        let parts = &self.parts;
        let at_ms = parts.world.now_ms();
        let Some(endpoint) = webhook::find(&parts.store, &taken.org_id, &taken.endpoint_id).await? else {
            return Ok(());
        };
        let tried = self.try_once(&endpoint, taken, at_ms).await?;
        let was_taken = tried.status.is_some_and(|status| status.is_success());
        let now_ms = parts.world.now_ms();
        let next = self.next(&tried, taken, now_ms);
        let attempt = AttemptRow {
            number: taken.tries,
            at_ms,
            duration_ms: tried.duration_ms,
            status: tried.status.map(|status| i64::from(status.as_u16())),
            excerpt: tried.excerpt,
        };
        webhook_delivery::record(&parts.store, &taken.id, &attempt, (next, now_ms)).await?;
        metrics::counter!("bytespike_webhook_tries_total", "taken" => if was_taken { "yes" } else { "no" })
            .increment(1);
        if was_taken {
            return webhook::note_success(&parts.store, &endpoint.id).await;
        }
        let rest_until_ms = match next {
            Next::Again(due_at_ms) => due_at_ms.min(now_ms + LONGEST_REST_MS),
            Next::Delivered | Next::GivenUp => now_ms,
        };
        let since = webhook::note_failure(&parts.store, &endpoint.id, (now_ms, rest_until_ms)).await?;
        let is_gone = tried.status == Some(StatusCode::GONE);
        let for_days = since.is_some_and(|since_ms| now_ms - since_ms >= parts.options.switch_off_after_ms);
        if is_gone || for_days {
            self.switch_off(&endpoint, since.unwrap_or(now_ms)).await?;
        }
        Ok(())
    }

    /// Gone is gone; anything else is tried again as long as the schedule says.
    fn next(&self, tried: &Tried, taken: &Taken, now_ms: i64) -> Next {
        match tried.status {
            Some(status) if status.is_success() => Next::Delivered,
            Some(StatusCode::GONE) => Next::GivenUp,
            _ => {
                let tries_before = usize::try_from(taken.round_tries - 1).unwrap_or(usize::MAX);
                let pause_ms = self.parts.options.retry_after_ms.get(tries_before);
                pause_ms.map_or(Next::GivenUp, |pause_ms| Next::Again(now_ms + pause_ms))
            }
        }
    }

    /// A receiver that is slow, one that cannot be reached and one that may not be are told apart for nobody: whoever
    /// adds endpoints must not learn from them what is in the network around us.
    async fn try_once(&self, endpoint: &EndpointRow, taken: &Taken, at_ms: i64) -> sqlx::Result<Tried> {
        let secrets = self.open_secrets(&endpoint.id, at_ms).await?;
        let timestamp_s = at_ms.div_euclid(1_000);
        let signed = secrets
            .iter()
            .filter_map(|secret| signature::sign(secret, (&taken.event_id, timestamp_s), &taken.body));
        let signatures = signed.collect::<Vec<_>>().join(" ");
        let started = Instant::now();
        let request = request(endpoint, taken, (timestamp_s, &signatures));
        let answered = match request.filter(|_| !signatures.is_empty()) {
            Some(request) => {
                tokio::time::timeout(self.parts.options.timeout, self.post(request)).await.ok().flatten()
            }
            None => None,
        };
        let duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let (status, excerpt) = answered.map_or((None, String::new()), |(status, text)| (Some(status), text));
        Ok(Tried { status, excerpt, duration_ms })
    }

    async fn post(&self, request: Request<Full<Bytes>>) -> Option<(StatusCode, String)> {
        let response = self.parts.upstream.send(request).await.ok()?;
        let status = response.status();
        Some((status, excerpt(response.into_body()).await))
    }
}

fn request(
    endpoint: &EndpointRow,
    taken: &Taken,
    (timestamp_s, signatures): (i64, &str),
) -> Option<Request<Full<Bytes>>> {
    Request::post(endpoint.url.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("ByteSpike-Webhooks/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", &taken.event_id)
        .header("webhook-timestamp", timestamp_s)
        .header("webhook-signature", signatures)
        .body(Full::new(Bytes::from(taken.body.clone())))
        .ok()
}

/// The first bytes of an answer as text; the rest is not read.
async fn excerpt(mut body: UpstreamBody) -> String {
    let mut read = Vec::new();
    while read.len() < EXCERPT_BYTES
        && let Some(Ok(frame)) = body.frame().await
    {
        read.extend(frame.into_data().unwrap_or_default());
    }
    read.truncate(EXCERPT_BYTES);
    let text = String::from_utf8_lossy(&read);
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}
