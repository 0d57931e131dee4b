//! The credit a new organisation starts with. Booked when its owner's address is proven; booking it twice is once.
use bytespike_accounts::Accounts;
use bytespike_accounts::orgs::TrialGrant;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{BookingError, Credit, CreditKind, Ledger};

/// Marks the booking, so that the wallet page can name it in the reader's language.
pub const TRIAL_NOTE: &str = "trial";
/// Until the org chooses its own.
const TIME_ZONE: &str = "UTC";

/// Why the trial was not booked. It stays due and can be tried again.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    #[error(transparent)]
    Booking(#[from] BookingError),
    #[error("the organisation cannot be marked as granted: {0}")]
    Database(#[from] sqlx::Error),
}

/// Opens the org's wallet, books the trial, and notes that it is no longer due. Safe to repeat after a crash.
///
/// # Errors
/// The ledger or the database does not answer.
pub async fn book(
    (accounts, ledger): (&Accounts, &Ledger),
    trial: &TrialGrant,
    amount: NanoUsd,
) -> Result<(), TrialError> {
    ledger.open_wallet(&trial.org_id, TIME_ZONE).await?;
    if trial.is_owed && amount > NanoUsd(0) {
        let credit = Credit {
            org_id: trial.org_id.clone(),
            amount,
            kind: CreditKind::Grant,
            idempotency_key: trial.grant_id.clone(),
            note: TRIAL_NOTE.to_owned(),
            expires_at_ms: None,
        };
        ledger.credit(credit).await?;
    }
    Ok(accounts.people.trial_granted(trial).await?)
}
