//! What channels pay, as operators wrote it down, worked out once for each model of a price book.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use bytespike_catalog::check::ChannelCost;
use bytespike_catalog::cost::at_cost;
use bytespike_catalog::price::ListPrice;
use bytespike_catalog::{PriceBook, PricedModel};

/// A few versions of every model on every channel; beyond that, it begins anew.
const MOST_KEPT: usize = 4_096;

/// The costs of this process, swapped whole when an operator changes them.
#[derive(Default)]
pub struct Costs(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    rows: Vec<ChannelCost>,
    /// By price book version, channel and slug.
    models: HashMap<(i64, String, String), Arc<PricedModel>>,
}

impl Costs {
    /// Uses these from now on.
    pub fn replace(&self, rows: Vec<ChannelCost>) {
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *inner = Inner { rows, models: HashMap::new() };
    }

    /// The model at what the channel pays. `None` when the book does not know it.
    #[must_use]
    pub fn of(&self, book: &PriceBook, (channel_id, slug): (&str, &str)) -> Option<Arc<PricedModel>> {
        let key = (book.version, channel_id.to_owned(), slug.to_owned());
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner).models.get(&key).cloned();
        if kept.is_some() {
            return kept;
        }
        let model = book.find(slug)?;
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_paid = |cost: &&ChannelCost| cost.channel_id == channel_id && cost.model == model.model.id;
        let paid: Vec<&ListPrice> = inner.rows.iter().filter(is_paid).map(|cost| &cost.row).collect();
        let made = Arc::new(at_cost(model, &paid, &book.content.fx));
        if inner.models.len() >= MOST_KEPT {
            inner.models.clear();
        }
        inner.models.insert(key, made.clone());
        Some(made)
    }
}
