//! `/api/v1/keys`: keys made, derived, read, changed, rotated and ended by key.
//!
//! With `keys:derive` a key derives keys from itself and manages those; with `keys:manage` it manages all of its org's but
//! itself and the keys above it. Every key may read itself and what was derived from it.

use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use bytespike_accounts::keys::{
    KeyCursor, KeyError, KeyInfo, KeyState, Manager, Scope, States, Terms, TooLong,
};
use bytespike_dialects::{ErrorCode, ErrorInfo};
use http::{Request, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::{self, Answer, ApiError, Fault, invalid};
use super::key_body::{ChangeKeyBody, NewKeyBody, RotateBody};
use super::key_show::{Key, KeyList, KeyWithSecret};
use super::limits::{above_parent, load, missing};
use super::{Call, page, respond};
use crate::Gateway;
use crate::http::receipts::unavailable;
use crate::http::time;
use crate::quota::MakeError;
use crate::serve::refusal::node_named;

const USUAL_PAGE: i64 = 50;
/// Who may read keys: at least itself.
const READERS: [Scope; 3] = [Scope::UsageRead, Scope::KeysDerive, Scope::KeysManage];
/// Who may change some.
const MANAGERS: [Scope; 2] = [Scope::KeysDerive, Scope::KeysManage];

type KeyPath = Result<Path<String>, PathRejection>;

/// Which page of which keys.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KeysQuery {
    /// Keys on a page, at most 200; 50 unless said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// The `next_after` of the page before.
    after: Option<String>,
    /// `open` (active and disabled), `ended` (revoked and deleted) or `all`; `open` unless said.
    #[param(pattern = "^(open|ended|all)$")]
    state: Option<String>,
    /// Only keys with this tag.
    tag: Option<String>,
}

/// Keys
///
/// The keys within the asking key's reach, the newest first, a page at a time. Ended keys keep their spend.
#[utoipa::path(get, path = "/api/v1/keys", operation_id = "listKeys", tag = "keys", params(KeysQuery), responses(
    (status = 200, description = "A page of keys.", body = KeyList),
    (status = 400, description = "A parameter is unknown or not valid.", body = ApiError),
    (status = 401, description = "No valid key.", body = ApiError),
    (status = 403, description = "The key lacks the scope.", body = ApiError),
))]
pub async fn list(
    State(gateway): State<Gateway>,
    query: Result<Query<KeysQuery>, QueryRejection>,
    request: Request<Body>,
) -> Response<Body> {
    respond(&gateway, request, async |call| {
        call.require_any(&READERS)?;
        let Query(query) = query.map_err(|error| invalid(&error.body_text()))?;
        listed(&gateway, &call, &query).await
    })
    .await
}

/// Make a key
///
/// Makes a key, or derives one: with `parent`, or when the asking key has `keys:derive` and not `keys:manage`. The answer is
/// the only one that ever holds the secret. A derived key has its parent's holder and deployment, and is refused when it
/// would be wider than its parent in any field.
#[utoipa::path(post, path = "/api/v1/keys", operation_id = "createKey", tag = "keys", request_body = NewKeyBody, responses(
    (status = 201, description = "The key, with its secret.", body = KeyWithSecret),
    (status = 400, description = "The body is not valid.", body = ApiError),
    (status = 401, description = "No valid key.", body = ApiError),
    (status = 403, description = "The key may not make this key.", body = ApiError),
    (status = 404, description = "No such parent, deployment or holder.", body = ApiError),
    (status = 409, description = "There are as many keys as there may be.", body = ApiError),
    (status = 415, description = "The body is not JSON.", body = ApiError),
    (status = 422, description = "Wider than the parent, or than what the asking key may give.", body = ApiError),
))]
pub async fn create(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        call.require_any(&MANAGERS)?;
        let (new, limits) = call.read::<NewKeyBody>()?.read(&gateway, &call.caller.scopes)?;
        let made = gateway.quotas().make_key((&call.origin, call.manager()), new, &limits).await;
        let made = made.map_err(|error| not_made(error, &at))?;
        let key = found(&gateway, &call, (&made.id, &at)).await?;
        let key = shown(&gateway, &call, &key).await?;
        answer::created(&KeyWithSecret { key: made.secret.expose().to_owned(), of: key })
    })
    .await
}

