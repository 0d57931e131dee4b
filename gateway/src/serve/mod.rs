//! The life of one call: identify, read, plan, hold, call, meter, settle. Read [`serve_call`] first.

mod attempt;
mod call;
pub mod caller;
mod cost;
mod failed;
mod hold;
mod offer;
mod plan;
pub mod quote;
mod refusal;
mod resolve;
mod rights;
mod source;
mod stream;
mod tries;
mod usage;
mod whole;

use std::sync::Arc;

use axum::body::Body;
use bytespike_accounts::keys::{Caller, Scope};
use bytespike_dialects::{ClientRequest, ErrorInfo, request};
use http::{HeaderMap, Response};

use crate::Gateway;
use crate::http::{Inbound, call_headers, reply};
use call::{OpenCall, Opening};
pub use hold::Taken;
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

/// One call, from its bytes to its answer.
///
/// # Errors
/// Whatever kept an answer from beginning, in terms the caller can act on. Nothing was charged.
pub async fn serve_call(gateway: &Gateway, inbound: Inbound) -> Result<Response<Body>, Refused> {
    let presented = caller::identify_for(gateway, &inbound, Scope::Inference).await?;
    let request = Arc::new(request::read(inbound.dialect, &inbound.body).map_err(|error| error.0)?);
    let plan = plan(gateway, &presented.caller, &inbound, &request)?;
    let taken = hold::take(gateway, &presented.caller, &inbound, &request, &plan).await?;
    let mut headers = call_headers::of_hold(&taken, &plan.book);
    let offer = Offer::new(gateway, &inbound, &presented.caller, request.clone(), &taken);
    let routes = plan.routes.clone();
    let mut call = OpenCall::new(Opening {
        gateway: gateway.clone(),
        presented,
        accepted: inbound.accepted,
        request,
        request_id: inbound.request_id.clone(),
        plan,
        held: taken.held,
    });
    let tried = tries::first_answer(&mut call, &offer, &routes).await;
    call_headers::add_attempts(&mut headers, call.attempts(), &inbound);
    match tried {
        Ok(Begun::Stream(opened, warnings)) => {
            call_headers::add_warnings(&mut headers, &warnings);
            Ok(reply::stream(headers, stream::body(call, *opened)))
        }
        Ok(Begun::Whole(answer, warnings)) => {
            call_headers::add_warnings(&mut headers, &warnings);
            Ok(whole::reply(call, &answer, headers).await)
        }
        Err(error) => Err(Refused { error, headers }),
    }
}

fn plan(
    gateway: &Gateway,
    caller: &Caller,
    inbound: &Inbound,
    request: &ClientRequest,
) -> Result<Plan, Box<ErrorInfo>> {
    let book = gateway.prices.current().book.clone();
    let model = plan::find_model(&book, caller, &request.model, inbound.accepted_at_ms)?;
    let session = Session::of(request, inbound.header("x-claude-code-session-id"));
    let routes = plan::routes(gateway, model, inbound.dialect, &session)?;
    let slug = model.model.id.clone();
    Ok(Plan { slug, routes, book })
}
