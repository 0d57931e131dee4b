//! `/api/v1/operator/wallets`: every wallet, freezing one, putting credit into one and taking it out.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::{get, post};
use bytespike_accounts::waiting_credits::WaitingCreditRow;
use bytespike_catalog::NanoUsd;
use bytespike_dialects::{ErrorCode, ErrorInfo};
use bytespike_ledger::{BookingError, CreditKind, Credited};
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::super::{Answer, receipts::unavailable};
use super::shapes::{BookedCredit, FrozenWallet, OperatorError, OrgWallet, Rows, WaitingCredit};
use super::{Inbound, Operator, acts, as_operator, input, reads};
use crate::Gateway;
use crate::operations::{Deed, Moved, MovedCredit};
use crate::serve::Refused;

const MOST_KEY_CHARS: usize = 200;

/// Which wallets.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    frozen: Option<bool>,
    /// The last org id of the page before.
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The part of the description that stands here.
#[derive(OpenApi)]
#[openapi(
    paths(list_wallets, freeze_wallet, unfreeze_wallet, credit_wallet, debit_wallet, list_waiting_credits),
    components(schemas(
        BookedCredit,
        FrozenWallet,
        NewCredit,
        NewDebit,
        OrgWallet,
        WaitingCredit,
        input::Why
    ))
)]
pub struct Document;

pub fn routes() -> Router<Gateway> {
    Router::new()
        .route("/api/v1/operator/wallets", reads(get(list_wallets)))
        .route("/api/v1/operator/wallets/{org_id}/freeze", acts(post(freeze_wallet)))
        .route("/api/v1/operator/wallets/{org_id}/unfreeze", acts(post(unfreeze_wallet)))
        .route("/api/v1/operator/wallets/{org_id}/credits", acts(post(credit_wallet)))
        .route("/api/v1/operator/wallets/{org_id}/debits", acts(post(debit_wallet)))
        .route("/api/v1/operator/waiting-credits", reads(get(list_waiting_credits)))
}

/// Wallets
///
/// Wallets by the id of their organisation.
#[utoipa::path(
    get, path = "/api/v1/operator/wallets", operation_id = "listWallets", tag = "operator", security(("operator" = [])),
    params(Wanted),
    responses(
        (status = 200, description = "Wallets.", body = Rows<OrgWallet>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn list_wallets(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| list(&gateway, &inbound).await).await
}

/// Freeze a wallet
///
/// It takes no new holds; what is held may still settle.
#[utoipa::path(
    post, path = "/api/v1/operator/wallets/{org_id}/freeze", operation_id = "freezeWallet", tag = "operator", security(("operator" = [])),
    params(("org_id" = String, Path, description = "Its id.")),
    request_body = input::Why,
    responses(
        (status = 200, description = "The wallet.", body = FrozenWallet),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
        (status = 404, description = "Nothing by that id.", body = OperatorError),
    ),
)]
async fn freeze_wallet(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| {
        set_frozen(&gateway, &operator, &inbound, true).await
    })
    .await
}

/// Unfreeze a wallet
///
/// It takes holds again.
#[utoipa::path(
    post, path = "/api/v1/operator/wallets/{org_id}/unfreeze", operation_id = "unfreezeWallet", tag = "operator", security(("operator" = [])),
    params(("org_id" = String, Path, description = "Its id.")),
    request_body = input::Why,
    responses(
        (status = 200, description = "The wallet.", body = FrozenWallet),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
        (status = 404, description = "Nothing by that id.", body = OperatorError),
    ),
)]
async fn unfreeze_wallet(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| {
        set_frozen(&gateway, &operator, &inbound, false).await
    })
    .await
}

/// Credit a wallet
///
/// Books credit once for each Idempotency-Key. Above the threshold of `operators.second_above_usd` it is put aside, and
/// another operator confirms it at the operators' pages.
#[utoipa::path(
    post, path = "/api/v1/operator/wallets/{org_id}/credits", operation_id = "creditWallet", tag = "operator", security(("operator" = [])),
    params(("org_id" = String, Path, description = "Its id."), ("Idempotency-Key" = String, Header, description = "Says which booking it is; at most 200 characters.")),
    request_body = NewCredit,
    responses(
        (status = 200, description = "What was booked.", body = BookedCredit),
        (status = 202, description = "It needs another operator: it waits, or what became of it.", body = WaitingCredit),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
        (status = 404, description = "Nothing by that id.", body = OperatorError),
    ),
)]
async fn credit_wallet(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| credit(&gateway, &operator, &inbound).await)
        .await
}

