//! `/api/v1/alerts`: what the org is told of by mail, and from which balance on.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use bytespike_accounts::audit::{Actor, Event};
use bytespike_accounts::keys::Scope;
use bytespike_catalog::NanoUsd;
use bytespike_catalog::money::MAX_WALLET;
use bytespike_dialects::{ErrorCode, ErrorInfo};
use bytespike_ledger::{AlertSetting, Alerts};
use http::{Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::answer::{self, ApiError, Fault, invalid};
use super::{Call, respond};
use crate::Gateway;
use crate::http::receipts::unavailable;

/// Who may read what concerns the whole org's money.
const READERS: [Scope; 2] = [Scope::OrgUsageRead, Scope::OrgAdmin];

/// The name of an alert.
type AlertPath = Result<Path<String>, PathRejection>;

/// Every alert there is.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertList {
    #[schema(pattern = "^list$")]
    object: &'static str,
    data: Vec<Alert>,
}

/// One alert and whether it is sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alert {
    /// `low_balance`: the balance falls below the threshold. `limits`: a spend limit is used to 80 percent, or used up.
    alert: &'static str,
    enabled: bool,
    /// Credits with three decimals; of `low_balance` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold_credits: Option<String>,
}

/// What an alert is set to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAlertBody {
    /// Credits as a decimal with at most three places, more than zero: for `low_balance`, and for nothing else.
    threshold_credits: Option<String>,
}

/// An alert by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    LowBalance,
    Limits,
}

impl Which {
    const ALL: [Self; 2] = [Self::LowBalance, Self::Limits];

    fn name(self) -> &'static str {
        match self {
            Self::LowBalance => "low_balance",
            Self::Limits => "limits",
        }
    }

    fn shown(self, alerts: Alerts) -> Alert {
        let threshold = alerts.low_balance.filter(|_| self == Self::LowBalance);
        Alert {
            alert: self.name(),
            enabled: if self == Self::Limits { alerts.limits } else { threshold.is_some() },
            threshold_credits: threshold.map(NanoUsd::credits),
        }
    }
}

/// The organisation's alerts
///
/// Each with whether it is sent. Mails go to owners, admins and billing members.
#[utoipa::path(get, path = "/api/v1/alerts", operation_id = "listAlerts", tag = "alerts", responses(
    (status = 200, description = "Every alert there is.", body = AlertList),
    (status = 401, description = "No valid key.", body = ApiError),
    (status = 403, description = "The key lacks the scope.", body = ApiError),
))]
pub async fn list(State(gateway): State<Gateway>, request: Request<Body>) -> Response<Body> {
    respond(&gateway, request, async |call| {
        call.require_any(&READERS)?;
        let alerts = current(&gateway, &call).await?;
        answer::value(&AlertList {
            object: "list",
            data: Which::ALL.into_iter().map(|which| which.shown(alerts)).collect(),
        })
    })
    .await
}

/// Turn an alert on
///
/// Sets or changes it. It counts from the next settlement on.
#[utoipa::path(put, path = "/api/v1/alerts/{alert}", operation_id = "setAlert", tag = "alerts",
    params(("alert" = String, Path, description = "`low_balance` or `limits`.")),
    request_body = SetAlertBody,
    responses(
        (status = 200, description = "The alert as it is now.", body = Alert),
        (status = 400, description = "The body is not valid.", body = ApiError),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks `org:admin`.", body = ApiError),
        (status = 404, description = "No such alert.", body = ApiError),
        (status = 415, description = "The body is not JSON.", body = ApiError),
    ))]
pub async fn set(State(gateway): State<Gateway>, path: AlertPath, request: Request<Body>) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        let which = settable(&call, (path, &at))?;
        let setting = setting_of(&call.read()?, which)?;
        change(&gateway, &call, (which, setting)).await?;
        answer::value(&which.shown(current(&gateway, &call).await?))
    })
    .await
}

/// Turn an alert off
///
/// Answers the same when it was off.
#[utoipa::path(delete, path = "/api/v1/alerts/{alert}", operation_id = "removeAlert", tag = "alerts",
    params(("alert" = String, Path, description = "`low_balance` or `limits`.")),
    responses(
        (status = 204, description = "The alert is not sent any more."),
        (status = 401, description = "No valid key.", body = ApiError),
        (status = 403, description = "The key lacks `org:admin`.", body = ApiError),
        (status = 404, description = "No such alert.", body = ApiError),
    ))]
pub async fn remove(
    State(gateway): State<Gateway>,
    path: AlertPath,
    request: Request<Body>,
) -> Response<Body> {
    let at = request.uri().path().to_owned();
    respond(&gateway, request, async |call| {
        let which = settable(&call, (path, &at))?;
        let off = match which {
            Which::LowBalance => AlertSetting::LowBalance(None),
            Which::Limits => AlertSetting::Limits(false),
        };
        change(&gateway, &call, (which, off)).await?;
        Ok(answer::nothing())
    })
    .await
}

async fn current(gateway: &Gateway, call: &Call) -> Result<Alerts, Fault> {
    let wallet = gateway.ledger.wallet(&call.caller.org_id).await.map_err(|error| unavailable(&error))?;
    wallet.map(|wallet| wallet.alerts).ok_or_else(|| unavailable(&"the org has no wallet").into())
}

fn settable(call: &Call, (path, at): (AlertPath, &str)) -> Result<Which, Fault> {
    call.require_any(&[Scope::OrgAdmin])?;
    let name = path.map(|Path(name)| name).unwrap_or_default();
    let which = Which::ALL.into_iter().find(|which| which.name() == name);
    which.ok_or_else(|| ErrorInfo::new(ErrorCode::NotFound, &[("path", at)]).into())
}

fn setting_of(body: &SetAlertBody, which: Which) -> Result<AlertSetting, Fault> {
    let wrong = |what: &str| {
        let reason = format!("the alert {}: {what}", which.name());
        Err(Fault::from(invalid(&reason).with_param("threshold_credits")))
    };
    match (which, &body.threshold_credits) {
        (Which::Limits, None) => Ok(AlertSetting::Limits(true)),
        (Which::Limits, Some(_)) => wrong("has no threshold_credits; it tells at 80 and at 100 percent"),
        (Which::LowBalance, text) => match text.as_deref().and_then(NanoUsd::from_credits) {
            Some(nano) if (1..=MAX_WALLET.0).contains(&nano.0) => Ok(AlertSetting::LowBalance(Some(nano))),
            _ => wrong(
                "wants threshold_credits, more than zero, as a decimal with at most three places, such as \"500000\"",
            ),
        },
    }
}

async fn change(gateway: &Gateway, call: &Call, (which, to): (Which, AlertSetting)) -> Result<(), Fault> {
    let org_id = &call.caller.org_id;
    let told = |before: Alerts, after: Alerts| {
        let detail =
            json!({ "alert": which.name(), "before": which.shown(before), "after": which.shown(after) });
        let event = Event::new("alert.set", Actor::Key(&call.caller.key_id)).org(org_id);
        gateway.accounts.audit.entry(&call.origin, event.detail(detail))
    };
    gateway.ledger.set_alert(org_id, to, told).await.map_err(|error| unavailable(&error).into())
}
