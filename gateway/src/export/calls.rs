//! The columns of the table of calls.

use bytespike_catalog::NanoUsd;
use bytespike_catalog::display;
use bytespike_catalog::fx::FxRate;
use bytespike_ledger::{RequestFacts, ResolvedCall};

use super::{CallTable, Cell, seconds};
use crate::http::time;

pub(super) const HEADER: [&str; 32] = [
    "receipt_id",
    "settled_at_utc",
    "org",
    "member",
    "key",
    "deployment",
    "route",
    "protocol",
    "model_requested",
    "model_served",
    "channel_badge",
    "price_version",
    "outcome",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "images",
    "seconds",
    "characters",
    "searches",
    "held_credits",
    "charged_credits",
    "charged_usd",
    "fx_rate",
    "charged_cny",
    "latency_ms",
    "first_token_ms",
    "attempts",
    "request_id",
    "key_tags",
];

/// Names are those of the time of the call, tags those of now.
pub(super) fn row(table: &CallTable, resolved: &ResolvedCall) -> Vec<Cell> {
    let (call, request) = (&resolved.call, resolved.request());
    let charged = NanoUsd(call.charged_nano.unwrap_or(0));
    let mut row = vec![
        Cell::text(&call.id),
        Cell::number(call.resolved_at_ms.map(time::rfc3339_ms).unwrap_or_default()),
        Cell::text(&request.org_name),
        Cell::text(&request.member_name),
        Cell::text(&request.key_name),
        Cell::text(&request.deployment_name),
        Cell::text(route(&call.protocol)),
        Cell::text(&call.protocol),
        Cell::text(&call.model_requested),
        call.model_served.as_deref().map_or(Cell::Empty, Cell::text),
        // A call is only taken when a channel is wired, so what is charged is never an estimate.
        Cell::text("live"),
        Cell::count(call.price_version),
        Cell::text(&call.state),
    ];
    let used = &call.quantities;
    row.extend(
        [
            used.input_tokens,
            used.cache_read_tokens,
            used.cache_write_tokens,
            used.output_tokens,
            used.reasoning_tokens,
        ]
        .map(Cell::count),
    );
    let media_ms = used.video_ms.saturating_add(used.audio_ms);
    row.extend([
        Cell::count(used.images),
        Cell::number(seconds(media_ms)),
        Cell::count(used.characters),
        Cell::count(used.searches),
        Cell::number(NanoUsd(call.held_nano).credits()),
        Cell::number(charged.credits()),
        Cell::number(charged.usd()),
        Cell::number(request.usd_cny.as_str()),
        Cell::number(cny(charged, &request)),
        Cell::maybe(call.duration_ms),
        Cell::maybe(call.first_content_ms),
        Cell::count(call.attempts),
        Cell::text(&request.request_id),
        Cell::text(tags(table, &call.key_id)),
    ]);
    row
}

/// `batch prod`
fn tags(table: &CallTable, key_id: &str) -> String {
    let names = table.tags.get(key_id).map(|tags| tags.names().collect::<Vec<_>>());
    names.unwrap_or_default().join(" ")
}

fn cny(charged: NanoUsd, request: &RequestFacts) -> String {
    let fx = FxRate {
        id: request.fx_id.clone(),
        date: String::new(),
        usd_cny_micro: request.usd_cny_micro,
        source: String::new(),
    };
    display::amount_cny(charged, &fx)
}

/// The address that speaks the dialect.
pub(super) fn route(protocol: &str) -> &'static str {
    match protocol {
        "anthropic" => "/v1/messages",
        "openai-chat" => "/v1/chat/completions",
        _ => "",
    }
}
