//! `GET /v1/status/invariants`: whether the books were found in order, and how calls ended, public and without any id.

use http::{HeaderValue, header};
use serde_json::json;

use super::receipts::unavailable;
use super::{Answer, reply, time};
use crate::Gateway;

/// The last check of the ledger's invariants, and the last 30 days in numbers.
pub async fn invariants(gateway: &Gateway) -> Answer {
    let status = gateway.ledger.books_status().await.map_err(|error| unavailable(&error))?;
    let last = status.last_run.as_ref();
    let calls = &status.calls;
    let mut response = reply::value(&json!({
        "object": "invariant_status",
        "last_run_at": last.map(|run| time::rfc3339(run.at_ms)),
        "checked": last.map(|run| run.checked),
        "violations": last.map(|run| run.violations),
        "whole_history": last.map(|run| run.whole_history),
        "invariants": bytespike_ledger::invariant_names().collect::<Vec<_>>(),
        "last_30_days": {
            "counted_at": calls.counted_at_ms.map(time::rfc3339),
            "reservations": calls.total(),
            "held": calls.held,
            "settled": calls.settled,
            "released": calls.released,
            "expired": calls.expired,
            "invariant_runs": status.runs,
            "runs_with_violations": status.runs_with_violations,
        },
    }));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=30"));
    Ok(response)
}
