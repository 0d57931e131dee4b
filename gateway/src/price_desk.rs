//! Where prices are changed: a draft is made of the catalogue, the configuration and what operators changed since, looked at,
//! compared with what is in force, and put in force if nothing blocks it. Commands and the operators' pages alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytespike_catalog::calendar::Day;
use bytespike_catalog::check::{ChannelCost, Problem, Surroundings, check};
use bytespike_catalog::diff::{Change, diff};
use bytespike_catalog::fx::FxRate;
use bytespike_catalog::overrides::OwnPrice;
use bytespike_catalog::price::Effective;
use bytespike_catalog::{Overrides, PriceBook, decimal};
use bytespike_ledger::{Draft, InForce, Ledger};
use bytespike_store::audit_event::Entry;
use bytespike_store::price_draft::{self, DraftRow};
use bytespike_store::world::World;
use bytespike_store::{Store, sqlx};
use futures_util::future::BoxFuture;

use crate::Channel;
use crate::stored_channels::{StoredChannels, StoredError};

/// What the installation is made of, in words for its operator.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The note of a version that nobody decided: what a start found in the configuration and the catalogue.
pub const AT_A_START: &str = "at a start, from the configuration and the catalogue";

/// Where drafts come from: the part of a price book that is the installation's own.
pub trait Drafts: Send + Sync {
    /// Builds a draft of the catalogue and the configuration with these overrides.
    ///
    /// # Errors
    /// A price that cannot be used, by model.
    fn draft(&self, overrides: Overrides, now_ms: i64) -> Result<Draft, Failure>;

    /// Every channel, wherever it comes from, as it would be with this book.
    fn channels<'a>(&'a self, book: &'a PriceBook) -> BoxFuture<'a, Result<Vec<Channel>, Failure>>;
}

/// Clones share everything.
#[derive(Clone)]
pub struct PriceDesk {
    pub ledger: Ledger,
    pub world: World,
    pub store: Store,
    pub stored: StoredChannels,
    pub drafts: Arc<dyn Drafts>,
}

/// A draft, and everything there is to say about it.
#[derive(Clone)]
pub struct Look {
    pub in_force: Option<InForce>,
    pub draft: Draft,
    /// What it would change about what is in force.
    pub changes: Vec<Change>,
    pub problems: Vec<Problem>,
}

/// Why a draft was not looked at, or not published.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A price that cannot be used; nothing was changed.
    #[error("{0}")]
    Draft(Failure),
    #[error("the price book is not published: {}", blocking(.0))]
    Blocked(Vec<Problem>),
    #[error("the draft is another one by now; look at it again")]
    Changed,
    #[error(transparent)]
    Books(#[from] bytespike_ledger::BooksError),
    #[error(transparent)]
    Channels(#[from] StoredError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What a draft is checked against, as far as it outlives the check.
pub struct Around<'a> {
    pub channels: &'a [Channel],
    pub costs: &'a [ChannelCost],
    pub in_force: Option<&'a InForce>,
    pub now_ms: i64,
}

impl Look {
    /// Whether nothing is published as it stands.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.problems.iter().any(Problem::blocks)
    }

    /// Whether this is what is in force.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        self.in_force.as_ref().is_some_and(|in_force| {
            in_force.book.hash == self.draft.book.hash && in_force.overrides == self.draft.overrides
        })
    }
}

impl PriceDesk {
    /// Looks at the draft with these overrides; without any, with those in force.
    ///
    /// # Errors
    /// A price that cannot be used, or the database does not answer.
    pub async fn look(&self, overrides: Option<Overrides>) -> Result<Look, DeskError> {
        let in_force = self.ledger.prices_in_force().await?;
        let current = in_force.as_ref().map(|in_force| in_force.overrides.clone());
        let overrides = overrides.or(current).unwrap_or_default();
        let now_ms = self.world.now_ms();
        let draft = self.drafts.draft(overrides, now_ms).map_err(DeskError::Draft)?;
        let channels = self.drafts.channels(&draft.book).await.map_err(DeskError::Draft)?;
        let costs = self.stored.costs().await?;
        let around = Around { channels: &channels, costs: &costs, in_force: in_force.as_ref(), now_ms };
        let problems = problems(&draft, &around);
        let changes = in_force.as_ref().map(|in_force| diff(&in_force.book, &draft.book)).unwrap_or_default();
        Ok(Look { in_force, draft, changes, problems })
    }

    /// Puts in force what was looked at, if nothing blocks it, and says so in the audit log.
    ///
    /// # Errors
    /// What blocks it, or the database does not answer.
    pub async fn publish(&self, look: Look, (note, entry): (&str, &Entry)) -> Result<PriceBook, DeskError> {
        if look.is_blocked() {
            return Err(DeskError::Blocked(look.problems));
        }
        let draft = Draft { note: note.to_owned(), ..look.draft };
        Ok(self.ledger.publish_decided(draft, entry).await?)
    }

