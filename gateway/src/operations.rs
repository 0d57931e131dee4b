//! What operators do to wallets, whether with a token or at their pages: one way for each, and its event with it.

use bytespike_accounts::audit::{Actor, Entry, Event};
use bytespike_accounts::waiting_credits::{Asked, ConfirmCreditError, WaitingCreditRow, WantedCredit};
use bytespike_accounts::{Accounts, Origin};
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{BookingError, Credit, CreditKind, Credited, Debit, Ledger, Unavailable};
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

/// What is done with credit, and which credit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Give(CreditKind),
    /// All of it, or nothing where less of it is free.
    Take(CreditKind),
}

/// Credit that an operator gives, books because it was paid some other way, or takes.
#[derive(Clone, Debug)]
pub struct MovedCredit {
    pub org_id: String,
    pub amount: NanoUsd,
    pub deed: Deed,
    /// Says which booking it is: the same one is booked once.
    pub once: String,
    pub expires_at_ms: Option<i64>,
}

/// What became of credit that somebody moves.
#[derive(Clone, Debug)]
pub enum Moved {
    Booked(Credited),
    /// Another operator has to confirm it.
    Waits(WaitingCreditRow),
    /// The same was asked for before, and another operator has decided, or nobody in time.
    Decided(WaitingCreditRow),
}

/// What became of a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// Booked, or booked as soon as the ledger answers.
    Done,
    /// There was not enough left to be taken, so nothing was.
    Failed,
}

impl Deed {
    /// As it is kept while it waits.
    fn name(self) -> &'static str {
        match self {
            Self::Give(CreditKind::TopUp) => "top_up",
            Self::Give(CreditKind::Grant) => "grant",
            Self::Take(CreditKind::TopUp) => "debit_top_up",
            Self::Take(CreditKind::Grant) => "debit_grant",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let kinds = [CreditKind::TopUp, CreditKind::Grant];
        kinds
            .into_iter()
            .flat_map(|kind| [Self::Give(kind), Self::Take(kind)])
            .find(|deed| deed.name() == name)
    }

