//! `/api/v1/operator/vouchers`: codes that give credit to whoever redeems them.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::{get, post};
use bytespike_accounts::vouchers::{Made, NewVoucher, Voucher, VoucherError};
use bytespike_catalog::NanoUsd;
use bytespike_dialects::ErrorInfo;
use http::{Request, Response};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::super::{Answer, receipts::unavailable, time};
use super::shapes::{OperatorError, Rows, WaitingCredit};
use super::wallets::waits;
use super::{Inbound, Operator, acts, as_operator, input, wrong_method};
use crate::Gateway;
use crate::operations::Hand;
use crate::serve::Refused;

/// A voucher, without its code.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedVoucher {
    #[schema(pattern = "^voucher$")]
    pub object: &'static str,
    pub id: String,
    /// The end of its code.
    pub hint: String,
    pub amount_credits: String,
    /// How many organisations may redeem it, and how many have.
    pub uses: i64,
    pub used: i64,
    #[schema(pattern = "^(open|used_up|expired|ended)$")]
    pub state: &'static str,
    pub note: String,
    pub expires_at: Option<String>,
    /// How long its credit lasts once it is redeemed.
    pub credit_days: Option<i64>,
    pub created_at: String,
    pub ended_at: Option<String>,
}

/// A voucher with its code, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeVoucher {
    #[serde(flatten)]
    pub voucher: ListedVoucher,
    pub code: String,
}

/// A voucher to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedVoucher {
    /// Text with at most three decimals.
    amount_credits: String,
    /// How many organisations may redeem it, each once; 1 unless said.
    #[schema(minimum = 1, maximum = 1_000_000)]
    uses: Option<i64>,
    /// Until when it can be redeemed: RFC 3339, or a day, which begins at midnight UTC.
    expires_at: Option<String>,
    /// How many days its credit lasts once it is redeemed; for ever unless said.
    #[schema(minimum = 1, maximum = 3650)]
    credit_days: Option<u16>,
    /// What it is for, in a line of at most 200 characters. Who redeems it sees this.
    note: String,
}

/// The part of the description that stands here.
#[derive(OpenApi)]
#[openapi(
    paths(list_vouchers, create_voucher, end_voucher),
    components(schemas(ListedVoucher, MadeVoucher, WantedVoucher, input::Why))
)]
pub struct Document;

pub fn routes() -> Router<Gateway> {
    let both = get(list_vouchers).post(create_voucher);
    let both = both.fallback(async |gateway, request| wrong_method(gateway, request, "GET, POST").await);
    Router::new()
        .route("/api/v1/operator/vouchers", both)
        .route("/api/v1/operator/vouchers/{id}/end", acts(post(end_voucher)))
}

/// Vouchers
///
/// The newest first, without their codes.
#[utoipa::path(
    get, path = "/api/v1/operator/vouchers", operation_id = "listVouchers", tag = "operator", security(("operator" = [])),
    params(input::Page),
    responses(
        (status = 200, description = "Vouchers.", body = Rows<ListedVoucher>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn list_vouchers(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| list(&gateway, &inbound).await).await
}

/// Make a voucher
///
/// Answers its code, this once: it is kept as a hash alone. A request sent twice makes two; end the one too many.
/// Worth more in all than `operators.second_above_usd` it is put aside, and made, as a batch of one code, when another operator
/// confirms it.
#[utoipa::path(
    post, path = "/api/v1/operator/vouchers", operation_id = "createVoucher", tag = "operator", security(("operator" = [])),
    request_body = WantedVoucher,
    responses(
        (status = 200, description = "The voucher and its code.", body = MadeVoucher),
        (status = 202, description = "It waits for another operator.", body = WaitingCredit),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn create_voucher(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| create(&gateway, &operator, &inbound).await)
        .await
}

/// End a voucher
///
/// Nobody redeems it any more. Credit that it gave stays.
#[utoipa::path(
    post, path = "/api/v1/operator/vouchers/{id}/end", operation_id = "endVoucher", tag = "operator", security(("operator" = [])),
    params(("id" = String, Path, description = "Its id.")),
    request_body = input::Why,
    responses(
        (status = 200, description = "The voucher as it ended.", body = ListedVoucher),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
        (status = 404, description = "Nothing by that id.", body = OperatorError),
    ),
)]
async fn end_voucher(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| end(&gateway, &operator, &inbound).await).await
}

