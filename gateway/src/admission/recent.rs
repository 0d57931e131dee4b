//! How many requests there were in the last 60 seconds. The memory is fixed, and the count is never too low.

/// The time a rate limit counts over.
pub const SPAN_MS: i64 = 60_000;
const BUCKET_MS: i64 = 1_000;
/// Whole seconds of the span, and the one that is running.
const BUCKETS: usize = 61;
const BUCKETS_S: i64 = 61;

/// Requests by the second they came in. A second's requests count until all of it is more than a minute old.
#[derive(Clone)]
pub struct Recent {
    by_second: [u32; BUCKETS],
    /// The second of the newest request.
    newest: i64,
    total: i64,
}

impl Default for Recent {
    fn default() -> Self {
        Self { by_second: [0; BUCKETS], newest: i64::MIN, total: 0 }
    }
}

impl Recent {
    /// Counts a request. A clock that went back is taken to stand still.
    pub fn count(&mut self, now_ms: i64) {
        let second = second_of(now_ms).max(self.newest);
        let passed = second.saturating_sub(self.newest).min(BUCKETS_S);
        for gone in 0..passed {
            let bucket = &mut self.by_second[slot(second - gone)];
            self.total -= i64::from(std::mem::take(bucket));
        }
        self.newest = second;
        let bucket = &mut self.by_second[slot(second)];
        if let Some(more) = bucket.checked_add(1) {
            *bucket = more;
            self.total += 1;
        }
    }

    /// How long until there were fewer than `most` in the last minute; `None` when there are.
    pub fn wait_ms(&self, most: i64, now_ms: i64) -> Option<i64> {
        if most == 0 {
            return Some(SPAN_MS);
        }
        let now = second_of(now_ms).max(self.newest);
        let oldest = now.saturating_sub(BUCKETS_S - 1);
        let mut left: i64 =
            (oldest..=self.newest).map(|second| i64::from(self.by_second[slot(second)])).sum();
        if left < most {
            return None;
        }
        let mut second = oldest;
        while second <= self.newest {
            left -= i64::from(self.by_second[slot(second)]);
            second += 1;
            if left < most {
                break;
            }
        }
        // The last of those seconds stops counting when the span has passed it.
        let free_at_ms = (second - 1 + BUCKETS_S).saturating_mul(BUCKET_MS);
        Some(free_at_ms.saturating_sub(now_ms).clamp(1, SPAN_MS))
    }

    pub fn is_idle(&self, now_ms: i64) -> bool {
        second_of(now_ms).saturating_sub(self.newest) >= BUCKETS_S
    }
}

fn second_of(now_ms: i64) -> i64 {
    now_ms.div_euclid(BUCKET_MS)
}

fn slot(second: i64) -> usize {
    usize::try_from(second.rem_euclid(BUCKETS_S)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same rule over a list of every request.
    fn exact(times_ms: &[i64], now_ms: i64) -> i64 {
        times_ms.iter().filter(|at| **at > now_ms - SPAN_MS).map(|_| 1).sum()
    }

    #[test]
    fn in_no_minute_there_are_more_than_the_limit_and_waiting_as_told_is_enough() {
        let mut seed = 7_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from((seed >> 33) % below).unwrap()
        };
        for most in [1, 2, 5, 30] {
            let (mut recent, mut times, mut now_ms) = (Recent::default(), Vec::new(), 1_790_000_000_000);
            for _ in 0..2_000 {
                now_ms += random(u64::try_from(120_000 / most).unwrap());
                match recent.wait_ms(most, now_ms) {
                    None => {
                        recent.count(now_ms);
                        times.push(now_ms);
                        assert!(exact(&times, now_ms) <= most, "too many in a minute");
                    }
                    Some(wait_ms) => {
                        assert!((1..=SPAN_MS).contains(&wait_ms));
                        let later = now_ms + wait_ms + BUCKET_MS;
                        assert_eq!(recent.wait_ms(most, later), None, "waiting {wait_ms} ms was not enough");
                        assert!(exact(&times, now_ms - BUCKET_MS) >= most || exact(&times, now_ms) >= most);
                    }
                }
            }
            assert!(times.len() > 100, "something was admitted");
        }
    }

    #[test]
    fn a_clock_that_goes_back_lets_nobody_in_early() {
        let mut recent = Recent::default();
        recent.count(100_000);
        assert!(recent.wait_ms(1, 50_000).is_some());
        recent.count(40_000);
        assert!(recent.wait_ms(2, 100_500).is_some());
        assert_eq!(recent.wait_ms(1, 161_000), None);
    }

    #[test]
    fn a_limit_of_zero_is_never_free() {
        assert_eq!(Recent::default().wait_ms(0, 5), Some(SPAN_MS));
    }
}
