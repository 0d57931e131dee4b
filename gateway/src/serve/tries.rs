//! Which channel answers: the routes are tried in turn until one has begun, and never after content was written.

use bytespike_dialects::{Answer, ErrorInfo, StreamTranslator, Warning};
use bytespike_ledger::Ended;

use super::call::OpenCall;
use super::failed::Failed;
use super::offer::Offer;
use super::plan::Route;
use super::{stream, whole};

/// An answer that has begun.
pub enum Begun {
    Stream(Box<stream::Opened>, Vec<Warning>),
    Whole(Box<Answer>, Vec<Warning>),
}

/// Why a route gave no answer.
pub enum Tried {
    /// The request cannot be put in that provider's terms; trying elsewhere would hide it.
    Refused(Box<ErrorInfo>),
    Failed(Failed),
    /// We or the customer's side ended the call meanwhile.
    Cut(Ended),
}

impl From<Failed> for Tried {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

/// Tries the routes in turn.
///
/// # Errors
/// What the last of them said; the hold is released by then.
pub async fn first_answer(
    call: &mut OpenCall,
    offer: &Offer,
    routes: &[Route],
) -> Result<Begun, Box<ErrorInfo>> {
    let mut last = None;
    for route in routes {
        call.attempt_begins(route);
        match begin(call, offer, route).await {
            Ok(begun) => return Ok(begun),
            Err(Tried::Refused(error)) => return Err(Box::new(call.refuse(*error).await)),
            Err(Tried::Cut(ended)) => return Err(Box::new(call.end_cut(ended).await)),
            Err(Tried::Failed(failed)) => {
                call.attempt_failed(&failed);
                let elsewhere = failed.failure.elsewhere;
                last = Some(failed);
                if !elsewhere {
                    break;
                }
            }
        }
    }
    Err(Box::new(call.fail(last.unwrap_or_else(Failed::unusable)).await))
}

async fn begin(call: &mut OpenCall, offer: &Offer, route: &Route) -> Result<Begun, Tried> {
    let (outgoing, context, warnings) = offer.to(route)?;
    let (from, to) = (route.channel.dialect, offer.request.dialect);
    if offer.request.stream {
        let translator = StreamTranslator::new(from, to, context);
        let opened = stream::open(call, outgoing, translator, offer.status_at).await?;
        return Ok(Begun::Stream(Box::new(opened), warnings));
    }
    let body = whole::fetch(call, outgoing).await?;
    let answer =
        bytespike_dialects::response::translate(from, to, &body, &context).map_err(Failed::inside)?;
    Ok(Begun::Whole(Box::new(answer), warnings))
}