async fn list(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let wanted: input::Page = input::query(inbound)?;
    let limit = input::limit(wanted.limit)?;
    let page = gateway.accounts.vouchers.page(wanted.after.as_deref(), limit).await;
    let page = page.map_err(|error| unavailable(&error))?;
    input::list(page.iter().map(|voucher| ListedVoucher::of(voucher, gateway.world.now_ms())), limit)
}

async fn create(gateway: &Gateway, operator: &Operator, inbound: &Inbound) -> Answer {
    let wanted: WantedVoucher = input::body(inbound)?;
    let new = worth(
        (&wanted.amount_credits, wanted.uses, &wanted.note),
        (wanted.expires_at.as_deref(), wanted.credit_days),
    )?;
    let Hand { actor, origin } = operator.hand();
    let made = gateway.accounts.vouchers.create((origin, actor), &new).await;
    let (voucher, code) = match made.map_err(|error| refused(&error))? {
        Made::Now(made) => made,
        Made::Waits(row) => return waits(gateway, &row),
    };
    input::value(&MadeVoucher {
        voucher: ListedVoucher::of(&voucher, gateway.world.now_ms()),
        code: code.expose().to_owned(),
    })
}

async fn end(gateway: &Gateway, operator: &Operator, inbound: &Inbound) -> Answer {
    let why: input::Why = input::body(inbound)?;
    let why = input::reason(&why.reason)?;
    let id = input::path_part(inbound, 1);
    let vouchers = &gateway.accounts.vouchers;
    let Hand { actor, origin } = operator.hand();
    let ended = vouchers.end((origin, actor), id, Some(why.as_str())).await;
    ended.map_err(|error| unavailable(&error))?;
    let ended = vouchers.find(id).await.map_err(|error| unavailable(&error))?;
    let ended = ended.ok_or_else(|| input::missing(inbound))?;
    input::value(&ListedVoucher::of(&ended, gateway.world.now_ms()))
}

/// What a code is to give, how often, until when, and how many days its credit lasts.
pub fn worth<'a>(
    (amount_credits, uses, note): (&str, Option<i64>, &'a str),
    (expires_at, credit_days): (Option<&str>, Option<u16>),
) -> Result<NewVoucher<'a>, Refused> {
    let amount = NanoUsd::from_credits(amount_credits).unwrap_or(NanoUsd::ZERO);
    let expires_at_ms = match expires_at {
        Some(text) => Some(input::moment_ms("expires_at", Some(text), 0)?),
        None => None,
    };
    Ok(NewVoucher {
        amount_nano: amount.0,
        uses: uses.unwrap_or(1),
        expires_at_ms,
        credit_lasts_ms: credit_days.map(|days| i64::from(days) * input::DAY_MS).filter(|ms| *ms > 0),
        note,
    })
}

pub fn refused(error: &VoucherError) -> ErrorInfo {
    let field = match error {
        VoucherError::Unavailable(error) => return unavailable(error),
        VoucherError::Amount => {
            let reason = "amount_credits: a positive decimal with at most three places, as text, is wanted, such as \"1000.000\", and no more than 1,000,000,000,000";
            return input::invalid(reason).with_param("amount_credits");
        }
        VoucherError::Uses => "uses",
        VoucherError::Codes => "codes",
        VoucherError::PerOrg => "per_org",
        VoucherError::Past => "expires_at",
        VoucherError::Note => "note",
    };
    input::invalid(&error.to_string()).with_param(field)
}

impl ListedVoucher {
    fn of(voucher: &Voucher, now_ms: i64) -> Self {
        Self {
            object: "voucher",
            id: voucher.id.clone(),
            hint: voucher.hint.clone(),
            amount_credits: NanoUsd(voucher.amount_nano).credits(),
            uses: voucher.uses,
            used: voucher.used,
            state: voucher.state(now_ms).as_str(),
            note: voucher.note.clone(),
            expires_at: voucher.expires_at_ms.map(time::rfc3339),
            credit_days: voucher.credit_lasts_ms.map(|ms| ms / input::DAY_MS),
            created_at: time::rfc3339(voucher.created_at_ms),
            ended_at: voucher.ended_at_ms.map(time::rfc3339),
        }
    }
}
