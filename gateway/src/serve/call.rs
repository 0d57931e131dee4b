//! A call that holds credit. It ends in exactly one of: settled, released, or (when this value is dropped first) as a
//! call whose client went away.

use std::sync::Arc;

use bytespike_dialects::{
    Answer, ClientRequest, Completion, Delivered, ErrorCode, ErrorInfo, StopReason, TokenUsage,
};
use bytespike_ledger::{Attempt, Decision, Ended, Fate, Finish, Held, Reason, UsageSource, decide};
use tokio::time::{Instant, sleep_until};

use super::caller::Presented;
use super::cost;
use super::drain::{Feed, drain};
use super::failed::Failed;
use super::plan::{Plan, Route};
use super::resolve::{Counted, Settled, resolve};
use super::rights::Rights;
use super::usage;
use crate::admission::Slots;
use crate::{Channel, Gateway};

/// A call between its hold and its end.
pub struct OpenCall {
    rights: Rights,
    cut_at: Instant,
    book: CallBook,
    resolved: bool,
    slots: Slots,
}

/// What a call's receipt is written from.
#[derive(Clone)]
pub struct CallBook {
    pub gateway: Gateway,
    pub org_id: String,
    pub request: Arc<ClientRequest>,
    pub request_id: String,
    pub plan: Plan,
    pub held: Held,
    pub attempts: Vec<Attempt>,
    /// Where the current try goes.
    channel: Option<Arc<Channel>>,
    /// What the client's side took, and whether that included content.
    taken: Delivered,
    content_taken: bool,
    content_produced: bool,
}

/// The parts an open call is made of.
pub struct Opening {
    pub gateway: Gateway,
    pub presented: Presented,
    pub accepted: Instant,
    pub request: Arc<ClientRequest>,
    pub request_id: String,
    pub plan: Plan,
    pub held: Held,
    /// The call's places among those that run at once.
    pub slots: Slots,
}

/// What a finished answer says about itself.
struct Finished {
    usage: Option<TokenUsage>,
    delivered: Delivered,
    stop: StopReason,
    native_stop: String,
    landed: bool,
}

impl OpenCall {
    #[must_use]
    pub fn new(opening: Opening) -> Self {
        let Opening { gateway, presented, accepted, request, request_id, plan, held, slots } = opening;
        Self {
            cut_at: accepted + gateway.options.total_timeout,
            book: CallBook {
                gateway: gateway.clone(),
                org_id: presented.caller.org_id.clone(),
                request,
                request_id,
                plan,
                held,
                attempts: Vec::with_capacity(1),
                channel: None,
                taken: Delivered::default(),
                content_taken: false,
                content_produced: false,
            },
            rights: Rights::new(presented, gateway),
            resolved: false,
            slots,
        }
    }

    #[must_use]
    pub fn gateway(&self) -> &Gateway {
        &self.book.gateway
    }