    fn kind(self) -> CreditKind {
        match self {
            Self::Give(kind) | Self::Take(kind) => kind,
        }
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

    /// Books it once, or puts it aside for another operator where it is above the threshold for that.
    ///
    /// # Errors
    /// There is no such wallet, less of that credit is free than is to be taken, `once` asked for something else, or the ledger
    /// does not answer.
    pub async fn move_credit(
        &self,
        hand: Hand<'_>,
        moved: MovedCredit,
        why: &Why,
    ) -> Result<Moved, BookingError> {
        let wanted = WantedCredit {
            once: &moved.once,
            org_id: Some(&moved.org_id),
            amount_nano: moved.amount.0,
            kind: moved.deed.name(),
            reason: why.as_str(),
            credit_expires_at_ms: moved.expires_at_ms,
            vouchers_json: None,
        };
        let waiting = &self.accounts.waiting_credits;
        // What was put aside before stays so, whatever the threshold is now.
        let before = waiting.asked_before(&wanted).await.map_err(unavailable)?;
        let asked = match before {
            Some(asked) => asked,
            None if waiting.is_above(moved.amount.0) => {
                self.could_be_booked(&moved).await?;
                waiting.ask((hand.origin, hand.actor), wanted).await.map_err(unavailable)?
            }
            None => {
                let detail = json!({
                    "reason": why.as_str(), "kind": moved.deed.kind(), "amount_nano": moved.amount.0,
                });
                return self.book(hand, moved, (why.as_str(), detail)).await.map(Moved::Booked);
            }
        };
        match asked {
            Asked::Mismatch => Err(BookingError::IdempotencyMismatch),
            Asked::Waits(row) => Ok(Moved::Waits(row)),
            Asked::Decided(row) => Ok(Moved::Decided(row)),
        }
    }

    /// Nobody is asked to confirm what cannot be done.
    async fn could_be_booked(&self, moved: &MovedCredit) -> Result<(), BookingError> {
        let free = self.ledger.free_credit(&moved.org_id).await.map_err(unavailable)?;
        let free = free.ok_or(BookingError::NoWallet)?;
        match moved.deed {
            Deed::Take(kind) if moved.amount > free.of(kind) => {
                Err(BookingError::NotEnough { free: free.of(kind) })
            }
            _ => Ok(()),
        }
    }

    async fn book(
        &self,
        hand: Hand<'_>,
        moved: MovedCredit,
        (note, detail): (&str, Value),
    ) -> Result<Credited, BookingError> {
        let MovedCredit { org_id, amount, deed, once, expires_at_ms } = moved;
        let event = |name| Event::new(name, hand.actor).org(&org_id).target(&org_id).detail(detail);
        let (idempotency_key, note) = (format!("operator:{once}"), note.to_owned());
        match deed {
            Deed::Give(kind) => {
                let entry = hand.entry(&self.accounts, event("wallet.credited"));
                let org_id = org_id.clone();
                let credit = Credit { org_id, amount, kind, idempotency_key, note, expires_at_ms };
                self.ledger.credit_decided(credit, &entry).await
            }
            Deed::Take(kind) => {
                let entry = hand.entry(&self.accounts, event("wallet.debited"));
                let org_id = org_id.clone();
                self.ledger.debit(Debit { org_id, amount, kind, idempotency_key, note }, Some(&entry)).await
            }
        }
    }

    /// Confirms credit or a debit that waits, and books it. Of two confirmations at once one counts.
    ///
    /// # Errors
    /// It does not wait any more, or who confirms is who asked. Where the ledger does not answer, it is confirmed all the same,
    /// and is booked by [`Self::book_confirmed`].
    pub async fn confirm(
        &self,
        (origin, operator_id): (&Origin, &str),
        id: &str,
    ) -> Result<Confirmed, ConfirmCreditError> {
        let row = self.accounts.waiting_credits.confirm((origin, operator_id), id).await?;
        let hand = Hand { actor: Actor::Operator(operator_id), origin };
        Ok(self.book_waiting(hand, &row).await.unwrap_or_else(|error| {
            tracing::error!(%error, id, "confirmed credit could not be booked yet; it is tried again");
            Confirmed::Done
        }))
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
    async fn book_waiting(&self, hand: Hand<'_>, row: &WaitingCreditRow) -> Result<Confirmed, BookingError> {
        let (Some(org_id), Some(deed)) = (row.org_id.clone(), Deed::parse(&row.kind)) else {
            return Err(BookingError::NoWallet);
        };
        let moved = MovedCredit {
            org_id,
            amount: NanoUsd(row.amount_nano),
            deed,
            once: row.id.clone(),
            expires_at_ms: row.credit_expires_at_ms,
        };
        let detail = json!({
            "reason": row.reason, "kind": deed.kind(), "amount_nano": row.amount_nano,
            "asked_by": row.asked_by, "confirmed_by": row.decided_by,
        });
        let waiting = &self.accounts.waiting_credits;
        match self.book(hand, moved, (&row.reason, detail)).await {
            Ok(_) => waiting.booked(&row.id).await.map(|()| Confirmed::Done).map_err(unavailable),
            Err(BookingError::NotEnough { .. }) => {
                waiting.fail((hand.origin, hand.actor), &row.id).await.map_err(unavailable)?;
                Ok(Confirmed::Failed)
            }
            Err(error) => Err(error),
        }
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

    #[test]
    fn what_waits_is_read_as_it_was_kept() {
        for kind in [CreditKind::TopUp, CreditKind::Grant] {
            for deed in [Deed::Give(kind), Deed::Take(kind)] {
                assert_eq!(Deed::parse(deed.name()), Some(deed));
            }
        }
        assert_eq!(Deed::parse("vouchers"), None, "they are no credit of a wallet");
    }
}
