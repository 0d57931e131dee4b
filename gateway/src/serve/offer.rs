//! The client's request, put in the terms of whichever channel is tried.

use std::sync::Arc;

use bytespike_accounts::keys::Caller;
use bytespike_dialects::{AnswerContext, ClientRequest, Dialect, Quirks, Seal, Target, Warning, request};
use http::{HeaderMap, HeaderName};
use tokio::time::Instant;

use super::attempt::Outgoing;
use super::hold::Taken;
use super::plan::Route;
use super::tries::Tried;
use crate::Gateway;
use crate::http::Inbound;

/// Headers of the Anthropic dialect that its provider must see unchanged.
const FORWARDED: [HeaderName; 2] =
    [HeaderName::from_static("anthropic-version"), HeaderName::from_static("anthropic-beta")];

/// What every try of a call shares.
pub struct Offer {
    pub request: Arc<ClientRequest>,
    /// When a stream's status line has to be sent at the latest.
    pub status_at: Instant,
    max_output_tokens: u32,
    estimated_input_tokens: u64,
    strict: bool,
    seal: Seal,
    seed: [u8; 16],
    created_at_s: i64,
    forwarded: HeaderMap,
}

impl Offer {
    #[must_use]
    pub fn new(
        gateway: &Gateway,
        inbound: &Inbound,
        caller: &Caller,
        request: Arc<ClientRequest>,
        taken: &Taken,
    ) -> Self {
        Self {
            request,
            status_at: inbound.accepted + gateway.options.status_wait,
            max_output_tokens: taken.max_output_tokens,
            estimated_input_tokens: taken.estimate.bounds.input_tokens,
            strict: caller.strict,
            seal: gateway.seal_for(&caller.org_id),
            seed: gateway.world.bytes(),
            created_at_s: inbound.accepted_at_ms / 1_000,
            forwarded: forwarded(inbound),
        }
    }

    /// The request for one route, and what reading its answer needs to know.
    ///
    /// # Errors
    /// When the request cannot be put in that provider's terms.
    pub fn to(&self, route: &Route) -> Result<(Outgoing, AnswerContext, Vec<Warning>), Tried> {
        let channel = &route.channel;
        let quirks = Quirks::of(&channel.provider, &route.upstream_model);
        let family = quirks.family.to_owned();
        let target = Target {
            dialect: channel.dialect,
            upstream_model: route.upstream_model.clone(),
            max_output_tokens: Some(self.max_output_tokens),
            quirks,
            strict: self.strict,
            seal: Some(self.seal.clone()),
        };
        let upstream =
            request::for_upstream(&self.request, &target).map_err(|error| Tried::Refused(error.0))?;
        let native = channel.dialect == Dialect::Anthropic;
        let outgoing = Outgoing {
            route: route.clone(),
            path: upstream.path,
            body: upstream.body,
            forwarded: if native { self.forwarded.clone() } else { HeaderMap::new() },
            streamed: self.request.stream,
        };
        let context = AnswerContext {
            model: self.request.model.clone(),
            wants_usage: self.request.wants_usage,
            thinking_requested: self.request.thinking_requested,
            thinking_hidden: self.request.thinking_hidden,
            estimated_input_tokens: self.estimated_input_tokens,
            created_at_s: self.created_at_s,
            seed: self.seed,
            family,
            seal: Some(self.seal.clone()),
            tool_names: upstream.tool_names,
        };
        Ok((outgoing, context, upstream.warnings))
    }
}

/// The version is required upstream, whether or not the client speaks that dialect.
fn forwarded(inbound: &Inbound) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if inbound.dialect == Dialect::Anthropic {
        for name in &FORWARDED {
            // Letters outside ASCII have no agreed meaning in a header; a value with one is left out.
            for value in inbound.headers.get_all(name).iter().filter(|value| value.to_str().is_ok()) {
                headers.append(name, value.clone());
            }
        }
    }
    headers.entry("anthropic-version").or_insert(http::HeaderValue::from_static("2023-06-01"));
    headers
}