/// Debit a wallet
///
/// Takes credit out, once for each Idempotency-Key: all of it, or nothing where less of that kind is free. What calls hold is not
/// taken, and what lapses first goes first. Above the threshold of `operators.second_above_usd` it is put aside as credit is.
#[utoipa::path(
    post, path = "/api/v1/operator/wallets/{org_id}/debits", operation_id = "debitWallet", tag = "operator", security(("operator" = [])),
    params(("org_id" = String, Path, description = "Its id."), ("Idempotency-Key" = String, Header, description = "Says which booking it is; at most 200 characters.")),
    request_body = NewDebit,
    responses(
        (status = 200, description = "What was taken.", body = BookedCredit),
        (status = 202, description = "It needs another operator: it waits, or what became of it.", body = WaitingCredit),
        (status = 400, description = "Something in the request is not valid, or less is free.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
        (status = 404, description = "Nothing by that id.", body = OperatorError),
    ),
)]
async fn debit_wallet(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| debit(&gateway, &operator, &inbound).await).await
}

/// Wallets by organisation id.
async fn list(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let wanted: Wanted = input::query(inbound)?;
    let limit = input::limit(wanted.limit)?;
    let after = wanted.after.as_deref().unwrap_or_default();
    let wallets = gateway.ledger.wallets(wanted.frozen, after, limit).await;
    let wallets = wallets.map_err(|error| unavailable(&error))?;
    input::list(wallets.iter().map(OrgWallet::of), limit)
}

/// A frozen wallet takes no new holds; what is held may still settle.
async fn set_frozen(gateway: &Gateway, operator: &Operator, inbound: &Inbound, frozen: bool) -> Answer {
    let why: input::Why = input::body(inbound)?;
    let why = input::reason(&why.reason)?;
    let org_id = input::path_part(inbound, 1);
    let done = gateway.operations().set_frozen(operator.hand(), (org_id, frozen), &why).await;
    done.map_err(|error| refused(&error, inbound))?;
    input::value(&FrozenWallet { object: "wallet", org_id: org_id.to_owned(), frozen })
}

/// Credit to be put into a wallet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredit {
    /// Text with at most three decimals.
    amount_credits: String,
    /// `top_up` for what was paid some other way, `grant` for what is given.
    #[schema(value_type = String, pattern = "^(top_up|grant)$")]
    kind: CreditKind,
    /// One sentence of at most 500 characters.
    reason: String,
    /// Only for what is given.
    expires_at: Option<String>,
}

/// Credit to be taken out of a wallet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDebit {
    /// Text with at most three decimals.
    amount_credits: String,
    /// Which credit is taken: `top_up` for what was paid, `grant` for what was given.
    #[schema(value_type = String, pattern = "^(top_up|grant)$")]
    kind: CreditKind,
    /// One sentence of at most 500 characters. The organisation reads it on its wallet page.
    reason: String,
}

/// Books credit once per `Idempotency-Key`: `top_up` for what was paid some other way, `grant` for what is given.
async fn credit(gateway: &Gateway, operator: &Operator, inbound: &Inbound) -> Answer {
    let new: NewCredit = input::body(inbound)?;
    let expires_at_ms = match (&new.expires_at, new.kind) {
        (None, _) => None,
        (Some(text), CreditKind::Grant) => Some(input::moment_ms("expires_at", Some(text), 0)?),
        (Some(_), CreditKind::TopUp) => {
            return Err(input::invalid("expires_at: paid credit does not expire")
                .with_param("expires_at")
                .into());
        }
    };
    let wanted =
        Wish { deed: Deed::Give(new.kind), credits: &new.amount_credits, reason: &new.reason, expires_at_ms };
    move_credit(gateway, (operator, inbound), wanted).await
}

/// Takes credit once per `Idempotency-Key`.
async fn debit(gateway: &Gateway, operator: &Operator, inbound: &Inbound) -> Answer {
    let new: NewDebit = input::body(inbound)?;
    let wanted = Wish {
        deed: Deed::Take(new.kind),
        credits: &new.amount_credits,
        reason: &new.reason,
        expires_at_ms: None,
    };
    move_credit(gateway, (operator, inbound), wanted).await
}

