//! `POST /v1/estimate`: what a request would hold, from the same code as the hold. Free, and nothing is sent anywhere.

use bytespike_accounts::keys::Scope;
use bytespike_catalog::{NanoUsd, decimal};
use bytespike_dialects::{Dialect, request};
use http::Uri;
use serde_json::json;

use super::receipts::unavailable;
use super::{Answer, Inbound, reply};
use crate::Gateway;
use crate::serve::caller::identify_for;
use crate::serve::quote::{Clamp, quote as quote_request};

/// The dialect of the body, if the address names it: `?dialect=openai-chat` or `?dialect=anthropic`.
#[must_use]
pub fn dialect(uri: &Uri) -> Option<Dialect> {
    let name = uri.query()?.split('&').find_map(|pair| pair.strip_prefix("dialect="))?;
    [Dialect::Anthropic, Dialect::OpenAiChat].into_iter().find(|dialect| dialect.name() == name)
}

/// The body is a request as it would be sent.
pub async fn quote(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let presented = identify_for(gateway, inbound, Scope::Inference).await?;
    let request = request::read(inbound.dialect, &inbound.body).map_err(|error| error.0)?;
    let quote = quote_request(gateway, &presented.caller, inbound, &request)?;
    let wallet =
        gateway.ledger.wallet(&presented.caller.org_id).await.map_err(|error| unavailable(&error))?;
    let available = wallet.map_or(NanoUsd::ZERO, |wallet| wallet.available());
    let (estimate, capped) = (quote.capped.estimate, &quote.capped);
    let bounds = estimate.bounds;
    Ok(reply::value(&json!({
        "object": "estimate",
        "model": quote.slug,
        "price_version": quote.price_version,
        "held_credits": estimate.amount.credits(),
        "available_credits": available.credits(),
        "affordable": estimate.amount <= available,
        "max_credits": quote.max.map(NanoUsd::credits),
        "within_max_credits": capped.fits,
        "bounds": {
            "input_tokens": bounds.input_tokens,
            "max_output_tokens": bounds.output_tokens,
            "max_output_tokens_reason": capped.clamped.map(Clamp::reason),
            "answers": bounds.answers,
            "searches": bounds.searches,
        },
        "estimate_factor": decimal::format(i128::from(gateway.factors.of(&quote.slug).micro()), 6, 2),
        "charged_if_it_fails_credits": "0.000",
    })))
}
