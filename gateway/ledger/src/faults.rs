//! Where a test makes the writer fail. Production injects nothing; everything that may happen to a transaction can be
//! made to happen to each batch, at each moment, so that what a caller is told can be compared with what was written.

/// A moment in the life of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before its transaction begins.
    Begin,
    /// Its rows are read and locked.
    Loaded,
    /// Everything is written, nothing is committed.
    Stored,
    /// It is committed, and nobody was told.
    Committed,
}

impl Moment {
    pub const ALL: [Self; 4] = [Self::Begin, Self::Loaded, Self::Stored, Self::Committed];
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The database refuses and rolls back; after the commit, only its confirmation is lost.
    Refuse,
    /// Another transaction is in the way, so that the batch is tried again.
    Collide,
    /// The process dies: nothing more is written, and nobody is answered.
    Die,
}

/// Decides what goes wrong at each moment of each batch.
pub trait Faults: Send + Sync {
    /// `None` lets the batch go on.
    fn at(&self, moment: Moment) -> Option<Fault>;
}

/// Nothing goes wrong on purpose.
pub struct NoFaults;

impl Faults for NoFaults {
    fn at(&self, _: Moment) -> Option<Fault> {
        None
    }
}

/// Why a batch was not committed, or not known to be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken<E> {
    #[error(transparent)]
    Database(#[from] E),
    #[error("a fault was injected: {0:?}")]
    Injected(Fault),
}

impl<E> Broken<E> {
    pub fn is_death(&self) -> bool {
        matches!(self, Self::Injected(Fault::Die))
    }
}

/// Lets the batch go on, unless a fault is due.
pub(crate) fn pass<E>(faults: &dyn Faults, moment: Moment) -> Result<(), Broken<E>> {
    faults.at(moment).map_or(Ok(()), |fault| Err(Broken::Injected(fault)))
}
