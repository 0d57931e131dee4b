//! `GET /v1/status/invariants`: whether the books were found in order, and how calls ended, public and without any id.
//! `GET /v1/status/announcements`: what operators announce now, as the pages show it.

use bytespike_accounts::announcements::Stage;
use http::{HeaderValue, header};
use serde_json::{Value, json};

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

/// The announcements that are shown at this moment, in the order they began.
pub async fn announcements(gateway: &Gateway) -> Answer {
    let known = gateway.accounts.announcements.not_over().await.map_err(|error| unavailable(&error))?;
    let now_ms = gateway.world.now_ms();
    let shown = known.iter().filter(|one| one.stage(now_ms) == Stage::Shown).map(|one| {
        json!({
            "object": "announcement",
            "id": one.id,
            "level": one.level.as_str(),
            "place": one.place.as_str(),
            "text": { "en": one.text_en, "zh": one.text_zh },
            "link": one.link,
            "from": time::rfc3339(one.from_ms),
            "until": one.until_ms.map(time::rfc3339),
        })
    });
    let data: Vec<Value> = shown.collect();
    let mut response = reply::value(&json!({ "object": "list", "data": data, "has_more": false }));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=5"));
    Ok(response)
}
