//! `/api/v1/webhooks`: where the org is told over HTTP, what it was told, and whether that was taken.

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use bytespike_dialects::{ErrorCode, ErrorInfo};
use http::{Request, Response};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use super::answer::{self, Answer, ApiError, Fault, invalid};
use super::limits::missing;
use super::webhook_body::{ChangeWebhookBody, NewWebhookBody, RotateWebhookBody};
use super::webhook_show::{
    Webhook, WebhookList, WebhookMessage, WebhookMessageList, WebhookSecret, WebhookWithSecret,
};
use super::{Call, page, respond};
use crate::Gateway;
use crate::http::receipts::unavailable;
use crate::webhooks::{Manager, NewEndpoint, WebhookError, Webhooks};

const USUAL_PAGE: i64 = 50;
const LONGEST_KEY: usize = 255;

/// What these handlers stand on.
#[derive(Clone)]
pub struct WebhookApi {
    pub gateway: Gateway,
    pub webhooks: Webhooks,
}

type Api = State<WebhookApi>;
type IdPath = Result<Path<String>, PathRejection>;
type MessagePath = Result<Path<(String, String)>, PathRejection>;

/// Which page of messages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MessagesQuery {
    /// Messages on a page, at most 200; 50 unless said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// The `next_after` of the page before.
    after: Option<String>,
}

/// The routes.
pub fn router(api: WebhookApi) -> Router {
    Router::new()
        .route("/api/v1/webhooks", get(list).post(create))
        .route("/api/v1/webhooks/{id}", get(show).patch(change).delete(remove))
        .route("/api/v1/webhooks/{id}/rotate", post(rotate))
        .route("/api/v1/webhooks/{id}/test", post(test))
        .route("/api/v1/webhooks/{id}/messages", get(messages))
        .route("/api/v1/webhooks/{id}/messages/{message}", get(message))
        .route("/api/v1/webhooks/{id}/messages/{message}/resend", post(resend))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(api)
}

async fn method_not_allowed(State(api): Api, method: http::Method, request: Request<Body>) -> Response<Body> {
    super::method_not_allowed(State(api.gateway), method, request).await
}

/// Webhooks
///
/// Every endpoint of the organisation, the first added first.
#[utoipa::path(get, path = "/api/v1/webhooks", operation_id = "listWebhooks", tag = "webhooks", responses(
    (status = 200, description = "Every webhook.", body = WebhookList),
    (status = 401, description = "No valid key.", body = ApiError),
    (status = 403, description = "The key lacks `webhooks:manage`.", body = ApiError),
))]
pub async fn list(State(api): Api, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&api.gateway, request, async |call| {
        let endpoints = api.webhooks.list(&manager(&call)?).await.map_err(|error| refused(&error, &at))?;
        answer::value(&WebhookList { object: "list", data: endpoints.iter().map(Webhook::of).collect() })
    })
    .await
}

/// Add a webhook
///
/// The answer is the only one that holds the signing secret. With an `Idempotency-Key` the same request adds one
/// webhook, and for a day answers alike however often it is sent.
#[utoipa::path(post, path = "/api/v1/webhooks", operation_id = "createWebhook", tag = "webhooks",
    params(("idempotency-key" = Option<String>, Header, description = "Makes the request safe to repeat; 1 to 255 visible ASCII characters.")),
    request_body = NewWebhookBody,
    responses(
        (status = 201, description = "The webhook, with its secret.", body = WebhookWithSecret),
        (status = 400, description = "The body is not valid, or the address is not one that may be connected to.", body = ApiError),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks `webhooks:manage`.", body = ApiError),
        (status = 409, description = "There are as many webhooks as there may be, or this Idempotency-Key is a day old.", body = ApiError),
        (status = 415, description = "The body is not JSON.", body = ApiError),
        (status = 422, description = "This Idempotency-Key came with another body before.", body = ApiError),
    ))]
pub async fn create(State(api): Api, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&api.gateway, request, async |call| {
        let by = manager(&call)?;
        let new =
            NewEndpoint { creation_key: creation_key(&call)?, ..call.read::<NewWebhookBody>()?.read()? };
        let made = api.webhooks.create(&by, new).await.map_err(|error| refused(&error, &at))?;
        answer::created(&WebhookWithSecret {
            secret: made.secret.expose().to_owned(),
            of: Webhook::of(&made.endpoint),
        })
    })
    .await
}

/// One webhook
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", operation_id = "showWebhook", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook's id, such as `whe_…`.")),
    responses(
        (status = 200, description = "The webhook, with when its secrets end.", body = Webhook),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks `webhooks:manage`.", body = ApiError),
        (status = 404, description = "No such webhook.", body = ApiError),
    ))]
pub async fn show(State(api): Api, path: IdPath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&api.gateway, request, async |call| shown(&api, &call, (&id_of(path, &at)?, &at)).await).await
}