/// One key
#[utoipa::path(get, path = "/api/v1/keys/{id}", operation_id = "showKey", tag = "keys",
    params(("id" = String, Path, description = "The key's id, such as `key_…`.")),
    responses(
        (status = 200, description = "The key with its credentials and limits.", body = Key),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks the scope.", body = ApiError),
        (status = 404, description = "No such key, or the asking key cannot see it.", body = ApiError),
    ))]
pub async fn show(State(gateway): State<Gateway>, path: KeyPath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        call.require_any(&READERS)?;
        let key = found(&gateway, &call, (&id_of(path, &at)?, &at)).await?;
        answer::value(&shown(&gateway, &call, &key).await?)
    })
    .await
}

/// Change a key
///
/// Fields that are left out stay as they are. It counts on every instance within a second. Narrower terms bind the keys
/// derived from it at once; wider ones leave those as they are.
#[utoipa::path(patch, path = "/api/v1/keys/{id}", operation_id = "changeKey", tag = "keys",
    params(("id" = String, Path, description = "The key's id.")), request_body = ChangeKeyBody,
    responses(
        (status = 200, description = "The key as it is now.", body = Key),
        (status = 400, description = "The body is not valid.", body = ApiError),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The asking key may not change it.", body = ApiError),
        (status = 404, description = "No such key, or it has ended.", body = ApiError),
        (status = 415, description = "The body is not JSON.", body = ApiError),
        (status = 422, description = "Wider than what stands above it.", body = ApiError),
    ))]
pub async fn change(State(gateway): State<Gateway>, path: KeyPath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        call.require_any(&MANAGERS)?;
        let id = id_of(path, &at)?;
        let before = found(&gateway, &call, (&id, &at)).await?;
        let body = call.read::<ChangeKeyBody>()?;
        let state = body.state()?;
        let terms: Terms = body.read(&gateway, &before.terms)?;
        let keys = &gateway.accounts.keys;
        let refused = |error: KeyError| refused(&error, &at);
        keys.change(&call.origin, call.manager(), (&id, terms)).await.map_err(refused)?;
        if let Some(state) = state.filter(|state| *state != before.state) {
            keys.set_state(&call.origin, call.manager(), &id, state).await.map_err(refused)?;
        }
        let key = found(&gateway, &call, (&id, &at)).await?;
        answer::value(&shown(&gateway, &call, &key).await?)
    })
    .await
}

/// Rotate a key
///
/// Makes a new secret for the same key: budget, limits, history and the keys derived from it stay. The old secret works on
/// for `overlap_seconds`. At most two work at once.
#[utoipa::path(post, path = "/api/v1/keys/{id}/rotate", operation_id = "rotateKey", tag = "keys",
    params(("id" = String, Path, description = "The key's id.")), request_body = RotateBody,
    responses(
        (status = 201, description = "The key, with its new secret.", body = KeyWithSecret),
        (status = 400, description = "The body is not valid.", body = ApiError),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The asking key may not change it.", body = ApiError),
        (status = 404, description = "No such key, or it has ended.", body = ApiError),
        (status = 409, description = "Two secrets work already.", body = ApiError),
        (status = 415, description = "The body is not JSON.", body = ApiError),
    ))]
pub async fn rotate(State(gateway): State<Gateway>, path: KeyPath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        call.require_any(&MANAGERS)?;
        let id = id_of(path, &at)?;
        let overlap_ms = call.read::<RotateBody>()?.overlap_ms()?;
        let keys = &gateway.accounts.keys;
        let rotated = keys.rotate(&call.origin, call.manager(), (&id, overlap_ms)).await;
        let rotated = rotated.map_err(|error| refused(&error, &at))?;
        let key = found(&gateway, &call, (&id, &at)).await?;
        let key = shown(&gateway, &call, &key).await?;
        answer::created(&KeyWithSecret { key: rotated.secret.expose().to_owned(), of: key })
    })
    .await
}

