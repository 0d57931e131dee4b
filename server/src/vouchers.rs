//! Books the credit of vouchers that a crash between redeeming and booking left owed.

use bytespike_console::voucher;

use crate::Failure;
use crate::core::Core;

/// How many are booked in one go.
const AT_ONCE: u32 = 100;

/// Books every voucher that is due. Doing it twice is doing it once; one that cannot be booked keeps no other waiting.
///
/// # Errors
/// The database cannot be read.
pub async fn book_due(core: &Core) -> Result<(), Failure> {
    for owed in core.accounts.vouchers.owed(AT_ONCE).await? {
        if let Err(error) = voucher::book((&core.accounts, &core.ledger), &owed).await {
            let (voucher_id, org_id) = (&owed.voucher_id, &owed.org_id);
            tracing::error!(%error, voucher_id, org_id, "a voucher could not be booked; it is tried again");
        }
    }
    Ok(())
}
