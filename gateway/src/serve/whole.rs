//! An answer in one piece: fetched, settled, and only then sent.

use bytes::Bytes;
use bytespike_dialects::Answer;
use http::HeaderMap;

use super::attempt::{self, Outgoing, read_whole};
use super::bodies::{self, Tape};
use super::call::OpenCall;
use super::idempotency::Claim;
use super::tries::Tried;
use crate::http::call_headers;

/// Makes one try and reads all of its answer.
///
/// # Errors
/// Whatever kept a whole answer from arriving.
pub async fn fetch(call: &mut OpenCall, outgoing: Outgoing) -> Result<Bytes, Tried> {
    let (upstream, options) = (call.gateway().upstream.clone(), call.gateway().options.clone());
    let mut request_id = None;
    let work = async {
        let answering = attempt::send(upstream.as_ref(), &options, outgoing).await?;
        request_id = answering.request_id;
        read_whole(answering.body, options.max_answer_bytes, options.idle_timeout).await
    };
    let fetched = tokio::select! {
        biased;
        body = work => body.map_err(Tried::from),
        ended = call.cut() => Err(Tried::Cut(ended)),
    };
    call.upstream_named(request_id);
    fetched
}

/// Settles. The charge is in the headers and in the answer's own usage.
pub async fn settle(
    mut call: OpenCall,
    answer: &Answer,
    mut headers: HeaderMap,
    tape: Option<Tape>,
) -> (HeaderMap, Bytes) {
    let settled = call.complete_whole(answer).await;
    call_headers::add_settled(&mut headers, &settled);
    let body = answer.with_cost(settled.cost.as_ref(), &settled.usage);
    bodies::answered(tape, 200, &body);
    (headers, body)
}

/// Settles and keeps the answer for its Idempotency-Key. Both are done even if the client goes away meanwhile, so that
/// what was charged can be had again. `None` when a fault of ours kept it from being done.
pub async fn settle_and_keep(
    call: OpenCall,
    answer: Box<Answer>,
    headers: HeaderMap,
    (claim, tape): (Claim, Option<Tape>),
) -> Option<(HeaderMap, Bytes)> {
    let tasks = call.gateway().tasks.clone();
    let work = async move {
        let (headers, body) = settle(call, &answer, headers, tape).await;
        claim.keep(&headers, &body).await;
        (headers, body)
    };
    tasks.spawn(work).await.ok()
}