/// End one secret
///
/// Ends the old secret of a rotated key before its time. The last one that works is not ended so.
#[utoipa::path(delete, path = "/api/v1/keys/{id}/credentials/{credential}", operation_id = "endCredential", tag = "keys",
    params(
        ("id" = String, Path, description = "The key's id."),
        ("credential" = String, Path, description = "The credential's id: the twelve characters after the key's prefix."),
    ),
    responses(
        (status = 204, description = "It does not work any more."),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The asking key may not change it.", body = ApiError),
        (status = 404, description = "No such key, or no such credential that works.", body = ApiError),
        (status = 409, description = "It is the last one that works.", body = ApiError),
    ))]
pub async fn end_credential(
    State(gateway): State<Gateway>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request<Body>,
) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        call.require_any(&MANAGERS)?;
        let Path((id, credential)) = path.map_err(|_| missing(&at))?;
        let keys = &gateway.accounts.keys;
        let ended = keys.end_credential(&call.origin, call.manager(), (&id, &credential)).await;
        ended.map_err(|error| refused(&error, &at))?;
        Ok(answer::nothing())
    })
    .await
}

/// Revoke a key
///
/// Ends it and cuts streams that run on it or on a key derived from it, within a second. The key stays in lists.
#[utoipa::path(post, path = "/api/v1/keys/{id}/revoke", operation_id = "revokeKey", tag = "keys",
    params(("id" = String, Path, description = "The key's id.")),
    responses(
        (status = 200, description = "The key as it is now.", body = Key),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The asking key may not change it.", body = ApiError),
        (status = 404, description = "No such key, or it has ended.", body = ApiError),
    ))]
pub async fn revoke(State(gateway): State<Gateway>, path: KeyPath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        let id = id_of(path, &at)?;
        end(&gateway, &call, (&id, &at), KeyState::Revoked).await?;
        let key = found(&gateway, &call, (&id, &at)).await?;
        answer::value(&shown(&gateway, &call, &key).await?)
    })
    .await
}

/// Delete a key
///
/// Ends it and takes it out of lists. Streams that run on it or on a key derived from it finish.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", operation_id = "deleteKey", tag = "keys",
    params(("id" = String, Path, description = "The key's id.")),
    responses(
        (status = 204, description = "It does not work any more."),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The asking key may not change it.", body = ApiError),
        (status = 404, description = "No such key, or it was deleted before.", body = ApiError),
    ))]
pub async fn delete(State(gateway): State<Gateway>, path: KeyPath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        let id = id_of(path, &at)?;
        end(&gateway, &call, (&id, &at), KeyState::Deleted).await?;
        Ok(answer::nothing())
    })
    .await
}

async fn end(gateway: &Gateway, call: &Call, (id, at): (&str, &str), state: KeyState) -> Result<(), Fault> {
    call.require_any(&MANAGERS)?;
    let ended = gateway.accounts.keys.set_state(&call.origin, call.manager(), id, state).await;
    ended.map_err(|error| refused(&error, at))
}

impl Call {
    fn manager(&self) -> Manager<'_> {
        Manager::Key(&self.caller)
    }
}

fn id_of(path: KeyPath, at: &str) -> Result<String, Fault> {
    path.map(|Path(id)| id).map_err(|_| missing(at).into())
}

/// A key of another org, one that is not there, and one out of reach look the same.
async fn found(gateway: &Gateway, call: &Call, (id, at): (&str, &str)) -> Result<KeyInfo, Fault> {
    let found = gateway.accounts.keys.find(call.manager(), id).await;
    found.map_err(|error| unavailable(&error))?.ok_or_else(|| missing(at).into())
}

/// With its credentials and what limits it.
async fn shown(gateway: &Gateway, call: &Call, key: &KeyInfo) -> Result<Key, Fault> {
    let credentials = gateway.accounts.keys.credentials(key).await.map_err(|error| unavailable(&error))?;
    let limits = load(gateway, call).await?;
    Ok(Key::of(key, &limits).with_credentials(&credentials))
}

