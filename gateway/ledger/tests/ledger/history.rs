//! Random lives of two orgs over several months, and what a reader of the bare rows would add up. Independent of the
//! code under test: it reads `reservation` and `journal_entry` alone.
use crate::support::START_MS;
use bytespike_catalog::money::{Exact, NanoUsd};
use bytespike_catalog::{Charge, Usage};
use bytespike_ledger::{
    Attempt, BookingError, Credit, CreditKind, Debit, Held, HoldRequest, Ledger, Payer, Reason, Release,
    RequestFacts, Settlement, UsageSource,
};
use bytespike_store::world::{ManualClock, World};
use bytespike_store::{Store, on_database, sqlx};
use std::sync::Arc;

pub const ORGS: [&str; 2] = ["org_a", "org_b"];
const HOUR_MS: i64 = 3_600_000;

/// How many steps make a history: a few by default, many in the long run.
#[expect(clippy::disallowed_methods, reason = "how long a test runs is set from outside")]
pub fn steps(default: usize) -> usize {
    let operations = std::env::var("BYTESPIKE_TEST_OPS").ok().map(|text| text.parse().expect("a number"));
    operations.map_or(default, |operations: usize| default.max(operations / 100))
}

pub struct History {
    pub ledger: Ledger,
    pub store: Store,
    pub world: World,
    pub clock: Arc<ManualClock>,
    held: Vec<(Held, &'static str)>,
    credits: usize,
}

/// A call as its row says.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Bare {
    pub state: String,
    pub model_requested: String,
    pub key_id: String,
    pub key_path: String,
    pub member_id: String,
    pub deployment_id: String,
    pub held_nano: i64,
    pub charged_nano: i64,
    pub output_tokens: i64,
    pub resolved_at_ms: i64,
}

impl History {
    pub async fn begin(store: Store, seed: u64, zones: [&str; 2]) -> Self {
        let (world, clock) = World::manual(START_MS, seed);
        let ledger = Ledger::open(store.clone(), world.clone()).await.expect("a ledger");
        for (org_id, zone) in ORGS.into_iter().zip(zones) {
            ledger.open_wallet(org_id, zone).await.expect("a wallet");
        }
        let mut history = Self { ledger, store, world, clock, held: Vec::new(), credits: 0 };
        for org_id in ORGS {
            history.credit(org_id, 1_000_000, CreditKind::TopUp, None).await;
        }
        history
    }

    /// A number below `end`.
    pub fn dice(&self, end: u64) -> u64 {
        u64::from_le_bytes(self.world.bytes()) % end
    }

    pub fn small(&self, end: u64) -> i64 {
        i64::try_from(self.dice(end)).expect("small")
    }

    /// Something happens, `steps` times; time passes in between, up to `most_hours` each.
    pub async fn live(&mut self, steps: usize, most_hours: u64) {
        for _ in 0..steps {
            self.clock
                .advance(self.small(most_hours.saturating_mul(4).max(1)) * HOUR_MS / 4 + self.small(60_000));
            let org_id = ORGS[usize::try_from(self.dice(2)).expect("0 or 1")];
            match self.dice(13) {
                0..=4 => self.hold(org_id).await,
                5..=8 => self.end().await,
                9 => {
                    let lapses = self.world.now_ms() + self.small(900) * HOUR_MS;
                    self.credit(org_id, 500 + self.small(2_000), CreditKind::Grant, Some(lapses)).await;
                }
                10 => self.credit(org_id, 500 + self.small(2_000), CreditKind::TopUp, None).await,
                11 => self.debit(org_id, self.small(800) + 1).await,
                _ => drop(self.ledger.tick().await.expect("ticks")),
            }
            if self.dice(9) == 0 {
                self.ledger.roll_up().await.expect("adds");
            }
        }
    }

