//! What operators do to wallets, whether with a token or at their pages: one way for each, and its event with it.

use bytespike_accounts::audit::{Actor, Entry, Event};
use bytespike_accounts::{Accounts, Origin};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{BookingError, Credit, CreditKind, Credited, Ledger};
use serde_json::json;

/// Why something is done: for the audit log and, with credit, for the wallet page.
pub const MOST_REASON_CHARS: usize = 500;

/// What acts on the books and on accounts.
#[derive(Clone)]
pub struct Operations {
    pub accounts: Accounts,
    pub ledger: Ledger,
}

/// Who does it, and from where. Made of a token or of a session that was checked.
#[derive(Clone, Copy)]
pub struct Hand<'a> {
    pub actor: Actor<'a>,
    pub origin: &'a Origin,
}

/// One sentence that says why.
#[derive(Clone, Debug)]
pub struct Why(String);

/// Credit that an operator gives, or books because it was paid some other way.
#[derive(Clone, Debug)]
pub struct GivenCredit {
    pub org_id: String,
    pub amount: NanoUsd,
    pub kind: CreditKind,
    /// Says which booking it is: the same one is booked once.
    pub once: String,
    pub expires_at_ms: Option<i64>,
}

impl Why {
    /// `None` when it says nothing, or is longer than [`MOST_REASON_CHARS`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = (1..=MOST_REASON_CHARS).contains(&text.chars().count());
        (fits && !text.chars().any(char::is_control)).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Hand<'_> {
    fn entry(&self, accounts: &Accounts, event: Event<'_>) -> Entry {
        accounts.audit.entry(self.origin, Event { actor: self.actor, ..event })
    }
}

impl Operations {
    /// A frozen wallet takes no new holds; what is held may still settle.
    ///
    /// # Errors
    /// There is no such wallet, or the database does not answer.
    pub async fn set_frozen(
        &self,
        hand: Hand<'_>,
        (org_id, frozen): (&str, bool),
        why: &Why,
    ) -> Result<(), BookingError> {
        let name = if frozen { "wallet.frozen" } else { "wallet.unfrozen" };
        let event = Event::new(name, hand.actor).org(org_id).target(org_id);
        let entry = hand.entry(&self.accounts, event.detail(json!({"reason": why.as_str()})));
        self.ledger.change_frozen(org_id, frozen, &entry).await
    }

    /// Books it once. Mistakes of ours are mended with a grant and its reason, never by changing what was booked.
    ///
    /// # Errors
    /// There is no such wallet, `once` booked another amount, or the ledger does not answer.
    pub async fn credit(
        &self,
        hand: Hand<'_>,
        given: GivenCredit,
        why: &Why,
    ) -> Result<Credited, BookingError> {
        let GivenCredit { org_id, amount, kind, once, expires_at_ms } = given;
        let booking = Credit {
            org_id: org_id.clone(),
            amount,
            kind,
            idempotency_key: format!("operator:{once}"),
            note: why.as_str().to_owned(),
            expires_at_ms,
        };
        let detail = json!({"reason": why.as_str(), "kind": kind, "amount_nano": amount.0});
        let event = Event::new("wallet.credited", hand.actor).org(&org_id).target(&org_id).detail(detail);
        self.ledger.credit_decided(booking, &hand.entry(&self.accounts, event)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_in_one_line() {
        assert_eq!(Why::parse(" an outage ").map(|why| why.0), Some("an outage".to_owned()));
        for nothing in ["", "  ", "two\nlines", &"x".repeat(MOST_REASON_CHARS + 1)] {
            assert!(Why::parse(nothing).is_none(), "{nothing:?}");
        }
    }
}
