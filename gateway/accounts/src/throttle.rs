//! Slowing down guessing without locking anyone out for good: a few free tries, then growing waits, then a pause
//! until the window ends. An attempt counts before it is made, so that many at once gain nothing.
use crate::Basis;
use crate::secrets::{MacKey, MacPurpose};
use bytespike_store::Store;
use bytespike_store::attempt::{self, AttemptRow};
use bytespike_store::world::World;
use std::net::IpAddr;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const DELAYS_MS: [i64; 4] = [1_000, 3_000, 5_000, 10_000];

/// How many tests of models an org has in the 24 hours after the first.
pub const MODEL_TESTS_A_DAY: i64 = 20;

/// How many tries a window has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Tries without any wait.
    free: i64,
    /// At this many, no more until the window ends.
    most: i64,
    window_ms: i64,
}

impl Rule {
    pub const ACCOUNT: Rule = Rule { free: 5, most: 100, window_ms: HOUR_MS };
    /// An office shares one address, so a network has more free tries than an account.
    pub const NETWORK: Rule = Rule { free: 20, most: 300, window_ms: HOUR_MS };
    /// Sign-ups and reset requests from one network: not failures, but they cost a hash or a mail each.
    pub const REQUESTS: Rule = Rule { free: 30, most: 300, window_ms: HOUR_MS };
    /// Mails to one address: a link that does not arrive is asked for again, but nobody is flooded.
    pub const MAIL: Rule = Rule { free: 5, most: 5, window_ms: HOUR_MS };
    /// Wrong device codes from one network: a code has 34 bits, so a few tries gain nothing.
    pub const DEVICE_CODE: Rule = Rule { free: 5, most: 5, window_ms: HOUR_MS / 6 };

    /// Reports of leaked keys from one network. A scanner reports many; guessing a key gains nothing in any number.
    pub const LEAK_REPORTS: Rule = Rule { free: 60, most: 60, window_ms: 60_000 };
    /// Wrong codes of a second factor: a code has six digits, so this many tries gain nothing.
    pub const FACTOR: Rule = Rule { free: 5, most: 5, window_ms: HOUR_MS / 4 };
    /// Documents of programs that one network makes us fetch.
    pub const DOCUMENTS: Rule = Rule { free: 20, most: 20, window_ms: HOUR_MS / 6 };

    /// Tests of models by one org, which the installation pays for.
    pub const MODEL_TESTS: Rule =
        Rule { free: MODEL_TESTS_A_DAY, most: MODEL_TESTS_A_DAY, window_ms: DAY_MS };

    /// Voucher codes typed by one org, and from one network. A code has 100 bits, so this is for who types, not against who guesses.
    pub const VOUCHERS: Rule = Rule { free: 10, most: 10, window_ms: HOUR_MS };
    pub const VOUCHERS_FROM: Rule = Rule { free: 30, most: 30, window_ms: HOUR_MS };

    /// Challenges for passkeys that one network asks for: a row each.
    pub const PASSKEYS: Rule = Rule { free: 60, most: 600, window_ms: HOUR_MS };
    /// Copies of one account's data: each reads all of it.
    pub const EXPORTS: Rule = Rule { free: 5, most: 5, window_ms: DAY_MS };

    /// The counter after one more attempt, or `None` when it has to wait.
    fn next(self, before: AttemptRow, now_ms: i64) -> Option<AttemptRow> {
        let fresh = AttemptRow { failures: 0, next_try_at_ms: 0, window_ends_at_ms: now_ms + self.window_ms };
        let current = if before.window_ends_at_ms <= now_ms { fresh } else { before };
        if current.next_try_at_ms > now_ms {
            return None;
        }
        let failures = current.failures + 1;
        let next_try_at_ms = match failures {
            n if n >= self.most => current.window_ends_at_ms,
            n if n < self.free => 0,
            n => now_ms + self.delay_ms(n - self.free),
        };
        Some(AttemptRow { failures, next_try_at_ms, ..current })
    }

    fn delay_ms(self, step: i64) -> i64 {
        let last = DELAYS_MS[DELAYS_MS.len() - 1];
        usize::try_from(step).ok().and_then(|step| DELAYS_MS.get(step).copied()).unwrap_or(last)
    }
}

/// Whose attempts are counted together. Stored as an HMAC: the table tells nobody which addresses were tried.
#[derive(Clone, Debug)]
pub(crate) struct Subject(String);

#[derive(Clone)]
pub(crate) struct Throttle {
    store: Store,
    world: World,
    key: MacKey,
}

impl Throttle {
    pub fn new(basis: &Basis<'_>) -> Self {
        let key = basis.keyring.mac(MacPurpose::Attempt);
        Self { store: basis.store.clone(), world: basis.world.clone(), key }
    }

