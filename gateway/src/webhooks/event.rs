//! What a message can be about: the types of events and what each says, from what the ledger and the accounts wrote down.

use std::collections::BTreeSet;

use bytespike_catalog::NanoUsd;
use bytespike_store::outbox;
use serde_json::{Value, json};

use crate::http::time;
use crate::quota::Which;

/// A type of event, as endpoints choose them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    BalanceLow,
    PaymentUndone,
    LimitThresholdReached,
    LimitExhausted,
    QuotaRequested,
    QuotaDecided,
    KeyExpiring,
    KeyLeaked,
    StatementClosed,
    InvoiceIssued,
    RechargeSwitchedOff,
    WebhookSwitchedOff,
}

/// The types an endpoint wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Events {
    /// Every type, those that come later included.
    All,
    Only(BTreeSet<EventType>),
}

impl EventType {
    pub const ALL: [Self; 12] = [
        Self::BalanceLow,
        Self::PaymentUndone,
        Self::LimitThresholdReached,
        Self::LimitExhausted,
        Self::QuotaRequested,
        Self::QuotaDecided,
        Self::KeyExpiring,
        Self::KeyLeaked,
        Self::StatementClosed,
        Self::InvoiceIssued,
        Self::RechargeSwitchedOff,
        Self::WebhookSwitchedOff,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BalanceLow => "balance.low",
            Self::PaymentUndone => "payment.undone",
            Self::LimitThresholdReached => "limit.threshold_reached",
            Self::LimitExhausted => "limit.exhausted",
            Self::QuotaRequested => "quota.requested",
            Self::QuotaDecided => "quota.decided",
            Self::KeyExpiring => "key.expiring",
            Self::KeyLeaked => "key.leaked",
            Self::StatementClosed => "statement.closed",
            Self::InvoiceIssued => "invoice.issued",
            Self::RechargeSwitchedOff => "recharge.switched_off",
            Self::WebhookSwitchedOff => "webhook.switched_off",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

impl Events {
    /// Nothing for a list that is empty or holds an unknown name.
    #[must_use]
    pub fn only<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let types: Option<BTreeSet<EventType>> = names.into_iter().map(EventType::parse).collect();
        types.filter(|types| !types.is_empty()).map(Self::Only)
    }

    #[must_use]
    pub fn contains(&self, one: EventType) -> bool {
        match self {
            Self::All => true,
            Self::Only(types) => types.contains(&one),
        }
    }

    /// The names of the list; `None` without one.
    #[must_use]
    pub fn names(&self) -> Option<Vec<&'static str>> {
        match self {
            Self::All => None,
            Self::Only(types) => Some(types.iter().map(|one| one.name()).collect()),
        }
    }

    pub(super) fn stored(&self) -> Option<String> {
        self.names().map(|names| json!(names).to_string())
    }

    /// A name that is not known any more is passed over.
    pub(super) fn from_stored(json: Option<&str>) -> Self {
        let Some(json) = json else { return Self::All };
        let names: Vec<String> = serde_json::from_str(json).unwrap_or_default();
        Self::Only(names.iter().filter_map(|name| EventType::parse(name)).collect())
    }
}

/// The type of what was written down and what its message says; nothing for what endpoints are not told of.
pub(super) fn read(event: &outbox::Event) -> Option<(EventType, Value)> {
    let said: Value = serde_json::from_str(&event.payload_json).ok()?;
    let is_used_up = said["percent"].as_i64().is_some_and(|percent| percent >= 100);
    let one = match event.kind.as_str() {
        "low_balance" => EventType::BalanceLow,
        "payment_undone" => EventType::PaymentUndone,
        "limit_share" if is_used_up => EventType::LimitExhausted,
        "limit_share" => EventType::LimitThresholdReached,
        "quota_requested" => EventType::QuotaRequested,
        "quota_decided" => EventType::QuotaDecided,
        "key_expiring" => EventType::KeyExpiring,
        "key_leaked" => EventType::KeyLeaked,
        "statement_closed" => EventType::StatementClosed,
        "invoice_issued" => EventType::InvoiceIssued,
        "recharge_off" => EventType::RechargeSwitchedOff,
        "webhook_failed" => EventType::WebhookSwitchedOff,
        _ => return None,
    };
    Some((one, data(one, (&event.subject, &said))?))
}

