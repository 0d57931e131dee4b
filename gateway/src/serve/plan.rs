//! From the model a client named to the channels that may answer, best first. One public price, whatever the route.

use std::sync::Arc;

use bytespike_accounts::keys::Caller;
use bytespike_catalog::{PriceBook, PricedModel, Unavailable};
use bytespike_dialects::{ClientRequest, Dialect, ErrorCode, ErrorInfo};
use sha2::{Digest, Sha256};

use super::allowed;
use crate::Gateway;
use crate::channel::{Channel, Credential};

/// The model of a call, its price book, and the routes to it.
#[derive(Clone)]
pub struct Plan {
    pub book: Arc<PriceBook>,
    /// The model's slug, whichever alias the client wrote.
    pub slug: String,
    pub routes: Vec<Route>,
}

impl Plan {
    /// The model with its prices. Always there: the slug came from this book.
    #[must_use]
    pub fn model(&self) -> Option<&PricedModel> {
        self.book.find(&self.slug)
    }
}

/// One way to the model: a channel and the credential this conversation uses there.
#[derive(Clone)]
pub struct Route {
    pub channel: Arc<Channel>,
    pub credential: Credential,
    /// What the provider calls the model.
    pub upstream_model: String,
}

/// What ties a call to others of its conversation.
pub struct Session([u8; 32]);

impl Session {
    /// The first of: Claude Code's session header, the cache key, the user id, the opening of the conversation.
    #[must_use]
    pub fn of(request: &ClientRequest, header: Option<&str>) -> Self {
        let hint = &request.session;
        let named = header.or(hint.prompt_cache_key.as_deref()).or(hint.user_id.as_deref());
        Self(named.map_or(hint.opening_sha256, |name| Sha256::digest(name).into()))
    }

    /// Rendezvous hashing: the same session ranks the same name the same way, wherever it is computed.
    fn rank(&self, name: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.0).chain_update(name).finalize().into()
    }
}

/// The model the request names, if this caller may use it and its price is complete.
///
/// # Errors
/// Unknown, not allowed to the key, or listed but not callable.
pub fn find_model<'a>(
    (book, channels): (&'a PriceBook, &[Arc<Channel>]),
    caller: &Caller,
    name: &str,
    now_ms: i64,
) -> Result<&'a PricedModel, Box<ErrorInfo>> {
    let unknown =
        || Box::new(ErrorInfo::new(ErrorCode::ModelNotFound, &[("model", name)]).with_param("model"));
    let model = book.find(name).ok_or_else(unknown)?;
    allowed::check(caller, &model.model, channels).map_err(|why| Box::new(why.error(caller, name)))?;
    model.sellable(now_ms).map_err(|why| Box::new(not_callable(name, &why)))?;
    Ok(model)
}

/// The channels that carry the model and may answer the caller, healthy ones first, the client's own dialect first among equals.
///
/// # Errors
/// When no channel carries it.
pub fn routes(
    (gateway, caller): (&Gateway, &Caller),
    model: &PricedModel,
    dialect: Dialect,
    session: &Session,
) -> Result<Vec<Route>, Box<ErrorInfo>> {
    let slug = model.model.id.as_str();
    let now_ms = gateway.world.now_ms();
    let channels = gateway.channels.current();
    let answering = channels.iter().filter(|channel| allowed::answers(caller, channel));
    let mut routes: Vec<Route> = answering.filter_map(|channel| route(channel, slug, session)).collect();
    if routes.is_empty() {
        return Err(Box::new(not_callable(slug, &Unavailable::NotWired)));
    }
    routes.sort_by_cached_key(|route| {
        let channel = &route.channel;
        let unhealthy = gateway.health.is_open(&channel.id, now_ms);
        (unhealthy, channel.dialect != dialect, session.rank(&channel.id))
    });
    routes.truncate(gateway.options.max_attempts.max(1));
    Ok(routes)
}

fn route(channel: &Arc<Channel>, slug: &str, session: &Session) -> Option<Route> {
    let upstream_model = channel.models.get(slug)?.clone();
    let credential =
        channel.credentials.iter().max_by_key(|credential| session.rank(&credential.name))?.clone();
    Some(Route { channel: channel.clone(), credential, upstream_model })
}

fn not_callable(model: &str, why: &Unavailable) -> ErrorInfo {
    match why {
        Unavailable::NotWired | Unavailable::Superseded => {
            ErrorInfo::new(ErrorCode::ModelNotWired, &[("model", model)])
        }
        Unavailable::Retired => priceless(model, "its provider has retired it."),
        Unavailable::NoOfficialApi => priceless(model, "its provider offers no API for it."),
        Unavailable::PriceUnavailable { component } => {
            priceless(model, &format!("the price of {} is not known.", component.name()))
        }
    }
}

fn priceless(model: &str, reason: &str) -> ErrorInfo {
    ErrorInfo::new(ErrorCode::PriceUnavailable, &[("model", model), ("reason", reason)])
}