    /// The tries so far.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.book.attempts
    }

    /// A try at a route begins.
    pub fn attempt_begins(&mut self, route: &Route) {
        self.book.channel = Some(route.channel.clone());
        self.book.attempts.push(Attempt {
            channel_id: route.channel.id.clone(),
            model_served: self.book.plan.slug.clone(),
            started_at_ms: self.book.gateway.world.now_ms(),
            ..Attempt::default()
        });
    }

    /// The current try failed before anything reached the client.
    pub fn attempt_failed(&mut self, failed: &Failed) {
        self.book.attempt_failed(failed);
    }

    /// The provider's head has come, with what it calls the current try.
    pub fn upstream_named(&mut self, request_id: Option<String>) {
        self.book.upstream_named(request_id);
    }

    /// The current try produced its first content.
    pub fn content_began(&mut self) {
        self.book.content_began();
    }

    /// The client's side took everything that was given to it so far.
    pub fn took(&mut self, delivered: Delivered) {
        self.book.taken = delivered;
        self.book.content_taken = self.book.content_produced;
    }

    /// Waits until the call has to end for another reason than its own: we stop, it lasts too long, its key is gone.
    pub async fn cut(&mut self) -> Ended {
        tokio::select! {
            biased;
            () = self.book.gateway.cut.cancelled() => Ended::GatewayStopped,
            () = sleep_until(self.cut_at) => Ended::TimeoutIdle,
            () = self.rights.gone() => Ended::CallerRevoked,
        }
    }

    /// The stream is whole.
    pub async fn complete(&mut self, completion: Completion) -> Settled {
        let Completion { usage, delivered, stop, native_stop, landed } = completion;
        self.finish(Finished { usage, delivered, stop, native_stop, landed }).await
    }

    /// The answer came in one piece.
    pub async fn complete_whole(&mut self, answer: &Answer) -> Settled {
        if answer.landed {
            self.content_began();
        }
        let native_stop = answer.native_stop.clone();
        let Answer { usage, delivered, stop, landed, .. } = *answer;
        self.finish(Finished { usage, delivered, stop, native_stop, landed }).await
    }

    async fn finish(&mut self, finished: Finished) -> Settled {
        let stop = stop_name(finished.stop);
        self.book.attempt_landed(&finished, stop);
        let finish = self.book.finish(finished.stop);
        let decision = decide(Fate { ended: Ended::Finished { finish }, content: finished.landed });
        let counted = match (decision, finished.usage) {
            (Decision::SettleUsage, Some(usage)) => Counted { usage, source: UsageSource::Provider },
            (_, provider) => self.book.counted(&finished.delivered, provider),
        };
        self.resolve(decision, counted, stop).await
    }

    /// The stream failed after its status line, or every try failed: nothing is charged.
    pub async fn fail(&mut self, failed: Failed) -> ErrorInfo {
        self.book.attempt_failed(&failed);
        let decision = decide(Fate { ended: failed.ended, content: self.book.content_taken });
        self.resolve(decision, Counted::default(), "failed").await;
        let error = failed.failure.error_info(&self.book.request.model);
        self.book.sign(self.book.told(error))
    }

    /// The request cannot be put in the provider's terms: nothing was sent.
    pub async fn refuse(&mut self, error: ErrorInfo) -> ErrorInfo {
        self.book.end_attempt(error.code.name(), None);
        self.resolve(Decision::Release(Reason::NothingLanded), Counted::default(), "refused").await;
        self.book.sign(error)
    }

    /// Ended by us or by the customer's side while it ran.
    pub async fn end_cut(&mut self, ended: Ended) -> ErrorInfo {
        let error = match ended {
            Ended::GatewayStopped => ErrorInfo::new(ErrorCode::ShuttingDown, &[]),
            Ended::CallerRevoked => ErrorInfo::new(ErrorCode::KeyRevoked, &[]),
            _ => Failed::too_long().failure.error_info(&self.book.request.model),
        };
        self.book.end_early(ended).await;
        self.over();
        self.book.sign(error)
    }

    async fn resolve(&mut self, decision: Decision, counted: Counted, reason: &str) -> Settled {
        self.book.price_last_attempt(counted.usage);
        let settled = resolve(&self.book, decision, counted, reason).await;
        self.over();
        settled
    }

    /// Whoever reads the last event may make the next call at once.
    fn over(&mut self) {
        self.resolved = true;
        self.slots.release();
    }
}

impl OpenCall {
    /// The client went away in the middle of a stream. What it took is charged at once; then the rest of the answer is
    /// read on for a while, if the provider had produced any, to learn what it cost us.
    pub fn left(&mut self, feed: Feed) {
        if self.resolved || !self.book.content_produced || self.book.gateway.options.drain_for.is_zero() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        self.resolved = true;
        let mut book = self.book.clone();
        let tasks = book.gateway.tasks.clone();
        let leaving = async move {
            book.end_early(Ended::CallerGone).await;
            // Not among the tasks that a process waits for at its end.
            tokio::spawn(async move { drain(&book, feed).await });
        };
        tasks.spawn_on(leaving, &runtime);
    }
}

impl Drop for OpenCall {
    /// The client went away: what it took is charged, or nothing if it took none. Settling outlives the connection.
    fn drop(&mut self) {
        if self.resolved {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let mut book = self.book.clone();
        let tasks = book.gateway.tasks.clone();
        tasks.spawn_on(async move { book.end_early(Ended::CallerGone).await }, &runtime);
    }
}

impl CallBook {
    async fn end_early(&mut self, ended: Ended) {
        let reason = match (ended, self.content_taken) {
            (Ended::CallerGone, true) => "cancelled_after_content",
            (Ended::CallerRevoked, true) => "revoked_after_content",
            (Ended::CallerGone | Ended::CallerRevoked, false) => "cancelled_before_content",
            _ => "ended",
        };
        self.end_attempt(reason, None);
        let decision = decide(Fate { ended, content: self.content_taken });
        let counted = match decision {
            Decision::Release(_) => Counted::default(),
            Decision::SettleUsage | Decision::SettleDelivered => {
                if let Some(attempt) = self.attempts.last_mut() {
                    attempt.landed = true;
                }
                self.counted(&self.taken, None)
            }
        };
        self.price_last_attempt(counted.usage);
        resolve(self, decision, counted, reason).await;
    }

