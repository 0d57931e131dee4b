//! `GET /v1/usage/calls` and its tables, and `GET /v1/reservations`: single calls, the newest or the longest held first.

use axum::body::Body;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{CallRow, Order, Outcome, ResolvedCall};
use http::{HeaderValue, Response, header};
use serde_json::{Value, json};

use super::asked::{Asked, no_cursor, refuse, write_cursor};
use super::reader::{Reader, reader};
use crate::Gateway;
use crate::export::{self, CallTable, Columns};
use crate::http::receipts::unavailable;
use crate::http::{Answer, Inbound, reply, time};

/// Calls that ended, the newest first; with `state=held` those that run.
pub async fn resolved(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let reader = reader(gateway, inbound).await?;
    let asked = Asked::read(gateway, inbound, &reader, &["state", "limit", "cursor"]).await?;
    match asked.get("state") {
        Some("held") => return held_page(gateway, &reader, &asked).await,
        None | Some("resolved") => {}
        Some(_) => {
            return Err(refuse("state", "'state' is held or resolved; how calls ended is 'outcome'").into());
        }
    }
    let limit = asked.limit()?;
    let after = match asked.cursor()? {
        None => None,
        Some(place) => Some(place.parse().map_err(|_| no_cursor())?),
    };
    let page = (Order::NewestFirst, after, limit + 1);
    let calls = gateway.ledger.resolved_calls(&reader.org_id, &asked.filter, page).await;
    let mut calls = calls.map_err(|error| unavailable(&error))?;
    let more = cut(&mut calls, limit);
    let next = calls.last().filter(|_| more).map(|last| write_cursor(&last.resolved_seq.to_string()));
    let rows: Vec<Value> = calls.iter().map(resolved_json).collect();
    Ok(list(&rows, next.as_deref()))
}

/// What is held now, the longest first.
pub async fn held(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let reader = reader(gateway, inbound).await?;
    let asked = Asked::read(gateway, inbound, &reader, &["state", "limit", "cursor"]).await?;
    if asked.get("state").is_some_and(|state| state != "held") {
        return Err(refuse(
            "state",
            "only state=held is kept here; calls that ended are under /v1/usage/calls",
        )
        .into());
    }
    held_page(gateway, &reader, &asked).await
}

/// `GET /v1/usage/calls.csv` and `/v1/usage/focus.csv`: the oldest first, without an end to their length.
pub async fn table(gateway: &Gateway, inbound: &Inbound, columns: Columns) -> Answer {
    let reader = reader(gateway, inbound).await?;
    let also: &[&str] = if columns == Columns::Calls { &["include"] } else { &[] };
    let mut asked = Asked::read(gateway, inbound, &reader, also).await?;
    match asked.get("include") {
        Some("unbilled") => {}
        Some(_) => return Err(refuse("include", "'include' can only be unbilled").into()),
        None if asked.filter.outcomes.is_empty() => asked.filter.outcomes.push(Outcome::Settled),
        None => {}
    }
    if columns == Columns::Focus {
        asked.filter.outcomes = vec![Outcome::Settled];
    }
    let tags = gateway.accounts.keys.tags(&reader.org_id).await.map_err(|error| unavailable(&error))?;
    let table = CallTable {
        tags: tags.into(),
        org_id: reader.org_id,
        filter: asked.filter,
        columns,
        zone: asked.zone,
        for_spreadsheet: false,
    };
    Ok(csv(table_name(columns), Body::from_stream(export::calls(gateway.ledger.clone(), table))))
}

/// The name of the file.
fn table_name(columns: Columns) -> &'static str {
    match columns {
        Columns::Calls => "attachment; filename=\"bytespike-calls.csv\"",
        Columns::Focus => "attachment; filename=\"bytespike-focus.csv\"",
    }
}

pub(crate) fn csv(disposition: &'static str, body: Body) -> Response<Body> {
    let mut response = reply::table(body);
    response.headers_mut().insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    response
}

async fn held_page(gateway: &Gateway, reader: &Reader, asked: &Asked) -> Answer {
    let limit = asked.limit()?;
    let after = match asked.cursor()? {
        None => None,
        Some(place) => Some(held_place(&place).ok_or_else(no_cursor)?),
    };
    let calls = gateway.ledger.held_calls(&reader.org_id, &asked.filter, (after, limit + 1)).await;
    let mut calls = calls.map_err(|error| unavailable(&error))?;
    let more = cut(&mut calls, limit);
    let next =
        calls.last().filter(|_| more).map(|last| write_cursor(&format!("{}.{}", last.held_at_ms, last.id)));
    let now_ms = gateway.world.now_ms();
    let rows: Vec<Value> = calls.iter().map(|call| held_json(call, now_ms)).collect();
    Ok(list(&rows, next.as_deref()))
}

fn held_place(place: &str) -> Option<(i64, String)> {
    let (at_ms, id) = place.split_once('.')?;
    Some((at_ms.parse().ok()?, id.to_owned()))
}

/// One row more than the page has was read; whether there was one.
fn cut<T>(rows: &mut Vec<T>, limit: u32) -> bool {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > wanted;
    rows.truncate(wanted);
    more
}

fn list(rows: &[Value], next: Option<&str>) -> Response<Body> {
    reply::value(&json!({ "object": "list", "data": rows, "has_more": next.is_some(), "next_cursor": next }))
}

fn held_json(call: &CallRow, now_ms: i64) -> Value {
    json!({
        "receipt_id": call.id,
        "state": "held",
        "model": call.model_requested,
        "key": call.key_id,
        "key_name": call.key_name,
        "member": call.member_id,
        "deployment": call.deployment_id,
        "protocol": call.protocol,
        "stream": call.stream,
        "held_credits": NanoUsd(call.held_nano).credits(),
        "held_at": time::rfc3339_ms(call.held_at_ms),
        "age_ms": (now_ms - call.held_at_ms).max(0),
        "expires_at": time::rfc3339_ms(call.expires_at_ms),
    })
}

fn resolved_json(resolved: &ResolvedCall) -> Value {
    let call = &resolved.call;
    let charged = NanoUsd(call.charged_nano.unwrap_or(0));
    let mut json = json!({
        "receipt_id": call.id,
        "state": "resolved",
        "outcome": call.state,
        "reason": call.reason,
        "model": call.model_requested,
        "model_served": call.model_served,
        "key": call.key_id,
        "key_name": call.key_name,
        "member": call.member_id,
        "deployment": call.deployment_id,
        "protocol": call.protocol,
        "stream": call.stream,
        "held_credits": NanoUsd(call.held_nano).credits(),
        "charged_credits": charged.credits(),
        "charged_usd": charged.usd(),
        "returned_credits": NanoUsd(call.held_nano - charged.0).credits(),
        "usage_source": call.usage_source,
        "attempts": call.attempts,
        "first_content_ms": call.first_content_ms,
        "duration_ms": call.duration_ms,
        "price_version": call.price_version,
        "held_at": time::rfc3339_ms(call.held_at_ms),
        "resolved_at": call.resolved_at_ms.map(time::rfc3339_ms),
        "request_id": resolved.request().request_id,
        "receipt": format!("/v1/receipts/{}", call.id),
    });
    if let Value::Object(members) = &mut json {
        members.extend(call.quantities.named().map(|(name, amount)| (name.to_owned(), amount.into())));
    }
    json
}
