//! Books the trial credit that a crash between proving an address and booking left owed.

use bytespike_catalog::NanoUsd;
use bytespike_console::trial;

use crate::Failure;
use crate::core::Core;

/// How many are booked in one go.
const AT_ONCE: i64 = 100;
/// One credit in nano-USD.
const CREDIT_NANO: i64 = 1000;

/// What a new organisation is given.
pub fn amount(credits: u32) -> NanoUsd {
    NanoUsd(i64::from(credits) * CREDIT_NANO)
}

/// Books every trial credit that is due. Doing it twice is doing it once.
///
/// # Errors
/// The database cannot be read or written.
pub async fn book_due(core: &Core, amount: NanoUsd) -> Result<(), Failure> {
    for due in core.accounts.people.trials_due(AT_ONCE).await? {
        trial::book((&core.accounts, &core.ledger), &due, amount).await?;
    }
    Ok(())
}