/// What is to be moved, as it was written.
struct Wish<'a> {
    deed: Deed,
    credits: &'a str,
    reason: &'a str,
    expires_at_ms: Option<i64>,
}

async fn move_credit(
    gateway: &Gateway,
    (operator, inbound): (&Operator, &Inbound),
    wanted: Wish<'_>,
) -> Answer {
    let why = input::reason(wanted.reason)?;
    let org_id = input::path_part(inbound, 1);
    let amount = NanoUsd::from_credits(wanted.credits).filter(|amount| *amount > NanoUsd::ZERO);
    let amount = amount.ok_or_else(|| {
        input::invalid("amount_credits: a positive decimal with at most three places, as text, is wanted, such as \"1000.000\"")
            .with_param("amount_credits")
    })?;
    let moved = MovedCredit {
        org_id: org_id.to_owned(),
        amount,
        deed: wanted.deed,
        once: idempotency_key(inbound)?.to_owned(),
        expires_at_ms: wanted.expires_at_ms,
    };
    let moved = gateway.operations().move_credit(operator.hand(), moved, &why).await;
    let (booked, available) = match moved.map_err(|error| refused(&error, inbound))? {
        Moved::Booked(Credited::Booked { available }) => (true, available),
        Moved::Booked(Credited::Already { available }) => (false, available),
        Moved::Waits(row) | Moved::Decided(row) => return waits(gateway, &row),
    };
    let (object, kind) = match wanted.deed {
        Deed::Give(kind) => ("credit", kind),
        Deed::Take(kind) => ("debit", kind),
    };
    input::value(&BookedCredit {
        object,
        org_id: org_id.to_owned(),
        kind,
        amount_credits: amount.credits(),
        booked,
        available_credits: available.credits(),
    })
}

/// What waits for another operator, or what became of it.
pub(super) fn waits(gateway: &Gateway, row: &WaitingCreditRow) -> Answer {
    let mut response = input::value(&WaitingCredit::of(row, gateway.world.now_ms()))?;
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

/// What waits for another operator, and with `over` what became of it before.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedWaiting {
    over: Option<bool>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Waiting credit
///
/// Credit, debits and vouchers that wait for another operator, the oldest first; with `over` what was decided, or not in time, the
/// newest first.
#[utoipa::path(
    get, path = "/api/v1/operator/waiting-credits", operation_id = "listWaitingCredits", tag = "operator", security(("operator" = [])),
    params(WantedWaiting),
    responses(
        (status = 200, description = "Credit.", body = Rows<WaitingCredit>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn list_waiting_credits(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| waiting(&gateway, &inbound).await).await
}

async fn waiting(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let wanted: WantedWaiting = input::query(inbound)?;
    let limit = input::limit(wanted.limit)?;
    let credits = &gateway.accounts.waiting_credits;
    let rows =
        if wanted.over == Some(true) { credits.over(limit).await } else { credits.waiting(limit).await };
    let rows = rows.map_err(|error| unavailable(&error))?;
    input::list(rows.iter().map(|row| WaitingCredit::of(row, gateway.world.now_ms())), limit)
}

/// Money is booked once however often the request is sent, so the request has to say which booking it is.
fn idempotency_key(inbound: &Inbound) -> Result<&str, Refused> {
    let key = inbound.header("idempotency-key").map(str::trim);
    key.filter(|key| (1..=MOST_KEY_CHARS).contains(&key.len())).ok_or_else(|| {
        input::invalid("the header Idempotency-Key is missing or longer than 200 characters; it keeps a repeated request from booking twice")
            .into()
    })
}

fn refused(error: &BookingError, inbound: &Inbound) -> ErrorInfo {
    match error {
        BookingError::NoWallet => input::missing(inbound),
        BookingError::IdempotencyMismatch => input::invalid(
            "this Idempotency-Key was used for another amount; the first booking stands, use a new key for a new one",
        ),
        BookingError::NotEnough { free } => input::invalid(&format!(
            "amount_credits: {} of this credit are free; what running calls hold is not taken, and nothing was",
            free.credits()
        ))
        .with_param("amount_credits"),
        BookingError::Unavailable(error) => {
            tracing::error!(%error, "a wallet could not be changed");
            ErrorInfo::new(ErrorCode::LedgerUnavailable, &[]).with_retry_after_ms(1_000)
        }
        other => input::invalid(&other.to_string()),
    }
}
