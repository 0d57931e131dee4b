//! What a try at a provider costs us, as far as it can be known: at the provider's list price, from the usage it told us
//! or from what it was seen to produce. Nobody is charged by this; it is what failures cost us, and what the provider's
//! own report is compared with.

use bytespike_catalog::{PriceBook, Usage, charge};

/// Pico-USD. `None` when the book does not know the model or cannot price the usage.
#[must_use]
pub fn at_list(book: &PriceBook, slug: &str, usage: &Usage, held_at_ms: i64) -> Option<i64> {
    let total = charge::total(book.find(slug)?, usage, held_at_ms).ok()?;
    // Our prices are the list's times the markup.
    let list =
        total.exact.pico().checked_mul(1_000_000)?.checked_div(i128::from(book.content.markup.micro()))?;
    i64::try_from(list).ok()
}
