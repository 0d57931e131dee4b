//! What an operator sends: queries and bodies in which an unknown field is an error.

use axum::extract::Query;
use bytespike_dialects::{ErrorCode, ErrorInfo};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Inbound;
use super::shapes::Rows;
use crate::http::reply;
use crate::serve::Refused;
use axum::body::Body;
use http::Response;

/// Rows of a list, at most.
const MOST_ROWS: u32 = 1_000;
const USUAL_ROWS: u32 = 100;

/// A day, in which vouchers count how long their credit lasts.
pub const DAY_MS: i64 = 86_400_000;

/// Which page of a list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// The last id of the page before.
    pub after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}

/// The query.
///
/// # Errors
/// A field that is unknown or cannot be read.
pub fn query<T: DeserializeOwned>(inbound: &Inbound) -> Result<T, Refused> {
    Query::try_from_uri(&inbound.uri)
        .map(|Query(query)| query)
        .map_err(|error| invalid(&error.to_string()).into())
}

/// The body, which is JSON.
///
/// # Errors
/// It is not JSON, or a field is missing, unknown or of another type.
pub fn body<T: DeserializeOwned>(inbound: &Inbound) -> Result<T, Refused> {
    serde_json::from_slice(&inbound.body).map_err(|error| invalid(&error.to_string()).into())
}

pub fn invalid(reason: &str) -> ErrorInfo {
    ErrorInfo::new(ErrorCode::InvalidRequest, &[("reason", reason)])
}

/// How many rows are wanted.
///
/// # Errors
/// More than a list may have, or none.
pub fn limit(wanted: Option<u32>) -> Result<u32, Refused> {
    match wanted {
        None => Ok(USUAL_ROWS),
        Some(limit @ 1..=MOST_ROWS) => Ok(limit),
        Some(_) => Err(invalid(&format!("limit: from 1 to {MOST_ROWS}")).with_param("limit").into()),
    }
}

/// A moment: RFC 3339, or a day, which begins at midnight UTC.
///
/// # Errors
/// The text is neither.
pub fn moment_ms(name: &str, text: Option<&str>, otherwise_ms: i64) -> Result<i64, Refused> {
    let Some(text) = text else { return Ok(otherwise_ms) };
    let of_day = |date: Date| date.to_zoned(TimeZone::UTC).ok().map(|start| start.timestamp());
    let moment = text.parse().ok().or_else(|| of_day(text.parse().ok()?));
    let reason = || {
        format!(
            "{name}: `{text}` is neither a time such as 2026-11-24T08:00:00Z nor a day such as 2026-11-24"
        )
    };
    moment.map(Timestamp::as_millisecond).ok_or_else(|| invalid(&reason()).with_param(name).into())
}

/// Why somebody does something, for the audit log and, with credit, for the wallet page.
///
/// # Errors
/// It is empty or long.
pub fn reason(text: &str) -> Result<crate::operations::Why, Refused> {
    let wanted = "reason: one sentence of at most 500 characters is wanted";
    crate::operations::Why::parse(text).ok_or_else(|| invalid(wanted).with_param("reason").into())
}

/// The last part of the path but `behind`: `/wallets/{id}/freeze` with 1 is the id.
pub fn path_part(inbound: &Inbound, behind: usize) -> &str {
    inbound.uri.path().rsplit('/').nth(behind).unwrap_or_default()
}

/// Nothing by that id.
pub fn missing(inbound: &Inbound) -> ErrorInfo {
    ErrorInfo::new(ErrorCode::NotFound, &[("path", inbound.uri.path())])
}

/// A page of rows. With as many as asked for there may be more.
pub fn list<T: Serialize>(data: impl Iterator<Item = T>, limit: u32) -> Result<Response<Body>, Refused> {
    let data: Vec<T> = data.collect();
    let has_more = data.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    value(&Rows { object: "list", data, has_more })
}

/// 200 with a value.
///
/// # Errors
/// The value cannot be written as JSON.
pub fn value<T: Serialize>(value: &T) -> Result<Response<Body>, Refused> {
    match serde_json::to_value(value) {
        Ok(value) => Ok(reply::value(&value)),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            Err(crate::serve::refusal::impossible().into())
        }
    }
}

/// Why something is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// One sentence of at most 500 characters.
    pub reason: String,
}