/// Change a webhook
///
/// What is left out stays. Messages that wait for one that is switched off are given up; switching it on forgets that it
/// failed.
#[utoipa::path(patch, path = "/api/v1/webhooks/{id}", operation_id = "changeWebhook", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook's id.")), request_body = ChangeWebhookBody,
    responses(
        (status = 200, description = "The webhook as it is now.", body = Webhook),
        (status = 400, description = "The body is not valid, or the address is not one that may be connected to.", body = ApiError),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks `webhooks:manage`.", body = ApiError),
        (status = 404, description = "No such webhook.", body = ApiError),
        (status = 415, description = "The body is not JSON.", body = ApiError),
    ))]
pub async fn change(State(api): Api, path: IdPath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&api.gateway, request, async |call| {
        let (by, id) = (manager(&call)?, id_of(path, &at)?);
        let to = call.read::<ChangeWebhookBody>()?.read()?;
        api.webhooks.change(&by, &id, to).await.map_err(|error| refused(&error, &at))?;
        shown(&api, &call, (&id, &at)).await
    })
    .await
}

/// Remove a webhook
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", operation_id = "removeWebhook", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook's id.")),
    responses(
        (status = 204, description = "Nothing is sent there any more."),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks `webhooks:manage`.", body = ApiError),
        (status = 404, description = "No such webhook.", body = ApiError),
    ))]
pub async fn remove(State(api): Api, path: IdPath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&api.gateway, request, async |call| {
        let (by, id) = (manager(&call)?, id_of(path, &at)?);
        api.webhooks.remove(&by, &id).await.map_err(|error| refused(&error, &at))?;
        Ok(answer::nothing())
    })
    .await
}

/// Give a webhook a new secret
///
/// Every message is signed with both secrets until the former one ends.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/rotate", operation_id = "rotateWebhook", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook's id.")), request_body = RotateWebhookBody,
    responses(
        (status = 201, description = "The new secret.", body = WebhookSecret),
        (status = 400, description = "The body is not valid.", body = ApiError),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks `webhooks:manage`.", body = ApiError),
        (status = 404, description = "No such webhook.", body = ApiError),
        (status = 415, description = "The body is not JSON.", body = ApiError),
    ))]
pub async fn rotate(State(api): Api, path: IdPath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&api.gateway, request, async |call| {
        let (by, id) = (manager(&call)?, id_of(path, &at)?);
        let overlap_ms = call.read::<RotateWebhookBody>()?.overlap_ms();
        let secret =
            api.webhooks.rotate(&by, (&id, overlap_ms)).await.map_err(|error| refused(&error, &at))?;
        answer::created(&WebhookSecret { secret: secret.expose().to_owned() })
    })
    .await
}

/// Send a test message
///
/// A message of the type `webhook.test`, also to a webhook that is switched off.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", operation_id = "testWebhook", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook's id.")),
    responses(
        (status = 202, description = "The message waits to be sent.", body = WebhookMessage),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks `webhooks:manage`.", body = ApiError),
        (status = 404, description = "No such webhook.", body = ApiError),
    ))]
pub async fn test(State(api): Api, path: IdPath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&api.gateway, request, async |call| {
        let (by, id) = (manager(&call)?, id_of(path, &at)?);
        let message = api.webhooks.send_test(&by, &id).await.map_err(|error| refused(&error, &at))?;
        accepted(&api, &call, (&id, &message, &at)).await
    })
    .await
}

/// Messages of a webhook
///
/// The newest first, without their tries.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/messages", operation_id = "listWebhookMessages", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook's id."), MessagesQuery),
    responses(
        (status = 200, description = "A page of messages.", body = WebhookMessageList),
        (status = 400, description = "A parameter is unknown or not valid.", body = ApiError),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks `webhooks:manage`.", body = ApiError),
        (status = 404, description = "No such webhook.", body = ApiError),
    ))]
pub async fn messages(
    State(api): Api,
    path: IdPath,
    query: Result<Query<MessagesQuery>, QueryRejection>,
    request: Request<Body>,
) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&api.gateway, request, async |call| {
        let (by, id) = (manager(&call)?, id_of(path, &at)?);
        let Query(query) = query.map_err(|error| invalid(&error.body_text()))?;
        listed(&api, (&by, &id, &at), &query).await
    })
    .await
}

/// One message
///
/// With its body and every try, the last first.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/messages/{message}", operation_id = "showWebhookMessage", tag = "webhooks",
    params(
        ("id" = String, Path, description = "The webhook's id."),
        ("message" = String, Path, description = "The message's id, such as `whd_…`."),
    ),
    responses(
        (status = 200, description = "The message.", body = WebhookMessage),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks `webhooks:manage`.", body = ApiError),
        (status = 404, description = "No such webhook or message.", body = ApiError),
    ))]
pub async fn message(State(api): Api, path: MessagePath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&api.gateway, request, async |call| {
        let Path((id, message)) = path.map_err(|_| missing(&at))?;
        answer::value(&told(&api, &call, (&id, &message, &at)).await?)
    })
    .await
}

