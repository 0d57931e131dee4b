//! Holds, settlement, the journal, receipts and their invariants. Two books: the journal holds money that moved,
//! the reservation book holds promises, so a call that fails never touches the journal.
mod call;
mod landed;
mod ledger;
mod live;
mod node;
mod read;
mod window;

pub use call::{
    Attempt, BookingError, Credit, CreditKind, Credited, Held, HoldError, HoldRequest, LimitState, Outcome,
    Refusal, Release, RequestFacts, Resolution, ResolveError, SetLimit, Settlement, Unavailable, UsageSource,
};
pub use landed::{Decision, Ended, Fate, Finish, Reason, decide};
pub use ledger::{Ledger, OpenError, RecoverError, Recovered, Swept, Violation};
pub use node::{NodeId, Payer};
pub use read::{CallFilter, CallRow, Page, Receipt, Summary, Transaction, Wallet};
pub use window::{Window, time_zone};
