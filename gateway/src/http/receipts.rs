//! `GET /v1/receipts/{id}`: one call's receipt, signed, for the key that made the call.

use bytes::Bytes;
use bytespike_accounts::keys::Scope;
use bytespike_dialects::{ErrorCode, ErrorInfo};
use http::HeaderMap;

use super::{Answer, Inbound, reply};
use crate::Gateway;
use crate::serve::caller::identify_for;

/// The receipt, byte for byte the same whenever it is read.
pub async fn show(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let presented = identify_for(gateway, inbound, Scope::UsageRead).await?;
    let path = inbound.uri.path();
    let id = path.rsplit('/').next().unwrap_or_default();
    let receipt = gateway.ledger.receipt(id).await.map_err(|error| unavailable(&error))?;
    let caller = &presented.caller;
    match receipt.filter(|receipt| receipt.org_id == caller.org_id && receipt.key_id == caller.key_id) {
        Some(receipt) => Ok(reply::json(HeaderMap::new(), Bytes::from(receipt.signed(&gateway.receipt_key)))),
        None => Err(ErrorInfo::new(ErrorCode::NotFound, &[("path", path)]).into()),
    }
}

/// The database did not answer.
pub fn unavailable(error: &impl std::fmt::Display) -> ErrorInfo {
    tracing::error!(%error, "the ledger could not be read");
    ErrorInfo::new(ErrorCode::LedgerUnavailable, &[])
}
