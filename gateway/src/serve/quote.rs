//! A quote: the estimate a hold would be taken for, without taking it.

use bytespike_accounts::keys::Caller;
use bytespike_dialects::{ClientRequest, ErrorInfo};

use super::{hold, plan};
use crate::Gateway;

/// What a request would hold.
pub struct Quote {
    pub slug: String,
    pub price_version: i64,
    pub estimate: hold::Estimate,
}

/// The same model lookup and the same bound as a call's own.
///
/// # Errors
/// As the call itself would be refused before its hold.
pub fn quote(
    gateway: &Gateway,
    caller: &Caller,
    request: &ClientRequest,
    now_ms: i64,
) -> Result<Quote, Box<ErrorInfo>> {
    let book = gateway.prices.current().book.clone();
    let model = plan::find_model(&book, caller, &request.model, now_ms)?;
    let estimate = hold::estimate(gateway, model, request)?;
    Ok(Quote { slug: model.model.id.clone(), price_version: book.version, estimate })
}
