//! What the calls of a span would have cost under another price book: their usage, as their receipts keep it, priced by the
//! code that charges. Nothing is changed, and nothing but counts and sums leaves.
use crate::ledger::Ledger;
use bytespike_catalog::{PriceBook, Served, Usage, charge};
use bytespike_store::on_database;
use bytespike_store::world::first_id;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Receipts that are read at once.
const PAGE: i64 = 500;

/// Which calls, and when they are taken to have been made.
#[derive(Clone, Copy, Debug)]
pub struct Replayed {
    pub from_ms: i64,
    pub to_ms: i64,
    /// Added to when each was made: for prices that are not in force yet.
    pub shift_ms: i64,
    /// No more than so many, the newest.
    pub most_calls: usize,
}

/// Both sums in nano-USD, each call rounded down. What was set aside for a call does not cap it here: at another price it
/// would have been another amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayedSum {
    pub calls: u64,
    pub before_nano: i64,
    pub after_nano: i64,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    pub models: BTreeMap<String, ReplayedSum>,
    pub all: ReplayedSum,
    /// Calls that one of the books has no price for.
    pub unpriced: u64,
    /// There were more calls in the span than were looked at.
    pub is_cut: bool,
}

/// What of a receipt a price needs.
#[derive(Deserialize)]
struct Receipt {
    model: Model,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Model {
    requested: String,
    served: Option<String>,
}

impl Ledger {
    /// Prices the calls of a span by both books.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn replay(
        &self,
        (before, after): (&PriceBook, &PriceBook),
        which: Replayed,
    ) -> sqlx::Result<Replay> {
        let mut replay = Replay::default();
        // Ids sort by time, so the primary key finds them.
        let (from, mut last) = (first_id("rcp", which.from_ms), first_id("rcp", which.to_ms));
        let mut seen = 0;
        loop {
            let page = self.settled_before((&from, &last)).await?;
            let Some((id, ..)) = page.last() else { return Ok(replay) };
            last.clone_from(id);
            for (_, at_ms, body) in &page {
                if seen == which.most_calls {
                    replay.is_cut = true;
                    return Ok(replay);
                }
                seen += 1;
                replay.add((before, after), (body, at_ms.saturating_add(which.shift_ms)));
            }
            tokio::task::yield_now().await;
        }
    }

    /// The newest first, with when they were made.
    async fn settled_before(&self, (from, before): (&str, &str)) -> sqlx::Result<Vec<(String, i64, String)>> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select c.id, r.held_at_ms, c.body_json from receipt c join reservation r on r.id = c.id
             where c.id >= $1 and c.id < $2 and c.settled order by c.id desc limit $3")
            .bind(from).bind(before).bind(PAGE).fetch_all(db).await)
    }
}

impl Replay {
    fn add(&mut self, (before, after): (&PriceBook, &PriceBook), (body, held_at_ms): (&str, i64)) {
        let Ok(receipt) = serde_json::from_str::<Receipt>(body) else { return self.unpriced += 1 };
        let requested = receipt.model.requested.as_str();
        let served = receipt.model.served.as_deref().unwrap_or(requested);
        let Some(usage) = receipt.usage else { return self.unpriced += 1 };
        let call = Served { requested, served, held_at_ms };
        let cost = |book: &PriceBook| charge(book, &usage, call).map(|charge| charge.nano.0);
        let (Ok(before), Ok(after)) = (cost(before), cost(after)) else { return self.unpriced += 1 };
        for sum in [self.models.entry(requested.to_owned()).or_default(), &mut self.all] {
            sum.calls += 1;
            sum.before_nano = sum.before_nano.saturating_add(before);
            sum.after_nano = sum.after_nano.saturating_add(after);
        }
    }
}
