//! `GET /v1/receipts/{id}`: one call's receipt, signed, for the key that made the call and for those it was derived from.

use bytes::Bytes;
use bytespike_dialects::{ErrorCode, ErrorInfo};
use http::HeaderMap;

use super::usage::reader;
use super::{Answer, Inbound, reply};
use crate::Gateway;

/// The receipt, byte for byte the same whenever it is read.
pub async fn show(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let reader = reader(gateway, inbound).await?;
    let path = inbound.uri.path();
    let id = path.rsplit('/').next().unwrap_or_default();
    let receipt = gateway.ledger.receipt(id).await.map_err(|error| unavailable(&error))?;
    match receipt.filter(|receipt| reader.may_read(receipt)) {
        Some(receipt) => Ok(reply::json(HeaderMap::new(), Bytes::from(receipt.signed(&gateway.receipt_key)))),
        None => Err(ErrorInfo::new(ErrorCode::NotFound, &[("path", path)]).into()),
    }
}

/// The database did not answer.
pub fn unavailable(error: &impl std::fmt::Display) -> ErrorInfo {
    tracing::error!(%error, "the ledger could not be read");
    ErrorInfo::new(ErrorCode::LedgerUnavailable, &[])
}
