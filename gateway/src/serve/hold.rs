//! How much a call may cost at most, and taking that much aside. The output limit is enforced, so it is a bound and no guess.

use bytespike_accounts::keys::Caller;
use bytespike_catalog::{Bounds, NanoUsd, PricedModel, hold::affordable_output_tokens, hold_bound};
use bytespike_dialects::request::CacheMarkers;
use bytespike_dialects::{ClientRequest, ErrorCode, ErrorInfo};
use bytespike_ledger::{Held, HoldError, HoldRequest, Payer, Refusal, RequestFacts};

use super::cap::{self, Cap, Clamp};
use super::plan::Plan;
use super::{refusal, usage};
use crate::Gateway;
use crate::http::Inbound;

/// Searches a call may make when its client named no limit; also sent upstream.
const DEFAULT_SEARCHES: u32 = 5;

/// What a call may cost at most, and within which bounds.
#[derive(Debug, Clone, Copy)]
pub struct Estimate {
    pub amount: NanoUsd,
    pub bounds: Bounds,
}

/// An estimate beside the cap on its call.
pub struct Capped {
    /// Under the cap, unless it cannot be brought there.
    pub estimate: Estimate,
    /// Why its output limit is less than usual, where the client named none.
    pub clamped: Option<Clamp>,
    /// Otherwise the call is refused.
    pub fits: bool,
}

/// A hold that was taken.
pub struct Taken {
    pub held: Held,
    pub estimate: Estimate,
    /// The output limit to enforce upstream.
    pub max_output_tokens: u32,
    /// Why the limit is less than usual, where the client named none.
    pub clamped: Option<Clamp>,
}

/// What a hold is taken for.
pub struct Wanted<'a> {
    pub caller: &'a Caller,
    pub inbound: &'a Inbound,
    pub request: &'a ClientRequest,
    pub plan: &'a Plan,
    /// Made before anything else happens; also the receipt's.
    pub reservation_id: &'a str,
    pub cap: Option<&'a Cap>,
    /// As the client wrote it.
    pub idempotency_key: Option<String>,
}

/// Estimates a request against a model: the same code for a quote and for a hold.
///
/// # Errors
/// A field that bills what the price book does not price, or more than a call may cost.
pub fn estimate(
    gateway: &Gateway,
    model: &PricedModel,
    request: &ClientRequest,
) -> Result<Estimate, Box<ErrorInfo>> {
    refuse_unpriced(request)?;
    let start_ms = gateway.world.now_ms();
    let total_ms = i64::try_from(gateway.options.total_timeout.as_millis()).unwrap_or(i64::MAX);
    let bounds = Bounds {
        input_tokens: usage::estimated_input(request, gateway.factors.of(&model.model.id)),
        output_tokens: output_limit(gateway, model, request).into(),
        answers: request.choices,
        searches: request
            .server_tools
            .iter()
            .map(|tool| u64::from(tool.max_uses.unwrap_or(DEFAULT_SEARCHES)))
            .sum(),
        marks_cache_5m: request.cache >= CacheMarkers::FiveMinutes,
        marks_cache_1h: request.cache == CacheMarkers::OneHour,
        start_ms,
        deadline_ms: start_ms.saturating_add(total_ms),
        ..Bounds::default()
    };
    let amount =
        hold_bound(model, &bounds).map_err(|error| Box::new(refusal::price(&request.model, &error)))?;
    Ok(Estimate { amount, bounds })
}

/// Takes the hold. A client that named no output limit gets a smaller one before it is refused for want of credit.
///
/// # Errors
/// Above the cap for one call, no credit, a limit, a frozen wallet, or no ledger.
pub async fn take(gateway: &Gateway, wanted: Wanted<'_>) -> Result<Taken, Box<ErrorInfo>> {
    let Wanted { request, plan, .. } = wanted;
    let unknown = || Box::new(ErrorInfo::new(ErrorCode::ModelNotFound, &[("model", &request.model)]));
    let model = plan.model().ok_or_else(unknown)?;
    let Capped { estimate, clamped: capped, fits } = under_cap(gateway, model, request, wanted.cap)?;
    if let Some(cap) = wanted.cap.filter(|_| !fits) {
        return Err(Box::new(cap::exceeded(cap, estimate.amount)));
    }
    let asked = hold_request(&wanted, estimate.amount);
    let refused = |error: HoldError, amount| {
        let ask_url = refusal::ask_url(&gateway.options.issuer_url, &error);
        let error = refusal::hold(error, amount, wanted.inbound.accepted_at_ms);
        Box::new(match ask_url {
            Some(url) => error.with_detail("ask_url", url),
            None => error,
        })
    };
    let error = match gateway.ledger.hold(asked.clone()).await {
        Ok(held) => return Ok(taken(held, estimate, capped)),
        Err(error) => error,
    };
    let estimate = recounted(model, request, estimate, room_left(&error));
    if estimate.amount < asked.amount && estimate.amount <= room_left(&error) {
        let closer = HoldRequest { amount: estimate.amount, ..asked };
        let held = gateway.ledger.hold(closer).await.map_err(|error| refused(error, estimate.amount))?;
        return Ok(taken(held, estimate, capped));
    }
    let Some(clamped) = clamp(gateway, model, request, (estimate, room_left(&error))) else {
        return Err(refused(error, estimate.amount));
    };
    let smaller = HoldRequest { amount: clamped.amount, ..asked };
    let held = gateway.ledger.hold(smaller).await.map_err(|error| refused(error, clamped.amount))?;
    Ok(taken(held, clamped, Some(Clamp::Balance)))
}

