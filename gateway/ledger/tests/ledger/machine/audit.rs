//! What is written, compared with what the auditor says.
use super::Machine;
use crate::auditor::Call;
use bytespike_catalog::NanoUsd;
use bytespike_store::{on_database, sqlx};

impl Machine<'_> {
    pub(super) async fn compare_wallets(&self, when: &str) {
        for org in self.auditor.orgs() {
            let wallet = self.ledger.wallet(&org).await.expect("reads").expect("a wallet");
            assert_eq!(wallet.owed.0, self.auditor.owed(&org), "{org} owes, {when}");
            let seen = (wallet.posted.0, wallet.available().0, wallet.bonus.0);
            let (posted, available) = (self.auditor.posted(&org), self.auditor.available(&org));
            assert_eq!(seen, (posted, available, self.auditor.bonus(&org)), "{org} {when}");
        }
    }

    /// Everything that is written.
    pub(super) async fn audit(&mut self, when: &str) {
        self.tick(None).await;
        self.ledger.roll_up().await.expect("usage is summed");
        assert_eq!(self.ledger.check_what_is_new().await.expect("the checks run"), [], "new, {when}");
        assert_eq!(self.ledger.check_invariants().await.expect("the checks run"), [], "{when}");
        self.audit_limits(when).await;
        self.audit_costs(when).await;
        self.audit_receipts(when).await;
    }

    async fn audit_limits(&self, when: &str) {
        type Row = (String, String, i64, i64, i64, i64, i64, Option<i64>, Option<i64>);
        let rows: Vec<Row> = on_database!(&self.store, db => sqlx::query_as(
            "select node_id, window_kind, limit_nano, used_nano, held_nano, opened_at_ms, ends_at_ms, grant_ends_at_ms,
                    after_nano
             from spend_limit order by node_id, window_kind").fetch_all(db).await)
            .expect("reads");
        let mut expected: Vec<_> = self
            .auditor
            .limits
            .iter()
            .map(|limit| {
                let (used, held) = self.auditor.counters(limit);
                let (node, window) = (limit.node.to_string(), limit.window.name().to_owned());
                let (ends_ms, then) = limit.grant.unzip();
                (node, window, limit.nano, used, held, limit.opened_ms, limit.ends_ms, ends_ms, then)
            })
            .collect();
        expected.sort();
        assert_eq!(rows, expected, "{when}");
    }

    async fn audit_costs(&self, when: &str) {
        let rows: Vec<(String, String, i64)> = on_database!(&self.store, db => sqlx::query_as(
            "select reservation_id, cause, amount_pico from absorbed_cost order by reservation_id, cause")
            .fetch_all(db).await)
        .expect("reads");
        let expected: Vec<_> = self
            .auditor
            .absorbed
            .iter()
            .map(|((id, cause), pico)| (id.clone(), cause.clone(), *pico))
            .collect();
        assert_eq!(rows, expected, "{when}");
    }

    /// Each call that ended has one receipt, whose equation holds and which stays as it was first read.
    async fn audit_receipts(&mut self, when: &str) {
        let rows: Vec<(String, String)> = on_database!(&self.store, db => sqlx::query_as(
            "select id, body_json from receipt order by id").fetch_all(db).await)
        .expect("reads");
        let ended: Vec<&Call> = self.auditor.calls.iter().filter(|call| call.end.is_some()).collect();
        assert_eq!(rows.len(), ended.len(), "{when}");
        for (id, body) in rows {
            let call = self.auditor.call(&id).expect("a call of this history");
            let end = call.end.expect("has ended");
            let receipt: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            let amounts = [call.amount, end.charged, call.amount - end.charged];
            for (name, nano) in ["held", "charged", "returned"].into_iter().zip(amounts) {
                assert_eq!(receipt[name]["credits"], NanoUsd(nano).credits(), "{when}: {id} {name}");
            }
            assert_eq!(receipt["outcome"], end.outcome.name(), "{when}: {id}");
            let first = self.receipts.entry(id).or_insert_with(|| body.clone());
            assert_eq!(*first, body, "a receipt never changes");
        }
    }
}