async fn listed(gateway: &Gateway, call: &Call, query: &KeysQuery) -> Answer {
    let limit = page::size(query.limit, USUAL_PAGE)?;
    let states = match query.state.as_deref() {
        None | Some("open") => States::Open,
        Some("ended") => States::Ended,
        Some("all") => States::All,
        Some(_) => return Err(invalid("state must be open, ended or all").with_param("state").into()),
    };
    let after = cursor(gateway, call, query.after.as_deref()).await?;
    let tag = query.tag.as_deref().map(str::to_lowercase);
    let keys = &gateway.accounts.keys;
    // One more than asked for says whether there is another page.
    let rows = keys.page(call.manager(), (after.as_ref(), limit + 1), (states, tag.as_deref())).await;
    let mut rows = rows.map_err(|error| unavailable(&error))?;
    let next_after = page::cut(&mut rows, limit, |key| &key.id);
    let limits = load(gateway, call).await?;
    let data = rows.iter().map(|key| Key::of(key, &limits)).collect();
    answer::value(&KeyList { object: "list", data, has_more: next_after.is_some(), next_after })
}

async fn cursor(gateway: &Gateway, call: &Call, after: Option<&str>) -> Result<Option<KeyCursor>, Fault> {
    let Some(after) = after else { return Ok(None) };
    let found = gateway.accounts.keys.find(call.manager(), after).await;
    let found = found.map_err(|error| unavailable(&error))?;
    let key = found.ok_or_else(|| invalid("after is no `next_after` of a page").with_param("after"))?;
    Ok(Some(key.cursor()))
}

fn not_made(error: MakeError, at: &str) -> Fault {
    match error {
        MakeError::Key(error) => refused(&error, at),
        MakeError::Above(above) => above_parent(&above).into(),
        MakeError::Limits(error) => unavailable(&error).into(),
        MakeError::SwitchedOff => {
            ErrorInfo::new(ErrorCode::SwitchedOff, &[("what", "making new keys")]).into()
        }
    }
}

/// A refusal in the caller's terms, with the field it is about.
fn refused(error: &KeyError, at: &str) -> Fault {
    let reason = format!("{error}.");
    let values = [("reason", reason.as_str())];
    let with = |code: ErrorCode, param: Option<&'static str>| {
        let error = ErrorInfo::new(code, &values);
        Fault::from(param.map_or(error.clone(), |param| error.with_param(param)))
    };
    match error {
        KeyError::Unavailable(error) => unavailable(error).into(),
        KeyError::NotFound => missing(at).into(),
        KeyError::NoDeployment => with(ErrorCode::WiderThanParent, Some("deployment")),
        KeyError::NoHolder => with(ErrorCode::WiderThanParent, Some("holder")),
        KeyError::Forbidden => with(ErrorCode::PermissionDenied, None),
        KeyError::Name(_) => with(ErrorCode::InvalidRequest, Some("name")),
        KeyError::NoteTooLong => with(ErrorCode::InvalidRequest, Some("note")),
        KeyError::ExpiresInThePast => with(ErrorCode::InvalidRequest, Some("expires_at")),
        KeyError::OverlapTooLong => with(ErrorCode::InvalidRequest, Some("overlap_seconds")),
        KeyError::NoScope => with(ErrorCode::InvalidRequest, Some("scopes")),
        KeyError::ScopeAboveRole(_) => with(ErrorCode::WiderThanParent, Some("scopes")),
        KeyError::Wider(wider) => with(ErrorCode::WiderThanParent, Some(super::key_body::field_of(*wider))),
        KeyError::LivesTooLong(too_long) => lives_too_long(too_long),
        KeyError::Inherited | KeyError::TooDeep => with(ErrorCode::WiderThanParent, Some("parent")),
        KeyError::TooMany(_) | KeyError::TwoCredentials | KeyError::LastCredential => {
            with(ErrorCode::Conflict, None)
        }
    }
}

/// Which node bounds a key's life, and the last moment at which it may end.
fn lives_too_long(too_long: &TooLong) -> Fault {
    let (node, latest) = (node_named(&too_long.node), time::rfc3339(too_long.latest_ms));
    let reason = format!(
        "Keys below {node} live {} days at most: give this one an expires_at of {latest} or earlier.",
        too_long.days
    );
    ErrorInfo::new(ErrorCode::WiderThanParent, &[("reason", &reason)])
        .with_param("expires_at")
        .with_detail("node", too_long.node.as_str())
        .with_detail("latest", latest.as_str())
        .into()
}
