//! What operators change while the gateway runs reaches every process: prices, channels, switches, announcements, and
//! what was learned about estimates. Counters in the database say that something moved; whoever sees one move reads it anew.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytespike_accounts::announcements::Announcement;
use bytespike_gateway::Channel;
use bytespike_gateway::stored_channels::StoredChannels;
use bytespike_store::change_counter::{self, Settings};
use bytespike_store::estimate_ratio;

use crate::Failure;
use crate::announced;
use crate::channels;
use crate::config::Config;
use crate::jobs::Work;

/// A change counts everywhere after this long, and the time it takes to read it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What this process saw of estimates is told this often.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Publications that the price page tells of.
const MOST_REVISIONS: u32 = 24;
/// Calls of a model that are remembered before older ones fade.
const MOST_CALLS: i64 = 100_000;

/// Where the channels come from.
#[derive(Clone)]
pub struct ChannelSources {
    pub config: Arc<Config>,
    pub stored: StoredChannels,
    /// Where the demo provider listens, if it runs.
    pub demo: Option<SocketAddr>,
}

impl ChannelSources {
    /// Those of the configuration, then those of the database, then the demo's. A stored one cannot take the place of
    /// a configured one.
    ///
    /// # Errors
    /// A configured channel that cannot be used, or the database does not answer.
    pub async fn all(&self, book: &bytespike_catalog::PriceBook) -> Result<Vec<Channel>, Failure> {
        let mut all = channels::configured(&self.config, book)?;
        for channel in self.stored.enabled().await? {
            if all.iter().any(|one| one.id == channel.id) {
                tracing::warn!(
                    channel = channel.id,
                    "a configured channel has this id; the stored one is not used"
                );
            } else {
                all.push(channel);
            }
        }
        if let Some(address) = self.demo {
            all.extend(channels::of_demo(address)?);
        }
        Ok(all)
    }
}

/// Looks for ever. What could not be adopted is tried again at the next look.
pub async fn follow(work: Work) {
    // What was read at the start may be older than the first look, so everything is adopted once more.
    let mut seen = Settings { prices: -1, channels: -1, estimates: -1, announcements: -1, switches: -1 };
    let mut announcements = Vec::new();
    let mut due = tokio::time::interval(LOOK_EVERY);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        if let Err(error) = look(&work, (&mut seen, &mut announcements)).await {
            tracing::warn!(%error, "what operators changed could not be read; it is tried again");
        }
        // Their times pass without anything being changed.
        announced::show(&work.board, &announcements, work.core.world.now_ms());
    }
}

async fn look(
    work: &Work,
    (seen, announcements): (&mut Settings, &mut Vec<Announcement>),
) -> Result<(), Failure> {
    let now = change_counter::settings(&work.core.store).await?;
    if now.prices != seen.prices {
        adopt_prices(work).await?;
        tell_history(work).await?;
    }
    // The models of a channel that names none are those of the book.
    if now.prices != seen.prices || now.channels != seen.channels {
        let book = work.gateway.prices.current().book.clone();
        work.gateway.set_channels(work.sources.all(&book).await?)?;
        work.gateway.costs.replace(work.sources.stored.costs().await?);
        show_prices(work);
    }
    if now.estimates != seen.estimates {
        work.gateway.factors.learn(&estimate_ratio::all(&work.core.store).await?);
    }
    if now.announcements != seen.announcements {
        *announcements = work.core.accounts.announcements.not_over().await?;
    }
    if now.switches != seen.switches {
        work.core.accounts.switches.read_again().await?;
    }
    *seen = now;
    Ok(())
}

async fn adopt_prices(work: &Work) -> Result<(), Failure> {
    let current = work.gateway.prices.current().book.version;
    let Some(in_force) = work.core.ledger.prices_in_force().await? else { return Ok(()) };
    if in_force.publication.version != current {
        work.gateway.prices.adopt(in_force.book, work.core.world.now_ms())?;
        tracing::info!(version = in_force.publication.version, "another price book is in force");
    }
    Ok(())
}

/// How prices came to be what they are, for the price page.
async fn tell_history(work: &Work) -> Result<(), Failure> {
    let history = work.core.ledger.price_history(MOST_REVISIONS).await?;
    Ok(work.gateway.prices.tell_history(history, work.core.world.now_ms())?)
}

/// Hands the newest export to the public pages of this process.
pub fn show_prices(work: &Work) {
    work.exports.send_replace(Some(Arc::new(work.gateway.prices.current().export.clone())));
}

/// Tells the database what this process saw of estimates, for ever.
pub async fn tell_estimates(work: Work) {
    let mut due = tokio::time::interval(TELL_EVERY);
    loop {
        due.tick().await;
        let fresh = work.gateway.factors.take();
        if fresh.is_empty() {
            continue;
        }
        if let Err(error) = estimate_ratio::add(&work.core.store, &fresh, MOST_CALLS).await {
            tracing::warn!(%error, "what was learned about estimates in the last minute could not be kept");
        }
    }
}
