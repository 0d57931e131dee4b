//! `/api/v1/limits`: spend limits, request limits and credits per call on the org's nodes.
//!
//! A key reads the nodes on its own way and the keys derived from it. With `limits:manage` it sets limits on keys derived
//! from it, with `org:admin` everywhere but on itself and the keys above it.

use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use bytespike_accounts::audit::Actor;
use bytespike_accounts::keys::{Caller, Scope};
use bytespike_accounts::limit_nodes::{LimitNode, NodeTree, Reach};
use bytespike_catalog::NanoUsd;
use bytespike_catalog::money::MAX_WALLET;
use bytespike_dialects::{ErrorCode, ErrorInfo};
use http::{Request, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{self, ApiError, Fault, invalid};
use super::show::{self, Limit, Node, NodeList};
use super::{Call, page, respond};
use crate::Gateway;
use crate::http::receipts::unavailable;
use crate::quota::{AboveParent, By, Change, OrgLimits, Which};
use crate::serve::refusal::node_named;

const USUAL_PAGE: i64 = 100;
/// The most requests or calls a limit may be set to; more is no limit.
const MOST_COUNTED: i64 = 1_000_000;
/// Who may read limits.
pub const READERS: [Scope; 3] = [Scope::UsageRead, Scope::LimitsManage, Scope::OrgAdmin];

/// A node's id and the name of a limit.
type LimitPath = Result<Path<(String, String)>, PathRejection>;

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Nodes on a page, at most 200; 100 unless said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// The `next_after` of the page before.
    after: Option<String>,
}

/// What a limit is set to: exactly one of the two, as the limit's name wants it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLimitBody {
    /// Credits as a decimal with at most three places, for spend limits and `credits_per_call`.
    pub limit_credits: Option<String>,
    /// Requests or calls, for `requests_per_minute` and `concurrent_calls`.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub limit_count: Option<i64>,
}

/// Nodes and their limits
///
/// The nodes the key can see, a page at a time, each with the limits that are set on it.
#[utoipa::path(get, path = "/api/v1/limits", operation_id = "listLimits", tag = "limits", params(PageQuery), responses(
    (status = 200, description = "A page of nodes.", body = NodeList),
    (status = 400, description = "A parameter is unknown or not valid.", body = ApiError),
    (status = 401, description = "No valid key.", body = ApiError),
    (status = 403, description = "The key lacks the scope.", body = ApiError),
))]
pub async fn list(
    State(gateway): State<Gateway>,
    query: Result<Query<PageQuery>, QueryRejection>,
    request: Request<Body>,
) -> Response<Body> {
    respond(&gateway, request, async |call| {
        call.require_any(&READERS)?;
        let Query(query) = query.map_err(|error| invalid(&error.body_text()))?;
        let all = load(&gateway, &call).await?;
        answer::value(&listed(&query, &all, &call)?)
    })
    .await
}

/// One node and its limits
#[utoipa::path(get, path = "/api/v1/limits/{node}", operation_id = "showLimits", tag = "limits",
    params(("node" = String, Path, description = "The node's id, such as `key:key_…`.")),
    responses(
        (status = 200, description = "The node.", body = Node),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks the scope.", body = ApiError),
        (status = 404, description = "No such node, or the key cannot see it.", body = ApiError),
    ))]
pub async fn show(
    State(gateway): State<Gateway>,
    path: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        call.require_any(&READERS)?;
        let Path(node) = path.map_err(|_| missing(&at))?;
        let all = load(&gateway, &call).await?;
        let node = reached(&all.tree, &call, (&node, &at))?;
        answer::value(&show::node(&all, &call.caller, node))
    })
    .await
}

/// Set a limit
///
/// Sets or changes it. It counts on every instance within a second. A limit above that of a node above is refused.
#[utoipa::path(put, path = "/api/v1/limits/{node}/{limit}", operation_id = "setLimit", tag = "limits",
    params(
        ("node" = String, Path, description = "The node's id."),
        ("limit" = String, Path, description = "`lifetime`, `month`, `5h`, `1d`, `7d`, `requests_per_minute`, `concurrent_calls` or `credits_per_call`."),
    ),
    request_body = SetLimitBody,
    responses(
        (status = 200, description = "The limit as it is now.", body = Limit),
        (status = 400, description = "The body is not valid.", body = ApiError),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key may not set limits on this node.", body = ApiError),
        (status = 404, description = "No such node or limit.", body = ApiError),
        (status = 415, description = "The body is not JSON.", body = ApiError),
        (status = 422, description = "Above the limit of a node above.", body = ApiError),
    ))]
pub async fn set(State(gateway): State<Gateway>, path: LimitPath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        let all = load(&gateway, &call).await?;
        let (node, which) = settable(&all.tree, &call, (path, &at))?;
        let value = value_of(&call.read()?, which)?;
        all.check(&all.tree.above(&node.id), (which, value)).map_err(|above| above_parent(&above))?;
        let before = all.value(&node.id, which);
        change(&gateway, &call, Change { node: &node.id, which, before, after: Some(value) }).await?;
        let now = load(&gateway, &call).await?;
        let set = show::limits_of(&now, &node.id).into_iter().find(|limit| limit.limit == which.name());
        answer::value(&set.ok_or_else(|| missing(&at))?)
    })
    .await
}

