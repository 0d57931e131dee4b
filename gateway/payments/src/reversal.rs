//! A payment that is undone at the provider: disputed at the payer's bank, or given back. Each event tells one fact, that
//! money left or that it came back, and each fact is booked once; so they come to the same end in any order.
use crate::Payments;
use crate::apply::{Applied, ApplyError, Fate};
use crate::stripe::Reference;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{Claim, Credit, CreditKind};
use bytespike_store::payment_order::{self, OrderRow};
use bytespike_store::payment_reversal::{self, ReversalRow};
use serde::Deserialize;

/// What an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    Left,
    Back,
}

/// A dispute or money given back, as far as both have the same fields.
#[derive(Deserialize)]
struct Reversal {
    id: String,
    /// In the currency's smallest unit.
    amount: i64,
    currency: String,
    status: Option<String>,
    payment_intent: Option<Reference>,
}

impl Payments {
    pub(crate) async fn reversal_event(&self, kind: &str, object: &str) -> Result<Applied, ApplyError> {
        let reversal: Reversal = match serde_json::from_str(object) {
            Ok(reversal) => reversal,
            Err(error) => return Ok(Applied::Refused(error.to_string())),
        };
        let (what, fact) = match (kind, reversal.status.as_deref()) {
            ("charge.dispute.funds_withdrawn", _) => ("dispute", Fact::Left),
            ("charge.dispute.funds_reinstated", _) => ("dispute", Fact::Back),
            ("refund.created", _) => ("return", Fact::Left),
            ("refund.failed", _) | ("refund.updated", Some("failed" | "canceled")) => ("return", Fact::Back),
            _ => return Ok(Applied::Known),
        };
        let Some(order) = self.order_of(&reversal).await? else { return Ok(Applied::Unknown) };
        if reversal.currency != order.currency {
            return Ok(Applied::Refused(format!(
                "currency: {}, the order has {}",
                reversal.currency, order.currency
            )));
        }
        if !(1..=order.amount_minor).contains(&reversal.amount) {
            return Ok(Applied::Refused(format!("amount: {} of {}", reversal.amount, order.amount_minor)));
        }
        match fact {
            Fact::Left => self.take_back(&order, &reversal, what).await?,
            Fact::Back => self.give_again(&order, &reversal, what).await?,
        }
        let now_ms = self.world.now_ms();
        let row = ReversalRow {
            id: reversal.id,
            order_id: order.id,
            kind: what.to_owned(),
            amount_minor: reversal.amount,
            left_at_ms: (fact == Fact::Left).then_some(now_ms),
            back_at_ms: (fact == Fact::Back).then_some(now_ms),
        };
        payment_reversal::note(&self.store, &row).await?;
        Ok(Applied::Changed)
    }

    /// The order that the money was paid for. When we have not heard of the payment yet, it is asked for and credited first.
    async fn order_of(&self, reversal: &Reversal) -> Result<Option<OrderRow>, ApplyError> {
        let Some(intent) = reversal.payment_intent.as_ref().map(Reference::id) else { return Ok(None) };
        if let Some(order) = payment_order::by_intent(&self.store, intent).await? {
            self.book(&order).await?;
            return Ok(Some(order));
        }
        let Some(session) = self.stripe.session_of(intent).await? else { return Ok(None) };
        if session.fate() != Ok(Fate::Paid) || self.apply(&session, Fate::Paid).await? == Applied::Unknown {
            return Ok(None);
        }
        Ok(payment_order::by_intent(&self.store, intent).await?)
    }

    async fn take_back(&self, order: &OrderRow, reversal: &Reversal, what: &str) -> Result<(), ApplyError> {
        let claim = Claim {
            org_id: order.org_id.clone(),
            amount: share(order, order.paid_nano, reversal.amount),
            bonus: share(order, order.bonus_nano, reversal.amount),
            idempotency_key: format!("{what}:{}", reversal.id),
            note: order.id.clone(),
        };
        let claimed = self.ledger.claim(claim).await?;
        let (taken, owed) = (claimed.taken.usd(), claimed.owed.usd());
        tracing::warn!(order_id = order.id, what, taken, owed, "a payment was undone");
        Ok(())
    }

    /// What was given on top stays gone: nobody can say what would have been left of it.
    async fn give_again(&self, order: &OrderRow, reversal: &Reversal, what: &str) -> Result<(), ApplyError> {
        let credit = Credit {
            org_id: order.org_id.clone(),
            amount: share(order, order.paid_nano, reversal.amount),
            kind: CreditKind::TopUp,
            idempotency_key: format!("{what}:{}:back", reversal.id),
            note: order.id.clone(),
            expires_at_ms: None,
        };
        self.ledger.credit(credit).await?;
        Ok(())
    }
}

/// The part of an amount that belongs to this part of the payment, rounded down.
pub(crate) fn share(order: &OrderRow, nano: i64, amount_minor: i64) -> NanoUsd {
    let share = i128::from(nano) * i128::from(amount_minor) / i128::from(order.amount_minor);
    NanoUsd(i64::try_from(share).unwrap_or(nano))
}
