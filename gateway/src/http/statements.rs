//! `GET /v1/statements`, `/v1/statements/{month}` and `…/{month}.csv`: closed months, and the running one as a preview.

use axum::body::Body;
use bytes::Bytes;
use bytespike_catalog::NanoUsd;
use bytespike_dialects::{ErrorCode, ErrorInfo};
use bytespike_ledger::StatementLine;
use http::HeaderMap;
use serde_json::{Value, json};

use super::receipts::unavailable;
use super::usage::{csv, org_reader};
use super::{Answer, Inbound, reply, time};
use crate::{Gateway, export};

const FILE: &str = "attachment; filename=\"bytespike-statement.csv\"";

/// Every closed month, the newest first, and the name of the running one.
pub async fn list(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let org_id = org_reader(gateway, inbound).await?;
    let closed = gateway.ledger.statements(&org_id).await.map_err(|error| unavailable(&error))?;
    let running = gateway.ledger.statement_preview(&org_id).await.map_err(|error| unavailable(&error))?;
    Ok(reply::value(&json!({
        "object": "list",
        "running_month": running.map(|preview| preview.month),
        "data": closed.iter().map(line_json).collect::<Vec<Value>>(),
    })))
}

/// One month, closed or running.
pub async fn show(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let org_id = org_reader(gateway, inbound).await?;
    let path = inbound.uri.path();
    let name = path.rsplit('/').next().unwrap_or_default();
    let (month, as_table) = name.strip_suffix(".csv").map_or((name, false), |month| (month, true));
    let unknown = || ErrorInfo::new(ErrorCode::NotFound, &[("path", path)]);
    let closed = gateway.ledger.statement(&org_id, month).await.map_err(|error| unavailable(&error))?;
    if let Some(closed) = closed {
        if !as_table {
            return Ok(reply::json(HeaderMap::new(), Bytes::from(closed.json())));
        }
        let statement = closed.read().ok_or_else(|| unavailable(&"a statement does not read"))?;
        return Ok(csv(FILE, Body::from(export::statement(&statement))));
    }
    let running = gateway.ledger.statement_preview(&org_id).await.map_err(|error| unavailable(&error))?;
    let preview = running.filter(|preview| preview.month == month).ok_or_else(unknown)?;
    if as_table {
        return Ok(csv(FILE, Body::from(export::statement(&preview))));
    }
    Ok(reply::value(&serde_json::to_value(&preview).unwrap_or_default()))
}

fn line_json(line: &StatementLine) -> Value {
    let closing = line.closing_paid_nano.saturating_add(line.closing_bonus_nano);
    json!({
        "month": line.month,
        "from": time::rfc3339(line.from_ms),
        "to": time::rfc3339(line.to_ms),
        "closing_credits": NanoUsd(closing).credits(),
        "closed_at": time::rfc3339(line.closed_at_ms),
        "hash": format!("sha256:{}", line.hash),
        "statement": format!("/v1/statements/{}", line.month),
    })
}
