//! A quote: the estimate a hold would be taken for, without taking it.

use bytespike_accounts::keys::Caller;
use bytespike_catalog::NanoUsd;
use bytespike_dialects::{ClientRequest, ErrorInfo};

pub use super::cap::Clamp;
use super::hold::{self, Capped};
use super::{cap, plan};
use crate::Gateway;
use crate::http::Inbound;

/// What a request would hold.
pub struct Quote {
    pub slug: String,
    pub price_version: i64,
    pub capped: Capped,
    /// The most the call may hold, by its header or a limit on its way; `None` when nothing caps it.
    pub max: Option<NanoUsd>,
}

/// The same model lookup, the same bound and the same cap as a call's own.
///
/// # Errors
/// As the call itself would be refused before its cap is looked at.
pub fn quote(
    gateway: &Gateway,
    caller: &Caller,
    inbound: &Inbound,
    request: &ClientRequest,
) -> Result<Quote, Box<ErrorInfo>> {
    let book = gateway.prices.current().book.clone();
    let model = plan::find_model(
        (&*book, &gateway.channels.current()[..]),
        caller,
        &request.model,
        inbound.accepted_at_ms,
    )?;
    let cap = cap::of(caller, inbound)?;
    let capped = hold::under_cap(gateway, model, request, cap.as_ref())?;
    let slug = model.model.id.clone();
    Ok(Quote { slug, price_version: book.version, capped, max: cap.map(|cap| cap.amount) })
}
