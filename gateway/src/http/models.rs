//! `GET /v1/models`: the models this key may call, in one shape that both Anthropic's and OpenAI's SDKs read.

use std::sync::Arc;

use bytespike_accounts::keys::{Caller, Scope};
use bytespike_catalog::Component;
use bytespike_catalog::export::{Badge, ExportedModel};
use bytespike_dialects::{ErrorCode, ErrorInfo};
use serde_json::{Value, json};

use super::{Answer, Inbound, reply, time};
use crate::Gateway;
use crate::channel::Channel;
use crate::prices::Published;
use crate::serve::allowed;
use crate::serve::caller::identify_for;

/// Clients page with `limit`, `after_id` and `before_id`; OpenAI's ask for everything.
const DEFAULT_LIMIT: usize = 1_000;

/// Callable models in the order of their ids. `?include=all` adds those that are listed only, with the reason.
pub async fn list(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let presented = identify_for(gateway, inbound, Scope::Inference).await?;
    let published = gateway.prices.current();
    let all = query(inbound, "include") == Some("all");
    let channels = gateway.channels.current();
    let listed = listed(&published, (&*presented.caller, &channels[..]), all);
    let mut rows: Vec<Value> = listed.map(|model| model_json(model, &published)).collect();
    let more = page(&mut rows, inbound);
    let id = |row: Option<&Value>| row.and_then(|row| row.get("id")).cloned();
    Ok(reply::value(&json!({
        "object": "list",
        "first_id": id(rows.first()),
        "last_id": id(rows.last()),
        "has_more": more,
        "data": rows,
    })))
}

/// One model, callable or not, by its slug or any other name it has.
pub async fn one(gateway: &Gateway, inbound: &Inbound) -> Answer {
    let presented = identify_for(gateway, inbound, Scope::Inference).await?;
    let published = gateway.prices.current();
    let name = inbound.uri.path().rsplit('/').next().unwrap_or_default();
    let found = published.book.find(name).and_then(|model| {
        published.export.models.iter().find(|listed| listed.priced.model.id == model.model.id)
    });
    let model = found.ok_or_else(|| ErrorInfo::new(ErrorCode::ModelNotFound, &[("model", name)]))?;
    let caller = &presented.caller;
    let channels = gateway.channels.current();
    allowed::check(caller, &model.priced.model, &channels).map_err(|why| why.error(caller, name))?;
    Ok(reply::value(&model_json(model, &published)))
}

fn listed<'a>(
    published: &'a Published,
    (caller, channels): (&'a Caller, &'a [Arc<Channel>]),
    all: bool,
) -> impl Iterator<Item = &'a ExportedModel> {
    published.export.models.iter().filter(move |model| {
        (all || model.badge == Badge::Live) && allowed::check(caller, &model.priced.model, channels).is_ok()
    })
}

/// Cuts the rows down to the page asked for and says whether there are more.
fn page(rows: &mut Vec<Value>, inbound: &Inbound) -> bool {
    let position = |id: &str| rows.iter().position(|row| row.get("id").and_then(Value::as_str) == Some(id));
    let after = query(inbound, "after_id").and_then(position).map(|at| at + 1);
    let before = query(inbound, "before_id").and_then(position);
    let limit = query(inbound, "limit")
        .and_then(|text| text.parse().ok())
        .unwrap_or(DEFAULT_LIMIT)
        .clamp(1, DEFAULT_LIMIT);
    if let Some(before) = before {
        rows.truncate(before);
        rows.drain(..rows.len().saturating_sub(limit));
        return before > limit;
    }
    rows.drain(..after.unwrap_or(0));
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}

fn query<'a>(inbound: &'a Inbound, name: &str) -> Option<&'a str> {
    let pairs = inbound.uri.query()?.split('&');
    pairs.filter_map(|pair| pair.split_once('=')).find_map(|(key, value)| (key == name).then_some(value))
}

fn model_json(listed: &ExportedModel, published: &Published) -> Value {
    let (priced, model) = (&listed.priced, &listed.priced.model);
    // A model whose release nobody dated is as old as the price list it came with.
    let since = model.lifecycle.released.as_ref().unwrap_or(&published.book.content.fx.date);
    let created_ms = time::day_ms(since);
    let can = model.capabilities;
    json!({
        "id": model.id,
        "object": "model",
        "type": "model",
        "display_name": model.id,
        "created": created_ms / 1_000,
        "created_at": time::rfc3339(created_ms),
        "owned_by": model.provider,
        "aliases": priced.aliases,
        "max_input_tokens": model.context_window_tokens,
        "max_tokens": model.max_output_tokens,
        "capabilities": {
            "image_input": { "supported": can.vision },
            "thinking": { "supported": can.thinking },
            "tools": { "supported": can.tools },
            "prompt_caching": { "supported": can.caching },
        },
        "callable": listed.badge == Badge::Live,
        "reason": listed.reason,
        "price_version": published.book.version,
        "input_usd_per_m_tokens": quoted(listed, Component::Input),
        "output_usd_per_m_tokens": quoted(listed, Component::Output),
    })
}

fn quoted(listed: &ExportedModel, component: Component) -> Option<String> {
    let prices = &listed.priced.prices;
    let price = prices.iter().find(|price| price.list.component == component)?;
    Some(bytespike_catalog::display::usd(price).trim_start_matches('$').to_owned())
}
