//! The credit of a redeemed voucher. Booking it twice is booking it once.
use bytespike_accounts::Accounts;
use bytespike_accounts::vouchers::VoucherCredit;
use bytespike_catalog::NanoUsd;
use bytespike_ledger::{BookingError, Credit, CreditKind, Ledger};

/// Begins the note of such a booking, so that pages can name it in the reader's language.
pub(crate) const VOUCHER_NOTE: &str = "voucher: ";

/// Why it was not booked. It stays owed and is tried again.
#[derive(Debug, thiserror::Error)]
pub enum VoucherError {
    #[error(transparent)]
    Booking(#[from] BookingError),
    #[error("the voucher's use cannot be marked as booked: {0}")]
    Database(#[from] sqlx::Error),
}

/// Books it, and notes that it is no longer owed. Safe to repeat after a crash.
///
/// # Errors
/// The ledger or the database does not answer.
pub async fn book(
    (accounts, ledger): (&Accounts, &Ledger),
    owed: &VoucherCredit,
) -> Result<(), VoucherError> {
    let credit = Credit {
        org_id: owed.org_id.clone(),
        amount: NanoUsd(owed.amount_nano),
        kind: CreditKind::Grant,
        idempotency_key: format!("voucher:{}", owed.voucher_id),
        note: format!("{VOUCHER_NOTE}{}", owed.note),
        expires_at_ms: owed.expires_at_ms,
    };
    ledger.credit(credit).await?;
    Ok(accounts.vouchers.booked(owed).await?)
}