    /// What was changed and not published yet: the overrides, who changed them last, and when.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn pending(&self) -> Result<Option<(Overrides, DraftRow)>, DeskError> {
        let Some(row) = price_draft::find(&self.store).await? else { return Ok(None) };
        let read = serde_json::from_str(&row.overrides_json);
        let overrides = read.map_err(|error| DeskError::Draft(Box::new(error)))?;
        Ok(Some((overrides, row)))
    }

    /// Looks at what is pending, or at what is in force.
    ///
    /// # Errors
    /// As [`Self::look`].
    pub async fn look_at_pending(&self) -> Result<Look, DeskError> {
        let pending = self.pending().await?;
        self.look(pending.map(|(overrides, _)| overrides)).await
    }

    /// Keeps these overrides as what is pending, once a draft can be made of them.
    ///
    /// # Errors
    /// A price that cannot be used; nothing was changed then.
    pub async fn keep(&self, overrides: &Overrides, (by, entry): (&str, &Entry)) -> Result<(), DeskError> {
        let now_ms = self.world.now_ms();
        self.drafts.draft(overrides.clone(), now_ms).map_err(DeskError::Draft)?;
        let json = serde_json::to_string(overrides).map_err(|error| DeskError::Draft(Box::new(error)))?;
        let row = DraftRow { overrides_json: json, changed_by: by.to_owned(), changed_at_ms: now_ms };
        Ok(price_draft::put(&self.store, &row, entry).await?)
    }

    /// Throws away what is pending. False when nothing was.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn discard(&self, entry: &Entry) -> Result<bool, DeskError> {
        Ok(price_draft::drop_it(&self.store, entry).await?)
    }
}

/// The overrides with a price in the place of every other one of ours for the same model and component.
#[must_use]
pub fn with_price(overrides: &Overrides, price: OwnPrice) -> Overrides {
    let mut changed = without_price(overrides, (&price.model, price.component.name()));
    changed.prices.push(price);
    changed
}

/// Why a price cannot begin on a later day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatedError {
    #[error("the day is today or has passed")]
    NotLater,
    /// The component is priced by tier, by schedule or not at all, so there is no one price that could end the day before.
    #[error("until then there is no single price of ours")]
    NoPrice,
}

/// The overrides with a price that begins on a later day: what is sold until then is ours too and ends the day before, and
/// what was to begin on that day or later is replaced.
///
/// # Errors
/// The day is not in the future, or nothing simple is sold until then.
pub fn with_price_from(
    draft: &Draft,
    price: OwnPrice,
    (from, today): (Day, Day),
) -> Result<Overrides, DatedError> {
    if from <= today {
        return Err(DatedError::NotLater);
    }
    let eve = Day(from.0 - 1);
    let is_same = |own: &OwnPrice| own.model == price.model && own.component == price.component;
    let mut changed = draft.overrides.clone();
    changed.prices.retain(|own| !is_same(own) || own.effective_from.is_none_or(|first| first < from));
    let mut ends_before = false;
    for own in changed.prices.iter_mut().filter(|own| is_same(own)) {
        if own.effective_to.is_none_or(|last| last >= from) {
            own.effective_to = Some(eve);
        }
        ends_before = true;
    }
    if !ends_before {
        let until = listed(&draft.book, &price).ok_or(DatedError::NoPrice)?;
        changed.prices.push(OwnPrice { effective_to: Some(eve), ..until });
    }
    changed.prices.push(OwnPrice { effective_from: Some(from), ..price });
    Ok(changed)
}

/// What the component is sold at now, as a price of ours: only where that is one price for every request at any time.
fn listed(book: &PriceBook, wanted: &OwnPrice) -> Option<OwnPrice> {
    let model = book.find(&wanted.model)?;
    let mut rows = model.prices.iter().filter(|price| price.list.component == wanted.component);
    let (Some(price), None) = (rows.next(), rows.next()) else { return None };
    let list = &price.list;
    let is_plain =
        list.tier == wanted.tier && list.schedule.is_none() && list.effective == Effective::default();
    let (pico, decimals, _) = price.quoted();
    let unit = OwnPrice::usual_unit(wanted.component, Some(list)).to_owned();
    is_plain.then(|| OwnPrice { usd: decimal::format(pico, decimals, 2), unit, ..wanted.clone() })
}

/// The overrides without our prices for a model's component, which is sold at its marked-up list price again.
#[must_use]
pub fn without_price(overrides: &Overrides, (model, component): (&str, &str)) -> Overrides {
    let mut changed = overrides.clone();
    changed.prices.retain(|own| own.model != model || own.component.name() != component);
    changed
}

/// Which channels carry which model.
#[must_use]
pub fn wiring(channels: &[Channel]) -> BTreeMap<String, Vec<String>> {
    let mut wired: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for channel in channels {
        for slug in channel.models.keys() {
            wired.entry(slug.clone()).or_default().push(channel.id.clone());
        }
    }
    wired
}

/// Everything there is to say about a draft.
#[must_use]
pub fn problems(draft: &Draft, around: &Around<'_>) -> Vec<Problem> {
    let wired = wiring(around.channels);
    let surroundings = Surroundings {
        wired: &wired,
        costs: around.costs,
        in_force: around.in_force.map(|in_force| &*in_force.book),
        newest_rate: newest(&draft.observed),
        at_ms: around.now_ms,
    };
    check(&draft.book, &surroundings)
}

/// Refuses a draft with a problem that blocks, and names each.
///
/// # Errors
/// The problems.
pub fn refuse_blocked(problems: &[Problem]) -> Result<(), DeskError> {
    match problems.iter().any(Problem::blocks) {
        true => Err(DeskError::Blocked(problems.to_vec())),
        false => Ok(()),
    }
}

/// The exchange rate of the latest day.
#[must_use]
pub fn newest(rates: &[FxRate]) -> Option<&FxRate> {
    rates.iter().max_by(|a, b| a.date.cmp(&b.date))
}

fn blocking(problems: &[Problem]) -> String {
    let blocking: Vec<String> =
        problems.iter().filter(|problem| problem.blocks()).map(ToString::to_string).collect();
    blocking.join("; ")
}