/// Send a message again
///
/// Under the same `webhook-id`, whatever became of it before.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/messages/{message}/resend", operation_id = "resendWebhookMessage",
    tag = "webhooks",
    params(
        ("id" = String, Path, description = "The webhook's id."),
        ("message" = String, Path, description = "The message's id."),
    ),
    responses(
        (status = 202, description = "The message waits to be sent.", body = WebhookMessage),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks `webhooks:manage`.", body = ApiError),
        (status = 404, description = "No such webhook or message.", body = ApiError),
    ))]
pub async fn resend(State(api): Api, path: MessagePath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&api.gateway, request, async |call| {
        let Path((id, message)) = path.map_err(|_| missing(&at))?;
        let again = api.webhooks.send_again(&manager(&call)?, (&id, &message)).await;
        again.map_err(|error| refused(&error, &at))?;
        accepted(&api, &call, (&id, &message, &at)).await
    })
    .await
}

fn manager(call: &Call) -> Result<Manager<'_>, Fault> {
    Manager::key(&call.origin, &call.caller).map_err(|error| refused(&error, ""))
}

fn id_of(path: IdPath, at: &str) -> Result<String, Fault> {
    path.map(|Path(id)| id).map_err(|_| missing(at).into())
}

async fn shown(api: &WebhookApi, call: &Call, (id, at): (&str, &str)) -> Answer {
    let by = manager(call)?;
    let endpoint = api.webhooks.find(&by, id).await.map_err(|error| refused(&error, at))?;
    let secrets = api.webhooks.valid_secrets(&by, id).await.map_err(|error| refused(&error, at))?;
    answer::value(&Webhook::of(&endpoint).with_secrets(&secrets))
}

async fn told(
    api: &WebhookApi,
    call: &Call,
    (id, message, at): (&str, &str, &str),
) -> Result<WebhookMessage, Fault> {
    let found = api.webhooks.message(&manager(call)?, (id, message)).await;
    let (row, attempts) = found.map_err(|error| refused(&error, at))?;
    Ok(WebhookMessage::of(&row).with_tries(&row.body, &attempts))
}

async fn accepted(api: &WebhookApi, call: &Call, place: (&str, &str, &str)) -> Answer {
    let mut response = answer::value(&told(api, call, place).await?)?;
    *response.status_mut() = http::StatusCode::ACCEPTED;
    Ok(response)
}

async fn listed(api: &WebhookApi, (by, id, at): (&Manager<'_>, &str, &str), query: &MessagesQuery) -> Answer {
    let limit = page::size(query.limit, USUAL_PAGE)?;
    let after = match query.after.as_deref() {
        None => None,
        Some(id_after) => {
            let found = api.webhooks.message(by, (id, id_after)).await;
            let (row, _) = found.map_err(|error| match error {
                WebhookError::NotFound => {
                    Fault::from(invalid("after is no `next_after` of a page").with_param("after"))
                }
                error => refused(&error, at),
            })?;
            Some((row.created_at_ms, row.id))
        }
    };
    // One more than asked for says whether there is another page.
    let rows = api.webhooks.messages_of(by, id, (after.as_ref(), limit + 1)).await;
    let mut rows = rows.map_err(|error| refused(&error, at))?;
    let next_after = page::cut(&mut rows, limit, |row| &row.id);
    answer::value(&WebhookMessageList {
        object: "list",
        data: rows.iter().map(WebhookMessage::of).collect(),
        has_more: next_after.is_some(),
        next_after,
    })
}

/// Two keys may choose the same text, so it counts for the key that sent it.
fn creation_key(call: &Call) -> Result<Option<String>, Fault> {
    let Some(value) = call.headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    if !(1..=LONGEST_KEY).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let problem = invalid("Idempotency-Key must be 1 to 255 visible ASCII characters");
        return Err(problem.with_param("idempotency-key").into());
    }
    Ok(Some(hex::encode(Sha256::digest(format!("{}:{text}", call.caller.key_id)))))
}

/// A refusal in the caller's terms, with the field it is about.
fn refused(error: &WebhookError, at: &str) -> Fault {
    let reason = format!("{error}.");
    let values = [("reason", reason.as_str())];
    let wrong = |param: &'static str| {
        Fault::from(ErrorInfo::new(ErrorCode::InvalidRequest, &values).with_param(param))
    };
    match error {
        WebhookError::Unavailable(error) => unavailable(error).into(),
        WebhookError::NotFound => missing(at).into(),
        WebhookError::Forbidden => {
            let reason = "The key needs one of the scopes: webhooks:manage, org:admin.";
            ErrorInfo::new(ErrorCode::PermissionDenied, &[("reason", reason)]).into()
        }
        WebhookError::Url(_) | WebhookError::UrlTooLong => wrong("url"),
        WebhookError::DescriptionTooLong => wrong("description"),
        WebhookError::OverlapTooLong => wrong("overlap_seconds"),
        WebhookError::OtherBody => ErrorInfo::new(ErrorCode::IdempotencyMismatch, &[]).into(),
        WebhookError::TooMany(_) | WebhookError::ShownBefore => {
            ErrorInfo::new(ErrorCode::Conflict, &values).into()
        }
    }
}
