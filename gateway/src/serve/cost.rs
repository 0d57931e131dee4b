//! What a try at a provider costs us, as far as it can be known: at what its channel pays, else at the provider's list
//! price, from the usage it told us or from what it was seen to produce. Nobody is charged by this; it is what failures
//! cost us, and what the provider's own report is compared with.

use bytespike_catalog::{Usage, charge};

use super::call::CallBook;

/// Pico-USD of the current try. `None` when the book does not know the model or cannot price the usage.
#[must_use]
pub fn of_last_attempt(book: &CallBook, usage: &Usage) -> Option<i64> {
    let channel_id = book.attempts.last()?.channel_id.as_str();
    let model = book.gateway.costs.of(&book.plan.book, (channel_id, &book.plan.slug))?;
    let total = charge::total(&model, usage, book.held.held_at_ms).ok()?;
    i64::try_from(total.exact.pico()).ok()
}
