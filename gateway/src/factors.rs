//! How far a model's input is from its estimate: learned from what providers counted, shared through the database.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use arc_swap::ArcSwap;
use bytespike_catalog::estimate::{Factor, RatioBucket};
use bytespike_store::estimate_ratio::RatioRow;

/// Calls of a model from which on its factor is believed; before, and never below it, the floor holds.
const ENOUGH_CALLS: i64 = 200;

/// What is known, and what this process has seen since it last told.
#[derive(Default)]
pub struct Factors {
    learned: ArcSwap<HashMap<String, Learned>>,
    fresh: Mutex<BTreeMap<(String, RatioBucket), i64>>,
}

/// A model's factor and how many calls it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    pub factor: Factor,
    pub calls: i64,
}

impl Factors {
    /// What the estimate of a model is multiplied with.
    #[must_use]
    pub fn of(&self, model: &str) -> Factor {
        self.learned.load().get(model).map_or(Factor::FLOOR, |learned| learned.factor)
    }

    /// A provider counted a call's input; `ratio_micro` is that to the bare estimate.
    pub fn observe(&self, model: &str, ratio_micro: u64) {
        let key = (model.to_owned(), RatioBucket::of(ratio_micro));
        *self.fresh.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
    }

    /// What was observed since this was asked last.
    #[must_use]
    pub fn take(&self) -> Vec<RatioRow> {
        let fresh = std::mem::take(&mut *self.fresh.lock().unwrap_or_else(PoisonError::into_inner));
        let row = |((model, bucket), calls): ((String, RatioBucket), i64)| RatioRow {
            model,
            bucket: bucket.number(),
            calls,
        };
        fresh.into_iter().map(row).collect()
    }

    /// Learns from everything the database knows.
    pub fn learn(&self, rows: &[RatioRow]) {
        self.learned.store(std::sync::Arc::new(learned(rows)));
    }
}

/// Every model with calls enough, by its 99th percentile.
#[must_use]
pub fn learned(rows: &[RatioRow]) -> HashMap<String, Learned> {
    let mut by_model: BTreeMap<&str, BTreeMap<i64, i64>> = BTreeMap::new();
    for row in rows {
        *by_model.entry(&row.model).or_default().entry(row.bucket).or_default() += row.calls;
    }
    let factor = |buckets: &BTreeMap<i64, i64>| {
        let calls: i64 = buckets.values().sum();
        let mut seen = 0;
        let at = buckets.iter().find(|(_, count)| {
            seen += **count;
            i128::from(seen) * 100 >= i128::from(calls) * 99
        });
        let bucket = at.and_then(|(bucket, _)| RatioBucket::numbered(*bucket))?;
        (calls >= ENOUGH_CALLS).then(|| Learned { factor: Factor::learned(bucket.most_micro()), calls })
    };
    by_model.into_iter().filter_map(|(model, buckets)| Some((model.to_owned(), factor(&buckets)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ratios: &[(u64, usize)]) -> Factors {
        let factors = Factors::default();
        for (ratio_micro, calls) in ratios {
            for _ in 0..*calls {
                factors.observe("m", *ratio_micro);
            }
        }
        let rows = factors.take();
        assert!(factors.take().is_empty(), "told once");
        factors.learn(&rows);
        factors
    }

    #[test]
    fn the_99th_percentile_of_enough_calls_is_the_factor() {
        let factors = seen(&[(1_300_000, 195), (2_000_000, 5)]);
        let two = RatioBucket::of(2_000_000).most_micro();
        assert!(two >= 2_000_000, "a bucket stands for its upper end");
        assert_eq!(factors.of("m"), Factor::learned(two), "5 of 200 are more than one in a hundred");
        assert_eq!(factors.of("another"), Factor::FLOOR);
        let rare = seen(&[(1_300_000, 199), (2_000_000, 1)]);
        assert_eq!(rare.of("m"), Factor::learned(RatioBucket::of(1_300_000).most_micro()));
    }

    #[test]
    fn few_calls_and_low_ratios_stay_at_the_floor() {
        assert_eq!(seen(&[(3_000_000, 199)]).of("m"), Factor::FLOOR);
        assert_eq!(seen(&[(500_000, 1_000)]).of("m"), Factor::FLOOR);
        assert!(seen(&[(u64::MAX, 1_000)]).of("m") > Factor::FLOOR, "absurd ratios end in the last bucket");
    }
}
