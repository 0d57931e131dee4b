//! The life of one call: identify, read, plan, hold, call, meter, settle. Read [`serve_call`] first.

pub mod allowed;
mod attempt;
mod bodies;
mod call;
pub mod caller;
mod cap;
mod cost;
mod drain;
mod failed;
mod hold;
mod idempotency;
mod offer;
mod plan;
pub mod quote;
pub mod refusal;
mod resolve;
mod rights;
mod source;
mod stream;
mod tries;
mod usage;
mod whole;

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use bytespike_accounts::keys::{Caller, Scope};
use bytespike_dialects::{ClientRequest, ErrorInfo, request};
use futures_util::Stream;
use http::{HeaderMap, Response};

use crate::Gateway;
use crate::admission::Slots;
use crate::http::{Inbound, call_headers, reply};
pub use bodies::Shelf;
use bodies::Tape;
use call::{OpenCall, Opening};
use caller::Presented;
use cap::Cap;
pub use hold::Taken;
pub use idempotency::forget_expired as forget_idempotency_keys;
use idempotency::{Claim, Start};
use offer::Offer;
pub use plan::find_model;
use plan::{Plan, Session};
pub use resolve::Settled;
use tries::Begun;

/// An answer that is no success, with the headers a call that took a hold carries all the same.
pub struct Refused {
    pub error: Box<ErrorInfo>,
    pub headers: HeaderMap,
}

impl From<ErrorInfo> for Refused {
    fn from(error: ErrorInfo) -> Self {
        Self { error: Box::new(error), headers: HeaderMap::new() }
    }
}

impl From<Box<ErrorInfo>> for Refused {
    fn from(error: Box<ErrorInfo>) -> Self {
        Self { error, headers: HeaderMap::new() }
    }
}

/// What a request is, once it was let in and read. Nothing is held yet.
struct Asked {
    presented: Presented,
    slots: Slots,
    request: Arc<ClientRequest>,
    plan: Plan,
    cap: Option<Cap>,
}

/// One call, from its bytes to its answer.
///
/// # Errors
/// Whatever kept an answer from beginning, in terms the caller can act on. Nothing was charged.
pub async fn serve_call(gateway: &Gateway, inbound: Inbound) -> Result<Response<Body>, Refused> {
    let asked = ask(gateway, &inbound).await?;
    let receipt_id = gateway.world.id("rcp");
    let caller = asked.presented.caller.clone();
    let keyed = idempotency::Asked {
        caller: &caller,
        inbound: &inbound,
        streamed: asked.request.stream,
        receipt_id: &receipt_id,
    };
    match idempotency::begin(gateway, keyed).await? {
        Start::Replay(answer) => Ok(answer),
        Start::Call(claim) => Box::pin(make_call(gateway, &inbound, asked, (receipt_id, claim))).await,
    }
}

async fn ask(gateway: &Gateway, inbound: &Inbound) -> Result<Asked, Refused> {
    let presented = caller::identify_for(gateway, inbound, Scope::Inference).await?;
    let admitted = gateway.admission.admit(&presented.caller.call_limits, gateway.world.now_ms());
    let slots = admitted.map_err(|busy| refusal::busy(&busy))?;
    let request = Arc::new(request::read(inbound.dialect, &inbound.body).map_err(|error| error.0)?);
    let plan = plan(gateway, &presented.caller, inbound, &request)?;
    let cap = cap::of(&presented.caller, inbound)?;
    Ok(Asked { presented, slots, request, plan, cap })
}

async fn make_call(
    gateway: &Gateway,
    inbound: &Inbound,
    asked: Asked,
    (receipt_id, mut claim): (String, Option<Claim>),
) -> Result<Response<Body>, Refused> {
    let Asked { presented, slots, request, plan, cap } = asked;
    let wanted = hold::Wanted {
        caller: &presented.caller,
        inbound,
        request: &request,
        plan: &plan,
        reservation_id: &receipt_id,
        cap: cap.as_ref(),
        idempotency_key: claim.as_ref().map(|claim| claim.key().to_owned()),
    };
    let taken = idempotency::hold(&mut claim, hold::take(gateway, wanted)).await?;
    let mut headers = call_headers::of_hold(&taken, &plan.book);
    let tape = Tape::of(gateway, &presented.caller, (inbound, &receipt_id));
    let offer = Offer::new(gateway, inbound, &presented.caller, request.clone(), &taken);
    let routes = plan.routes.clone();
    let mut call = OpenCall::new(Opening {
        gateway: gateway.clone(),
        presented,
        accepted: inbound.accepted,
        request,
        request_id: inbound.request_id.clone(),
        plan,
        held: taken.held,
        slots,
    });
    let tried = tries::first_answer(&mut call, &offer, &routes).await;
    call_headers::add_attempts(&mut headers, call.attempts(), inbound);
    match tried {
        Ok(begun) => answer(call, begun, headers, (claim, tape)).await,
        Err(error) => {
            bodies::refused(tape, inbound, &error);
            Err(Refused { error, headers })
        }
    }
}

/// Sends what has begun, and keeps it where an Idempotency-Key or the org wants it.
async fn answer(
    call: OpenCall,
    begun: Begun,
    mut headers: HeaderMap,
    (claim, tape): (Option<Claim>, Option<Tape>),
) -> Result<Response<Body>, Refused> {
    let (Begun::Stream(_, warnings) | Begun::Whole(_, warnings)) = &begun;
    call_headers::add_warnings(&mut headers, warnings);
    Ok(match (begun, claim.filter(Claim::keeps_answer)) {
        (Begun::Stream(opened, _), None) => streamed(headers, tape, stream::body(call, *opened)),
        (Begun::Stream(opened, _), Some(claim)) => {
            let kept = idempotency::record(claim, headers.clone(), stream::body(call, *opened));
            streamed(headers, tape, kept)
        }
        (Begun::Whole(answer, _), None) => {
            let (headers, body) = whole::settle(call, &answer, headers, tape).await;
            reply::json(headers, body)
        }
        (Begun::Whole(answer, _), Some(claim)) => {
            let kept = whole::settle_and_keep(call, answer, headers, (claim, tape)).await;
            let (headers, body) = kept.ok_or_else(refusal::impossible)?;
            reply::json(headers, body)
        }
    })
}

fn streamed(
    headers: HeaderMap,
    tape: Option<Tape>,
    events: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
) -> Response<Body> {
    match tape {
        None => reply::stream(headers, events),
        Some(tape) => reply::stream(headers, tape.listen(events)),
    }
}

fn plan(
    gateway: &Gateway,
    caller: &Caller,
    inbound: &Inbound,
    request: &ClientRequest,
) -> Result<Plan, Box<ErrorInfo>> {
    let book = gateway.prices.current().book.clone();
    let model = plan::find_model(
        (&*book, &gateway.channels.current()[..]),
        caller,
        &request.model,
        inbound.accepted_at_ms,
    )?;
    let session = Session::of(request, inbound.header("x-claude-code-session-id"));
    let routes = plan::routes((gateway, caller), model, inbound.dialect, &session)?;
    let slug = model.model.id.clone();
    Ok(Plan { slug, routes, book })
}
