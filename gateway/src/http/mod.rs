//! The API's routes: each handler says who may call it and in which dialect its errors are, and leaves the rest to others.

mod balance;
pub mod call_headers;
mod capabilities;
mod count_tokens;
pub mod credentials;
mod estimate;
mod inbound;
mod key;
mod models;
pub mod oauth;
pub mod operator;
mod prices;
pub mod receipts;
pub mod reply;
mod signing_keys;
mod statements;
mod status;
pub mod time;
mod usage;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::{MethodRouter, get, post};
use bytespike_dialects::{Dialect, ErrorCode, ErrorInfo};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use crate::Gateway;
use crate::export::Columns;
use crate::serve::{Refused, serve_call};
pub use inbound::{Inbound, NUL_IN_BODY, has_nul, writes_nul};

type Answer = Result<Response<Body>, Refused>;

/// Every route of the API. Base URLs are taken with and without `/v1`, because SDKs differ in what they append.
pub fn router(gateway: Gateway) -> Router {
    let mut router = Router::new();
    for (path, route) in calls() {
        for prefix in ["/v1", "/v1/v1", ""] {
            router = router.route(&format!("{prefix}{path}"), route.clone());
        }
    }
    router
        .route("/v1/models", get(list_models))
        .route("/v1/v1/models", get(list_models))
        .route("/models", get(list_models))
        .route("/v1/models/{model}", get(one_model))
        .route("/v1/prices", get(show_prices))
        .route("/v1/prices/{version}", get(show_prices))
        .route("/v1/receipts/{id}", get(show_receipt))
        .route("/v1/signing-keys", get(show_signing_keys))
        .route("/v1/status/invariants", get(show_invariants))
        .route("/v1/status/announcements", get(show_announcements))
        .route("/v1/balance", get(show_balance))
        .route("/v1/key", get(show_key))
        .route("/v1/usage", get(show_usage))
        .route("/v1/usage/calls", get(list_calls))
        .route("/v1/usage/calls.csv", get(calls_table))
        .route("/v1/usage/focus.csv", get(focus_table))
        .route("/v1/reservations", get(list_held))
        .route("/v1/statements", get(list_statements))
        .route("/v1/statements/{month}", get(show_statement))
        .route("/v1/estimate", post(quote))
        .route("/v1/account/capabilities", get(capabilities::show))
        .route("/v1/me", get(oauth::me::show))
        .route("/v1/oauth/keys", get(oauth::keys::list).post(oauth::keys::create))
        .route("/v1/oauth/keys/{id}", axum::routing::delete(oauth::keys::end))
        .route("/.well-known/oauth-protected-resource", oauth::resource_metadata())
        .route("/.well-known/oauth-protected-resource/v1", oauth::resource_metadata())
        .route("/v1", axum::routing::any(not_found))
        .route("/v1/{*rest}", axum::routing::any(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(axum::middleware::map_response(open_to_browsers))
        // Operators' tools are no pages: no other origin reads what they do.
        .merge(operator::routes())
        .with_state(gateway)
}

fn calls() -> [(&'static str, MethodRouter<Gateway>); 3] {
    [
        ("/messages", post(messages)),
        ("/messages/count_tokens", post(count)),
        ("/chat/completions", post(chat_completions)),
    ]
}

async fn messages(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    answer(&gateway, Dialect::Anthropic, request, async |inbound| serve_call(&gateway, inbound).await).await
}

async fn chat_completions(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    answer(&gateway, Dialect::OpenAiChat, request, async |inbound| serve_call(&gateway, inbound).await).await
}

async fn count(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    answer(&gateway, Dialect::Anthropic, request, async |inbound| {
        count_tokens::count(&gateway, &inbound).await
    })
    .await
}

async fn list_models(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = dialect_of(&request);
    answer(&gateway, dialect, request, async |inbound| models::list(&gateway, &inbound).await).await
}

async fn one_model(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = dialect_of(&request);
    answer(&gateway, dialect, request, async |inbound| models::one(&gateway, &inbound).await).await
}

async fn show_prices(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    answer(&gateway, Dialect::OpenAiChat, request, async |inbound| prices::show(&gateway, &inbound).await)
        .await
}

async fn show_receipt(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = dialect_of(&request);
    answer(&gateway, dialect, request, async |inbound| receipts::show(&gateway, &inbound).await).await
}

async fn show_signing_keys(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    answer(&gateway, Dialect::OpenAiChat, request, async |_| Ok(signing_keys::show(&gateway))).await
}

async fn show_invariants(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    answer(&gateway, Dialect::OpenAiChat, request, async |_| status::invariants(&gateway).await).await
}

async fn show_announcements(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    answer(&gateway, Dialect::OpenAiChat, request, async |_| status::announcements(&gateway).await).await
}

async fn show_balance(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = dialect_of(&request);
    answer(&gateway, dialect, request, async |inbound| balance::show(&gateway, &inbound).await).await
}

async fn show_key(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = dialect_of(&request);
    answer(&gateway, dialect, request, async |inbound| key::show(&gateway, &inbound).await).await
}

async fn show_usage(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = dialect_of(&request);
    answer(&gateway, dialect, request, async |inbound| usage::rolled(&gateway, &inbound).await).await
}

async fn list_calls(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = dialect_of(&request);
    answer(&gateway, dialect, request, async |inbound| usage::resolved(&gateway, &inbound).await).await
}

async fn calls_table(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = dialect_of(&request);
    let table = async |inbound| usage::table(&gateway, &inbound, Columns::Calls).await;
    answer(&gateway, dialect, request, table).await
}

async fn focus_table(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = dialect_of(&request);
    let table = async |inbound| usage::table(&gateway, &inbound, Columns::Focus).await;
    answer(&gateway, dialect, request, table).await
}

async fn list_held(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = dialect_of(&request);
    answer(&gateway, dialect, request, async |inbound| usage::held(&gateway, &inbound).await).await
}

async fn list_statements(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = dialect_of(&request);
    answer(&gateway, dialect, request, async |inbound| statements::list(&gateway, &inbound).await).await
}

async fn show_statement(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = dialect_of(&request);
    answer(&gateway, dialect, request, async |inbound| statements::show(&gateway, &inbound).await).await
}

async fn quote(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let dialect = estimate::dialect(request.uri()).unwrap_or_else(|| dialect_of(&request));
    answer(&gateway, dialect, request, async |inbound| estimate::quote(&gateway, &inbound).await).await
}

async fn not_found(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let error = ErrorInfo::new(ErrorCode::NotFound, &[("path", request.uri().path())]);
    refuse(&gateway, &request, error)
}

async fn method_not_allowed(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    if request.method() == Method::OPTIONS {
        return preflight(&request);
    }
    let path = request.uri().path();
    let reads = [
        "/models",
        "/prices",
        "/receipts",
        "/balance",
        "/key",
        "/usage",
        "/reservations",
        "/statements",
        "/signing-keys",
        "/status",
    ]
    .iter()
    .any(|part| path.contains(part));
    let allowed = if reads { "GET" } else { "POST" };
    let values = [("path", path), ("method", request.method().as_str()), ("allowed", allowed)];
    let mut response = refuse(&gateway, &request, ErrorInfo::new(ErrorCode::MethodNotAllowed, &values));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

/// A browser asks before it sends a key from a page: every header it wants to send may be sent.
fn preflight(request: &Request<Body>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
    if let Some(wanted) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}

fn refuse(gateway: &Gateway, request: &Request<Body>, error: ErrorInfo) -> Response<Body> {
    let request_id = gateway.world.id("req");
    named(reply::error(dialect_of(request), error.into(), &request_id), &request_id)
}

/// Reads the request, lets the handler answer, and names the answer.
async fn answer(
    gateway: &Gateway,
    dialect: Dialect,
    request: Request<Body>,
    handler: impl AsyncFnOnce(Inbound) -> Answer,
) -> Response<Body> {
    let inbound = match Inbound::read(gateway, dialect, request).await {
        Ok(inbound) => inbound,
        Err((request_id, error)) => {
            return named(reply::error(dialect, error.into(), &request_id), &request_id);
        }
    };
    let request_id = inbound.request_id.clone();
    let response = match handler(inbound).await {
        Ok(response) => response,
        Err(refused) => reply::error(dialect, refused, &request_id),
    };
    named(response, &request_id)
}

fn named(mut response: Response<Body>, request_id: &str) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        // OpenAI's SDKs read the second name.
        response.headers_mut().insert("x-request-id", value.clone());
        response.headers_mut().insert("request-id", value);
    }
    response
}

/// Routes that several dialects share answer in the one whose headers the client sends.
fn dialect_of(request: &Request<Body>) -> Dialect {
    let path = request.uri().path();
    let anthropic = path.contains("/messages") || request.headers().contains_key("anthropic-version");
    if anthropic { Dialect::Anthropic } else { Dialect::OpenAiChat }
}

/// The API takes no cookie, so any page may call it with a key it was given.
async fn open_to_browsers(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
