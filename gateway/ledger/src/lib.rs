//! Holds, settlement, the journal, receipts and their invariants. Two books: the journal holds money that moved,
//! the reservation book holds promises, so a call that fails never touches the journal.
mod alerts;
mod batch;
mod books;
mod call;
mod claims;
mod debits;
mod faults;
mod instance;
mod invariants;
mod journal;
mod kept;
mod landed;
mod late;
mod ledger;
mod limits;
mod live;
mod lots;
mod node;
mod orphans;
mod oversight;
mod read;
mod receipt;
mod recompute;
mod reconcile;
mod replay;
mod resolve;
mod retention;
mod rows;
mod settings;
mod standing;
mod statement;
mod status;
mod usage;
mod verified;
mod window;
mod writer;

pub use alerts::{AlertSetting, Alerts};
pub use books::{BooksError, Draft, InForce, Publication};
pub use bytespike_store::names::Names;
pub use call::{
    Attempt, BookingError, Claim, Claimed, Credit, CreditKind, Credited, Debit, FreeCredit, GrantEnd, Held,
    HoldError, HoldRequest, LimitState, Outcome, Refusal, Release, RequestFacts, Resolution, ResolveError,
    SetLimit, Settlement, Unavailable, UsageSource,
};
pub use faults::{Fault, Faults, Moment, NoFaults};
pub use invariants::{Violation, names as invariant_names};
pub use landed::{
    Decision, Ended, Fate, Finish, ItemsDecision, ItemsEnded, ItemsFate, Reason, decide, decide_items,
};
pub use late::LateUsage;
pub use ledger::{Ledger, OpenError, RecoverError, Recovered, Swept};
pub use node::{NodeId, Payer, joined_key_path};
pub use oversight::{AbsorbedBy, AbsorbedSum, Before, OpenHold, OrgRow, WalletRow};
pub use read::{CallFilter, CallRow, Lot, Page, Receipt, Transaction, Wallet};
pub use receipt::{receipt_key_id, verify_receipt};
pub use recompute::{Finding, ReceiptError, recompute};
pub use reconcile::{COMPARED_DAYS, CostLine, CostReport, Reconciliation, ReconciliationFilter};
pub use replay::{Replay, Replayed, ReplayedSum};
pub use retention::{Forgotten, Retention};
pub use standing::Standing;
pub use statement::{
    ClosedStatement, Credits, Debits, Holds, MovementLine, Movements, NotBilled, Pockets, Statement,
    StatementLine, StatementUsage, Status, UsagePart,
};
pub use status::{BooksStatus, CallCounts, CheckRun, InvariantRun};
pub use usage::{Dimension, Order, QUARTER_MS, Quantities, ResolvedCall, UsageFilter, UsageKey, UsageSums};
pub use window::{Window, time_zone};