    pub async fn credit(&mut self, org_id: &str, nano: i64, kind: CreditKind, expires_at_ms: Option<i64>) {
        self.credits += 1;
        let credit = Credit {
            org_id: org_id.to_owned(),
            amount: NanoUsd(nano),
            kind,
            idempotency_key: self.credits.to_string(),
            note: "for the test".to_owned(),
            expires_at_ms,
        };
        self.ledger.credit(credit).await.expect("is booked");
    }

    /// Takes credit of either kind, if there is so much of it.
    async fn debit(&mut self, org_id: &str, nano: i64) {
        self.credits += 1;
        let debit = Debit {
            org_id: org_id.to_owned(),
            amount: NanoUsd(nano),
            kind: if self.dice(2) == 0 { CreditKind::TopUp } else { CreditKind::Grant },
            idempotency_key: self.credits.to_string(),
            note: "for the test".to_owned(),
        };
        match self.ledger.debit(debit, None).await {
            Ok(_) | Err(BookingError::NotEnough { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }

    pub async fn hold(&mut self, org_id: &'static str) {
        let key = self.dice(4);
        let request = HoldRequest {
            reservation_id: self.world.id("rcp"),
            payer: payer(org_id, key),
            amount: NanoUsd(self.small(900)),
            price_version: 1,
            model_requested: format!("model-{}", self.dice(3)),
            facts: RequestFacts { protocol: "anthropic".to_owned(), ..RequestFacts::default() },
        };
        if let Ok(held) = self.ledger.hold(request).await {
            self.held.push((held, org_id));
        }
    }

    /// Some running call settles, fails, or is left alone for good.
    pub async fn end(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let at = usize::try_from(self.dice(self.held.len() as u64)).expect("an index");
        let (held, org_id) = self.held.swap_remove(at);
        // A hold that was left alone long enough has expired, and then nothing can be changed.
        match self.dice(5) {
            0 => drop(self.ledger.release(release(&held, org_id)).await),
            1 => {}
            _ => {
                let settlement = settlement(&held, org_id, (self.small(1_000), self.dice(50)));
                drop(self.ledger.settle(settlement).await);
            }
        }
    }

    pub fn take_held(&mut self) -> Option<(Held, &'static str)> {
        self.held.pop()
    }

    /// Every resolved call of the org.
    pub async fn bare(&self, org_id: &str) -> Vec<Bare> {
        on_database!(read &self.store, db => sqlx::query_as(
            "select state, model_requested, key_id, key_path, member_id, deployment_id, held_nano, charged_nano,
                    output_tokens, resolved_at_ms
             from reservation where org_id = $1 and state <> 'held'")
            .bind(org_id).fetch_all(db).await)
        .expect("reads")
    }
}

/// Four keys: one below another, and two of their own in other places.
fn payer(org_id: &str, key: u64) -> Payer {
    let path: &[&str] =
        [&["root"][..], &["root", "leaf"], &["other"], &["third"]][usize::try_from(key).expect("small")];
    Payer {
        org_id: org_id.to_owned(),
        deployment_id: format!("dep_{}", key / 2),
        member_id: format!("mem_{}", key % 3 / 2),
        key_path: path.iter().map(|id| format!("key_{id}")).collect(),
    }
}

pub fn settlement(held: &Held, org_id: &str, (nano, output_tokens): (i64, u64)) -> Settlement {
    Settlement {
        reservation_id: held.reservation_id.clone(),
        org_id: org_id.to_owned(),
        charge: Charge {
            nano: NanoUsd(nano),
            exact: Exact::ZERO,
            priced_as: "m".to_owned(),
            lines: Vec::new(),
        },
        usage: Usage { input_tokens: 7, output_tokens, ..Usage::default() },
        usage_source: UsageSource::Provider,
        reason: "stop".to_owned(),
        attempts: vec![Attempt { landed: true, outcome: "ok".to_owned(), ..Attempt::default() }],
    }
}

fn release(held: &Held, org_id: &str) -> Release {
    Release {
        reservation_id: held.reservation_id.clone(),
        org_id: org_id.to_owned(),
        reason: Reason::UpstreamError,
        attempts: Vec::new(),
    }
}