/// The shape of each type's `data`, as its documentation promises it.
fn data(one: EventType, (subject, said): (&str, &Value)) -> Option<Value> {
    let at = |name: &str| said[name].as_i64().map(time::rfc3339);
    let id = subject.split_once(':').map(|(_, id)| id);
    Some(match one {
        EventType::BalanceLow => json!({
            "balance_credits": said["balance_credits"],
            "threshold_credits": said["threshold_credits"],
        }),
        EventType::PaymentUndone => json!({
            "claimed_credits": said["claimed_credits"],
            "taken_credits": said["taken_credits"],
            "owed_credits": said["owed_credits"],
        }),
        EventType::LimitThresholdReached | EventType::LimitExhausted => json!({
            "node": said["node"],
            "limit": said["window"],
            "percent": said["percent"],
            "limit_credits": said["limit_credits"],
            "used_credits": said["used_credits"],
            "resets_at": at("resets_at_ms"),
        }),
        EventType::QuotaRequested | EventType::QuotaDecided => quota(said, id?)?,
        EventType::KeyExpiring => json!({ "key": id?, "expires_at": at("expires_at_ms") }),
        EventType::KeyLeaked => json!({
            "key": id?,
            "credential": said["credential_id"],
            "ended": said["ended"],
            "found_at": said["found_at"],
        }),
        EventType::StatementClosed => json!({
            "month": said["month"],
            "from": at("from_ms"),
            "to": at("to_ms"),
            "charged_credits": said["charged_credits"],
        }),
        EventType::InvoiceIssued => json!({
            "invoice": said["invoice"],
            "kind": said["kind"],
            "number": said["number"],
            "currency": said["currency"],
            "amount_minor": said["amount_minor"],
            "order": said["order"],
        }),
        EventType::RechargeSwitchedOff => json!({
            "reason": said["reason"],
            "order": said["order"],
            "currency": said["currency"],
            "amount_minor": said["amount_minor"],
        }),
        EventType::WebhookSwitchedOff => json!({
            "webhook": id?,
            "url": said["url"],
            "failing_since": at("failing_since_ms"),
        }),
    })
}

/// Amounts are credits where the limit is one of money, and counts where it is not.
fn quota(said: &Value, member: &str) -> Option<Value> {
    let which = Which::parse(said["limit"].as_str()?)?;
    let (unit, amount) = if which.is_credits() {
        let credits: fn(i64) -> Value = |nano| NanoUsd(nano).credits().into();
        ("credits", credits)
    } else {
        let count: fn(i64) -> Value = |count| count.to_string().into();
        ("count", count)
    };
    Some(json!({
        "request": said["request"],
        "member": member,
        "node": said["node"],
        "limit": said["limit"],
        "unit": unit,
        "wanted": said["wanted"].as_i64().map(amount),
        "reason": said["reason"],
        "state": said["state"],
        "granted": said["granted"].as_i64().map(amount),
        "ends_at": said["ends_at_ms"].as_i64().map(time::rfc3339),
        "answer": said["answer"],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: &str, subject: &str, payload: &Value) -> Option<(EventType, Value)> {
        read(&outbox::Event {
            id: "evt_1".to_owned(),
            org_id: "org_1".to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            payload_json: payload.to_string(),
            created_at_ms: 0,
        })
    }

    #[test]
    fn a_limit_is_near_or_used_up_and_says_when_it_resets() {
        let share = |percent: i64| {
            json!({"node": "key:key_1", "window": "1d", "percent": percent, "limit_credits": "5.000",
                   "used_credits": "4.100", "resets_at_ms": 1_795_512_600_000_i64})
        };
        let (near, said) = told("limit_share", "key:key_1", &share(80)).expect("told");
        assert_eq!(
            (near, &said["resets_at"]),
            (EventType::LimitThresholdReached, &json!("2026-11-24T09:30:00Z"))
        );
        let (used_up, _) = told("limit_share", "key:key_1", &share(100)).expect("told");
        assert_eq!(used_up, EventType::LimitExhausted);
    }

    #[test]
    fn what_was_asked_for_is_credits_or_a_count() {
        let asked = |limit: &str| {
            json!({"request": "qrq_1", "node": "key:key_1", "limit": limit, "wanted": 9_000_000_000_i64, "reason": "a launch",
                   "state": "waiting", "granted": null, "ends_at_ms": null, "answer": ""})
        };
        let (_, money) = told("quota_requested", "mem:mem_1", &asked("month")).expect("told");
        assert_eq!((&money["wanted"], &money["unit"]), (&json!("9000000.000"), &json!("credits")));
        assert_eq!(money["member"], "mem_1");
        let (_, calls) = told("quota_requested", "mem:mem_1", &asked("requests_per_minute")).expect("told");
        assert_eq!((&calls["wanted"], &calls["unit"]), (&json!("9000000000"), &json!("count")));
    }

    #[test]
    fn what_is_paid_is_told_in_the_smallest_unit_and_never_to_whom_it_is_written() {
        let issued = json!({"invoice": "inv_1", "kind": "credit_note", "number": "CN-7", "amount": "$60.00", "order": "ord_1",
                            "currency": "usd", "amount_minor": 6_000, "buyer": "Loom", "email": "a@example.com"});
        let (kind, said) = told("invoice_issued", "org:org_1", &issued).expect("told");
        assert_eq!((kind.name(), &said["amount_minor"]), ("invoice.issued", &json!(6_000)));
        assert!(said.get("email").is_none() && said["order"] == "ord_1");
        let off =
            json!({"reason": "card_declined", "order": "ord_2", "currency": "usd", "amount_minor": 2_000});
        let (kind, said) = told("recharge_off", "org:org_1", &off).expect("told");
        assert_eq!((kind.name(), said), ("recharge.switched_off", off));
    }

    #[test]
    fn what_nobody_subscribes_to_is_passed_over() {
        assert_eq!(told("something_new", "org:org_1", &json!({})), None);
        assert_eq!(told("quota_requested", "mem:mem_1", &json!({"limit": "weather"})), None);
        assert_eq!(Events::only(["balance.low", "weather"]), None);
        assert_eq!(Events::only([]), None);
        let two = Events::only(["key.leaked", "balance.low"]).expect("known");
        assert_eq!(Events::from_stored(two.stored().as_deref()), two);
        assert_eq!(Events::from_stored(None), Events::All);
    }
}
