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

const TWO_TO_THE_32: f64 = 4_294_967_296.0;

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

    /// Weighted rendezvous hashing: the least turn is a channel's as often as its share of the weights says, and a session
    /// changes its channel only to one that has gained weight, or from one that has lost some. The rank becomes a waiting
    /// time at the rate of the weight; with equal weights their order is that of the ranks.
    fn turn(&self, channel_id: &str, weight: u32) -> (u64, [u8; 32]) {
        let rank = self.rank(channel_id);
        let [a, b, c, d, ..] = rank;
        let fraction = f64::from(u32::from_be_bytes([a, b, c, d])) / TWO_TO_THE_32;
        let waits = -(-fraction).ln_1p() / f64::from(weight);
        // The bits of numbers that are not negative are ordered as the numbers are.
        (waits.abs().to_bits(), rank)
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

/// The channels that carry the model and may answer the caller, healthy ones first, the client's own dialect first among
/// equals, and among those each as often as its weight says.
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
        let is_last = channel.weight == 0;
        (unhealthy, is_last, channel.dialect != dialect, session.turn(&channel.id, channel.weight))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten thousand sessions, the same in every run.
    fn sessions() -> impl Iterator<Item = Session> {
        (0..10_000_u32).map(|n| Session(Sha256::digest(n.to_be_bytes()).into()))
    }

    fn first<'a>(session: &Session, channels: &[(&'a str, u32)]) -> &'a str {
        channels.iter().min_by_key(|(id, weight)| session.turn(id, *weight)).expect("some").0
    }

    #[test]
    fn conversations_are_split_as_the_weights_say() {
        let channels = [("a", 1), ("b", 2), ("c", 5)];
        for (id, weight) in channels {
            let count = sessions().filter(|session| first(session, &channels) == id).count();
            let wanted = usize::try_from(weight).expect("small") * 10_000 / 8;
            assert!(count.abs_diff(wanted) < 150, "{id} got {count} of about {wanted}");
        }
    }

    #[test]
    fn a_conversation_moves_only_to_a_channel_that_gained_weight() {
        let (before, after) = ([("a", 1), ("b", 1), ("c", 1)], [("a", 1), ("b", 3), ("c", 1)]);
        let mut moved = 0;
        for session in sessions() {
            let (old, new) = (first(&session, &before), first(&session, &after));
            assert!(old == new || new == "b", "{old} → {new}");
            moved += usize::from(old != new);
        }
        // From a third to three fifths.
        assert!(moved.abs_diff(2_667) < 150, "{moved} moved");
    }

    #[test]
    fn with_equal_weights_the_order_is_that_of_the_ranks_as_it_was_before_there_were_weights() {
        for session in sessions().take(1_000) {
            let by_rank = ["a", "b", "c"].into_iter().min_by_key(|id| session.rank(id)).expect("some");
            assert_eq!(first(&session, &[("a", 7), ("b", 7), ("c", 7)]), by_rank);
        }
    }
}