/// Remove a limit
///
/// Answers the same when it was not set.
#[utoipa::path(delete, path = "/api/v1/limits/{node}/{limit}", operation_id = "removeLimit", tag = "limits",
    params(
        ("node" = String, Path, description = "The node's id."),
        ("limit" = String, Path, description = "As for setting it."),
    ),
    responses(
        (status = 204, description = "There is no such limit any more."),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key may not set limits on this node.", body = ApiError),
        (status = 404, description = "No such node or limit.", body = ApiError),
    ))]
pub async fn remove(
    State(gateway): State<Gateway>,
    path: LimitPath,
    request: Request<Body>,
) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        let all = load(&gateway, &call).await?;
        let (node, which) = settable(&all.tree, &call, (path, &at))?;
        let before = all.value(&node.id, which);
        change(&gateway, &call, Change { node: &node.id, which, before, after: None }).await?;
        Ok(answer::nothing())
    })
    .await
}

pub async fn load(gateway: &Gateway, call: &Call) -> Result<OrgLimits, Fault> {
    let all = gateway.quotas().of_org(&call.caller.org_id).await;
    all.map_err(|error| unavailable(&error).into())
}

fn listed(query: &PageQuery, all: &OrgLimits, call: &Call) -> Result<NodeList, Fault> {
    let most = page::size(query.limit, USUAL_PAGE)?;
    let is_seen = |node: &&LimitNode| all.tree.reach(&call.caller, &node.id) > Reach::Hidden;
    let is_after = |node: &&LimitNode| query.after.as_ref().is_none_or(|after| node.id > *after);
    let one_more = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(1);
    let mut nodes: Vec<&LimitNode> =
        all.tree.nodes().filter(is_after).filter(is_seen).take(one_more).collect();
    let next_after = page::cut(&mut nodes, most, |node| &node.id);
    let data = nodes.into_iter().map(|node| show::node(all, &call.caller, node)).collect();
    Ok(NodeList { object: "list", data, has_more: next_after.is_some(), next_after })
}

/// A node of another org, one that is not there, and one out of sight look the same.
pub fn reached<'t>(tree: &'t NodeTree, call: &Call, (id, at): (&str, &str)) -> Result<&'t LimitNode, Fault> {
    let seen = tree.get(id).filter(|node| tree.reach(&call.caller, &node.id) > Reach::Hidden);
    seen.ok_or_else(|| missing(at).into())
}

fn settable<'t>(
    tree: &'t NodeTree,
    call: &Call,
    (path, at): (LimitPath, &str),
) -> Result<(&'t LimitNode, Which), Fault> {
    call.require_any(&[Scope::LimitsManage, Scope::OrgAdmin])?;
    let Path((id, name)) = path.map_err(|_| missing(at))?;
    let node = reached(tree, call, (&id, at))?;
    let which = Which::parse(&name).ok_or_else(|| missing(at))?;
    if tree.reach(&call.caller, &node.id) == Reach::Set {
        return Ok((node, which));
    }
    Err(may_not_set(&call.caller, &node.id))
}

/// The node is seen, and nothing of it may be set.
pub fn may_not_set(caller: &Caller, node: &str) -> Fault {
    let reason = format!(
        "The key '{}' may not set limits or rules on {}: with 'limits:manage' a key sets limits on keys derived from \
         itself, with 'org:admin' on everything but itself and the keys above it, and rules too.",
        caller.key_name,
        node_named(node)
    );
    ErrorInfo::new(ErrorCode::PermissionDenied, &[("reason", &reason)]).with_detail("node", node).into()
}

pub fn value_of(body: &SetLimitBody, which: Which) -> Result<i64, Fault> {
    let wrong = |field: &'static str, what: &str| {
        let reason = format!("the limit {} wants {field}: {what}", which.name());
        Err(Fault::from(invalid(&reason).with_param(field)))
    };
    match (which.is_credits(), &body.limit_credits, body.limit_count) {
        (true, Some(text), None) => match NanoUsd::from_credits(text) {
            Some(nano) if (0..=MAX_WALLET.0).contains(&nano.0) => Ok(nano.0),
            _ => wrong("limit_credits", "credits as a decimal with at most three places, such as \"1500.5\""),
        },
        (true, _, _) => wrong("limit_credits", "and nothing else"),
        (false, None, Some(count)) if (0..=MOST_COUNTED).contains(&count) => Ok(count),
        (false, None, Some(_)) => wrong("limit_count", "a whole number from 0 to 1000000"),
        (false, _, _) => wrong("limit_count", "and nothing else"),
    }
}

/// Which limit binds anyway, and how much it allows.
pub fn above_parent(above: &AboveParent) -> ErrorInfo {
    let AboveParent { which, wanted, node, most } = above;
    let (most, wanted, at) = (which.amount(*most), which.amount(*wanted), node_named(node));
    let values = [
        ("limit", which.name()),
        ("wanted", wanted.as_str()),
        ("node", at.as_str()),
        ("most", most.as_str()),
    ];
    ErrorInfo::new(ErrorCode::LimitAboveParent, &values)
        .with_detail("node", node.as_str())
        .with_detail("most", most.as_str())
}

pub fn missing(path: &str) -> ErrorInfo {
    ErrorInfo::new(ErrorCode::NotFound, &[("path", path)])
}

async fn change(gateway: &Gateway, call: &Call, change: Change<'_>) -> Result<(), Fault> {
    let caller = &call.caller;
    let by = By { org_id: &caller.org_id, actor: Actor::Key(&caller.key_id), origin: &call.origin };
    gateway.quotas().change(by, change).await.map_err(|error| unavailable(&error).into())
}
