//! `/api/v1/operator/voucher-batches`: as many codes as wanted, shown once, and their end.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::{get, post};
use bytespike_accounts::vouchers::{Batch, Made, NewBatch};
use bytespike_catalog::NanoUsd;
use http::{Request, Response};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::super::{Answer, receipts::unavailable, time};
use super::shapes::{OperatorError, Rows, WaitingCredit};
use super::vouchers::{refused, worth};
use super::wallets::waits;
use super::{Inbound, Operator, acts, as_operator, input, wrong_method};
use crate::Gateway;
use crate::operations::Hand;

/// A batch, without its codes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedBatch {
    #[schema(pattern = "^voucher_batch$")]
    pub object: &'static str,
    pub id: String,
    /// What each code gives.
    pub amount_credits: String,
    /// How many codes there are.
    pub codes: i64,
    /// How many organisations may redeem each code.
    pub uses: i64,
    /// How many of the codes one organisation may redeem.
    pub per_org: i64,
    /// How often any of the codes was redeemed.
    pub used: i64,
    pub note: String,
    pub expires_at: Option<String>,
    pub credit_days: Option<i64>,
    pub created_at: String,
    pub ended_at: Option<String>,
}

/// A batch with its codes, which are shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeBatch {
    #[serde(flatten)]
    pub batch: ListedBatch,
    pub voucher_codes: Vec<String>,
}

/// A batch to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedBatch {
    /// What each code gives: text with at most three decimals.
    amount_credits: String,
    #[schema(minimum = 1, maximum = 1000)]
    codes: i64,
    /// How many organisations may redeem each code; 1 unless said.
    #[schema(minimum = 1, maximum = 1_000_000)]
    uses: Option<i64>,
    /// How many of the codes one organisation may redeem; 1 unless said.
    #[schema(minimum = 1, maximum = 1000)]
    per_org: Option<i64>,
    /// Until when they can be redeemed: RFC 3339, or a day, which begins at midnight UTC.
    expires_at: Option<String>,
    /// How many days the credit lasts once a code is redeemed; for ever unless said.
    #[schema(minimum = 1, maximum = 3650)]
    credit_days: Option<u16>,
    /// What they are for, in a line of at most 200 characters. Who redeems one sees this.
    note: String,
}

/// The part of the description that stands here.
#[derive(OpenApi)]
#[openapi(
    paths(list_batches, create_batch, end_batch),
    components(schemas(ListedBatch, MadeBatch, WantedBatch, input::Why))
)]
pub struct Document;

pub fn routes() -> Router<Gateway> {
    let both = get(list_batches).post(create_batch);
    let both = both.fallback(async |gateway, request| wrong_method(gateway, request, "GET, POST").await);
    Router::new()
        .route("/api/v1/operator/voucher-batches", both)
        .route("/api/v1/operator/voucher-batches/{id}/end", acts(post(end_batch)))
}

/// Voucher batches
///
/// The newest first, without their codes.
#[utoipa::path(
    get, path = "/api/v1/operator/voucher-batches", operation_id = "listVoucherBatches", tag = "operator", security(("operator" = [])),
    params(input::Page),
    responses(
        (status = 200, description = "Batches.", body = Rows<ListedBatch>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn list_batches(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| list(&gateway, &inbound).await).await
}

/// Make a batch of vouchers
///
/// Answers its codes, this once: they are kept as hashes alone. A request sent twice makes two; end the one too many.
/// Worth more in all than `operators.second_above_usd` it is put aside, and made, with its codes, when another operator confirms it.
#[utoipa::path(
    post, path = "/api/v1/operator/voucher-batches", operation_id = "createVoucherBatch", tag = "operator", security(("operator" = [])),
    request_body = WantedBatch,
    responses(
        (status = 200, description = "The batch and its codes.", body = MadeBatch),
        (status = 202, description = "It waits for another operator.", body = WaitingCredit),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn create_batch(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| create(&gateway, &operator, &inbound).await)
        .await
}

/// End a batch of vouchers
///
/// Nobody redeems any of its codes any more. Credit that they gave stays.
#[utoipa::path(
    post, path = "/api/v1/operator/voucher-batches/{id}/end", operation_id = "endVoucherBatch", tag = "operator", security(("operator" = [])),
    params(("id" = String, Path, description = "Its id.")),
    request_body = input::Why,
    responses(
        (status = 200, description = "The batch as it ended.", body = ListedBatch),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
        (status = 404, description = "Nothing by that id.", body = OperatorError),
    ),
)]
async fn end_batch(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| end(&gateway, &operator, &inbound).await).await
}

async fn list(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let wanted: input::Page = input::query(inbound)?;
    let limit = input::limit(wanted.limit)?;
    let page = gateway.accounts.vouchers.batches(wanted.after.as_deref(), limit).await;
    let page = page.map_err(|error| unavailable(&error))?;
    input::list(page.iter().map(ListedBatch::of), limit)
}

async fn create(gateway: &Gateway, operator: &Operator, inbound: &Inbound) -> Answer {
    let wanted: WantedBatch = input::body(inbound)?;
    let each = worth(
        (&wanted.amount_credits, wanted.uses, &wanted.note),
        (wanted.expires_at.as_deref(), wanted.credit_days),
    )?;
    let new = NewBatch { each, codes: wanted.codes, per_org: wanted.per_org.unwrap_or(1) };
    let Hand { actor, origin } = operator.hand();
    let made = gateway.accounts.vouchers.create_batch((origin, actor), &new).await;
    let (batch, codes) = match made.map_err(|error| refused(&error))? {
        Made::Now(made) => made,
        Made::Waits(row) => return waits(gateway, &row),
    };
    let voucher_codes = codes.iter().map(|code| code.expose().to_owned()).collect();
    input::value(&MadeBatch { batch: ListedBatch::of(&batch), voucher_codes })
}

async fn end(gateway: &Gateway, operator: &Operator, inbound: &Inbound) -> Answer {
    let why: input::Why = input::body(inbound)?;
    let why = input::reason(&why.reason)?;
    let id = input::path_part(inbound, 1);
    let vouchers = &gateway.accounts.vouchers;
    let Hand { actor, origin } = operator.hand();
    let ended = vouchers.end_batch((origin, actor), id, Some(why.as_str())).await;
    ended.map_err(|error| unavailable(&error))?;
    let ended = vouchers.batch(id).await.map_err(|error| unavailable(&error))?;
    let ended = ended.ok_or_else(|| input::missing(inbound))?;
    input::value(&ListedBatch::of(&ended))
}

impl ListedBatch {
    fn of(batch: &Batch) -> Self {
        Self {
            object: "voucher_batch",
            id: batch.id.clone(),
            amount_credits: NanoUsd(batch.amount_nano).credits(),
            codes: batch.codes,
            uses: batch.uses,
            per_org: batch.per_org,
            used: batch.used,
            note: batch.note.clone(),
            expires_at: batch.expires_at_ms.map(time::rfc3339),
            credit_days: batch.credit_lasts_ms.map(|ms| ms / input::DAY_MS),
            created_at: time::rfc3339(batch.created_at_ms),
            ended_at: batch.ended_at_ms.map(time::rfc3339),
        }
    }
}