    /// The last try is the only one that can have produced something: what it told of its usage counts, then what the
    /// call is charged for, then what the client took.
    fn price_last_attempt(&mut self, counted: TokenUsage) {
        let Some(attempt) = self.attempts.last() else { return };
        let seen = match attempt.usage {
            Some(usage) => usage,
            None if counted != TokenUsage::default() => usage::priced(counted),
            None if self.content_produced => usage::priced(self.counted(&self.taken, None).usage),
            None => return,
        };
        let cost_pico = cost::of_last_attempt(self, &seen);
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.cost_pico = cost_pico;
        }
    }

    /// What the gateway counted itself. Input that the provider did count is believed.
    fn counted(&self, delivered: &Delivered, provider: Option<TokenUsage>) -> Counted {
        let input = provider.unwrap_or_else(|| usage::of_input(&self.request));
        Counted { usage: usage::with_delivered(input, delivered), source: UsageSource::DeliveredCount }
    }

    fn finish(&self, stop: StopReason) -> Finish {
        match stop {
            StopReason::Refusal => Finish::Filtered,
            StopReason::MaxTokens if self.request.max_output_tokens.is_some() => Finish::CallersLimit,
            StopReason::MaxTokens | StopReason::ContextWindowExceeded => Finish::OtherLimit,
            _ => Finish::Complete,
        }
    }

    fn content_began(&mut self) {
        self.content_produced = true;
        let now_ms = self.gateway.world.now_ms();
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.first_content_ms.get_or_insert(now_ms - attempt.started_at_ms);
        }
    }

    /// Two tries are two requests, so a name that an earlier one has is not this one's, whatever the provider says.
    fn upstream_named(&mut self, request_id: Option<String>) {
        let named = |attempt: &Attempt| attempt.upstream_request_id == request_id;
        if request_id.is_none() || self.attempts.iter().any(named) {
            return;
        }
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.upstream_request_id = request_id;
        }
    }

    /// Ends the current try in the receipt. A failure that is not the request's own counts against the channel.
    fn attempt_failed(&mut self, failed: &Failed) {
        self.upstream_named(failed.request_id.clone());
        self.end_attempt(failed.failure.code.name(), failed.failure.status);
        if let (true, Some(attempt)) = (failed.failure.elsewhere, self.attempts.last()) {
            self.gateway.health.failed(&attempt.channel_id, self.gateway.world.now_ms());
        }
    }

    fn attempt_landed(&mut self, finished: &Finished, stop: &str) {
        self.end_attempt("ok", Some(200));
        let used = finished.usage.map(usage::priced);
        let cost_pico = used.and_then(|used| cost::of_last_attempt(self, &used));
        let Some(attempt) = self.attempts.last_mut() else { return };
        attempt.landed = finished.landed;
        attempt.finish = Some(stop.to_owned());
        attempt.native_finish = Some(finished.native_stop.clone());
        attempt.usage = used;
        attempt.cost_pico = cost_pico;
        self.gateway.health.succeeded(&attempt.channel_id);
    }

    /// The first ending of a try stands.
    fn end_attempt(&mut self, outcome: &str, status: Option<u16>) {
        let now_ms = self.gateway.world.now_ms();
        let Some(attempt) = self.attempts.last_mut().filter(|attempt| attempt.outcome.is_empty()) else {
            return;
        };
        attempt.outcome = outcome.to_owned();
        attempt.http_status = status;
        attempt.duration_ms = (now_ms - attempt.started_at_ms).max(0);
    }

    /// What a provider said, without the channel's credentials in it.
    fn told(&self, error: ErrorInfo) -> ErrorInfo {
        let Some(channel) = &self.channel else { return error };
        let message = channel.without_credentials(&error.message);
        ErrorInfo { message, param: error.param.map(|param| channel.without_credentials(&param)), ..error }
    }

    fn sign(&self, error: ErrorInfo) -> ErrorInfo {
        error.with_request_id(self.request_id.clone())
    }
}

fn stop_name(stop: StopReason) -> &'static str {
    match stop {
        StopReason::EndTurn | StopReason::StopSequence | StopReason::PauseTurn => "stop",
        StopReason::MaxTokens | StopReason::ContextWindowExceeded => "length",
        StopReason::ToolUse => "tool_use",
        StopReason::Refusal => "refusal",
        StopReason::Other => "other",
    }
}