/// The estimate, made smaller to fit under the cap if the client left the output limit to us: the same code for a quote
/// and for a hold.
///
/// # Errors
/// As [`estimate`].
pub fn under_cap(
    gateway: &Gateway,
    model: &PricedModel,
    request: &ClientRequest,
    cap: Option<&Cap>,
) -> Result<Capped, Box<ErrorInfo>> {
    let estimate = estimate(gateway, model, request)?;
    let as_asked = |estimate, fits| Ok(Capped { estimate, clamped: None, fits });
    let Some(cap) = cap.filter(|cap| estimate.amount > cap.amount) else { return as_asked(estimate, true) };
    let estimate = recounted(model, request, estimate, cap.amount);
    if estimate.amount <= cap.amount {
        return as_asked(estimate, true);
    }
    match clamp(gateway, model, request, (estimate, cap.amount)) {
        Some(estimate) => Ok(Capped { estimate, clamped: Some(Clamp::MaxCredits), fits: true }),
        None => as_asked(estimate, false),
    }
}

/// Before a call is refused for want of less than half its estimate, its input is counted by tokenizer.
fn recounted(model: &PricedModel, request: &ClientRequest, estimate: Estimate, room: NanoUsd) -> Estimate {
    if estimate.amount.0 / 2 > room.0 {
        return estimate;
    }
    let Some(input_tokens) = usage::recounted_input(request, &model.model.provider) else { return estimate };
    let bounds = Bounds { input_tokens: input_tokens.min(estimate.bounds.input_tokens), ..estimate.bounds };
    hold_bound(model, &bounds).map_or(estimate, |amount| Estimate { amount, bounds })
}

/// How much a refused hold could have taken.
fn room_left(error: &HoldError) -> NanoUsd {
    match error {
        HoldError::Refused(Refusal::InsufficientCredits { available, .. }) => *available,
        HoldError::Refused(Refusal::LimitExceeded { limit, .. }) => limit.remaining(),
        _ => NanoUsd::ZERO,
    }
}

fn taken(held: Held, estimate: Estimate, clamped: Option<Clamp>) -> Taken {
    let max_output_tokens = u32::try_from(estimate.bounds.output_tokens).unwrap_or(u32::MAX);
    Taken { held, estimate, max_output_tokens, clamped }
}

/// The largest call the credit pays for, if the client left the limit to us and it is worth making.
fn clamp(
    gateway: &Gateway,
    model: &PricedModel,
    request: &ClientRequest,
    (estimate, available): (Estimate, NanoUsd),
) -> Option<Estimate> {
    if request.max_output_tokens.is_some() {
        return None;
    }
    let output_tokens = affordable_output_tokens(model, &estimate.bounds, available).ok()?;
    if output_tokens < gateway.options.min_clamped_output_tokens.into() {
        return None;
    }
    let bounds = Bounds { output_tokens, ..estimate.bounds };
    let amount = hold_bound(model, &bounds).ok().filter(|amount| *amount <= available)?;
    Some(Estimate { amount, bounds })
}

fn output_limit(gateway: &Gateway, model: &PricedModel, request: &ClientRequest) -> u32 {
    let most =
        model.model.max_output_tokens.and_then(|tokens| u32::try_from(tokens).ok()).unwrap_or(u32::MAX);
    request.max_output_tokens.unwrap_or(gateway.options.default_max_output_tokens).min(most)
}

fn refuse_unpriced(request: &ClientRequest) -> Result<(), Box<ErrorInfo>> {
    let Some((field, value)) = request.billing_fields.first() else { return Ok(()) };
    let reason = format!(
        "{field}: {value} changes what the provider bills, and no price is published for it. Leave it out."
    );
    let error = ErrorInfo::new(ErrorCode::UnsupportedParameter, &[("reason", &reason)]);
    Err(Box::new(error.with_param(*field)))
}

fn hold_request(wanted: &Wanted<'_>, amount: NanoUsd) -> HoldRequest {
    let Wanted { caller, inbound, request, plan, .. } = *wanted;
    let fx = &plan.book.content.fx;
    HoldRequest {
        reservation_id: wanted.reservation_id.to_owned(),
        payer: Payer {
            org_id: caller.org_id.clone(),
            deployment_id: caller.deployment_id.clone(),
            member_id: caller.member_id.clone(),
            key_path: caller.key_path.clone(),
        },
        amount,
        price_version: plan.book.version,
        model_requested: plan.slug.clone(),
        facts: RequestFacts {
            request_id: inbound.request_id.clone(),
            protocol: inbound.dialect.name().to_owned(),
            stream: request.stream,
            idempotency_key: wanted.idempotency_key.clone(),
            price_hash: plan.book.hash.clone(),
            preset: Some(caller.preset.as_str().to_owned()),
            org_name: caller.org_name.clone(),
            deployment_name: caller.deployment_name.clone(),
            member_name: caller.member_name.clone(),
            key_name: caller.key_name.clone(),
            key_hint: caller.key_hint.clone(),
            fx_id: fx.id.clone(),
            usd_cny: fx.rate(),
            usd_cny_micro: fx.usd_cny_micro,
        },
    }
}
