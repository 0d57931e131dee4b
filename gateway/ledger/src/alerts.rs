//! What an org should be told, decided from the rows as they change and written in the same transaction, so that no
//! alert is lost and none is told twice: the wallet crosses its threshold once on the way down, and each limit row
//! remembers what share of it was told of in its window.
use crate::batch::Batch;
use crate::call::Refusal;
use crate::rows::{LimitRow, OutboxRow, WalletRow};
use crate::window::NEVER_MS;
use bytespike_catalog::NanoUsd;
use serde_json::json;

/// The shares of a limit that are told of, in percent. The last also when it refuses a call.
const SHARES: [i64; 2] = [100, 80];

/// When an org wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// When the balance falls below this; `None` for never.
    pub low_balance: Option<NanoUsd>,
    /// When a spend limit is used to 80 and to 100 percent.
    pub limits: bool,
}

impl Alerts {
    /// The same with one of them changed.
    pub(crate) fn with(self, to: AlertSetting) -> Self {
        match to {
            AlertSetting::LowBalance(low_balance) => Self { low_balance, ..self },
            AlertSetting::Limits(limits) => Self { limits, ..self },
        }
    }
}

/// One of [`Alerts`], as it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertSetting {
    LowBalance(Option<NanoUsd>),
    Limits(bool),
}

/// An alert about to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alert {
    org_id: String,
    kind: &'static str,
    subject: String,
    payload_json: String,
}

/// The balance fell below the threshold: it was not below it before.
pub(crate) fn of_balance(before_nano: i64, wallet: &WalletRow) -> Option<Alert> {
    let threshold_nano = wallet.low_balance_nano?;
    let crossed = before_nano >= threshold_nano && wallet.posted_nano < threshold_nano;
    crossed.then(|| Alert {
        org_id: wallet.org_id.clone(),
        kind: "low_balance",
        subject: format!("org:{}", wallet.org_id),
        payload_json: json!({
            "balance_credits": NanoUsd(wallet.posted_nano).credits(),
            "threshold_credits": NanoUsd(threshold_nano).credits(),
        })
        .to_string(),
    })
}

/// A payment was undone. `taken` is what was there of it, the rest is owed.
pub(crate) fn of_claim(wallet: &WalletRow, (claimed_nano, taken_nano): (i64, i64)) -> Alert {
    Alert {
        org_id: wallet.org_id.clone(),
        kind: "payment_undone",
        subject: format!("org:{}", wallet.org_id),
        payload_json: json!({
            "claimed_credits": NanoUsd(claimed_nano).credits(),
            "taken_credits": NanoUsd(taken_nano).credits(),
            "owed_credits": NanoUsd(wallet.owed_nano).credits(),
        })
        .to_string(),
    }
}

/// The limit is used to a share that was not told of in this window. The row remembers it.
pub(crate) fn of_share(row: &mut LimitRow, now_ms: i64) -> Option<Alert> {
    let share = SHARES.into_iter().find(|percent| is_used_to(row, (*percent, now_ms)))?;
    told_once(row, (share, now_ms))
}

/// The limit refused a call when little of it was left. A call that alone is too large says nothing about the limit.
fn of_refusal(row: &mut LimitRow, now_ms: i64) -> Option<Alert> {
    is_used_to(row, (SHARES[1], now_ms)).then(|| told_once(row, (SHARES[0], now_ms)))?
}

fn is_used_to(row: &LimitRow, (percent, now_ms): (i64, i64)) -> bool {
    let limit_nano = row.limit_at(now_ms);
    limit_nano > 0 && i128::from(row.used_nano) * 100 >= i128::from(limit_nano) * i128::from(percent)
}

fn told_once(row: &mut LimitRow, (percent, now_ms): (i64, i64)) -> Option<Alert> {
    if row.alerted_percent >= percent {
        return None;
    }
    row.alerted_percent = percent;
    Some(Alert {
        org_id: row.org_id.clone(),
        kind: "limit_share",
        subject: row.node_id.clone(),
        payload_json: json!({
            "node": row.node_id,
            "window": row.window_kind,
            "percent": percent,
            "limit_credits": NanoUsd(row.limit_at(now_ms)).credits(),
            "used_credits": NanoUsd(row.used_nano).credits(),
            "resets_at_ms": Some(row.ends_at_ms).filter(|ends| *ends != NEVER_MS),
        })
        .to_string(),
    })
}

