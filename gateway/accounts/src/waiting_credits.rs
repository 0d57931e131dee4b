//! Credit, debits and vouchers above a threshold wait for another operator. Who asked, operator or program, never confirms; only
//! an operator with a fresh second factor does, and nobody after three days. What is confirmed is owed until the ledger has it;
//! vouchers are made as they are confirmed (`vouchers/waiting.rs`).
use crate::audit::{Actor, Audit, Entry, Event};
use crate::{Basis, Origin};
use bytespike_store::Store;
use bytespike_store::waiting_credit as rows;
pub use bytespike_store::waiting_credit::WaitingCreditRow;
use bytespike_store::world::World;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// So long it waits.
pub const WAITS_MS: i64 = 3 * 24 * 3_600_000;

/// Clones share the threshold.
#[derive(Clone)]
pub struct WaitingCredits {
    store: Store,
    world: World,
    audit: Audit,
    above_nano: Arc<AtomicI64>,
}

/// What somebody wants done.
#[derive(Clone, Copy, Debug)]
pub struct WantedCredit<'a> {
    pub once: &'a str,
    /// None of vouchers.
    pub org_id: Option<&'a str>,
    pub amount_nano: i64,
    /// As [`WaitingCreditRow`] has it.
    pub kind: &'a str,
    pub reason: &'a str,
    pub credit_expires_at_ms: Option<i64>,
    /// What the vouchers are to be.
    pub vouchers_json: Option<&'a str>,
}

/// What became of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It waits; also when the same was asked for before and still waits.
    Waits(WaitingCreditRow),
    /// The same was asked for before, and is decided or over.
    Decided(WaitingCreditRow),
    /// This `once` asked for something else.
    Mismatch,
}

/// Why an operator did not confirm it.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmCreditError {
    #[error("whoever asked for it cannot confirm it")]
    Own,
    #[error("it does not wait any more")]
    Over,
    /// Of vouchers.
    #[error("it would have expired before it is made")]
    Past,
    #[error("it cannot be confirmed right now: {0}")]
    Unavailable(#[from] sqlx::Error),
}

impl WaitingCredits {
    pub(crate) fn new(basis: &Basis<'_>, audit: Audit) -> Self {
        let (store, world) = (basis.store.clone(), basis.world.clone());
        Self { store, world, audit, above_nano: Arc::new(AtomicI64::new(0)) }
    }

    /// Credit above this many nano-USD waits; with 0 none does.
    pub fn configure(&self, above_nano: i64) {
        self.above_nano.store(above_nano, Ordering::Relaxed);
    }

    /// The threshold in nano-USD, if there is one.
    #[must_use]
    pub fn above_nano(&self) -> Option<i64> {
        Some(self.above_nano.load(Ordering::Relaxed)).filter(|above| *above > 0)
    }

    /// Whether credit of so many nano-USD needs a second operator.
    #[must_use]
    pub fn is_above(&self, amount_nano: i64) -> bool {
        self.above_nano().is_some_and(|above| amount_nano > above)
    }

