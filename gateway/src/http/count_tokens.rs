//! `POST /v1/messages/count_tokens`: counted here with a tokenizer, because not every provider counts. Free.

use bytespike_accounts::keys::Scope;
use bytespike_dialects::{ErrorCode, ErrorInfo, request};
use serde_json::json;

use super::{Answer, Inbound, reply};
use crate::serve::caller::identify_for;
use crate::{Gateway, tokens};

/// Counting a long text takes a while, so it is done beside the threads that carry streams.
pub async fn count(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let presented = identify_for(gateway, inbound, Scope::Inference).await?;
    let request = request::read_count(&inbound.body).map_err(|error| error.0)?;
    let book = gateway.prices.current().book.clone();
    let offered = (&*book, &gateway.channels.current()[..]);
    crate::serve::find_model(offered, &presented.caller, &request.model, inbound.accepted_at_ms)?;
    let counted = tokio::task::spawn_blocking(move || tokens::of_request(&request)).await;
    let input_tokens = counted.map_err(|error| {
        tracing::error!(%error, "counting tokens failed");
        ErrorInfo::new(ErrorCode::Internal, &[("request_id", &inbound.request_id)])
    })?;
    Ok(reply::value(&json!({ "input_tokens": input_tokens })))
}