    pub fn account(&self, email_key: &str) -> Subject {
        self.subject("account", email_key)
    }

    /// Operators are counted apart from people: an address may be both.
    pub fn operator(&self, email_key: &str) -> Subject {
        self.subject("operator", email_key)
    }

    pub fn mail_to(&self, email_key: &str) -> Subject {
        self.subject("mail", email_key)
    }

    /// Failed sign-ins from one network.
    pub fn network(&self, ip: IpAddr) -> Subject {
        self.subject("network", &network_of(ip))
    }

    /// Sign-ups and reset requests from one network.
    pub fn requests_from(&self, ip: IpAddr) -> Subject {
        self.subject("requests", &network_of(ip))
    }

    /// Wrong codes for one person's or operator's second factor.
    pub fn factor_of(&self, subject_id: &str) -> Subject {
        self.subject("factor", subject_id)
    }

    pub fn model_tests_of(&self, org_id: &str) -> Subject {
        self.subject("model-test", org_id)
    }

    /// Voucher codes that one org typed.
    pub fn vouchers_of(&self, org_id: &str) -> Subject {
        self.subject("voucher", org_id)
    }

    /// Voucher codes typed from one network.
    pub fn vouchers_from(&self, ip: IpAddr) -> Subject {
        self.subject("voucher-from", &network_of(ip))
    }

    /// Device codes typed from one network.
    pub fn device_codes_from(&self, ip: IpAddr) -> Subject {
        self.subject("device", &network_of(ip))
    }

    /// Reports of leaked keys from one network.
    pub fn leaks_from(&self, ip: IpAddr) -> Subject {
        self.subject("leak", &network_of(ip))
    }

    /// Documents of programs that one network makes us fetch.
    pub fn documents_for(&self, ip: IpAddr) -> Subject {
        self.subject("document", &network_of(ip))
    }

    /// Challenges for passkeys that one network asks for.
    pub fn passkeys_from(&self, ip: IpAddr) -> Subject {
        self.subject("passkey", &network_of(ip))
    }

    /// Copies of their data that one person asks for.
    pub fn exports_of(&self, person_id: &str) -> Subject {
        self.subject("export", person_id)
    }

    /// Counts one attempt; false means it has to wait and is not counted.
    pub async fn allows(&self, subject: &Subject, rule: Rule) -> sqlx::Result<bool> {
        let now_ms = self.world.now_ms();
        Ok(attempt::advance(&self.store, &subject.0, |before| rule.next(before, now_ms)).await?.is_some())
    }

    /// The attempt just counted was not a failure.
    pub async fn take_back(&self, subject: &Subject) -> sqlx::Result<()> {
        attempt::take_back(&self.store, &subject.0).await
    }

    pub async fn clear(&self, subject: &Subject) -> sqlx::Result<()> {
        attempt::clear(&self.store, &subject.0).await
    }

    fn subject(&self, kind: &str, value: &str) -> Subject {
        Subject(format!("{kind}:{}", self.key.mac_hex(format!("{kind}!{value}").as_bytes())))
    }
}

/// One IPv4 address, or one IPv6 /64, which is what a single customer of a network gets.
fn network_of(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => hex::encode(&v6.octets()[..8]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: AttemptRow = AttemptRow { failures: 0, next_try_at_ms: 0, window_ends_at_ms: 0 };

    /// Waits before each of the first `count` attempts when every attempt is made as soon as it may be.
    fn waits(rule: Rule, count: usize) -> Vec<i64> {
        let (mut row, mut now_ms, mut waits) = (START, 1_000_000, Vec::new());
        for _ in 0..count {
            let wait = (row.next_try_at_ms - now_ms).max(0);
            if wait > 0 {
                assert!(rule.next(row, now_ms + wait - 1).is_none(), "allowed too early");
            }
            now_ms += wait;
            row = rule.next(row, now_ms).expect("allowed now");
            waits.push(wait);
        }
        waits
    }

    #[test]
    fn s38_five_tries_are_free_and_then_each_waits_longer() {
        assert_eq!(waits(Rule::ACCOUNT, 10), [0, 0, 0, 0, 0, 1_000, 3_000, 5_000, 10_000, 10_000]);
    }

    #[test]
    fn s38_the_hard_stop_ends_with_the_window() {
        let waits = waits(Rule::ACCOUNT, 101);
        let before: i64 = waits[..100].iter().sum();
        assert_eq!(waits[100], HOUR_MS - before);
        assert_eq!(self::waits(Rule::MAIL, 6)[5], HOUR_MS);
    }

    #[test]
    fn after_the_window_everything_is_forgotten() {
        let row = AttemptRow { failures: 99, next_try_at_ms: 5, window_ends_at_ms: 10 };
        assert_eq!(Rule::ACCOUNT.next(row, 10).map(|row| row.failures), Some(1));
    }
}
