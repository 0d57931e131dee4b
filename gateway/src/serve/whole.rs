//! An answer in one piece: fetched, settled, and only then sent.

use axum::body::Body;
use bytes::Bytes;
use bytespike_dialects::Answer;
use http::{HeaderMap, Response};

use super::attempt::{self, Outgoing, read_whole};
use super::call::OpenCall;
use super::tries::Tried;
use crate::http::{call_headers, reply as http_reply};

/// Makes one try and reads all of its answer.
///
/// # Errors
/// Whatever kept a whole answer from arriving.
pub async fn fetch(call: &mut OpenCall, outgoing: Outgoing) -> Result<Bytes, Tried> {
    let (upstream, options) = (call.gateway().upstream.clone(), call.gateway().options.clone());
    let work = async {
        let body = attempt::send(upstream.as_ref(), &options, outgoing).await?;
        read_whole(body, options.max_answer_bytes, options.idle_timeout).await
    };
    tokio::select! {
        biased;
        body = work => Ok(body?),
        ended = call.cut() => Err(Tried::Cut(ended)),
    }
}

/// Settles and answers. The charge is in the headers and in the answer's own usage.
pub async fn reply(mut call: OpenCall, answer: &Answer, mut headers: HeaderMap) -> Response<Body> {
    let settled = call.complete_whole(answer).await;
    call_headers::add_settled(&mut headers, &settled);
    http_reply::json(headers, answer.with_cost(settled.cost.as_ref(), &settled.usage))
}
