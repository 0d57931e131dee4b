//! `/api/v1/operator`: what whoever runs the installation may see and do, with an operator token and nothing else.

mod absorbed;
mod books;
mod caller;
mod document;
mod input;
mod reservations;
mod shapes;
mod vouchers;
mod wallets;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::{MethodRouter, any, get, post};
use http::{HeaderValue, Request, Response, header};

use super::{Answer, Inbound, answer, not_found};
use crate::Gateway;
use bytespike_dialects::{Dialect, ErrorCode, ErrorInfo};
use caller::Operator;
pub use document::document;
use shapes::{
    AbsorbedCost, BookedCredit, CheckedBooks, FrozenWallet, HeldCall, OperatorError, OrgWallet,
    ReconciledDay, ReleasedHold, Rows,
};

/// Every operator route. Who may call is decided in each handler, by the token, never by the shape of the path.
pub fn routes() -> Router<Gateway> {
    let route = |path: &str| format!("/api/v1/operator{path}");
    Router::new()
        .route(&route("/absorbed-costs"), reads(get(absorbed_costs)))
        .route(&route("/invariant-runs"), reads(get(invariant_runs)))
        .route(&route("/reconciliations"), reads(get(reconciliations)))
        .route(&route("/reservations"), reads(get(open_reservations)))
        .route(&route("/reservations/{id}/release"), acts(post(release_reservation)))
        .route(&route("/wallets"), reads(get(list_wallets)))
        .route(&route("/wallets/{org_id}/freeze"), acts(post(freeze_wallet)))
        .route(&route("/wallets/{org_id}/unfreeze"), acts(post(unfreeze_wallet)))
        .route(&route("/wallets/{org_id}/credits"), acts(post(credit_wallet)))
        .merge(vouchers::routes())
        .route(&route(""), any(not_found))
        .route(&route("/{*rest}"), any(not_found))
}

/// Absorbed costs
///
/// What failures cost us and nobody else, summed by group, the largest first.
#[utoipa::path(
    get, path = "/api/v1/operator/absorbed-costs", operation_id = "listAbsorbedCosts", tag = "operator", security(("operator" = [])),
    params(absorbed::Wanted),
    responses(
        (status = 200, description = "Sums.", body = Rows<AbsorbedCost>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn absorbed_costs(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| absorbed::list(&gateway, &inbound).await).await
}

/// Checks of the books
///
/// The newest checks of the rules of the ledger, with everything they found.
#[utoipa::path(
    get, path = "/api/v1/operator/invariant-runs", operation_id = "listInvariantRuns", tag = "operator", security(("operator" = [])),
    params(books::WantedRuns),
    responses(
        (status = 200, description = "Runs.", body = Rows<CheckedBooks>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn invariant_runs(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| books::invariant_runs(&gateway, &inbound).await).await
}

/// Reconciliations
///
/// Days of providers compared with our attempts, the newest first.
#[utoipa::path(
    get, path = "/api/v1/operator/reconciliations", operation_id = "listReconciliations", tag = "operator", security(("operator" = [])),
    params(books::WantedDays),
    responses(
        (status = 200, description = "Days.", body = Rows<ReconciledDay>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn reconciliations(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| books::reconciliations(&gateway, &inbound).await).await
}

/// Open holds
///
/// What is held now, the oldest first.
#[utoipa::path(
    get, path = "/api/v1/operator/reservations", operation_id = "listReservations", tag = "operator", security(("operator" = [])),
    params(reservations::Wanted),
    responses(
        (status = 200, description = "Holds.", body = Rows<HeldCall>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn open_reservations(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| reservations::open(&gateway, &inbound).await).await
}

/// Release a hold
///
/// Ends it with nothing charged. A call that still runs on it goes on and is free.
#[utoipa::path(
    post, path = "/api/v1/operator/reservations/{id}/release", operation_id = "releaseReservation", tag = "operator", security(("operator" = [])),
    params(("id" = String, Path, description = "Its id.")),
    request_body = input::Why,
    responses(
        (status = 200, description = "The hold as it ended.", body = ReleasedHold),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
        (status = 404, description = "Nothing by that id.", body = OperatorError),
    ),
)]
async fn release_reservation(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| {
        reservations::release(&gateway, &operator, &inbound).await
    })
    .await
}

/// Wallets
///
/// Wallets by the id of their organisation.
#[utoipa::path(
    get, path = "/api/v1/operator/wallets", operation_id = "listWallets", tag = "operator", security(("operator" = [])),
    params(wallets::Wanted),
    responses(
        (status = 200, description = "Wallets.", body = Rows<OrgWallet>),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
    ),
)]
async fn list_wallets(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| wallets::list(&gateway, &inbound).await).await
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
        wallets::set_frozen(&gateway, &operator, &inbound, true).await
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
        wallets::set_frozen(&gateway, &operator, &inbound, false).await
    })
    .await
}

/// Credit a wallet
///
/// Books credit once for each Idempotency-Key.
#[utoipa::path(
    post, path = "/api/v1/operator/wallets/{org_id}/credits", operation_id = "creditWallet", tag = "operator", security(("operator" = [])),
    params(("org_id" = String, Path, description = "Its id."), ("Idempotency-Key" = String, Header, description = "Says which booking it is; at most 200 characters.")),
    request_body = wallets::NewCredit,
    responses(
        (status = 200, description = "What was booked.", body = BookedCredit),
        (status = 400, description = "Something in the request is not valid.", body = OperatorError),
        (status = 401, description = "No valid operator token.", body = OperatorError),
        (status = 404, description = "Nothing by that id.", body = OperatorError),
    ),
)]
async fn credit_wallet(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| {
        wallets::credit(&gateway, &operator, &inbound).await
    })
    .await
}

/// Lets the handler answer whoever proves to be an operator.
async fn as_operator(
    gateway: &Gateway,
    request: Request<Body>,
    handler: impl AsyncFnOnce(Operator, Inbound) -> Answer,
) -> Response<Body> {
    let ip = caller::ip_of(&request);
    answer(gateway, Dialect::OpenAiChat, request, async |inbound| {
        let operator = Operator::identify(gateway, &inbound, ip).await?;
        handler(operator, inbound).await
    })
    .await
}

fn reads(route: MethodRouter<Gateway>) -> MethodRouter<Gateway> {
    route.fallback(async |gateway, request| wrong_method(gateway, request, "GET").await)
}

fn acts(route: MethodRouter<Gateway>) -> MethodRouter<Gateway> {
    route.fallback(async |gateway, request| wrong_method(gateway, request, "POST").await)
}

async fn wrong_method(
    State(gateway): State<Gateway>,
    request: Request<Body>,
    allowed: &'static str,
) -> Response<Body> {
    let values =
        [("path", request.uri().path()), ("method", request.method().as_str()), ("allowed", allowed)];
    let error = ErrorInfo::new(ErrorCode::MethodNotAllowed, &values);
    let mut response = super::refuse(&gateway, &request, error);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}
