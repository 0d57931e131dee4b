//! `/api/v1/operator`: what whoever runs the installation may see and do, with an operator token and nothing else.

mod absorbed;
mod books;
mod caller;
mod input;
mod reservations;
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
        .route(&route(""), any(not_found))
        .route(&route("/{*rest}"), any(not_found))
}

async fn absorbed_costs(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| absorbed::list(&gateway, &inbound).await).await
}

async fn invariant_runs(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| books::invariant_runs(&gateway, &inbound).await).await
}

async fn reconciliations(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| books::reconciliations(&gateway, &inbound).await).await
}

async fn open_reservations(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| reservations::open(&gateway, &inbound).await).await
}

async fn release_reservation(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| {
        reservations::release(&gateway, &operator, &inbound).await
    })
    .await
}

async fn list_wallets(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |_, inbound| wallets::list(&gateway, &inbound).await).await
}

async fn freeze_wallet(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| {
        wallets::set_frozen(&gateway, &operator, &inbound, true).await
    })
    .await
}

async fn unfreeze_wallet(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    as_operator(&gateway, request, async |operator, inbound| {
        wallets::set_frozen(&gateway, &operator, &inbound, false).await
    })
    .await
}

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