impl Batch<'_> {
    /// Writes the alert, unless the org does not want its kind.
    pub(crate) fn tell(&mut self, alert: Option<Alert>) {
        let Some(alert) = alert else { return };
        let wanted = alert.kind != "limit_share"
            || self.loaded.wallets.get(&alert.org_id).is_some_and(|w| w.alert_limits);
        if !wanted {
            return;
        }
        self.changes.outbox.push(OutboxRow {
            id: self.world().id("evt"),
            org_id: alert.org_id,
            kind: alert.kind.to_owned(),
            subject: alert.subject,
            payload_json: alert.payload_json,
            created_at_ms: self.now_ms(),
        });
    }

    /// A limit that refuses calls is all but used up, even if no call fits its rest exactly.
    pub(crate) fn tell_of_refusal(&mut self, refusal: &Refusal) {
        let Refusal::LimitExceeded { limit, .. } = refusal else { return };
        let now_ms = self.now_ms();
        let rows = self.loaded.limits.get_mut(limit.node.as_str()).into_iter().flatten();
        // A window that has ended is empty, whatever its row still says.
        let mut current = rows.filter(|row| row.window() == limit.window && row.counts(now_ms));
        let untold =
            current.find(|row| is_used_to(row, (SHARES[1], now_ms)) && row.alerted_percent < SHARES[0]);
        let alert = untold.and_then(|row| of_refusal(row.change(), now_ms));
        self.tell(alert);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(used_nano: i64, limit_nano: i64) -> LimitRow {
        LimitRow {
            node_id: "key:k".to_owned(),
            window_kind: "month".to_owned(),
            org_id: "o".to_owned(),
            limit_nano,
            grant_ends_at_ms: None,
            after_nano: None,
            used_nano,
            held_nano: 0,
            opened_at_ms: 0,
            ends_at_ms: 1_000,
            alerted_percent: 0,
        }
    }

    #[test]
    fn each_share_of_a_limit_is_told_of_once_in_its_window() {
        let mut row = limit(79, 100);
        assert_eq!(of_share(&mut row, 0), None);
        row.used_nano = 80;
        assert!(of_share(&mut row, 0).expect("80").payload_json.contains("\"percent\":80"));
        row.used_nano = 99;
        assert_eq!(of_share(&mut row, 0), None);
        row.used_nano = 100;
        assert!(of_share(&mut row, 0).expect("100").payload_json.contains("\"percent\":100"));
        assert_eq!(of_share(&mut row, 0), None);
        let mut at_once = limit(i64::MAX, i64::MAX);
        assert!(of_share(&mut at_once, 0).expect("100 alone").payload_json.contains("\"percent\":100"));
        assert_eq!(of_share(&mut limit(0, 0), 0), None, "a limit of nothing is a lock, not a budget");
    }

    #[test]
    fn a_refusal_is_told_of_once_and_only_when_little_is_left() {
        assert_eq!(
            of_refusal(&mut limit(79, 100), 0),
            None,
            "the call was too large, the limit is not used up"
        );
        let mut row = limit(95, 100);
        assert!(of_refusal(&mut row, 0).expect("told").payload_json.contains("\"percent\":100"));
        assert_eq!(of_refusal(&mut row, 0), None);
    }

    #[test]
    fn a_balance_is_told_of_when_it_falls_below_its_threshold_and_not_below_it() {
        let wallet = |posted_nano, low_balance_nano| WalletRow {
            org_id: "o".to_owned(),
            time_zone: "UTC".to_owned(),
            posted_nano,
            held_nano: 0,
            owed_nano: 0,
            frozen: false,
            journal_seq: 0,
            journal_hash: String::new(),
            resolved_seq: 0,
            low_balance_nano,
            alert_limits: true,
            created_at_ms: 0,
        };
        assert!(of_balance(100, &wallet(99, Some(100))).is_some());
        assert_eq!(of_balance(101, &wallet(100, Some(100))), None, "not below it yet");
        assert_eq!(of_balance(99, &wallet(98, Some(100))), None, "told before");
        assert_eq!(of_balance(50, &wallet(150, Some(100))), None, "it rose");
        assert_eq!(of_balance(100, &wallet(99, None)), None);
    }
}
