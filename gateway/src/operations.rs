//! What operators do to wallets, whether with a token or at their pages: one way for each, and its event with it.

use bytespike_accounts::audit::{Actor, Entry, Event};
use bytespike_accounts::waiting_credits::{Asked, ConfirmCreditError, WaitingCreditRow, WantedCredit};
use bytespike_accounts::{Accounts, Origin};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{BookingError, Credit, CreditKind, Credited, Ledger, Unavailable};
use bytespike_store::sqlx;
use serde_json::{Value, json};

/// Why something is done: for the audit log and, with credit, for the wallet page.
pub const MOST_REASON_CHARS: usize = 500;
/// Confirmed credit booked in one go.
const AT_ONCE: u32 = 100;

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

/// What became of credit that somebody gives.
#[derive(Clone, Debug)]
pub enum Given {
    Booked(Credited),
    /// Another operator has to confirm it.
    Waits(WaitingCreditRow),
    /// The same was asked for before, and another operator has decided, or nobody in time.
    Decided(WaitingCreditRow),
}

fn kind_name(kind: CreditKind) -> &'static str {
    match kind {
        CreditKind::TopUp => "top_up",
        CreditKind::Grant => "grant",
    }
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn unavailable(error: sqlx::Error) -> BookingError {
    BookingError::Unavailable(Unavailable(error.to_string()))
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

    /// Books it once, or puts it aside for another operator where it is above the threshold for that. Mistakes of ours are
    /// mended with a grant and its reason, never by changing what was booked.
    ///
    /// # Errors
    /// There is no such wallet, `once` asked for something else, or the ledger does not answer.
    pub async fn credit(&self, hand: Hand<'_>, given: GivenCredit, why: &Why) -> Result<Given, BookingError> {
        let wanted = WantedCredit {
            once: &given.once,
            org_id: &given.org_id,
            amount_nano: given.amount.0,
            kind: kind_name(given.kind),
            reason: why.as_str(),
            credit_expires_at_ms: given.expires_at_ms,
        };
        let waiting = &self.accounts.waiting_credits;
        // What was put aside before stays so, whatever the threshold is now.
        let before = waiting.asked_before(&wanted).await.map_err(unavailable)?;
        let asked = match before {
            Some(asked) => asked,
            None if waiting.is_above(given.amount.0) => {
                self.ledger
                    .wallet(&given.org_id)
                    .await
                    .map_err(unavailable)?
                    .ok_or(BookingError::NoWallet)?;
                waiting.ask((hand.origin, hand.actor), wanted).await.map_err(unavailable)?
            }
            None => return self.book_given(hand, given, why).await.map(Given::Booked),
        };
        match asked {
            Asked::Mismatch => Err(BookingError::IdempotencyMismatch),
            Asked::Waits(row) => Ok(Given::Waits(row)),
            Asked::Decided(row) => Ok(Given::Decided(row)),
        }
    }

    async fn book_given(
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
        self.book(hand, booking, detail).await
    }

    async fn book(&self, hand: Hand<'_>, booking: Credit, detail: Value) -> Result<Credited, BookingError> {
        let org_id = booking.org_id.clone();
        let event = Event::new("wallet.credited", hand.actor).org(&org_id).target(&org_id).detail(detail);
        self.ledger.credit_decided(booking, &hand.entry(&self.accounts, event)).await
    }

    /// Confirms credit that waits, and books it. Of two confirmations at once one counts.
    ///
    /// # Errors
    /// It does not wait any more, or who confirms is who asked. Where the ledger does not answer, the credit is confirmed all
    /// the same, and is booked by [`Self::book_confirmed`].
    pub async fn confirm_credit(
        &self,
        (origin, operator_id): (&Origin, &str),
        id: &str,
    ) -> Result<WaitingCreditRow, ConfirmCreditError> {
        let row = self.accounts.waiting_credits.confirm((origin, operator_id), id).await?;
        let hand = Hand { actor: Actor::Operator(operator_id), origin };
        if let Err(error) = self.book_waiting(hand, &row).await {
            tracing::error!(%error, id, "confirmed credit could not be booked yet; it is tried again");
        }
        Ok(row)
    }

    /// Books what was confirmed and is not in the ledger; one that cannot be keeps no other waiting.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn book_confirmed(&self) -> sqlx::Result<()> {
        for row in self.accounts.waiting_credits.owed(AT_ONCE).await? {
            let hand = Hand { actor: Actor::Host, origin: &Origin::host() };
            if let Err(error) = self.book_waiting(hand, &row).await {
                tracing::error!(%error, id = row.id, "confirmed credit could not be booked; it is tried again");
            }
        }
        Ok(())
    }

    /// Doing it twice is doing it once.
    async fn book_waiting(&self, hand: Hand<'_>, row: &WaitingCreditRow) -> Result<(), BookingError> {
        let kind =
            if row.kind == kind_name(CreditKind::TopUp) { CreditKind::TopUp } else { CreditKind::Grant };
        let booking = Credit {
            org_id: row.org_id.clone(),
            amount: NanoUsd(row.amount_nano),
            kind,
            idempotency_key: format!("operator:{}", row.id),
            note: row.reason.clone(),
            expires_at_ms: row.credit_expires_at_ms,
        };
        let detail = json!({
            "reason": row.reason, "kind": kind, "amount_nano": row.amount_nano,
            "asked_by": row.asked_by, "confirmed_by": row.decided_by,
        });
        self.book(hand, booking, detail).await?;
        self.accounts.waiting_credits.booked(&row.id).await.map_err(unavailable)
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