    /// Puts it aside for another operator, once for each `once`.
    pub async fn ask(
        &self,
        (origin, actor): (&Origin, Actor<'_>),
        wanted: WantedCredit<'_>,
    ) -> sqlx::Result<Asked> {
        let now_ms = self.world.now_ms();
        let row = WaitingCreditRow {
            id: self.world.id("wcr"),
            once: wanted.once.to_owned(),
            org_id: wanted.org_id.map(str::to_owned),
            amount_nano: wanted.amount_nano,
            kind: wanted.kind.to_owned(),
            reason: wanted.reason.to_owned(),
            credit_expires_at_ms: wanted.credit_expires_at_ms,
            vouchers_json: wanted.vouchers_json.map(str::to_owned),
            asked_by: actor.to_string(),
            asked_at_ms: now_ms,
            waits_until_ms: now_ms + WAITS_MS,
            state: "waiting".to_owned(),
            decided_by: None,
            decided_at_ms: None,
            booked_at_ms: None,
        };
        let said = json!({ "amount_nano": row.amount_nano, "kind": row.kind, "reason": row.reason });
        let event = Event::new("credit.asked", actor).target(&row.id).detail(said);
        let mut entry = self.audit.entry(origin, event);
        entry.row.org_id.clone_from(&row.org_id);
        if rows::insert(&self.store, &row, &entry).await? {
            return Ok(Asked::Waits(row));
        }
        match self.asked_before(&wanted).await? {
            Some(asked) => Ok(asked),
            None => Err(sqlx::Error::RowNotFound),
        }
    }

    /// What became of this `once`, if it was asked for.
    pub async fn asked_before(&self, wanted: &WantedCredit<'_>) -> sqlx::Result<Option<Asked>> {
        let Some(row) = rows::by_once(&self.store, wanted.once).await? else { return Ok(None) };
        let is_same = row.org_id.as_deref() == wanted.org_id
            && row.amount_nano == wanted.amount_nano
            && row.kind == wanted.kind;
        let waits = row.state == "waiting" && row.waits_until_ms > self.world.now_ms();
        Ok(Some(match (is_same, waits) {
            (false, _) => Asked::Mismatch,
            (true, true) => Asked::Waits(row),
            (true, false) => Asked::Decided(row),
        }))
    }

    /// Those that can still be decided, the oldest first.
    pub async fn waiting(&self, limit: u32) -> sqlx::Result<Vec<WaitingCreditRow>> {
        rows::waiting(&self.store, self.world.now_ms(), limit).await
    }

    /// Those that were decided, or not in time; the newest first.
    pub async fn over(&self, limit: u32) -> sqlx::Result<Vec<WaitingCreditRow>> {
        rows::over(&self.store, self.world.now_ms(), limit).await
    }

    pub async fn find(&self, id: &str) -> sqlx::Result<Option<WaitingCreditRow>> {
        rows::find(&self.store, id).await
    }

    /// Confirms credit or a debit. Of any number at once one does, and it is owed from here on.
    pub async fn confirm(
        &self,
        by: (&Origin, &str),
        id: &str,
    ) -> Result<WaitingCreditRow, ConfirmCreditError> {
        let decided = (id, by.1, self.world.now_ms());
        match rows::confirm(&self.store, decided, &self.confirmed(by)).await? {
            Some(row) => Ok(row),
            None => Err(self.why_not(by.1, id).await?),
        }
    }

    /// The event of a confirmation.
    pub(crate) fn confirmed(&self, (origin, operator_id): (&Origin, &str)) -> Entry {
        self.audit.entry(origin, Event::new("credit.confirmed", Actor::Operator(operator_id)))
    }

    /// Why this operator did not confirm it.
    pub(crate) async fn why_not(&self, operator_id: &str, id: &str) -> sqlx::Result<ConfirmCreditError> {
        let own = Actor::Operator(operator_id).to_string();
        let is_own = self.find(id).await?.is_some_and(|row| row.state == "waiting" && row.asked_by == own);
        Ok(if is_own { ConfirmCreditError::Own } else { ConfirmCreditError::Over })
    }

    /// What was confirmed cannot be done, because there is not enough left to be taken. It is not tried again.
    pub async fn fail(&self, (origin, actor): (&Origin, Actor<'_>), id: &str) -> sqlx::Result<bool> {
        rows::fail(&self.store, id, &self.audit.entry(origin, Event::new("credit.failed", actor))).await
    }

    /// Refuses it; whoever asked takes it back so. False when it does not wait any more.
    pub async fn refuse(&self, (origin, operator_id): (&Origin, &str), id: &str) -> sqlx::Result<bool> {
        let entry = self.audit.entry(origin, Event::new("credit.refused", Actor::Operator(operator_id)));
        rows::refuse(&self.store, (id, operator_id, self.world.now_ms()), &entry).await
    }

    /// Confirmed, and not in the ledger yet.
    pub async fn owed(&self, limit: u32) -> sqlx::Result<Vec<WaitingCreditRow>> {
        rows::owed(&self.store, limit).await
    }

    /// The ledger has it.
    pub async fn booked(&self, id: &str) -> sqlx::Result<()> {
        rows::booked(&self.store, (id, self.world.now_ms())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, on_each, origin};
    use bytespike_store::{on_database, sqlx};

    async fn wallet(bench: &Bench) -> String {
        let member = bench.owner("ada@example.com").await;
        let org_id = member.org_id().to_owned();
        let sql = "insert into wallet (org_id, created_at_ms) values ($1, 0) on conflict do nothing";
        on_database!(&bench.store, db => sqlx::query(sql).bind(&org_id).execute(db).await.map(drop))
            .expect("a wallet");
        org_id
    }

    fn wanted<'a>(org_id: &'a str, once: &'a str) -> WantedCredit<'a> {
        WantedCredit {
            once,
            org_id: Some(org_id),
            amount_nano: 5_000,
            kind: "grant",
            reason: "why",
            credit_expires_at_ms: None,
            vouchers_json: None,
        }
    }

    #[tokio::test]
    async fn s112_of_many_confirmations_at_once_one_counts_and_never_that_of_who_asked() {
        on_each(async |bench| {
            let org_id = wallet(&bench).await;
            let credits = &bench.accounts.waiting_credits;
            let by = origin();
            let asked =
                credits.ask((&by, Actor::Operator("opr_1")), wanted(&org_id, "a")).await.expect("asked");
            let Asked::Waits(row) = asked else { panic!("it waits: {asked:?}") };
            let again =
                credits.ask((&by, Actor::Operator("opr_2")), wanted(&org_id, "a")).await.expect("asked");
            assert_eq!(
                again,
                Asked::Waits(row.clone()),
                "asking twice is asking once, and it stays the first one's"
            );
            let other = WantedCredit { amount_nano: 6_000, ..wanted(&org_id, "a") };
            assert_eq!(credits.ask((&by, Actor::Host), other).await.expect("asked"), Asked::Mismatch);
            assert!(matches!(credits.confirm((&by, "opr_1"), &row.id).await, Err(ConfirmCreditError::Own)));
            let tries = (0..16).map(|n| {
                let (credits, id, by) = (credits.clone(), row.id.clone(), by.clone());
                tokio::spawn(async move {
                    credits.confirm((&by, &format!("opr_{}", 2 + n % 3)), &id).await.is_ok()
                })
            });
            let done = futures_util::future::join_all(tries.collect::<Vec<_>>()).await;
            assert_eq!(done.into_iter().filter(|one| *one.as_ref().expect("no panic")).count(), 1);
            assert_eq!(credits.owed(9).await.expect("read").len(), 1);
            credits.booked(&row.id).await.expect("noted");
            assert!(credits.owed(9).await.expect("read").is_empty());
            assert!(!credits.refuse((&by, "opr_2"), &row.id).await.expect("asked"), "decided");
            bench.accounts.audit.verify().await.expect("read").expect("the log holds");
        })
        .await;
    }

    #[tokio::test]
    async fn s112_what_is_refused_or_three_days_old_is_never_confirmed() {
        on_each(async |bench| {
            let org_id = wallet(&bench).await;
            let credits = &bench.accounts.waiting_credits;
            let by = origin();
            let mut ids = Vec::new();
            for once in ["a", "b"] {
                let asked = credits
                    .ask((&by, Actor::OperatorToken("tok")), wanted(&org_id, once))
                    .await
                    .expect("asked");
                let Asked::Waits(row) = asked else { panic!("it waits") };
                ids.push(row.id);
            }
            assert!(credits.refuse((&by, "opr_1"), &ids[0]).await.expect("refused"));
            bench.clock.advance(WAITS_MS);
            for id in &ids {
                assert!(matches!(credits.confirm((&by, "opr_2"), id).await, Err(ConfirmCreditError::Over)));
            }
            assert!(
                credits.waiting(9).await.expect("read").is_empty()
                    && credits.over(9).await.expect("read").len() == 2
            );
            let again = credits.ask((&by, Actor::Host), wanted(&org_id, "b")).await.expect("asked");
            assert!(matches!(again, Asked::Decided(_)), "the same form does not begin again");
        })
        .await;
    }

    #[tokio::test]
    async fn s112_nothing_waits_without_a_threshold_and_only_what_is_above_it_with_one() {
        on_each(async |bench| {
            let credits = &bench.accounts.waiting_credits;
            assert!(!credits.is_above(i64::MAX));
            credits.configure(1_000);
            assert!(!credits.is_above(1_000) && credits.is_above(1_001));
        })
        .await;
    }
}
