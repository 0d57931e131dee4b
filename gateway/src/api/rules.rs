//! `/api/v1/limits/{node}/rules`: what an organisation, deployment or member allows to every key below it, beside limits.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use bytespike_accounts::audit::Actor;
use bytespike_accounts::keys::{MOST_LIFETIME_DAYS, Scope};
use bytespike_accounts::limit_nodes::Reach;
use bytespike_accounts::node_rules::NodeRule;
use http::{Request, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{self, ApiError, Fault};
use super::fields::{ips, models, moment_ms, providers, regions, scopes, wrong};
use super::key_show::listed;
use super::limits::{READERS, load, may_not_set, missing, reached};
use super::{Call, respond};
use crate::Gateway;
use crate::http::receipts::unavailable;
use crate::http::time;

/// What a node allows to the keys below it. A key has the same as terms of its own.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rules {
    #[schema(pattern = "^rules$")]
    object: &'static str,
    /// `org:…`, `dep:…` or `mem:…`
    node: String,
    /// Null: every model that is allowed otherwise; the same for the other lists.
    models: Option<Vec<String>>,
    /// Empty: from wherever.
    ips: Vec<String>,
    scopes: Option<Vec<&'static str>>,
    providers: Option<Vec<String>>,
    regions: Option<Vec<String>>,
    /// From then on no key below works. RFC 3339 in UTC.
    expires_at: Option<String>,
    /// How long a key below may live from when it is made; null: as long as anybody likes.
    max_lifetime_days: Option<i64>,
}

/// The rules as they are to be. What is left out or null narrows nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRulesBody {
    /// Model slugs; a `*` stands for any characters and is resolved now.
    models: Option<Vec<String>>,
    /// Addresses and networks such as `203.0.113.0/24`.
    ips: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    /// Who may answer.
    providers: Option<Vec<String>>,
    /// Where what is sent may be kept, such as `eu`.
    regions: Option<Vec<String>>,
    /// RFC 3339, in the future.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Binds keys that are made or get another end from then on.
    #[schema(minimum = 1, maximum = 36_500)]
    max_lifetime_days: Option<i64>,
}

/// What a node allows
///
/// The rules that an organisation, a deployment or a member has for every key below it.
#[utoipa::path(get, path = "/api/v1/limits/{node}/rules", operation_id = "showRules", tag = "limits",
    params(("node" = String, Path, description = "The node's id: `org:…`, `dep:…` or `mem:…`.")),
    responses(
        (status = 200, description = "The rules.", body = Rules),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks the scope.", body = ApiError),
        (status = 404, description = "No such node, the key cannot see it, or it is a key: those have terms of their own.", body = ApiError),
    ))]
pub async fn show(
    State(gateway): State<Gateway>,
    path: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        call.require_any(&READERS)?;
        let node = node_of(&gateway, &call, (path, &at)).await?.0;
        answer::value(&shown(&gateway, &call, &node).await?)
    })
    .await
}

/// Set what a node allows
///
/// Replaces all of its rules. They bind every key below at its next call; a maximum lifetime binds keys that are made or
/// get another end from then on.
#[utoipa::path(put, path = "/api/v1/limits/{node}/rules", operation_id = "setRules", tag = "limits",
    params(("node" = String, Path, description = "The node's id.")), request_body = SetRulesBody,
    responses(
        (status = 200, description = "The rules as they are now.", body = Rules),
        (status = 400, description = "The body is not valid.", body = ApiError),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key may not set rules on this node.", body = ApiError),
        (status = 404, description = "No such node, the key cannot see it, or it is a key.", body = ApiError),
        (status = 415, description = "The body is not JSON.", body = ApiError),
    ))]
pub async fn set(
    State(gateway): State<Gateway>,
    path: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        call.require_any(&[Scope::OrgAdmin])?;
        let (node, reach) = node_of(&gateway, &call, (path, &at)).await?;
        if reach != Reach::Set {
            return Err(may_not_set(&call.caller, &node));
        }
        let rule = call.read::<SetRulesBody>()?.read(&gateway)?;
        let by = (&call.origin, Actor::Key(&call.caller.key_id));
        let set = gateway.accounts.node_rules.set(by, (&call.caller.org_id, &node), &rule).await;
        set.map_err(|error| unavailable(&error))?;
        answer::value(&shown(&gateway, &call, &node).await?)
    })
    .await
}

/// The node and what the caller may do there. A key is no node of this kind.
async fn node_of(
    gateway: &Gateway,
    call: &Call,
    (path, at): (Result<Path<String>, PathRejection>, &str),
) -> Result<(String, Reach), Fault> {
    let Path(id) = path.map_err(|_| missing(at))?;
    let all = load(gateway, call).await?;
    let node = reached(&all.tree, call, (&id, at))?;
    match node.id.starts_with("key:") {
        true => Err(missing(at).into()),
        false => Ok((node.id.clone(), all.tree.reach(&call.caller, &node.id))),
    }
}

async fn shown(gateway: &Gateway, call: &Call, node: &str) -> Result<Rules, Fault> {
    let rule = gateway.accounts.node_rules.of(&call.caller.org_id, node).await;
    Ok(Rules::of(node, &rule.map_err(|error| unavailable(&error))?))
}

impl Rules {
    fn of(node: &str, rule: &NodeRule) -> Self {
        Self {
            object: "rules",
            node: node.to_owned(),
            models: listed(&rule.models),
            ips: rule.ips.texts(),
            scopes: rule.scopes.as_ref().map(|scopes| scopes.iter().map(|scope| scope.as_str()).collect()),
            providers: listed(&rule.providers),
            regions: listed(&rule.regions),
            expires_at: rule.expires_at_ms.map(time::rfc3339),
            max_lifetime_days: rule.max_lifetime_days,
        }
    }
}

impl SetRulesBody {
    /// # Errors
    /// A field that cannot be read.
    fn read(self, gateway: &Gateway) -> Result<NodeRule, Fault> {
        let expires_at_ms = self.expires_at.as_deref().map(moment_ms).transpose()?;
        if expires_at_ms.is_some_and(|end| end <= gateway.world.now_ms()) {
            return Err(wrong("expires_at", "a time in the future"));
        }
        if self.max_lifetime_days.is_some_and(|days| !(1..=MOST_LIFETIME_DAYS).contains(&days)) {
            return Err(wrong("max_lifetime_days", "a whole number from 1 to 36500"));
        }
        Ok(NodeRule {
            models: models(gateway, self.models)?,
            ips: ips(&self.ips.unwrap_or_default())?,
            scopes: self.scopes.map(|names| scopes(&names)).transpose()?,
            providers: providers(gateway, self.providers)?,
            regions: regions(self.regions)?,
            expires_at_ms,
            max_lifetime_days: self.max_lifetime_days,
        })
    }
}
