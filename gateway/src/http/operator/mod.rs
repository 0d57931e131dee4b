//! `/api/v1/operator`: what whoever runs the installation may see and do, with an operator token and nothing else.

mod absorbed;
mod batches;
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
use axum::routing::{MethodRouter, any};
use http::{HeaderValue, Request, Response, header};

use super::{Answer, Inbound, answer, not_found};
use crate::Gateway;
use bytespike_dialects::{Dialect, ErrorCode, ErrorInfo};
use caller::Operator;
pub use document::document;

/// Every operator route. Who may call is decided in each handler, by the token, never by the shape of the path.
pub fn routes() -> Router<Gateway> {
    Router::new()
        .merge(absorbed::routes())
        .merge(books::routes())
        .merge(reservations::routes())
        .merge(batches::routes())
        .merge(vouchers::routes())
        .merge(wallets::routes())
        .route("/api/v1/operator", any(not_found))
        .route("/api/v1/operator/{*rest}", any(not_found))
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
