//! What a batch writes and in which order, the same on both databases.
use crate::batch::{Changes, Loaded};
use crate::kept::Kept;
use crate::rows::Row;

/// Where rows are written.
pub(crate) trait Tables {
    type Error;

    fn insert<'r, R: Row + 'r>(&mut self, rows: impl Iterator<Item = &'r R>) -> Result<(), Self::Error>;
    /// Writes the columns that are not fixed. The rows are there, and nobody else can have changed them since they
    /// were read: their wallet is locked.
    fn update<'r, R: Row + 'r>(&mut self, rows: impl Iterator<Item = &'r R>) -> Result<(), Self::Error>;
}

/// Writes what changed, in the order that foreign keys ask for.
pub(crate) fn store<T: Tables>(tables: &mut T, loaded: &Loaded, changes: &Changes) -> Result<(), T::Error> {
    let lots = || loaded.lots.values().flatten();
    let limits = || loaded.limits.values().flatten();
    let reservations = || loaded.reservations.values();
    tables.update(loaded.wallets.values().filter_map(Kept::to_update))?;
    tables.insert(lots().filter_map(Kept::to_insert))?;
    tables.update(lots().filter_map(Kept::to_update))?;
    tables.insert(reservations().filter_map(Kept::to_insert))?;
    tables.update(reservations().filter_map(Kept::to_update))?;
    tables.insert(changes.pins.iter())?;
    tables.update(limits().filter_map(Kept::to_update))?;
    tables.insert(changes.transactions.iter())?;
    tables.insert(changes.entries.iter())?;
    tables.insert(changes.claims.iter())?;
    tables.insert(changes.attempts.iter())?;
    tables.insert(changes.absorbed.iter())?;
    tables.insert(changes.receipts.iter())?;
    tables.insert(changes.outbox.iter())
}
